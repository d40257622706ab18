/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/rtx.h"
#include "support/test.h"

enum { CAP = 8, BODIES = 3, BODY = 16 };

static coo_rtx open_queue(void)
{
	size_t size = coo_rtx_size(CAP, BODIES, BODY);
	void *mem = calloc(1, size);
	coo_rtx r;

	assert_non_null(mem);
	coo_rtx_init(&r, CAP, BODIES, BODY, COO_SEC(1), mem);
	return r;
}

static coo_rtx_entry a_message(uint32_t no, coo_time give_up_at)
{
	coo_rtx_entry e;

	memset(&e, 0, sizeof(e));
	e.token = no;
	e.packet_no = no;
	e.wants_ack = true;
	e.max_attempts = 3;
	e.give_up_at = give_up_at;
	return e;
}

static void add(coo_rtx *r, coo_rtx_entry e, const char *text)
{
	assert_int_equal(coo_rtx_add(r, &e, coo_span_str(text), COO_SEC(1)), COO_OK);
}

static unsigned send_due(coo_rtx *r, coo_time now)
{
	unsigned n = 0;

	while (coo_rtx_next_tx(r, now))
		n++;
	return n;
}

static void attempts_come_when_they_are_due(void **state)
{
	static const struct {
		coo_time at;
		unsigned sent;
		coo_time deadline;
	} steps[] = {
		{ COO_MS(1000), 1, COO_MS(2000) }, { COO_MS(1500), 0, COO_MS(2000) },
		{ COO_MS(2000), 1, COO_MS(3000) }, { COO_MS(3100), 1, COO_MS(9000) },
		{ COO_MS(5000), 0, COO_MS(9000) }, { COO_MS(9000), 0, COO_NEVER },
	};
	coo_rtx r = open_queue();
	coo_rtx_entry done;

	(void)state;
	assert_int_equal(coo_rtx_deadline(&r), COO_NEVER);
	add(&r, a_message(5, COO_SEC(9)), "x");
	for (size_t i = 0; i < COO_ARRAY_LEN(steps); i++) {
		assert_false(coo_rtx_take_done(&r, &done));
		assert_int_equal(send_due(&r, steps[i].at), steps[i].sent);
		assert_int_equal(coo_rtx_deadline(&r), steps[i].deadline);
	}
	assert_true(coo_rtx_take_done(&r, &done));
	assert_int_equal(done.result, COO_RTX_TIMEOUT);
	assert_int_equal(done.attempts, 3);
	assert_int_equal(done.first_sent, COO_SEC(1));
	assert_false(coo_rtx_take_done(&r, &done));
	free(r.v);
}

static void texts_are_kept_once_and_their_places_come_back(void **state)
{
	coo_rtx r = open_queue();
	coo_rtx_entry e, done;

	(void)state;
	for (uint32_t no = 1; no <= CAP; no++)
		add(&r, a_message(no, COO_SEC(2)), "the same");
	e = a_message(99, COO_SEC(2));
	assert_int_equal(coo_rtx_add(&r, &e, LIT("the same"), COO_SEC(1)), COO_EFULL);
	send_due(&r, COO_SEC(1));
	send_due(&r, COO_SEC(5));
	for (uint32_t no = 1; no <= CAP; no++)
		assert_true(coo_rtx_take_done(&r, &done));
	for (uint32_t no = 1; no <= BODIES; no++) {
		char text[4];

		snprintf(text, sizeof(text), "%u", no);
		add(&r, a_message(no, COO_SEC(20)), text);
	}
	assert_int_equal(coo_rtx_add(&r, &e, LIT("a fourth"), COO_SEC(1)), COO_EFULL);
	assert_int_equal(coo_rtx_add(&r, &e, LIT("0123456789abcdef!"), COO_SEC(1)), COO_EMSGSIZE);
	assert_span(coo_rtx_body_of(&r, coo_rtx_find(&r, 2)), LIT("2"), "text of the second");
	/* the text before is shared, empty ones too */
	assert_int_equal(coo_rtx_add(&r, &e, LIT("3"), COO_SEC(1)), COO_OK);
	free(r.v);
}

static void only_what_waits_is_found(void **state)
{
	coo_rtx r = open_queue();
	coo_rtx_entry done;

	(void)state;
	assert_null(coo_rtx_find(&r, 0));
	/* three that want the same place */
	add(&r, a_message(8, COO_SEC(9)), "x");
	add(&r, a_message(16, COO_SEC(9)), "x");
	add(&r, a_message(24, COO_SEC(9)), "x");
	coo_rtx_ack(&r, coo_rtx_find(&r, 8), false, COO_SEC(1));
	assert_true(coo_rtx_take_done(&r, &done));
	assert_null(coo_rtx_find(&r, 8));
	assert_int_equal(coo_rtx_find(&r, 16)->packet_no, 16);
	assert_int_equal(coo_rtx_find(&r, 24)->packet_no, 24);
	assert_null(coo_rtx_find(&r, UINT64_C(0x100000000) + 16));
	assert_null(coo_rtx_find(&r, 32));
	free(r.v);
}

static void results_by_what_happened(void **state)
{
	/* what happens one after another: s sent, f send failed, a acked, r read, t all time over
	 */
	static const struct {
		const char *name, *what;
		bool wants_ack, want_read;
		int want;
	} rows[] = {
		{ "acknowledged", "sa", true, false, COO_RTX_ACKED },
		{ "acknowledged before it was sent", "a", true, false, COO_RTX_ACKED },
		{ "no answer", "sssst", true, false, COO_RTX_TIMEOUT },
		{ "never sent", "t", true, false, COO_RTX_TIMEOUT },
		{ "refused every time", "sfsfsf", true, false, COO_RTX_FAILED },
		{ "refused at last", "ssssft", true, false, COO_RTX_FAILED },
		{ "refused once, then silence", "sfst", true, false, COO_RTX_TIMEOUT },
		{ "read", "sar", true, true, COO_RTX_READ },
		{ "read, the receipt lost", "sr", true, true, COO_RTX_READ },
		{ "acknowledged twice, then read", "saar", true, true, COO_RTX_READ },
		{ "not read in time", "sat", true, true, COO_RTX_ACKED },
		{ "sent without a receipt", "s", false, false, COO_RTX_SENT },
		{ "refused without a receipt", "sf", false, false, COO_RTX_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_rtx r = open_queue();
		coo_rtx_entry e = a_message(5, COO_SEC(100)), done;
		coo_time now = COO_SEC(1);

		e.wants_ack = rows[i].wants_ack;
		e.want_read = rows[i].want_read;
		e.max_attempts = e.wants_ack ? 3 : 1;
		add(&r, e, "x");
		for (const char *what = rows[i].what; *what; what++) {
			coo_rtx_entry *waiting = coo_rtx_find(&r, 5);

			if (*what == 's')
				send_due(&r, now);
			else if (*what == 'f')
				coo_rtx_send_failed(&r, 5, 113);
			else if (*what == 't')
				send_due(&r, COO_SEC(100));
			else if (waiting)
				coo_rtx_ack(&r, waiting, *what == 'r', now);
			now += COO_SEC(1);
		}
		if (!coo_rtx_take_done(&r, &done) || done.result != rows[i].want)
			fail_msg("row \"%s\": %d", rows[i].name, done.result);
		assert_int_equal(r.waiting + r.done, 0);
		free(r.v);
	}
}

static void the_deadline_is_never_late(void **state)
{
	uint64_t random = 3;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		coo_rtx r = open_queue();
		coo_time now = COO_SEC(1);
		coo_rtx_entry done;

		for (uint32_t step = 1; step < 60; step++) {
			coo_rtx_entry e =
			    a_message(step, now + COO_MS(test_random(&random) % 5000));
			coo_time due = COO_NEVER;

			if (test_random(&random) % 3 == 0)
				coo_ignore(coo_rtx_add(&r, &e, LIT("x"), now));
			if (test_random(&random) % 4 == 0 && coo_rtx_find(&r, step - 2))
				coo_rtx_ack(&r, coo_rtx_find(&r, step - 2), false, now);
			send_due(&r, now);
			while (coo_rtx_take_done(&r, &done)) {
			}
			for (size_t i = 0; i < CAP; i++) {
				if (r.v[i].state != COO_RTX_WAITING)
					continue;
				due = r.v[i].next_at < due ? r.v[i].next_at : due;
				due = r.v[i].give_up_at < due ? r.v[i].give_up_at : due;
			}
			assert_true(coo_rtx_deadline(&r) <= due);
			assert_true(due > now);
			now += COO_MS(test_random(&random) % 700);
		}
		free(r.v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_come_when_they_are_due),
		cmocka_unit_test(texts_are_kept_once_and_their_places_come_back),
		cmocka_unit_test(only_what_waits_is_found),
		cmocka_unit_test(results_by_what_happened),
		cmocka_unit_test(the_deadline_is_never_late),
	};

	return cmocka_run_group_tests_name("rtx", tests, NULL, NULL);
}
