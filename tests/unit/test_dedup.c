/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/dedup.h"
#include "support/test.h"

static coo_dedup open_table(size_t n)
{
	void *mem = calloc(1, coo_dedup_size(n));
	coo_dedup d;

	assert_non_null(mem);
	coo_dedup_init(&d, n, mem);
	return d;
}

static void seen_until_its_time_is_over(void **state)
{
	coo_dedup d = open_table(64);
	coo_time t = COO_SEC(1000);

	(void)state;
	assert_false(coo_dedup_seen(&d, 7, t));
	assert_true(coo_dedup_seen(&d, 7, t));
	assert_false(coo_dedup_seen(&d, 8, t));
	assert_true(coo_dedup_seen(&d, 7, t + COO_DEDUP_TTL - 1));
	/* each retry is a new beginning */
	assert_true(coo_dedup_seen(&d, 7, t + 2 * COO_DEDUP_TTL - 2));
	t += 2 * COO_DEDUP_TTL - 2;
	assert_false(coo_dedup_seen(&d, 7, t + COO_DEDUP_TTL));
	assert_true(coo_dedup_seen(&d, 7, t + COO_DEDUP_TTL));
	free(d.slots);
}

static void key_zero_is_a_key(void **state)
{
	coo_dedup d = open_table(4);

	(void)state;
	assert_false(coo_dedup_seen(&d, 0, 1));
	assert_true(coo_dedup_seen(&d, 0, 1));
	free(d.slots);
}

static void the_oldest_of_a_full_bucket_gives_way(void **state)
{
	coo_dedup d = open_table(4);

	(void)state;
	for (uint64_t k = 1; k <= 5; k++)
		assert_false(coo_dedup_seen(&d, k, COO_SEC(k)));
	for (uint64_t k = 2; k <= 5; k++)
		assert_true(coo_dedup_seen(&d, k, COO_SEC(10 + k)));
	assert_false(coo_dedup_seen(&d, 1, COO_SEC(20)));
	free(d.slots);
}

static void a_table_half_full_forgets_few(void **state)
{
	enum { N = 4096 };
	coo_dedup d = open_table(2 * N);
	uint64_t random = 1;
	unsigned forgotten = 0;

	(void)state;
	for (unsigned i = 0; i < N; i++)
		assert_false(coo_dedup_seen(&d, test_random(&random), COO_SEC(1) + i));
	random = 1;
	for (unsigned i = 0; i < N; i++)
		forgotten += !coo_dedup_seen(&d, test_random(&random), COO_SEC(2));
	/* asking in the same order puts out all of a bucket with five: 14 % by Poisson */
	assert_in_range(forgotten, N / 10, N / 6);
	free(d.slots);
}

static void near_the_end_of_time(void **state)
{
	coo_dedup d = open_table(4);

	(void)state;
	assert_false(coo_dedup_seen(&d, 1, COO_NEVER - 10));
	assert_true(coo_dedup_seen(&d, 1, COO_NEVER - 1));
	free(d.slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seen_until_its_time_is_over),
		cmocka_unit_test(key_zero_is_a_key),
		cmocka_unit_test(the_oldest_of_a_full_bucket_gives_way),
		cmocka_unit_test(a_table_half_full_forgets_few),
		cmocka_unit_test(near_the_end_of_time),
	};

	return cmocka_run_group_tests_name("dedup", tests, NULL, NULL);
}
