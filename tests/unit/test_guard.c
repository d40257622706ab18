/* SPDX-License-Identifier: MIT */
#include "feature/guard.h"

#include <string.h>

#include "support/test.h"

static coo_guard guard;
static unsigned asked;

static bool on_link(void *user, const coo_addr *a, coo_time now)
{
	(void)user;
	(void)now;
	asked++;
	return a->family == 4 && a->ip[0] == 10;
}

static void begin(uint64_t rate, uint64_t max_size, const coo_cidr *allow, size_t n_allow)
{
	coo_guard_cfg cfg = { .allow = allow,
			      .n_allow = n_allow,
			      .rate = rate,
			      .max_size = max_size,
			      .own_port = 7000,
			      .on_link = on_link };

	memset(&guard, 0, sizeof(guard));
	asked = 0;
	coo_guard_init(&guard, &cfg);
}

static enum coo_guard_verdict ask(coo_addr from, const char *text, size_t size, uint64_t n,
				  coo_time now)
{
	enum coo_guard_verdict v;
	coo_guard_source *s = coo_guard_find(&guard, &from, now, &v);

	return v == COO_GUARD_OK ? coo_guard_admit(&guard, s, coo_span_str(text), size, n, now) : v;
}

static void sources_are_judged_by_address_and_port(void **state)
{
	const struct {
		const char *name;
		coo_addr from;
		enum coo_guard_verdict want;
	} rows[] = {
		{ "on the link", coo_addr_v4(10, 0, 0, 1, 5000), COO_GUARD_OK },
		{ "loopback", coo_addr_v4(127, 0, 0, 1, 5000), COO_GUARD_OK },
		{ "elsewhere", coo_addr_v4(192, 0, 2, 1, 5000), COO_GUARD_OFF_LINK },
		{ "multicast", coo_addr_v4(224, 0, 0, 1, 5000), COO_GUARD_OFF_LINK },
		{ "broadcast", coo_addr_v4(255, 255, 255, 255, 5000), COO_GUARD_OFF_LINK },
		{ "no address", coo_addr_v4(0, 0, 0, 0, 5000), COO_GUARD_OFF_LINK },
		{ "echo", coo_addr_v4(10, 0, 0, 1, 7), COO_GUARD_PORT },
		{ "chargen on loopback", coo_addr_v4(127, 0, 0, 1, 19), COO_GUARD_PORT },
		{ "DNS", coo_addr_v4(10, 0, 0, 1, 53), COO_GUARD_PORT },
		{ "NTP", coo_addr_v4(10, 0, 0, 1, 123), COO_GUARD_PORT },
		{ "mDNS", coo_addr_v4(10, 0, 0, 1, 5353), COO_GUARD_PORT },
		{ "port 0", coo_addr_v4(10, 0, 0, 1, 0), COO_GUARD_PORT },
		{ "our own port", coo_addr_v4(10, 0, 0, 1, 7000), COO_GUARD_OWN },
	};

	(void)state;
	begin(0, 0, NULL, 0);
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		if (ask(rows[i].from, "x", 1, 1, 1) != rows[i].want)
			fail_msg("row \"%s\"", rows[i].name);
	}
}

static void a_list_of_the_allowed_replaces_the_link(void **state)
{
	coo_cidr allow[1];

	(void)state;
	assert_int_equal(coo_cidr_parse("192.0.2.0/24", &allow[0]), COO_OK);
	begin(0, 0, allow, 1);
	assert_int_equal(ask(coo_addr_v4(192, 0, 2, 9, 5000), "x", 1, 1, 1), COO_GUARD_OK);
	assert_int_equal(ask(coo_addr_v4(10, 0, 0, 1, 5000), "x", 1, 1, 1), COO_GUARD_OFF_LINK);
	assert_int_equal(ask(coo_addr_v4(127, 0, 0, 1, 5000), "x", 1, 1, 1), COO_GUARD_OK);
}

static void a_source_gets_a_second_of_its_rate_at_once_and_then_its_rate(void **state)
{
	coo_addr a = coo_addr_v4(10, 0, 0, 1, 5000), b = coo_addr_v4(10, 0, 0, 2, 5000);
	coo_time now = COO_SEC(5);
	unsigned passed = 0;

	(void)state;
	begin(100, 0, NULL, 0);
	for (int i = 0; i < 500; i++)
		passed += ask(a, "x", 1, 1, now) == COO_GUARD_OK;
	assert_int_equal(passed, 100);
	assert_int_equal(ask(b, "x", 1, 1, now), COO_GUARD_OK); /* another has its own */
	passed = 0;
	for (int i = 0; i < 500; i++) /* every ms for half a second */
		passed += ask(a, "x", 1, 1, now += COO_MS(1)) == COO_GUARD_OK;
	assert_int_equal(passed, 50);
	/* a train counts as its datagrams */
	assert_int_equal(ask(a, "x", 1, 60, now += COO_SEC(1)), COO_GUARD_OK);
	assert_int_equal(ask(a, "x", 1, 60, now), COO_GUARD_RATE);
}

static void without_a_rate_loopback_is_free_and_the_link_is_bounded(void **state)
{
	(void)state;
	begin(0, 0, NULL, 0);
	assert_int_equal(ask(coo_addr_v4(127, 0, 0, 1, 5000), "x", 1, 5000000, 1), COO_GUARD_OK);
	assert_int_equal(ask(coo_addr_v4(10, 0, 0, 1, 5000), "x", 1, 5000000, 1), COO_GUARD_RATE);
	assert_int_equal(ask(coo_addr_v4(10, 0, 0, 1, 5000), "x", 1, 1000, 1), COO_GUARD_OK);
}

static void longer_than_max_size_is_refused(void **state)
{
	(void)state;
	begin(0, 100, NULL, 0);
	assert_int_equal(ask(coo_addr_v4(127, 0, 0, 1, 5000), "x", 100, 1, 1), COO_GUARD_OK);
	assert_int_equal(ask(coo_addr_v4(127, 0, 0, 1, 5000), "x", 101, 1, 1), COO_GUARD_SIZE);
}

/* Two services that answer each other: the same datagram for ever. One not answered ends it. */
static void the_same_datagram_a_million_times_is_a_loop(void **state)
{
	coo_addr a = coo_addr_v4(127, 0, 0, 1, 5000);
	unsigned long answered = 0;

	(void)state;
	begin(0, 0, NULL, 0);
	while (answered < 3000000 && ask(a, "storm", 5, 1, 1) == COO_GUARD_OK)
		answered++;
	assert_true(answered >= 1000000 && answered < 1100000);
	/* a tester's datagrams differ */
	for (unsigned i = 0; i < 3000000; i++) {
		char text[16];

		memset(text, 'a', sizeof(text));
		text[0] = (char)('b' + i % 20);
		text[15] = '\0';
		if (ask(a, text, 15, 1, 1) != COO_GUARD_OK)
			fail_msg("datagram %u was refused", i);
	}
}

static void the_table_is_bounded_and_forgets_the_oldest(void **state)
{
	(void)state;
	begin(0, 0, NULL, 0);
	for (unsigned i = 0; i < 100000; i++) {
		coo_addr a =
		    coo_addr_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 5000);

		assert_int_equal(ask(a, "x", 1, 1, i), COO_GUARD_OK);
	}
	assert_true(guard.evicted >= 100000 - COO_GUARD_SOURCES);
	assert_true(coo_guard_active(&guard, 100000, 100) <= 101);
	assert_true(coo_guard_active(&guard, 100000, 100000) <= COO_GUARD_SOURCES);
}

static void the_network_is_asked_again_after_a_while(void **state)
{
	coo_addr a = coo_addr_v4(10, 0, 0, 1, 5000);

	(void)state;
	begin(0, 0, NULL, 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(ask(a, "x", 1, 1, i), COO_GUARD_OK);
	assert_int_equal(asked, 1);
	assert_int_equal(ask(a, "x", 1, 1, COO_SEC(60)), COO_GUARD_OK);
	assert_int_equal(asked, 2);
}

static void every_verdict_has_a_key_and_a_text(void **state)
{
	(void)state;
	for (int v = 0; v < COO_GUARD_COUNT; v++) {
		assert_string_not_equal(coo_guard_key((enum coo_guard_verdict)v), "unknown");
		assert_string_not_equal(coo_guard_text((enum coo_guard_verdict)v), "unknown");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_are_judged_by_address_and_port),
		cmocka_unit_test(a_list_of_the_allowed_replaces_the_link),
		cmocka_unit_test(a_source_gets_a_second_of_its_rate_at_once_and_then_its_rate),
		cmocka_unit_test(without_a_rate_loopback_is_free_and_the_link_is_bounded),
		cmocka_unit_test(longer_than_max_size_is_refused),
		cmocka_unit_test(the_same_datagram_a_million_times_is_a_loop),
		cmocka_unit_test(the_table_is_bounded_and_forgets_the_oldest),
		cmocka_unit_test(the_network_is_asked_again_after_a_while),
		cmocka_unit_test(every_verdict_has_a_key_and_a_text),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
