/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_HISTOGRAM_H
#define COO_FEATURE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A log-linear histogram of durations in ns: every power of two is cut into 64 equal buckets,
 * values below 64 have a bucket each. A quantile is the middle of its bucket and so within 1/128
 * (0.8 %) of the exact value. Count, minimum, maximum, sum and mean are exact. The memory is
 * constant, whatever the number of samples: 19 kB. Values from COO_HIST_LIMIT (about 73 minutes) on
 * share one bucket. Pure: no allocation, no clock.
 */
enum { COO_HIST_SUB_BITS = 6, COO_HIST_TOP_BITS = 42 };
#define COO_HIST_SUB ((size_t)1 << COO_HIST_SUB_BITS)
#define COO_HIST_BUCKETS ((size_t)(COO_HIST_TOP_BITS - COO_HIST_SUB_BITS + 1) * COO_HIST_SUB)
#define COO_HIST_LIMIT (UINT64_C(1) << COO_HIST_TOP_BITS)

typedef struct coo_hist {
	uint64_t n, min, max, sum;
	double mean, m2; /* Welford's: the variance without cancellation */
	uint64_t bucket[(COO_HIST_TOP_BITS - COO_HIST_SUB_BITS + 1) << COO_HIST_SUB_BITS];
} coo_hist;

void coo_hist_init(coo_hist *h);
void coo_hist_add(coo_hist *h, uint64_t value);

/* Adds the samples of from to h. */
void coo_hist_merge(coo_hist *h, const coo_hist *from);

/*
 * The q-quantile (0 < q <= 1) by nearest rank: the smallest value that at least q of the samples do
 * not exceed, to the histogram's accuracy, never outside min…max. 0 without samples.
 */
uint64_t coo_hist_quantile(const coo_hist *h, double q);

/* Whether there are samples enough for a q-quantile to say something: at least one beyond it, for
 * a median one at all. */
bool coo_hist_supports(const coo_hist *h, double q);

/* Exact mean rounded down; 0 without samples. */
uint64_t coo_hist_mean(const coo_hist *h);

/* Standard deviation of the samples (of the whole, not estimated for more). */
double coo_hist_stddev(const coo_hist *h);

/* Bucket of a value, and the bounds low <= value < high of a bucket. */
size_t coo_hist_index(uint64_t value);
uint64_t coo_hist_low(size_t index);
uint64_t coo_hist_high(size_t index);

#endif
