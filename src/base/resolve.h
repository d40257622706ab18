/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_RESOLVE_H
#define COO_BASE_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"

enum coo_resolve_want {
	COO_RESOLVE_ANY = 0,
	COO_RESOLVE_V4 = 4,
	COO_RESOLVE_V6 = 6,
};

/*
 * Asks the system's resolver for the addresses of a host name (or of a numeric address) and blocks
 * until it answers: seconds, where the name server is silent. At most cap addresses, in the order
 * in which they are to be tried, each once, with the port set.
 *
 * COO_ENOENT where there is no such name or no address of that family, COO_EINVAL for an empty
 * name, COO_ENOMEM, COO_ESYS (errno is set; 0 where the resolver gave none, as for a silent name
 * server). *why, if why is not NULL, is the resolver's text for people, static, or NULL.
 */
COO_MUST_CHECK coo_err coo_resolve(const char *host, uint16_t port, enum coo_resolve_want want,
				   coo_addr *out, size_t cap, size_t *n, const char **why);

#endif
