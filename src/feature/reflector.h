/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_REFLECTOR_H
#define COO_FEATURE_REFLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feature/guard.h"
#include "proto/attr.h"
#include "proto/err.h"

/*
 * A STAMP Session-Reflector (RFC 8762 4.3), unauthenticated mode, with a thread of its own.
 * Stateful (the default) it numbers the answers of each session itself, so that the sender can tell
 * on which way a packet was lost; stateless it returns the sender's number. A session is source
 * address, source port and SSID; the table of sessions is bounded and forgets the one idle longest.
 * Receive times are the kernel's.
 */
typedef struct coo_reflector coo_reflector;

typedef struct coo_reflector_cfg {
	coo_addr bind; /* family 0: IPv4 and IPv6; the port is used in any case */
	const char *device;
	bool stateless;
	const coo_cidr *allow;
	size_t n_allow;
	uint64_t rate, max_size; /* as in coo_guard_cfg */
} coo_reflector_cfg;

typedef struct coo_reflector_stats {
	uint64_t rx, tx, malformed, sessions, send_errors;
	uint64_t refused[COO_GUARD_COUNT];
} coo_reflector_stats;

/* COO_ESYS with errno where the port cannot be bound. Gives: coo_reflector_close. */
COO_MUST_CHECK coo_err coo_reflector_open(const coo_reflector_cfg *cfg, coo_reflector **out);
COO_MUST_CHECK coo_err coo_reflector_start(coo_reflector *r);
void coo_reflector_stop(coo_reflector *r);
void coo_reflector_close(coo_reflector *r); /* stops; accepts NULL */
coo_addr coo_reflector_local(const coo_reflector *r);
void coo_reflector_get_stats(const coo_reflector *r, coo_reflector_stats *out);

#endif
