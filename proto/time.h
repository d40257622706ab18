/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_TIME_H
#define COO_PROTO_TIME_H

#include <stdint.h>

/* Nanoseconds since an epoch the caller chooses and keeps; it never runs backwards. */
typedef uint64_t coo_time;

#define COO_NEVER UINT64_MAX
#define COO_US(n) ((coo_time)(n)*1000u)
#define COO_MS(n) ((coo_time)(n)*1000000u)
#define COO_SEC(n) ((coo_time)(n)*1000000000u)

/* a + b, or COO_NEVER where that would wrap: a deadline too far away is no deadline. */
static inline coo_time coo_time_add(coo_time a, coo_time b)
{
	return a > COO_NEVER - b ? COO_NEVER : a + b;
}

static inline coo_time coo_time_min(coo_time a, coo_time b)
{
	return a < b ? a : b;
}

#endif
