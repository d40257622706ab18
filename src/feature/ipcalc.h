/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_IPCALC_H
#define COO_FEATURE_IPCALC_H

#include <stdint.h>

#include "proto/addr.h"

/* The arithmetic of networks: pure, for any address and any prefix; a prefix longer than the
 * address counts as its length. */

/* What an address is for (RFC 6890 and those it collects). */
enum coo_ip_kind {
	COO_IP_PUBLIC,
	COO_IP_PRIVATE, /* RFC 1918, fc00::/7 */
	COO_IP_SHARED,	/* 100.64/10: between a provider and its customers */
	COO_IP_LINK_LOCAL,
	COO_IP_LOOPBACK,
	COO_IP_MULTICAST,
	COO_IP_BROADCAST,     /* 255.255.255.255 */
	COO_IP_DOCUMENTATION, /* 192.0.2/24 and its like: in books only */
	COO_IP_UNSPECIFIED,   /* 0.0.0.0/8, :: */
	COO_IP_RESERVED,      /* 240/4 */
};

enum coo_ip_kind coo_ip_kind_of(const coo_addr *a);

/* "private", "link-local" …; static storage. */
const char *coo_ip_kind_text(enum coo_ip_kind kind);

/* 'A' to 'E', as networks were divided before CIDR (RFC 791); 0 for IPv6. */
char coo_ip_class(const coo_addr *a);

/* The netmask of so many bits, port 0. */
coo_addr coo_ip_mask(uint8_t family, unsigned prefix);

/* a without the bits of the host; port 0, the zone kept. */
coo_addr coo_ip_network(const coo_addr *a, unsigned prefix);

/*
 * How many hosts a network has room for: without the network's and the broadcast address where
 * there are such, so 254 for a /24, 2 for a /31 (RFC 3021), 1 for a /32. UINT64_MAX stands for
 * more than fits.
 */
uint64_t coo_ip_hosts(uint8_t family, unsigned prefix);

#endif
