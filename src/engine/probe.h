/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_PROBE_H
#define COO_ENGINE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/netif.h"
#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/span.h"
#include "proto/time.h"

/*
 * Single questions to the system and to one host, for finding faults. They block for as long as
 * they say, and send no more than one small packet or connection each.
 */

/* What the routes make of an address, sent from an interface's own address. */
enum coo_route {
	COO_ROUTE_BROADCAST, /* a broadcast, sent as such */
	COO_ROUTE_UNICAST,   /* taken for one host */
	COO_ROUTE_NONE,	     /* no route, or a forbidden one */
};

/*
 * Asks by connecting a socket, which sends nothing: without SO_BROADCAST the system refuses a
 * broadcast address, and only such, with EACCES.
 */
enum coo_route coo_probe_route(const coo_addr *from, const coo_addr *to);

/* The address that a datagram to "to" would leave from; false where there is no route. */
bool coo_probe_source(const coo_addr *to, coo_addr *from);

/* Whether nobody listens on or is bound to the port; 0, or errno of bind. Binds and lets go. */
int coo_probe_tcp_bind(uint16_t port);

/* Opens a TCP connection and closes it: 0, ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT … */
int coo_probe_tcp(const coo_addr *to, coo_time timeout);

/* As coo_probe_tcp to our own address "own", where the port there is opened for the moment.
 * EADDRINUSE where somebody holds it. */
int coo_probe_tcp_self(const coo_addr *own, uint16_t port, coo_time timeout);

/* Sends one datagram from a socket of its own: 0 where anything comes back, ECONNREFUSED where the
 * host says that nobody listens there, EHOSTUNREACH …, ETIMEDOUT. */
int coo_probe_udp(const coo_addr *to, coo_span data, coo_time timeout);

/* Who was seen on our networks lately, from the system's table. */
typedef struct coo_neighbour {
	coo_addr addr; /* port 0 */
	uint8_t mac[6];
} coo_neighbour;

/* At most cap of them; 0 where the system does not tell (other than Linux). IPv4 only. */
size_t coo_neighbours_read(coo_neighbour *out, size_t cap);

#endif
