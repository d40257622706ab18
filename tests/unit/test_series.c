/* SPDX-License-Identifier: MIT */
#include "feature/series.h"

#include "feature/impair.h"
#include "feature/oneway.h"
#include "support/test.h"

static coo_series s;

static void columns_join_when_the_run_outgrows_them(void **state)
{
	uint64_t n = 0, lost = 0, sum = 0;

	(void)state;
	coo_series_init(&s, 1000, 10);
	for (coo_time t = 0; t < 100000; t += 7) {
		if (t % 5 == 0)
			coo_series_lost(&s, 1000 + t);
		else
			coo_series_received(&s, 1000 + t, t);
	}
	assert_true(s.used <= COO_SERIES_MAX && s.used * s.width >= 99990);
	for (size_t i = 0; i < s.used; i++) {
		const coo_series_column *c = &s.column[i];

		n += c->n;
		lost += c->lost;
		sum += c->sum;
		if (c->n) /* the RTT is the time here, so it has to lie within its column */
			assert_true(c->min >= i * s.width && c->max < (i + 1) * s.width);
	}
	for (coo_time t = 0; t < 100000; t += 7) {
		if (t % 5 == 0) {
			lost--;
		} else {
			n--;
			sum -= t;
		}
	}
	assert_true(n == 0 && lost == 0 && sum == 0);
}

static void what_was_sent_before_the_start_counts_for_the_first_column(void **state)
{
	(void)state;
	coo_series_init(&s, 1000, 10);
	coo_series_late(&s, 10);
	coo_series_corrupted(&s, 1009);
	assert_true(s.column[0].late == 1 && s.column[0].corrupted == 1 && s.used == 1);
}

static void fates_hang_on_the_seed_and_meet_their_probability(void **state)
{
	coo_impair a = { .drop = 0.1, .dup = 0.2, .reorder = 0.3, .corrupt = 1 }, b = a;
	unsigned drop = 0, dup = 0, reorder = 0;

	(void)state;
	coo_impair_init(&a, 5);
	coo_impair_init(&b, 5);
	for (int i = 0; i < 100000; i++) {
		coo_fate f = coo_impair_next(&a), g = coo_impair_next(&b);

		assert_true(f.drop == g.drop && f.dup == g.dup && f.bit == g.bit);
		assert_true(f.corrupt);
		drop += f.drop;
		dup += f.dup;
		reorder += f.reorder;
	}
	assert_in_range(drop, 9500, 10500);
	assert_in_range(dup, 19500, 20500);
	assert_in_range(reorder, 29500, 30500);
}

static void loss_is_split_by_the_numbers_of_a_stateful_reflector(void **state)
{
	static coo_oneway o;
	coo_stamp_reply r = { .seq = 0 };
	uint64_t up = 9, down = 9;

	(void)state;
	coo_oneway_init(&o, false);
	assert_false(coo_oneway_loss(&o, &up, &down));
	/* ours 0 1 2 3 4 5: 1 lost up, 3 lost down; the reflector saw 0 2 3 4 5 as 0 1 2 3 4 */
	for (uint64_t seq = 0; seq < 6; seq++) {
		if (seq == 1 || seq == 3)
			continue;
		r.seq = (uint32_t)(seq > 1 ? seq - 1 : seq);
		coo_oneway_add(&o, seq, &r, 100, 150, 160, 200, UINT64_MAX);
	}
	assert_true(coo_oneway_loss(&o, &up, &down));
	assert_true(up == 1 && down == 1);
	assert_true(o.up.min == 50 && o.up.max == 50 && o.down.min == 40 && o.processing.max == 10);
	assert_true(o.bound == UINT64_MAX);
}

static void equal_numbers_tell_no_direction(void **state)
{
	static coo_oneway o;
	coo_stamp_reply r = { .seq = 0 };
	uint64_t up, down;

	(void)state;
	coo_oneway_init(&o, false);
	coo_oneway_add(&o, 0, &r, 1, 2, 3, 4, UINT64_MAX);
	assert_true(coo_oneway_loss(&o, &up, &down) && up == 0 && down == 0);
	r.seq = 2;
	coo_oneway_add(&o, 2, &r, 1, 2, 3, 4, UINT64_MAX);
	assert_false(coo_oneway_loss(&o, &up, &down));
	o.stateful = true; /* unless the user knows better */
	assert_true(coo_oneway_loss(&o, &up, &down) && up == 0 && down == 1);
}

static void a_stated_error_bounds_the_delay(void **state)
{
	static coo_oneway o;
	coo_stamp_reply r = { .error = { true, false, 22, 1 } };

	(void)state;
	coo_oneway_init(&o, false);
	coo_oneway_add(&o, 0, &r, 1, 2, 3, 4, 1000);
	assert_true(o.bound == coo_stamp_error_ns(r.error) + 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_join_when_the_run_outgrows_them),
		cmocka_unit_test(what_was_sent_before_the_start_counts_for_the_first_column),
		cmocka_unit_test(fates_hang_on_the_seed_and_meet_their_probability),
		cmocka_unit_test(loss_is_split_by_the_numbers_of_a_stateful_reflector),
		cmocka_unit_test(equal_numbers_tell_no_direction),
		cmocka_unit_test(a_stated_error_bounds_the_delay),
	};

	return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
