/* SPDX-License-Identifier: MIT */
#include "cli/talk_url.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "proto/num.h"
#include "proto/span.h"

static bool refuse(char *why, size_t cap, const char *text)
{
	snprintf(why, cap, "%s", text);
	return false;
}

static bool take_scheme(const char **text, bool *is_tcp)
{
	if (strncmp(*text, "udp://", 6) != 0 && strncmp(*text, "tcp://", 6) != 0)
		return false;
	*is_tcp = (*text)[0] == 't';
	*text += 6;
	return true;
}

/* Cuts the host off and leaves text at the ':' before the port. */
static bool take_host(const char **text, char *host, size_t cap)
{
	const char *end, *start = *text;

	if (*start == '[') {
		start++;
		end = strchr(start, ']');
		*text = end ? end + 1 : start;
	} else {
		end = strrchr(start, ':');
		if (end && memchr(start, ':', (size_t)(end - start)))
			return false; /* a bare IPv6 address: where would its port begin? */
		*text = end ? end : start;
	}
	if (!end || (size_t)(end - start) >= cap)
		return false;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	return true;
}

static bool take_port(const char *text, uint16_t *port)
{
	size_t n = strlen(text);
	uint64_t v;

	if (n > 0 && text[n - 1] == '/')
		n--;
	if (n < 2 || text[0] != ':' || !coo_num_dec(coo_span_of(text + 1, n - 1), 65535, &v))
		return false;
	*port = (uint16_t)v;
	return true;
}

bool talk_url_parse(const char *text, struct talk_url *out, char *why, size_t cap)
{
	struct talk_url u;
	bool bracketed;

	memset(&u, 0, sizeof(u));
	if (!take_scheme(&text, &u.is_tcp))
		return refuse(why, cap, "it begins with udp:// or tcp://, as udp://10.0.0.7:7088");
	bracketed = *text == '[';
	if (!take_host(&text, u.host, sizeof(u.host)) || (bracketed && u.host[0] == '\0'))
		return refuse(why, cap,
			      "it has the form HOST:PORT or :PORT; an IPv6 address stands in "
			      "brackets, as tcp://[::1]:7000");
	if (!take_port(text, &u.port))
		return refuse(why, cap, "it ends with a port, a number up to 65535: HOST:PORT");
	if (u.host[0] == '\0')
		u.kind = TALK_HOST_NONE;
	else if (strcmp(u.host, "*") == 0)
		u.kind = TALK_HOST_STAR;
	if (u.kind == TALK_HOST_STAR)
		u.host[0] = '\0';
	if (u.kind == TALK_HOST_STAR && u.is_tcp)
		return refuse(
		    why, cap,
		    "TCP has no broadcast: tcp://:PORT waits for clients on every address");
	*out = u;
	return true;
}

bool talk_bind_parse(const char *text, coo_addr *out, char *why, size_t cap)
{
	uint64_t port;
	coo_addr a;

	memset(&a, 0, sizeof(a));
	if (coo_num_dec(coo_span_str(text + (*text == ':')), 65535, &port))
		a.port = (uint16_t)port;
	else if (coo_addr_parse(text, 0, &a) != COO_OK)
		return refuse(why, cap,
			      "it is an address of this host with or without a port: "
			      "10.0.0.7:7088, [fe80::1%eth0]:7088, 10.0.0.7 or :7088");
	*out = a;
	return true;
}

static size_t copy_addrs(const struct addrinfo *found, uint16_t port, coo_addr *out, size_t cap)
{
	size_t n = 0;

	for (const struct addrinfo *i = found; i && n < cap; i = i->ai_next) {
		if (!coo_addr_from_sockaddr(i->ai_addr, &out[n]))
			continue;
		out[n++].port = port;
	}
	return n;
}

size_t talk_resolve(const char *host, uint16_t port, bool is_tcp, coo_addr *out, size_t cap,
		    char *why, size_t why_cap)
{
	struct addrinfo hints, *found = NULL;
	size_t n;
	int e;

	if (coo_addr_parse(host, 0, &out[0]) == COO_OK && out[0].port == 0) {
		out[0].port = port;
		return 1;
	}
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = is_tcp ? SOCK_STREAM : SOCK_DGRAM;
	e = getaddrinfo(host, NULL, &hints, &found);
	if (e != 0) {
		snprintf(why, why_cap, "the name \"%s\" is not known: %s", host, gai_strerror(e));
		return 0;
	}
	n = copy_addrs(found, port, out, cap);
	freeaddrinfo(found);
	if (n == 0)
		snprintf(why, why_cap, "the name \"%s\" has no IPv4 or IPv6 address", host);
	return n;
}
