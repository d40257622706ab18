/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/limit.h"
#include "support/test.h"

static coo_limit open_table(size_t n, uint32_t rate, uint32_t burst)
{
	void *mem = calloc(1, coo_limit_size(n));
	coo_limit l;

	assert_non_null(mem);
	coo_limit_init(&l, n, rate, burst, mem);
	return l;
}

static unsigned take_all(coo_limit *l, uint64_t key, coo_time now)
{
	unsigned n = 0;

	while (n < 1000 && coo_limit_take(l, key, now))
		n++;
	return n;
}

static void burst_first_then_the_rate(void **state)
{
	static const struct {
		uint32_t rate, burst;
		coo_time wait;
		unsigned then;
	} rows[] = {
		{ 2, 4, COO_MS(499), 0 },  { 2, 4, COO_MS(500), 1 },	 { 2, 4, COO_SEC(1), 2 },
		{ 2, 4, COO_SEC(60), 4 },  { 1, 1, COO_MS(999), 0 },	 { 1, 1, COO_SEC(1), 1 },
		{ 100, 1, COO_MS(10), 1 }, { 100, 50, COO_MS(100), 10 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_limit l = open_table(8, rows[i].rate, rows[i].burst);
		coo_time t = COO_SEC(5);

		assert_int_equal(take_all(&l, 1, t), rows[i].burst);
		assert_int_equal(take_all(&l, 1, t + rows[i].wait), rows[i].then);
		free(l.slots);
	}
}

static void over_a_long_time_no_more_than_the_rate(void **state)
{
	coo_limit l = open_table(8, 2, 4);
	unsigned n = 0;

	(void)state;
	for (coo_time t = COO_SEC(1); t < COO_SEC(101); t += COO_MS(7))
		n += coo_limit_take(&l, 1, t);
	assert_in_range(n, 200, 204);
	free(l.slots);
}

static void each_source_has_its_own(void **state)
{
	coo_limit l = open_table(64, 1, 2);

	(void)state;
	for (uint64_t key = 0; key < 16; key++)
		assert_int_equal(take_all(&l, key, COO_SEC(1)), 2);
	for (uint64_t key = 0; key < 16; key++)
		assert_int_equal(take_all(&l, key, COO_SEC(1)), 0);
	free(l.slots);
}

static void in_a_full_table_the_one_longest_idle_gives_way(void **state)
{
	coo_limit l = open_table(4, 1, 1);

	(void)state;
	for (uint64_t key = 1; key <= 4; key++)
		assert_true(coo_limit_take(&l, key, COO_MS(key)));
	assert_true(coo_limit_take(&l, 5, COO_MS(5)));
	for (uint64_t key = 2; key <= 5; key++)
		assert_false(coo_limit_take(&l, key, COO_MS(6)));
	assert_true(coo_limit_take(&l, 1, COO_MS(6)));
	free(l.slots);
}

static void the_time_of_the_next_token_is_known(void **state)
{
	coo_limit l = open_table(8, 10, 3);
	coo_time t = COO_SEC(1);

	(void)state;
	assert_int_equal(coo_limit_when(&l, 1), 0);
	for (unsigned i = 0; i < 100; i++) {
		coo_time when = coo_limit_when(&l, 1);

		if (when > t) {
			assert_false(coo_limit_take(&l, 1, when - 1));
			t = when;
		}
		assert_true(coo_limit_take(&l, 1, t));
	}
	/* three at once, then ten a second */
	assert_int_equal(t, COO_SEC(1) + 97 * COO_MS(100));
	assert_int_equal(coo_limit_when(&l, 2), 0);
	free(l.slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_first_then_the_rate),
		cmocka_unit_test(over_a_long_time_no_more_than_the_rate),
		cmocka_unit_test(each_source_has_its_own),
		cmocka_unit_test(the_time_of_the_next_token_is_known),
		cmocka_unit_test(in_a_full_table_the_one_longest_idle_gives_way),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
