/* SPDX-License-Identifier: MIT */
#include "base/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"

static coo_err error_of(int code)
{
	if (code == EAI_MEMORY)
		return COO_ENOMEM;
	if (code == EAI_SYSTEM)
		return COO_ESYS;
	if (code == EAI_AGAIN || code == EAI_FAIL) {
		errno = 0;
		return COO_ESYS;
	}
	return COO_ENOENT;
}

static bool has(const coo_addr *v, size_t n, const coo_addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (coo_addr_eq(&v[i], a))
			return true;
	}
	return false;
}

static size_t collect(const struct addrinfo *list, uint16_t port, coo_addr *out, size_t cap)
{
	size_t n = 0;

	for (const struct addrinfo *i = list; i && n < cap; i = i->ai_next) {
		coo_addr a;

		if (!coo_addr_from_sockaddr(i->ai_addr, &a))
			continue;
		a.port = port;
		if (!has(out, n, &a))
			out[n++] = a;
	}
	return n;
}

static int family_of(enum coo_resolve_want want)
{
	switch (want) {
	case COO_RESOLVE_V4:
		return AF_INET;
	case COO_RESOLVE_V6:
		return AF_INET6;
	case COO_RESOLVE_ANY:
		break;
	}
	return AF_UNSPEC;
}

coo_err coo_resolve(const char *host, uint16_t port, enum coo_resolve_want want, coo_addr *out,
		    size_t cap, size_t *n, const char **why)
{
	struct addrinfo hints, *list = NULL;
	const char *text = NULL;
	coo_err err = COO_OK;
	int code;

	if (why)
		*why = NULL;
	if (host[0] == '\0' || cap == 0)
		return COO_EINVAL;
	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family_of(want);
	hints.ai_socktype = SOCK_DGRAM;
	code = getaddrinfo(host, NULL, &hints, &list);
	if (code != 0) {
		err = error_of(code);
		text = gai_strerror(code);
	} else {
		*n = collect(list, port, out, cap);
		freeaddrinfo(list);
		if (*n == 0) {
			err = COO_ENOENT;
			text = gai_strerror(EAI_NONAME);
		}
	}
	if (why)
		*why = text;
	return err;
}
