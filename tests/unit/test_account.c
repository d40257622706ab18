/* SPDX-License-Identifier: MIT */
#include "feature/account.h"

#include <math.h>

#include "support/test.h"

enum { N_SLOTS = 1024 };
#define LATE COO_SEC(1)

static coo_slot slots[N_SLOTS];
static coo_account a;

static void begin(uint64_t first_seq)
{
	coo_account_init(&a, slots, N_SLOTS, LATE, first_seq);
}

/* The invariant of the header. */
static void check_books(void)
{
	assert_true(a.sent == a.received + a.lost + a.corrupted + coo_account_pending(&a));
	assert_true(coo_account_loss(&a) >= 0 && coo_account_loss(&a) <= 1);
	assert_true(a.rtt.n == a.received && a.received <= a.sent);
}

static void a_duplicate_never_counts_as_received(void **state)
{
	(void)state;
	begin(0);
	coo_account_sent(&a, 100, 64);
	coo_account_sent(&a, 200, 64);
	assert_int_equal(coo_account_answer(&a, 0, 150, 64).verdict, COO_VERDICT_RECEIVED);
	assert_int_equal(coo_account_answer(&a, 0, 160, 64).verdict, COO_VERDICT_DUPLICATE);
	assert_int_equal(coo_account_answer(&a, 0, 170, 64).verdict, COO_VERDICT_DUPLICATE);
	coo_account_finish(&a, NULL, NULL);
	check_books();
	assert_true(a.received == 1 && a.duplicate == 2 && a.lost == 1);
}

static void late_answers_stay_lost(void **state)
{
	(void)state;
	begin(0);
	coo_account_sent(&a, 100, 64);
	coo_account_sent(&a, 100, 64);
	/* not expired yet by a call, and yet too late: the verdict does not hang on the calls */
	assert_int_equal(coo_account_answer(&a, 0, 101 + LATE, 64).verdict, COO_VERDICT_LATE);
	assert_int_equal(coo_account_answer(&a, 1, 100 + LATE, 64).verdict, COO_VERDICT_RECEIVED);
	assert_int_equal(coo_account_answer(&a, 0, 102 + LATE, 64).verdict, COO_VERDICT_DUPLICATE);
	check_books();
	assert_true(a.lost == 1 && a.late == 1 && a.received == 1 && a.duplicate == 1);
}

static void answers_after_the_summary_change_no_verdict(void **state)
{
	(void)state;
	begin(0);
	coo_account_sent(&a, 100, 64);
	coo_account_finish(&a, NULL, NULL);
	assert_true(a.lost == 1 && coo_account_pending(&a) == 0);
	assert_int_equal(coo_account_answer(&a, 0, 110, 64).verdict, COO_VERDICT_LATE);
	check_books();
	assert_true(a.lost == 1 && a.late == 1 && a.received == 0);
}

static void expiry_is_exact_to_the_nanosecond(void **state)
{
	(void)state;
	begin(0);
	coo_account_sent(&a, 100, 64);
	assert_true(coo_account_deadline(&a) == 101 + LATE);
	coo_account_expire(&a, 100 + LATE, NULL, NULL);
	assert_true(a.lost == 0);
	coo_account_expire(&a, 101 + LATE, NULL, NULL);
	assert_true(a.lost == 1 && coo_account_deadline(&a) == COO_NEVER);
}

static void corrupted_is_neither_received_nor_lost(void **state)
{
	(void)state;
	begin(0);
	for (unsigned i = 0; i < 6; i++)
		coo_account_sent(&a, 100 + i, 64);
	/* number and time intact */
	assert_true(coo_account_damaged(&a, 0, 100, 500).seq == 0);
	/* number damaged: known by its time */
	assert_true(coo_account_damaged(&a, 4000, 101, 500).seq == 1);
	/* time damaged: known by its number */
	assert_true(coo_account_damaged(&a, 2, 77, 500).seq == 2);
	/* a second damaged copy is no second corrupted probe */
	coo_account_damaged(&a, 2, 102, 501);
	/* both damaged: it stands for one of the lost at the end */
	assert_true(coo_account_damaged(&a, 4000, 77, 500).seq == UINT64_MAX);
	/* the intact copy comes after all */
	assert_int_equal(coo_account_answer(&a, 0, 600, 64).verdict, COO_VERDICT_RECEIVED);
	check_books();
	assert_true(a.corrupted == 2 && a.damaged == 5);
	coo_account_finish(&a, NULL, NULL);
	check_books();
	assert_true(a.received == 1 && a.corrupted == 3 && a.lost == 2);
}

static void damage_to_an_answered_probe_changes_nothing(void **state)
{
	(void)state;
	begin(0);
	coo_account_sent(&a, 100, 64);
	coo_account_answer(&a, 0, 200, 64);
	coo_account_damaged(&a, 0, 100, 300);
	coo_account_finish(&a, NULL, NULL);
	check_books();
	assert_true(a.received == 1 && a.corrupted == 0 && a.damaged == 1 && a.lost == 0);
}

static void numbers_wrap_around(void **state)
{
	(void)state;
	begin(UINT64_C(0xfffffffe));
	for (unsigned i = 0; i < 6; i++)
		coo_account_sent(&a, i, 64);
	for (uint32_t i = 0; i < 6; i++) {
		coo_answer r = coo_account_answer(&a, 0xfffffffeu + i, 10 + i, 64);

		assert_int_equal(r.verdict, COO_VERDICT_RECEIVED);
		assert_true(r.seq == UINT64_C(0xfffffffe) + i && !r.reordered);
	}
	assert_int_equal(coo_account_answer(&a, 4, 20, 64).verdict, COO_VERDICT_FOREIGN);
	assert_int_equal(coo_account_answer(&a, 0xfffffffd, 20, 64).verdict, COO_VERDICT_FOREIGN);
	check_books();
	assert_true(a.received == 6 && a.foreign == 2 && a.reordered == 0);
}

/* RFC 4737's example of section 3: 1 2 3 7 4 5 6: 4, 5 and 6 are reordered, 7 is not. */
static void reordering_follows_rfc_4737(void **state)
{
	static const uint32_t order[] = { 1, 2, 3, 7, 4, 5, 6, 8 };

	(void)state;
	begin(1);
	for (unsigned i = 0; i < 8; i++)
		coo_account_sent(&a, i, 64);
	for (size_t i = 0; i < COO_ARRAY_LEN(order); i++) {
		coo_answer r = coo_account_answer(&a, order[i], 100 + i, 64);

		assert_int_equal(r.reordered, order[i] >= 4 && order[i] <= 6);
	}
	assert_true(a.reordered == 3 && a.reorder_extent == 3);
}

static void ipdv_and_jitter_follow_their_rfcs(void **state)
{
	static const uint64_t rtt[] = { 1000, 1160, 1000, 1000, 1320 };
	double j = 0;

	(void)state;
	begin(0);
	for (unsigned i = 0; i < 5; i++) {
		coo_account_sent(&a, i * 10000, 64);
		coo_account_answer(&a, i, i * 10000 + rtt[i], 64);
	}
	assert_true(a.ipdv.n == 4 && a.ipdv.min == 0 && a.ipdv.max == 320 && a.ipdv.sum == 640);
	for (unsigned i = 1; i < 5; i++)
		j += (fabs((double)rtt[i] - (double)rtt[i - 1]) - j) / 16;
	assert_true(fabs(a.jitter - j) < 1e-9);
}

static void ipdv_skips_a_gap_and_closes_it_after_reordering(void **state)
{
	(void)state;
	begin(0);
	for (unsigned i = 0; i < 3; i++)
		coo_account_sent(&a, i * 1000, 64);
	coo_account_answer(&a, 0, 100, 64);
	coo_account_answer(&a, 2, 2300, 64);
	assert_true(a.ipdv.n == 0);
	coo_account_answer(&a, 1, 2500, 64); /* RTT 1500: pairs of 1400 and 1200 */
	assert_true(a.ipdv.n == 2 && a.ipdv.sum == 2600);
}

static void a_clock_that_steps_back_gives_no_giant_rtt(void **state)
{
	(void)state;
	begin(0);
	coo_account_sent(&a, 1000000, 64);
	coo_account_answer(&a, 0, 999000, 64);
	check_books();
	assert_true(a.clock_steps == 1 && a.rtt.max == 0 && a.received == 1);
}

static void kernel_send_stamps_shorten_the_rtt(void **state)
{
	(void)state;
	begin(0);
	coo_account_sent(&a, 1000, 64);
	coo_account_stamp(&a, 0, 1200);
	coo_account_stamp(&a, 7, 1200); /* not known: ignored */
	assert_true(coo_account_answer(&a, 0, 1500, 64).rtt == 300);
	coo_account_sent(&a, 2000, 64);
	coo_account_stamp(&a, 1, 1999); /* before it was sent: no such stamp */
	assert_true(coo_account_answer(&a, 1, 2500, 64).rtt == 500);
}

static void icmp_settles_a_probe_once(void **state)
{
	(void)state;
	begin(0);
	coo_account_sent(&a, 0, 64);
	assert_true(coo_account_refused(&a, 0));
	assert_false(coo_account_refused(&a, 0));
	assert_false(coo_account_refused(&a, 1));
	coo_account_finish(&a, NULL, NULL);
	check_books();
	assert_true(a.lost == 1 && a.icmp_lost == 1);
}

static void a_full_table_gives_up_the_oldest_and_says_so(void **state)
{
	(void)state;
	begin(0);
	for (unsigned i = 0; i < N_SLOTS + 10; i++)
		coo_account_sent(&a, i, 64);
	check_books();
	assert_true(a.overrun == 10 && a.lost == 10);
	assert_int_equal(coo_account_answer(&a, 3, 2000, 64).verdict, COO_VERDICT_LATE);
	assert_int_equal(coo_account_answer(&a, 10, 2000, 64).verdict, COO_VERDICT_RECEIVED);
	coo_account_finish(&a, NULL, NULL);
	check_books();
	assert_true(a.lost == N_SLOTS + 9 && a.received == 1);
}

/* Random fates under a virtual clock, each booked by hand as well. */
static void random_schedules_are_booked_exactly(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t s = seed, received = 0, lost = 0, corrupted = 0, dup = 0, late = 0;
		coo_time now = 0;

		begin(seed % 3 ? 0 : UINT64_C(0xffffff80));
		for (unsigned i = 0; i < 500; i++) {
			coo_time sent = now += COO_MS(10);
			uint64_t seq = coo_account_sent(&a, sent, 64);
			uint64_t rtt = test_random(&s) % COO_MS(9);

			switch (test_random(&s) % 6) {
			case 0:
				lost++;
				break;
			case 1:
				coo_account_damaged(&a, (uint32_t)seq, sent, sent + rtt);
				corrupted++;
				break;
			case 2:
				coo_account_answer(&a, (uint32_t)seq, sent + LATE + 1 + rtt, 64);
				late++;
				lost++;
				break;
			case 3:
				coo_account_answer(&a, (uint32_t)seq, sent + rtt, 64);
				coo_account_answer(&a, (uint32_t)seq, sent + rtt, 64);
				received++;
				dup++;
				break;
			default:
				coo_account_answer(&a, (uint32_t)seq, sent + rtt, 64);
				received++;
				break;
			}
			coo_account_expire(&a, now, NULL, NULL);
			check_books();
		}
		coo_account_finish(&a, NULL, NULL);
		check_books();
		if (a.received != received || a.lost != lost || a.corrupted != corrupted ||
		    a.duplicate != dup || a.late != late)
			fail_msg("seed %u", (unsigned)seed);
	}
}

/* A day at 1,000 probes a second: exact sums in constant memory. RTT is 1 ms + i mod 1,000 µs, each
 * 1,000th probe is lost, each 777th answered twice. */
static void a_day_of_probes_is_counted_exactly(void **state)
{
	const uint64_t total = UINT64_C(86400) * 1000;
	uint64_t lost = 0, dup = 0, sum = 0;

	(void)state;
	begin(UINT64_C(0xffff0000)); /* the number on the wire wraps on the way */
	for (uint64_t i = 0; i < total; i++) {
		coo_time sent = i * COO_MS(1);
		uint32_t seq = (uint32_t)coo_account_sent(&a, sent, 64);
		uint64_t rtt = COO_MS(1) + COO_US(i % 1000);

		if (i % 1000 == 999) {
			lost++;
		} else {
			coo_account_answer(&a, seq, sent + rtt, 64);
			sum += rtt;
			if (i % 777 == 0) {
				coo_account_answer(&a, seq, sent + rtt, 64);
				dup++;
			}
		}
		if (i % 500 == 0)
			coo_account_expire(&a, sent, NULL, NULL);
	}
	coo_account_finish(&a, NULL, NULL);
	check_books();
	assert_true(a.sent == total && a.lost == lost && a.received == total - lost);
	assert_true(a.duplicate == dup && a.late == 0 && a.overrun == 0 && a.reordered == 0);
	assert_true(a.rtt.sum == sum && a.rtt.min == COO_MS(1) &&
		    a.rtt.max == COO_MS(1) + COO_US(998));
	assert_true(fabs((double)coo_hist_quantile(&a.rtt, 0.5) - 1499000) < 14990);
	assert_true(fabs(a.rtt.mean - (double)sum / (double)a.received) < 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duplicate_never_counts_as_received),
		cmocka_unit_test(late_answers_stay_lost),
		cmocka_unit_test(answers_after_the_summary_change_no_verdict),
		cmocka_unit_test(expiry_is_exact_to_the_nanosecond),
		cmocka_unit_test(corrupted_is_neither_received_nor_lost),
		cmocka_unit_test(damage_to_an_answered_probe_changes_nothing),
		cmocka_unit_test(numbers_wrap_around),
		cmocka_unit_test(reordering_follows_rfc_4737),
		cmocka_unit_test(ipdv_and_jitter_follow_their_rfcs),
		cmocka_unit_test(ipdv_skips_a_gap_and_closes_it_after_reordering),
		cmocka_unit_test(a_clock_that_steps_back_gives_no_giant_rtt),
		cmocka_unit_test(kernel_send_stamps_shorten_the_rtt),
		cmocka_unit_test(icmp_settles_a_probe_once),
		cmocka_unit_test(a_full_table_gives_up_the_oldest_and_says_so),
		cmocka_unit_test(random_schedules_are_booked_exactly),
		cmocka_unit_test(a_day_of_probes_is_counted_exactly),
	};

	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
