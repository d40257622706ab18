/* SPDX-License-Identifier: MIT */
#include "cli/talk_url.h"
#include "support/test.h"

static void addresses_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *host;
		bool is_tcp;
		enum talk_host kind;
		uint16_t port;
	} rows[] = {
		{ "udp://10.0.0.7:7088", "10.0.0.7", false, TALK_HOST_NAMED, 7088 },
		{ "tcp://example.org:80/", "example.org", true, TALK_HOST_NAMED, 80 },
		{ "tcp://[::1]:7000", "::1", true, TALK_HOST_NAMED, 7000 },
		{ "udp://[fe80::1%eth0]:9", "fe80::1%eth0", false, TALK_HOST_NAMED, 9 },
		{ "udp://:7088", "", false, TALK_HOST_NONE, 7088 },
		{ "tcp://:0", "", true, TALK_HOST_NONE, 0 },
		{ "udp://*:7788", "", false, TALK_HOST_STAR, 7788 },
		{ "udp://239.1.2.3:5000", "239.1.2.3", false, TALK_HOST_NAMED, 5000 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct talk_url u;
		char why[200] = "";

		if (!talk_url_parse(rows[i].text, &u, why, sizeof(why)))
			fail_msg("%s: %s", rows[i].text, why);
		assert_string_equal(u.host, rows[i].host);
		assert_int_equal(u.is_tcp, rows[i].is_tcp);
		assert_int_equal(u.kind, rows[i].kind);
		assert_int_equal(u.port, rows[i].port);
	}
}

static void what_is_no_address_is_refused_with_a_reason(void **state)
{
	static const char *const rows[] = {
		"",
		"10.0.0.7:7088",
		"http://a:1",
		"udp://",
		"udp://host",
		"udp://host:",
		"udp://host:x",
		"udp://host:65536",
		"udp://host:-1",

		"tcp://*:80",
		"tcp://::1:80",
		"tcp://[::1]",
		"tcp://[::1:80",
		"tcp://[]:80",
		"tcp://a:80:90",
		"udp://host:1 2",
		"UDP://host:1",
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct talk_url u;
		char why[200] = "";

		if (talk_url_parse(rows[i], &u, why, sizeof(why)))
			fail_msg("\"%s\" was taken", rows[i]);
		assert_true(why[0] != '\0');
	}
}

static void bind_takes_an_address_a_port_or_both(void **state)
{
	char why[200];
	coo_addr a;

	(void)state;
	assert_true(talk_bind_parse(":7088", &a, why, sizeof(why)));
	assert_int_equal(a.family, 0);
	assert_int_equal(a.port, 7088);
	assert_true(talk_bind_parse("127.0.0.1:99", &a, why, sizeof(why)));
	assert_int_equal(a.family, 4);
	assert_int_equal(a.port, 99);
	assert_true(talk_bind_parse("::1", &a, why, sizeof(why)));
	assert_int_equal(a.family, 6);
	assert_false(talk_bind_parse("here:7", &a, why, sizeof(why)));
	assert_false(talk_bind_parse("", &a, why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_taken_apart),
		cmocka_unit_test(what_is_no_address_is_refused_with_a_reason),
		cmocka_unit_test(bind_takes_an_address_a_port_or_both),
	};

	return cmocka_run_group_tests_name("talk_url", tests, NULL, NULL);
}
