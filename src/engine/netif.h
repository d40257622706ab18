/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_NETIF_H
#define COO_ENGINE_NETIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"

/* Why an interface address is or is not used for broadcasting and discovery. */
enum coo_netif_use {
	COO_NETIF_USED,
	COO_NETIF_DOWN,
	COO_NETIF_LOOPBACK,
	COO_NETIF_VIRTUAL,	/* docker*, br-*, veth*, virbr* …: skipped unless named */
	COO_NETIF_NOT_NAMED,	/* others were named with -I */
	COO_NETIF_NO_BROADCAST, /* point-to-point, /31, /32; for IPv6: no multicast */
};

/* One address of one interface; an interface with three addresses has three. */
typedef struct coo_netif {
	char name[64];
	uint32_t index;
	coo_addr addr;	    /* port 0 */
	coo_addr broadcast; /* IPv4 directed broadcast, from the system or computed; family 0 where
			       none */
	unsigned prefix;    /* bits of the mask */
	uint32_t mtu;
	uint8_t mac[6];
	bool has_mac, up, running;
	bool loopback, multicast;
	enum coo_netif_use use;
} coo_netif;

typedef struct coo_netifs {
	coo_netif *v;
	size_t n;
} coo_netifs;

/*
 * Reads the interfaces of the system. names is a list of n_names interface names of which alone the
 * addresses are used (docker* and loopback too, when named), or n_names 0 for all but loopback and
 * virtual ones. Gives: free with coo_netifs_free. COO_ENOENT where a name does not exist: *bad is
 * set to it.
 */
COO_MUST_CHECK coo_err coo_netifs_read(const char *const *names, size_t n_names, coo_netifs *out,
				       const char **bad);
void coo_netifs_free(coo_netifs *n);

/* "is down", "is loopback" …: for people. */
const char *coo_netif_use_text(enum coo_netif_use use);

/* Whether a is on the network of one of the interfaces (loopback included): an on-link source. */
bool coo_netifs_on_link(const coo_netifs *n, const coo_addr *a);

/* Whether a is one of our own addresses. */
bool coo_netifs_is_own(const coo_netifs *n, const coo_addr *a);

/* Whether a is a directed broadcast address of one of the interfaces, or 255.255.255.255. */
bool coo_netifs_is_broadcast(const coo_netifs *n, const coo_addr *a);

/* The pure parts, for the tests. */

/* What becomes of i, whose other fields are set. */
enum coo_netif_use coo_netif_decide(const coo_netif *i, const char *const *names, size_t n_names);

/* The directed broadcast address of an IPv4 network; false for /31, /32 and IPv6. */
bool coo_netif_directed_broadcast(const coo_addr *a, unsigned prefix, coo_addr *out);

/* How many leading bits of the mask are ones. */
unsigned coo_netif_prefix_bits(const uint8_t *mask, size_t n);

#endif
