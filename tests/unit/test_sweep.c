/* SPDX-License-Identifier: MIT */
#include "feature/sweep.h"
#include "support/test.h"

static coo_err add(coo_sweep *s, const char *net)
{
	coo_cidr c;

	assert_int_equal(coo_cidr_parse(net, &c), COO_OK);
	return coo_sweep_add(s, &c, 2425);
}

static void a_network_is_its_hosts(void **state)
{
	static const struct {
		const char *net, *first, *last;
		uint32_t n;
		coo_err err;
	} rows[] = {
		{ "10.0.0.7", "10.0.0.7:2425", "10.0.0.7:2425", 1, COO_OK },
		{ "10.0.0.6/31", "10.0.0.6:2425", "10.0.0.7:2425", 2, COO_OK },
		{ "10.0.0.4/30", "10.0.0.5:2425", "10.0.0.6:2425", 2, COO_OK },
		{ "10.0.0.0/24", "10.0.0.1:2425", "10.0.0.254:2425", 254, COO_OK },
		{ "10.0.0.0/23", "10.0.0.1:2425", "10.0.1.254:2425", 510, COO_OK },
		{ "10.1.0.0/16", "10.1.0.1:2425", "10.1.255.254:2425", 65534, COO_OK },
		{ "172.16.0.0/12", "172.16.0.1:2425", "172.31.255.254:2425", 1048574, COO_OK },
		{ "10.0.0.0/11", "", "", 0, COO_ERANGE },
		{ "0.0.0.0/0", "", "", 0, COO_ERANGE },
		{ "fd00::1", "[fd00::1]:2425", "[fd00::1]:2425", 1, COO_OK },
		{ "fd00::/120", "[fd00::]:2425", "[fd00::ff]:2425", 256, COO_OK },
		{ "fd00::/64", "", "", 0, COO_ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_sweep s = { 0 };
		char text[COO_ADDR_TEXT_CAP];
		coo_addr a;
		uint32_t n = 0;

		if (add(&s, rows[i].net) != rows[i].err || s.total != rows[i].n)
			fail_msg("%s: %u addresses", rows[i].net, s.total);
		for (; coo_sweep_next(&s, 1, &a); n++) {
			if (n == 0)
				assert_string_equal(coo_addr_text(&a, text), rows[i].first);
		}
		assert_int_equal(n, rows[i].n);
		if (n > 0)
			assert_string_equal(coo_addr_text(&a, text), rows[i].last);
		coo_sweep_free(&s);
	}
}

static void there_is_a_limit_in_all(void **state)
{
	coo_sweep s = { 0 };

	(void)state;
	assert_int_equal(add(&s, "10.0.0.0/12"), COO_OK);
	assert_int_equal(add(&s, "10.64.0.1"), COO_OK);
	assert_int_equal(add(&s, "10.64.0.2"), COO_OK);
	assert_int_equal(add(&s, "10.64.0.3"), COO_ELIMIT);
	coo_sweep_free(&s);
}

static void who_has_answered_is_not_asked_again(void **state)
{
	coo_sweep s = { 0 };
	coo_addr a, them = coo_addr_v4(10, 0, 0, 2, 2425), other = coo_addr_v4(10, 0, 1, 2, 2425);
	coo_time asked = 0;
	unsigned n = 0;

	(void)state;
	assert_int_equal(add(&s, "10.0.0.0/29"), COO_OK);
	assert_false(coo_sweep_answer(&s, &them, &asked)); /* nobody was asked yet */
	for (coo_time now = 100; coo_sweep_next(&s, now, &a); now++)
		n++;
	assert_int_equal(n, 6);
	assert_false(coo_sweep_answer(&s, &other, &asked));
	them.port = 4444; /* whatever port it answers from */
	assert_true(coo_sweep_answer(&s, &them, &asked));
	assert_int_equal(asked, 101);
	assert_true(coo_sweep_answer(&s, &them, &asked));
	assert_true(asked == COO_NEVER);
	assert_int_equal(s.answered, 1);
	coo_sweep_restart(&s);
	for (n = 0; coo_sweep_next(&s, 200, &a); n++)
		assert_false(coo_addr_eq_ip(&a, &them));
	assert_int_equal(n, 5);
	coo_sweep_free(&s);
}

static void what_cannot_be_sent_is_counted_until_it_can(void **state)
{
	coo_sweep s = { 0 };
	coo_addr a, first = coo_addr_v4(10, 0, 0, 1, 2425), other = coo_addr_v4(10, 0, 1, 1, 2425);
	coo_time asked = 0;

	(void)state;
	assert_int_equal(add(&s, "10.0.0.0/30"), COO_OK);
	assert_false(coo_sweep_fail(&s, &first)); /* nobody was asked yet */
	assert_int_equal(s.unsent, 0);
	while (coo_sweep_next(&s, 100, &a))
		;
	assert_false(coo_sweep_fail(&s, &other));
	for (int twice = 0; twice < 2; twice++) {
		assert_true(coo_sweep_fail(&s, &first));
		assert_int_equal(s.unsent, 1);
	}
	assert_false(coo_sweep_answer(&s, &first, &asked)); /* it was never asked */
	coo_sweep_restart(&s);
	assert_true(coo_sweep_next(&s, 200, &a));
	assert_true(coo_addr_eq(&a, &first));
	assert_int_equal(s.unsent, 0);
	assert_true(coo_sweep_answer(&s, &first, &asked));
	assert_int_equal(asked, 200);
	assert_true(coo_sweep_fail(&s, &first)); /* who has answered was asked */
	assert_int_equal(s.unsent, 0);
	coo_sweep_free(&s);
}

static void ranges_may_overlap(void **state)
{
	coo_sweep s = { 0 };
	coo_addr a, them = coo_addr_v4(10, 0, 0, 2, 2425);
	coo_time asked = 0;

	(void)state;
	assert_int_equal(add(&s, "10.0.0.2"), COO_OK);
	assert_int_equal(add(&s, "10.0.0.0/30"), COO_OK);
	while (coo_sweep_next(&s, 5, &a))
		continue;
	assert_true(coo_sweep_answer(&s, &them, &asked));
	assert_int_equal(asked, 5);
	coo_sweep_restart(&s);
	assert_true(coo_sweep_next(&s, 6, &a));
	assert_int_equal(a.ip[3], 1);
	assert_false(coo_sweep_next(&s, 6, &a));
	coo_sweep_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_is_its_hosts),
		cmocka_unit_test(there_is_a_limit_in_all),
		cmocka_unit_test(who_has_answered_is_not_asked_again),
		cmocka_unit_test(what_cannot_be_sent_is_counted_until_it_can),
		cmocka_unit_test(ranges_may_overlap),
	};

	return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
