/* SPDX-License-Identifier: MIT */

/*
 * A crowd of nodes that goes on line within seconds (build/tests/bench/bench_crowd runs ten
 * thousand, and prints what it costs): everybody learns of everybody, no answer is lost, nobody
 * sends more than its budget, no receiver needs more than the default socket buffer, and one more
 * that comes costs a few datagrams of everybody.
 */
#include "support/crowd.h"
#include "support/test.h"

enum {
	NODES = 400,
	BUDGET = 2000 + 1000 + 4, /* answers at once, in a second after that, and four entries */
};

static struct crowd_result run(unsigned nodes, coo_time span, coo_time settle, uint64_t seed)
{
	const struct crowd_cfg cfg = { nodes, span, settle, seed };
	struct crowd_result r;
	size_t needs;

	assert_true(crowd_run(&cfg, &r, &needs));
	assert_int_equal(r.strangers, 0);
	assert_int_equal(r.withheld + r.dropped, 0);
	assert_in_range(r.most_sent, 1, BUDGET);
	assert_in_range(r.burst_charge, 832, CROWD_BUFFER);
	return r;
}

static void a_crowd_within_ten_seconds(void **state)
{
	struct crowd_result r = run(NODES, COO_SEC(10), COO_SEC(22), 1);

	(void)state;
	/* each answers each of the entries that come after its own, at most both of them */
	assert_true(r.sent <= 2 * NODES + 4);
	assert_true(r.known_after <= COO_SEC(10));
}

/* The power is back. */
static void a_crowd_within_half_a_second(void **state)
{
	(void)state;
	run(NODES, COO_MS(500), COO_SEC(20), 2);
}

static void one_more_costs_what_the_number_of_those_there_says(void **state)
{
	struct crowd_result few = run(50, COO_SEC(1), COO_SEC(15), 3);
	struct crowd_result many = run(200, COO_SEC(1), COO_SEC(15), 3);

	(void)state;
	assert_int_equal(few.join_sent, 4 + 2 * 49);
	assert_int_equal(many.join_sent, 4 + 2 * 199);
}

static void the_same_seed_gives_the_same_crowd(void **state)
{
	struct crowd_result a = run(60, COO_SEC(2), COO_SEC(15), 4);
	struct crowd_result b = run(60, COO_SEC(2), COO_SEC(15), 4);

	(void)state;
	assert_true(a.sent == b.sent && a.received == b.received && a.burst == b.burst);
	assert_int_equal(a.known_after, b.known_after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_within_ten_seconds),
		cmocka_unit_test(a_crowd_within_half_a_second),
		cmocka_unit_test(one_more_costs_what_the_number_of_those_there_says),
		cmocka_unit_test(the_same_seed_gives_the_same_crowd),
	};

	return cmocka_run_group_tests_name("sim_crowd", tests, NULL, NULL);
}
