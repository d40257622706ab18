/* SPDX-License-Identifier: MIT */
#include "feature/histogram.h"

#include <math.h>
#include <string.h>

void coo_hist_init(coo_hist *h)
{
	memset(h, 0, sizeof(*h));
}

static unsigned top_bit(uint64_t v)
{
	return 63u - (unsigned)__builtin_clzll(v);
}

size_t coo_hist_index(uint64_t value)
{
	unsigned shift;

	if (value >= COO_HIST_LIMIT)
		return COO_HIST_BUCKETS - 1;
	if (value < COO_HIST_SUB)
		return (size_t)value;
	shift = top_bit(value) - COO_HIST_SUB_BITS;
	return (size_t)(shift + 1) * COO_HIST_SUB + (size_t)((value >> shift) - COO_HIST_SUB);
}

uint64_t coo_hist_low(size_t index)
{
	unsigned shift;

	if (index < COO_HIST_SUB)
		return index;
	shift = (unsigned)(index / COO_HIST_SUB) - 1;
	return (uint64_t)(index % COO_HIST_SUB + COO_HIST_SUB) << shift;
}

uint64_t coo_hist_high(size_t index)
{
	return index + 1 < COO_HIST_BUCKETS ? coo_hist_low(index + 1) : UINT64_MAX;
}

void coo_hist_add(coo_hist *h, uint64_t value)
{
	double delta;

	if (h->n == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->n++;
	h->sum += value;
	delta = (double)value - h->mean;
	h->mean += delta / (double)h->n;
	h->m2 += delta * ((double)value - h->mean);
	h->bucket[coo_hist_index(value)]++;
}

void coo_hist_merge(coo_hist *h, const coo_hist *from)
{
	double delta = from->mean - h->mean, n = (double)h->n + (double)from->n;

	if (from->n == 0)
		return;
	if (h->n == 0 || from->min < h->min)
		h->min = from->min;
	if (from->max > h->max)
		h->max = from->max;
	h->m2 += from->m2 + delta * delta * (double)h->n * (double)from->n / n;
	h->mean += delta * (double)from->n / n;
	h->n += from->n;
	h->sum += from->sum;
	for (size_t i = 0; i < COO_HIST_BUCKETS; i++)
		h->bucket[i] += from->bucket[i];
}

/* The middle of a bucket, kept within the samples' bounds. */
static uint64_t middle(const coo_hist *h, size_t index)
{
	uint64_t low = coo_hist_low(index), v;

	if (index + 1 >= COO_HIST_BUCKETS)
		return h->max;
	v = low + (coo_hist_high(index) - low) / 2;
	if (v > h->max)
		return h->max;
	return v < h->min ? h->min : v;
}

uint64_t coo_hist_quantile(const coo_hist *h, double q)
{
	uint64_t rank, seen = 0;
	double exact;

	if (h->n == 0)
		return 0;
	/* A hair less, since 0.999 of 1,000 samples is a little more than 999 in binary. */
	exact = q * (double)h->n * (1 - 1e-12);
	rank = (uint64_t)exact;
	rank += (double)rank < exact;
	if (rank >= h->n)
		return h->max;
	if (rank <= 1)
		return h->min;
	for (size_t i = 0; i < COO_HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			return middle(h, i);
	}
	return h->max;
}

bool coo_hist_supports(const coo_hist *h, double q)
{
	return h->n > 0 && (q <= 0.5 || (double)h->n * (1 - q) >= 1 - 1e-9);
}

uint64_t coo_hist_mean(const coo_hist *h)
{
	return h->n ? h->sum / h->n : 0;
}

double coo_hist_stddev(const coo_hist *h)
{
	return h->n ? sqrt(h->m2 / (double)h->n) : 0;
}
