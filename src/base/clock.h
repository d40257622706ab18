/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_CLOCK_H
#define COO_BASE_CLOCK_H

#include <stddef.h>

#include "proto/time.h"

/* Monotonic time in ns since an unspecified epoch; never 0, never backwards. Any thread. */
coo_time coo_clock_now(void);

/* Wall-clock time in ns since 1970-01-01 UTC. Any thread. */
coo_time coo_clock_wall(void);

/* By how much the wall clock may be wrong, in ns, as the system states it where it is synchronized;
 * else UINT64_MAX. */
uint64_t coo_clock_error(void);

/* Bytes that coo_clock_rfc3339 needs, NUL included: 2026-11-22T08:15:30.123+08:00. */
#define COO_RFC3339_CAP 36

/* Writes wall (ns since 1970) as RFC 3339 in local time, with milliseconds and zone; returns text.
 */
const char *coo_clock_rfc3339(coo_time wall, char text[COO_RFC3339_CAP]);

#endif
