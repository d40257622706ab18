/* SPDX-License-Identifier: MIT */
#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "proto/num.h"

const char *coo_addr_ip_text(const coo_addr *a, char text[COO_ADDR_TEXT_CAP])
{
	char zone[IF_NAMESIZE];
	size_t n;

	text[0] = '\0';
	if (a->family == 4)
		inet_ntop(AF_INET, a->ip, text, COO_ADDR_TEXT_CAP);
	else if (a->family == 6)
		inet_ntop(AF_INET6, a->ip, text, COO_ADDR_TEXT_CAP);
	else
		snprintf(text, COO_ADDR_TEXT_CAP, "-");
	n = strlen(text);
	if (a->family == 6 && a->scope) {
		if (if_indextoname(a->scope, zone))
			snprintf(text + n, COO_ADDR_TEXT_CAP - n, "%%%s", zone);
		else
			snprintf(text + n, COO_ADDR_TEXT_CAP - n, "%%%u", (unsigned)a->scope);
	}
	return text;
}

const char *coo_addr_text(const coo_addr *a, char text[COO_ADDR_TEXT_CAP])
{
	char ip[COO_ADDR_TEXT_CAP];

	coo_addr_ip_text(a, ip);
	if (a->port == 0)
		memcpy(text, ip, sizeof(ip));
	else if (a->family == 6)
		snprintf(text, COO_ADDR_TEXT_CAP, "[%.60s]:%u", ip, (unsigned)a->port);
	else
		snprintf(text, COO_ADDR_TEXT_CAP, "%.60s:%u", ip, (unsigned)a->port);
	return text;
}

static bool parse_port(const char *text, uint16_t *port)
{
	uint64_t v;

	if (!coo_num_dec(coo_span_str(text), 65535, &v))
		return false;
	*port = (uint16_t)v;
	return true;
}

static bool copy(const char *from, size_t n, char *to, size_t cap)
{
	if (n == 0 || n >= cap)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

coo_err coo_addr_split(const char *text, char *host, size_t cap, uint16_t *port)
{
	const char *colon = strchr(text, ':');
	const char *end;

	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || !copy(text + 1, (size_t)(end - text) - 1, host, cap))
			return COO_EFORMAT;
		if (end[1] == '\0')
			return COO_OK;
		return end[1] == ':' && parse_port(end + 2, port) ? COO_OK : COO_EFORMAT;
	}
	if (!colon || strchr(colon + 1, ':')) /* no port, or a bare IPv6 address */
		return copy(text, strlen(text), host, cap) ? COO_OK : COO_EFORMAT;
	if (!copy(text, (size_t)(colon - text), host, cap) || !parse_port(colon + 1, port))
		return COO_EFORMAT;
	return COO_OK;
}

static bool parse_v6(char *host, coo_addr *out)
{
	char *zone = strchr(host, '%');
	uint64_t index = 0;

	if (zone) {
		*zone++ = '\0';
		if (!coo_num_dec(coo_span_str(zone), UINT32_MAX, &index))
			index = if_nametoindex(zone);
		if (index == 0)
			return false;
	}
	if (inet_pton(AF_INET6, host, out->ip) != 1)
		return false;
	out->family = 6;
	out->scope = (uint32_t)index;
	return true;
}

coo_err coo_addr_parse(const char *text, uint16_t default_port, coo_addr *out)
{
	char host[COO_ADDR_TEXT_CAP];
	uint16_t port = default_port;
	coo_addr a;

	memset(&a, 0, sizeof(a));
	if (coo_addr_split(text, host, sizeof(host), &port) != COO_OK)
		return COO_EFORMAT;
	if (inet_pton(AF_INET, host, a.ip) == 1)
		a.family = 4;
	else if (!parse_v6(host, &a))
		return COO_EFORMAT;
	a.port = port;
	*out = a;
	return COO_OK;
}

socklen_t coo_addr_to_sockaddr(const coo_addr *a, struct sockaddr_storage *ss)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(ss, 0, sizeof(*ss));
	if (a->family == 6) {
		memset(&v6, 0, sizeof(v6));
		v6.sin6_family = AF_INET6;
		v6.sin6_port = htons(a->port);
		v6.sin6_scope_id = a->scope;
		memcpy(&v6.sin6_addr, a->ip, 16);
		memcpy(ss, &v6, sizeof(v6));
		return sizeof(v6);
	}
	memset(&v4, 0, sizeof(v4));
	v4.sin_family = AF_INET;
	v4.sin_port = htons(a->port);
	memcpy(&v4.sin_addr, a->ip, 4);
	memcpy(ss, &v4, sizeof(v4));
	return sizeof(v4);
}

static void from_v6(const struct sockaddr_in6 *v6, coo_addr *out)
{
	out->port = ntohs(v6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		out->family = 4;
		memcpy(out->ip, (const uint8_t *)&v6->sin6_addr + 12, 4);
		return;
	}
	out->family = 6;
	memcpy(out->ip, &v6->sin6_addr, 16);
	if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&v6->sin6_addr))
		out->scope = v6->sin6_scope_id;
}

bool coo_addr_from_sockaddr(const struct sockaddr *sa, coo_addr *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(out, 0, sizeof(*out));
	if (!sa)
		return false;
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		out->family = 4;
		out->port = ntohs(v4.sin_port);
		memcpy(out->ip, &v4.sin_addr, 4);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		from_v6(&v6, out);
		return true;
	}
	return false;
}

bool coo_addr_is_any(const coo_addr *a)
{
	static const uint8_t none[16];

	return memcmp(a->ip, none, 16) == 0;
}

bool coo_addr_is_loopback(const coo_addr *a)
{
	static const uint8_t v6[16] = { [15] = 1 };

	return a->family == 4 ? a->ip[0] == 127 : a->family == 6 && memcmp(a->ip, v6, 16) == 0;
}

bool coo_addr_is_multicast(const coo_addr *a)
{
	return a->family == 4 ? (a->ip[0] & 0xf0) == 0xe0 : a->family == 6 && a->ip[0] == 0xff;
}

bool coo_addr_is_link_local(const coo_addr *a)
{
	if (a->family == 4)
		return a->ip[0] == 169 && a->ip[1] == 254;
	return a->family == 6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

bool coo_addr_is_private(const coo_addr *a)
{
	const uint8_t *ip = a->ip;

	if (a->family == 6)
		return (ip[0] & 0xfe) == 0xfc;
	return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
	       (ip[0] == 192 && ip[1] == 168) || (ip[0] == 100 && (ip[1] & 0xc0) == 64);
}

static void mask(coo_addr *a, unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = bits > i * 8 ? bits - i * 8 : 0;

		if (keep < 8)
			a->ip[i] &= (uint8_t)(0xff00u >> keep);
	}
}

coo_err coo_cidr_parse(const char *text, coo_cidr *out)
{
	char host[COO_ADDR_TEXT_CAP];
	const char *slash = strchr(text, '/');
	uint64_t bits = 0;
	coo_cidr c;

	if (!copy(text, slash ? (size_t)(slash - text) : strlen(text), host, sizeof(host)) ||
	    coo_addr_parse(host, 0, &c.base) != COO_OK || c.base.port != 0)
		return COO_EFORMAT;
	c.bits = c.base.family == 4 ? 32 : 128;
	if (slash) {
		if (!coo_num_dec(coo_span_str(slash + 1), c.bits, &bits))
			return COO_EFORMAT;
		c.bits = (unsigned)bits;
	}
	mask(&c.base, c.bits);
	*out = c;
	return COO_OK;
}

bool coo_cidr_has(const coo_cidr *c, const coo_addr *a)
{
	coo_addr masked = *a;

	if (a->family != c->base.family)
		return false;
	mask(&masked, c->bits);
	return memcmp(masked.ip, c->base.ip, 16) == 0;
}
