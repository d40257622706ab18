/* SPDX-License-Identifier: MIT */
#include "engine/offlink.h"
#include "support/test.h"

#define NOW COO_SEC(100)

static coo_rx from(const char *text)
{
	coo_rx rx = { .was_broadcast = false };

	assert_int_equal(coo_addr_parse(text, 2425, &rx.from), COO_OK);
	return rx;
}

static coo_span question(unsigned command, size_t n, uint8_t *mem)
{
	int head = snprintf((char *)mem, n, "1:7:u:h:%u:", command);

	memset(mem + head, 0, n - (size_t)head);
	return coo_span_of(mem, n);
}

static coo_offlink open_with(const coo_cidr *allow, size_t n, bool named_only)
{
	const coo_offlink_cfg cfg = { allow, n, named_only };
	const coo_node_cfg node = {
		.seed = 7,
		.version = LIT("1_coo_0.1.0"),
		.legacy = { .user = LIT("user"), .host = LIT("host"), .group = LIT("group") },
		.utf8 = { .user = LIT("user"), .host = LIT("host"), .nick = LIT("longer") },
	};
	coo_offlink o;

	coo_offlink_init(&o, &cfg, &node);
	return o;
}

static void test_who(void **state)
{
	static const struct {
		const char *name, *from;
		unsigned command;
		bool broadcast, want, want_named_only;
	} rows[] = {
		{ "a private network", "10.78.0.3", COO_CMD_BR_ENTRY, false, true, false },
		{ "shared addresses", "100.64.1.1", COO_CMD_BR_ENTRY, false, true, false },
		{ "private IPv6", "fd00::7", COO_CMD_BR_ENTRY, false, true, false },
		{ "version information", "192.168.9.9", COO_CMD_GETINFO, false, true, false },
		{ "the internet", "203.0.113.9", COO_CMD_BR_ENTRY, false, false, false },
		{ "the internet, IPv6", "2001:db8::1", COO_CMD_BR_ENTRY, false, false, false },
		{ "to everybody", "10.78.0.3", COO_CMD_BR_ENTRY, true, false, false },
		{ "an answer", "10.78.0.3", COO_CMD_ANSENTRY, false, false, false },
		{ "a page of a list", "10.78.0.3", COO_CMD_GETLIST, false, false, false },
		{ "a named network", "198.51.100.7", COO_CMD_BR_ENTRY, false, true, true },
		{ "its lists", "198.51.100.7", COO_CMD_GETLIST, false, true, true },
	};
	coo_cidr named;
	uint8_t mem[200];

	(void)state;
	assert_int_equal(coo_cidr_parse("198.51.100.0/24", &named), COO_OK);
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_offlink o = open_with(&named, 1, false), only = open_with(&named, 1, true);
		coo_rx rx = from(rows[i].from);
		coo_span q = question(rows[i].command, sizeof(mem), mem);

		rx.was_broadcast = rows[i].broadcast;
		if (coo_offlink_admits(&o, &rx, q, NOW) != rows[i].want)
			fail_msg("%s", rows[i].name);
		if (coo_offlink_admits(&only, &rx, q, NOW) != rows[i].want_named_only)
			fail_msg("%s, named networks only", rows[i].name);
	}
}

/* What a source gets is never more than what it sent. */
static void test_bytes(void **state)
{
	coo_offlink o = open_with(NULL, 0, false);
	coo_rx rx = from("10.78.0.3"), other = from("10.78.0.4");
	uint8_t mem[400];
	size_t sent = 0, got = 0;

	(void)state;
	assert_true(o.answer > 40 && o.answer < 120);
	for (unsigned i = 0; i < 100; i++) {
		size_t n = 20 + i % 7;
		coo_time now = NOW + i * COO_MS(100);

		sent += n;
		if (coo_offlink_admits(&o, &rx, question(COO_CMD_BR_ENTRY, n, mem), now))
			got += o.answer;
		assert_true(got <= sent);
	}
	assert_true(got > sent / 2);
	/* the credit of one is not that of another, and is forgotten after a minute */
	assert_false(
	    coo_offlink_admits(&o, &other, question(COO_CMD_BR_ENTRY, 20, mem), NOW + COO_SEC(11)));
	assert_false(
	    coo_offlink_admits(&o, &other, question(COO_CMD_BR_ENTRY, 40, mem), NOW + COO_SEC(90)));
}

/* Nor can many forged sources together draw more than so many a second. */
static void test_all(void **state)
{
	coo_offlink o = open_with(NULL, 0, false);
	uint8_t mem[200];
	unsigned got = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		coo_rx rx = { .from = coo_addr_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
						  (uint8_t)i, 2425) };

		got += coo_offlink_admits(&o, &rx, question(COO_CMD_BR_ENTRY, 200, mem),
					  NOW + i * COO_US(100)); /* ten seconds of them */
	}
	assert_in_range(got, 10 * COO_OFFLINK_RATE, COO_OFFLINK_BURST + 11 * COO_OFFLINK_RATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
