/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_ONEWAY_H
#define COO_FEATURE_ONEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "feature/histogram.h"
#include "proto/stamp.h"

/*
 * What a STAMP reflector's answers tell beyond the round trip. Pure.
 *
 * Loss by direction: a stateful reflector numbers what it got, so by the last answered probe it is
 * known how many of the probes up to it never arrived (up) and how many answers never came back
 * (down). What was lost after the last answer has no direction. Whether the reflector is stateful
 * shows when its numbers first differ from ours; before that, or where nothing tells, the direction
 * is unknown.
 *
 * Delay: the clocks of two hosts differ by an unknown offset, so of each direction only what the
 * offset cannot touch is certain: the difference of consecutive delays (RFC 3393) and the range
 * between the smallest and the largest. Where both sides state an error of their clocks (S set in
 * the error estimate) the delays themselves hold within that bound.
 */
typedef struct coo_oneway_path {
	int64_t min, max, last; /* delay with the offset in it */
	double sum;
	coo_hist ipdv; /* |difference| of one answer's delay to the one before */
} coo_oneway_path;

typedef struct coo_oneway {
	bool stateful;	  /* seen, or told */
	uint64_t answers; /* unique */
	uint64_t reach;	  /* highest of our numbers that was answered, plus 1 */
	uint32_t got;	  /* highest number of the reflector, plus 1 */
	uint64_t bound;	  /* sum of both errors, ns; UINT64_MAX: not stated */
	coo_oneway_path up, down;
	coo_hist processing; /* between the reflector's two stamps */
} coo_oneway;

void coo_oneway_init(coo_oneway *o, bool stateful);

/*
 * Books a unique answer to probe seq (counted from 0). Times are in ns since 1970: t1 sent, t2
 * received and t3 sent by the reflector, t4 received. own_error: of our clock, UINT64_MAX where it
 * is not synchronized.
 */
void coo_oneway_add(coo_oneway *o, uint64_t seq, const coo_stamp_reply *r, uint64_t t1, uint64_t t2,
		    uint64_t t3, uint64_t t4, uint64_t own_error);

/* Loss by direction; false where it is not known. */
bool coo_oneway_loss(const coo_oneway *o, uint64_t *up, uint64_t *down);

#endif
