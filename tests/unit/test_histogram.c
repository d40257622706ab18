/* SPDX-License-Identifier: MIT */
#include "feature/histogram.h"

#include <math.h>
#include <stdlib.h>

#include "support/test.h"

static void buckets_join_without_gap_and_hold_their_values(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i + 1 < COO_HIST_BUCKETS; i++) {
		uint64_t low = coo_hist_low(i), high = coo_hist_high(i);

		assert_true(low < high);
		assert_int_equal(coo_hist_index(low), i);
		assert_int_equal(coo_hist_index(high - 1), i);
		/* the middle is within 1/128 of either end */
		assert_true((high - low) / 2 <= low / 128 + 1);
	}
	for (int n = 0; n < 100000; n++) {
		uint64_t v = test_random(&seed) >> test_random(&seed) % 64;
		size_t i = coo_hist_index(v);

		assert_true(i < COO_HIST_BUCKETS && coo_hist_low(i) <= v);
		assert_true(v < coo_hist_high(i) || i == COO_HIST_BUCKETS - 1);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void quantiles_are_within_one_percent_of_the_sorted_samples(void **state)
{
	static const double q[] = { 0.5, 0.9, 0.95, 0.99, 0.999 };
	enum { N = 20000 };
	static uint64_t v[N];
	static coo_hist h;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		uint64_t s = seed;

		coo_hist_init(&h);
		for (size_t i = 0; i < N; i++) {
			v[i] = 1000 + (test_random(&s) >> (20 + test_random(&s) % 40));
			v[i] %= COO_HIST_LIMIT;
			coo_hist_add(&h, v[i]);
		}
		qsort(v, N, sizeof(v[0]), by_value);
		for (size_t k = 0; k < COO_ARRAY_LEN(q); k++) {
			uint64_t want = v[(size_t)ceil(q[k] * N - 1e-6) - 1];
			uint64_t got = coo_hist_quantile(&h, q[k]);

			assert_true(fabs((double)got - (double)want) <= (double)want * 0.01);
		}
		assert_true(h.min == v[0] && h.max == v[N - 1] && h.n == N);
	}
}

static void mean_and_deviation_match_the_textbook(void **state)
{
	static coo_hist h;

	(void)state;
	coo_hist_init(&h);
	assert_true(coo_hist_mean(&h) == 0 && coo_hist_quantile(&h, 0.5) == 0);
	/* 2 4 4 4 5 5 7 9: mean 5, deviation 2 */
	for (const char *c = "24445579"; *c; c++)
		coo_hist_add(&h, (uint64_t)(*c - '0'));
	assert_true(coo_hist_mean(&h) == 5 && h.sum == 40);
	assert_true(fabs(coo_hist_stddev(&h) - 2) < 1e-12);
	assert_true(coo_hist_quantile(&h, 0.5) == 4 && coo_hist_quantile(&h, 1) == 9);
}

static void a_quantile_needs_a_sample_beyond_it(void **state)
{
	static const struct {
		double q;
		uint64_t n;
	} rows[] = { { 0.5, 1 }, { 0.9, 10 }, { 0.95, 20 }, { 0.99, 100 }, { 0.999, 1000 } };

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		static coo_hist h;

		coo_hist_init(&h);
		for (uint64_t n = 0; n < rows[i].n; n++) {
			assert_false(coo_hist_supports(&h, rows[i].q));
			coo_hist_add(&h, n);
		}
		assert_true(coo_hist_supports(&h, rows[i].q));
	}
}

static void merged_halves_equal_the_whole(void **state)
{
	static coo_hist a, b, all;
	uint64_t seed = 9;

	(void)state;
	coo_hist_init(&a);
	coo_hist_init(&b);
	coo_hist_init(&all);
	for (int i = 0; i < 5000; i++) {
		uint64_t v = test_random(&seed) % 1000000;

		coo_hist_add(i % 3 ? &a : &b, v);
		coo_hist_add(&all, v);
	}
	coo_hist_merge(&a, &b);
	assert_true(a.n == all.n && a.sum == all.sum && a.min == all.min && a.max == all.max);
	assert_memory_equal(a.bucket, all.bucket, sizeof(a.bucket));
	assert_true(fabs(coo_hist_stddev(&a) - coo_hist_stddev(&all)) < 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_join_without_gap_and_hold_their_values),
		cmocka_unit_test(quantiles_are_within_one_percent_of_the_sorted_samples),
		cmocka_unit_test(mean_and_deviation_match_the_textbook),
		cmocka_unit_test(a_quantile_needs_a_sample_beyond_it),
		cmocka_unit_test(merged_halves_equal_the_whole),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
