/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_ECHOSOCK_H
#define COO_FEATURE_ECHOSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "engine/netif.h"
#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/time.h"

/*
 * What the services that answer from the address they were asked on (the echo responder, the STAMP
 * reflector) share: their sockets, the destination of what came, and the question whether a source
 * is on a network of this host.
 */

/* Sets an option that a system may lack: what fails is left as it is. */
void coo_echosock_set(int fd, int level, int name, int value);

typedef struct coo_echosock_cfg {
	const char *device; /* SO_BINDTODEVICE, or NULL */
	bool shared;	    /* SO_REUSEPORT: others of this service bind the same port */
	void (*options)(void *user, int fd, const coo_addr *a); /* before it is bound; or NULL */
	void *user;
} coo_echosock_cfg;

/* A bound UDP socket, or -1 with errno. One that has no particular address tells of each datagram
 * where it was sent to. */
int coo_echosock_open(const coo_echosock_cfg *cfg, const coo_addr *a);

/* Puts the port that fd is bound to into *a. */
void coo_echosock_port(int fd, coo_addr *a);

/* Where a datagram was sent to. */
typedef struct coo_echodest {
	bool known;
	bool to_many; /* a broadcast or multicast address: others got it too */
	coo_addr local;
	uint32_t ifindex; /* IPv6: the interface it came through */
} coo_echodest;

/* Takes note where c tells the destination; false where it tells something else. */
bool coo_echodest_read(coo_echodest *d, const struct cmsghdr *c);

/* Bytes that coo_echodest_write may need, and one control message of at most 4 bytes beside it. */
enum { COO_ECHO_CTRL = 96 };

/* Writes one control message to ctrl and returns where the next one goes. */
uint8_t *coo_echosock_put_cmsg(uint8_t *ctrl, int level, int type, const void *data, size_t n);

/* Writes what makes an answer leave from the address that was asked; nothing where that is not
 * known or not one's own. Returns the end. */
uint8_t *coo_echodest_write(const coo_echodest *d, uint8_t *ctrl);

/* This host's networks, read again after a few seconds since interfaces come and go. Zeroed memory
 * is an empty one. */
typedef struct coo_echonets {
	coo_netifs ifs;
	coo_time read;
} coo_echonets;

/* A coo_guard_on_link_fn; user is a coo_echonets. */
bool coo_echonets_on_link(void *user, const coo_addr *a, coo_time now);
void coo_echonets_free(coo_echonets *n);

#endif
