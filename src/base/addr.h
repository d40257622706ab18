/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_ADDR_H
#define COO_BASE_ADDR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"

/* Bytes for the longest text of an address, NUL included: [fe80::…%interface]:65535. */
#define COO_ADDR_TEXT_CAP 72

/* "10.0.0.7:2425" or "[fe80::1%eth0]:2425"; without the port where port is 0. Returns text. */
const char *coo_addr_text(const coo_addr *a, char text[COO_ADDR_TEXT_CAP]);

/* The address alone: "10.0.0.7", "fe80::1%eth0". Returns text. */
const char *coo_addr_ip_text(const coo_addr *a, char text[COO_ADDR_TEXT_CAP]);

/*
 * Parses a numeric address with an optional port: 10.0.0.7, 10.0.0.7:2425, ::1, [::1]:2425,
 * fe80::1%eth0, [fe80::1%2]:2425. Without a port, default_port is used. Host names are COO_EFORMAT:
 * those are resolved elsewhere. *out is written only on success.
 */
COO_MUST_CHECK coo_err coo_addr_parse(const char *text, uint16_t default_port, coo_addr *out);

/* Splits "host", "host:port", "[v6]:port" or "v6" without looking anything up; host has cap bytes.
 */
COO_MUST_CHECK coo_err coo_addr_split(const char *text, char *host, size_t cap, uint16_t *port);

/* Conversions to and from the socket structures. IPv4-mapped IPv6 becomes IPv4. */
socklen_t coo_addr_to_sockaddr(const coo_addr *a, struct sockaddr_storage *ss);
COO_MUST_CHECK bool coo_addr_from_sockaddr(const struct sockaddr *sa, coo_addr *out);

bool coo_addr_is_any(const coo_addr *a);
bool coo_addr_is_loopback(const coo_addr *a);
bool coo_addr_is_multicast(const coo_addr *a);
bool coo_addr_is_link_local(const coo_addr *a);
/* 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7. */
bool coo_addr_is_private(const coo_addr *a);

/* A network in CIDR form; for IPv4 base is masked. */
typedef struct coo_cidr {
	coo_addr base;
	unsigned bits;
} coo_cidr;

/* "10.0.0.0/8", "10.1.2.3" (a /32), "fe80::/10". */
COO_MUST_CHECK coo_err coo_cidr_parse(const char *text, coo_cidr *out);
bool coo_cidr_has(const coo_cidr *c, const coo_addr *a);

#endif
