/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_ADDR_H
#define COO_PROTO_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * A transport address as plain data, without the socket headers. IPv4 uses ip[0..3] in network
 * order and leaves the rest zero; an IPv4-mapped IPv6 address is never stored, the engine turns it
 * into IPv4. port is in host order. scope is the zone index of a link-local IPv6 address, else 0.
 */
typedef struct coo_addr {
	uint8_t ip[16];
	uint32_t scope;
	uint16_t port;
	uint8_t family; /* 0 none, 4, 6 */
	uint8_t reserved;
} coo_addr;

static inline coo_addr coo_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	coo_addr x;

	memset(&x, 0, sizeof(x));
	x.ip[0] = a;
	x.ip[1] = b;
	x.ip[2] = c;
	x.ip[3] = d;
	x.port = port;
	x.family = 4;
	return x;
}

/* Same host: family, address and zone, whatever the port. */
static inline bool coo_addr_eq_ip(const coo_addr *a, const coo_addr *b)
{
	return a->family == b->family && a->scope == b->scope && memcmp(a->ip, b->ip, 16) == 0;
}

static inline bool coo_addr_eq(const coo_addr *a, const coo_addr *b)
{
	return coo_addr_eq_ip(a, b) && a->port == b->port;
}

#endif
