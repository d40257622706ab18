/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_LIMIT_H
#define COO_PROTO_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/time.h"

/*
 * A token bucket per source in a fixed table: what a source gets from us is bounded, whatever it
 * sends (PROTOCOL.md 12). Four places a bucket; a new source takes the place that was idle
 * longest, and begins with a full bucket, so a flood of forged sources costs each other their
 * history, not memory.
 */
typedef struct coo_limit_slot {
	uint64_t key;
	coo_time full_at; /* when the bucket will be full again; 0: never used */
} coo_limit_slot;

typedef struct coo_limit {
	coo_limit_slot *slots;
	size_t mask;
	coo_time per_token; /* ns for one token */
	coo_time depth;	    /* ns for a full bucket */
} coo_limit;

size_t coo_limit_size(size_t n);

/* rate tokens a second, burst at once (both at least 1); mem as in coo_dedup_init. */
void coo_limit_init(coo_limit *l, size_t n, uint32_t rate, uint32_t burst, void *mem);

/* Takes one token of key's bucket; false where it is empty. now is not 0. */
bool coo_limit_take(coo_limit *l, uint64_t key, coo_time now);

/* From when on coo_limit_take gives a token of key's bucket. */
coo_time coo_limit_when(const coo_limit *l, uint64_t key);

#endif
