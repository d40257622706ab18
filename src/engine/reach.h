/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_REACH_H
#define COO_ENGINE_REACH_H

#include "engine/netif.h"
#include "engine/udp.h"

enum { COO_REACH_MAX = 128 };

/* Where an announcement goes: datagrams with addresses, source and interface, without data and
 * port. */
typedef struct coo_reach {
	coo_dgram v[COO_REACH_MAX];
	size_t n;
} coo_reach;

/*
 * From every used interface: the directed and the limited IPv4 broadcast, since each is deaf in
 * some client (PROTOCOL.md 1), and the IPv6 groups ff02::1 and ff15::979 where it has a
 * link-local address (PROTOCOL.md 1). With bind, only from the interface that has that address.
 * What is left out is said in the log.
 */
void coo_reach_find(coo_reach *r, const coo_netifs *ifs, const coo_addr *bind);

/* Whether now has an address that before had not. */
bool coo_reach_has_more(const coo_reach *now, const coo_reach *before);

#endif
