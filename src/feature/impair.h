/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_IMPAIR_H
#define COO_FEATURE_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/time.h"

/*
 * Damage on purpose: what a bad path would do, decided by a seed alone so that a tester can be
 * tested against it. Pure. The n-th datagram's fate depends on seed and n only: five draws of
 * splitmix64 for each, in the order of the fields below, each compared with its probability.
 */
typedef struct coo_impair {
	double drop, dup, reorder, corrupt; /* probabilities, 0…1 */
	coo_time delay;
	uint64_t state;
} coo_impair;

typedef struct coo_fate {
	bool drop, dup, reorder, corrupt;
	uint64_t bit; /* which bit to flip, modulo the datagram's bits */
} coo_fate;

void coo_impair_init(coo_impair *i, uint64_t seed);
bool coo_impair_is_on(const coo_impair *i);
coo_fate coo_impair_next(coo_impair *i);

/* ASCII letters to upper case. */
void coo_impair_upper(uint8_t *p, size_t n);

#endif
