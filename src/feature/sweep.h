/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_SWEEP_H
#define COO_FEATURE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/time.h"

/*
 * The addresses of a unicast sweep, in passes: which is next, which has answered and need not be
 * asked again, and when each was asked last. No sockets and no timers. Zeroed is empty.
 */
enum {
	COO_SWEEP_MAX = 1 << 20, /* addresses in all: a /12 */
	COO_SWEEP_MIN_BITS = 12,
	COO_SWEEP_MIN_BITS6 = 112,
};

#define COO_SWEEP_UNSENT (COO_NEVER - 1)

typedef struct coo_sweep_range {
	coo_addr first;
	uint32_t n;
} coo_sweep_range;

typedef struct coo_sweep {
	coo_sweep_range *ranges;
	size_t n_ranges;
	uint32_t total; /* addresses in all */
	uint32_t at;	/* where the pass stands: a number of all, */
	size_t range;	/* and where that is */
	uint32_t offset;
	uint32_t answered;
	uint32_t unsent; /* that could not be asked, when last tried */
	coo_time
	    *asked; /* by number of the address: 0 never, COO_NEVER has answered, COO_SWEEP_UNSENT
		     */
} coo_sweep;

/*
 * Adds the hosts of a network (without its own and its broadcast address) or one address.
 * COO_ERANGE: the network is wider than a /12 (IPv6: a /112); COO_ELIMIT: too many in all;
 * COO_ENOMEM. Not after the first coo_sweep_next.
 */
COO_MUST_CHECK coo_err coo_sweep_add(coo_sweep *s, const coo_cidr *net, uint16_t port);

/* The next address of this pass that has not answered, noted as asked now; false at its end (and
 * where memory is missing). */
bool coo_sweep_next(coo_sweep *s, coo_time now, coo_addr *out);

/* Begins the next pass. */
void coo_sweep_restart(coo_sweep *s);

/* An answer came from addr: true where it was asked; *asked is then when, or COO_NEVER where it had
 * answered before. */
bool coo_sweep_answer(coo_sweep *s, const coo_addr *addr, coo_time *asked);

/* The question to addr could not be sent; false where it is none of the addresses. */
bool coo_sweep_fail(coo_sweep *s, const coo_addr *addr);

void coo_sweep_free(coo_sweep *s);

#endif
