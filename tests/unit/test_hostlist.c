/* SPDX-License-Identifier: MIT */
#include "proto/hostlist.h"
#include "support/test.h"

/* Body of vector B13. */
#define B13                                                                                        \
	"    0\a    2\ataro\aPC01\a258211840\a192.168.0.11\a30985\a\xe5\xa4\xaa\xe9\x83\x8e\a"     \
	"\xe5\x96\xb6\xe6\xa5\xad\abob\aPC77\a258211840\a192.168.0.77\a30985\a\b\a\b\a"

static void the_list_of_windows_is_read(void **state)
{
	coo_hostlist l;
	coo_hostlist_entry e;
	coo_addr want = coo_addr_v4(192, 168, 0, 11, 2425);

	(void)state;
	assert_int_equal(coo_hostlist_decode(LIT(B13), &l), COO_OK);
	assert_int_equal(l.next, 0);
	assert_int_equal(l.count, 2);
	assert_true(coo_hostlist_next(&l, 2425, &e));
	assert_span(e.user, LIT("taro"), "first");
	assert_span(e.host, LIT("PC01"), "first");
	assert_span(e.nick, LIT("\xe5\xa4\xaa\xe9\x83\x8e"), "first");
	assert_int_equal(e.status, 258211840);
	assert_true(coo_addr_eq(&e.addr, &want));
	assert_true(coo_hostlist_next(&l, 2425, &e));
	assert_span(e.nick, LIT(""), "second");
	assert_span(e.group, LIT(""), "second");
	assert_false(coo_hostlist_next(&l, 2425, &e));
}

static void what_is_written_is_the_same_again(void **state)
{
	uint8_t mem[512];
	coo_buf b;
	coo_hostlist l;
	coo_hostlist_entry e;

	(void)state;
	assert_int_equal(coo_hostlist_decode(LIT(B13), &l), COO_OK);
	coo_buf_init(&b, mem, sizeof(mem));
	coo_hostlist_put_head(&b, l.next, l.count);
	while (coo_hostlist_next(&l, 2425, &e))
		assert_true(coo_hostlist_put(&b, &e));
	assert_span(coo_buf_span(&b), LIT(B13), "B13");
}

static void an_entry_that_does_not_fit_leaves_nothing_behind(void **state)
{
	uint8_t mem[512];
	coo_hostlist l;
	coo_hostlist_entry e;
	coo_buf b;

	(void)state;
	assert_int_equal(coo_hostlist_decode(LIT(B13), &l), COO_OK);
	assert_true(coo_hostlist_next(&l, 2425, &e));
	for (size_t cap = 0; cap < 50; cap++) {
		coo_buf_init(&b, mem, cap);
		assert_false(coo_hostlist_put(&b, &e));
		assert_int_equal(b.n, 0);
		assert_true(coo_buf_ok(&b));
	}
}

static void every_truncation_ends_without_reading_beyond(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(B13) - 1; n++) {
		uint8_t *copy = test_guard_copy(coo_span_of(B13, n));
		coo_hostlist l;
		coo_hostlist_entry e;
		unsigned entries = 0;

		if (coo_hostlist_decode(coo_span_of(copy, n), &l) == COO_OK) {
			while (coo_hostlist_next(&l, 2425, &e))
				entries++;
		}
		assert_in_range(entries, 0, 1);
		test_guard_free(copy, n);
	}
}

static void ports_are_read_either_way(void **state)
{
	static const struct {
		const char *name, *body;
		uint16_t own, want;
	} rows[] = {
		{ "swapped, as Windows", "0\a1\au\ah\a1\a10.0.0.1\a30985\an\ag\a", 2425, 2425 },
		{ "plain, as libipmsg may", "0\a1\au\ah\a1\a10.0.0.1\a2425\an\ag\a", 2425, 2425 },
		{ "another port, swapped", "0\a1\au\ah\a1\a10.0.0.1\a31241\an\ag\a", 2425, 2426 },
		{ "left-aligned numbers", "0    \a1    \au\ah\a1\a10.0.0.1\a30985\an\ag\a", 2425,
		  2425 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_hostlist l;
		coo_hostlist_entry e;

		if (coo_hostlist_decode(coo_span_str(rows[i].body), &l) != COO_OK ||
		    !coo_hostlist_next(&l, rows[i].own, &e) || e.addr.port != rows[i].want)
			fail_msg("row \"%s\"", rows[i].name);
	}
}

static void addresses_as_text(void **state)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {
		{ "10.0.0.7", "10.0.0.7" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "fe80::1", "fe80:0:0:0:0:0:0:1" },
		{ "::", "0:0:0:0:0:0:0:0" },
		{ "2001:db8:0:0:1:2:3:4", "2001:db8:0:0:1:2:3:4" },
		{ "1.2.3", NULL },
		{ "1.2.3.256", NULL },
		{ "1.2.3.4.5", NULL },
		{ "", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "1::2::3", NULL },
		{ "12345::", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		uint8_t mem[64];
		coo_buf b;
		coo_addr a;
		bool ok = coo_hostlist_parse_addr(coo_span_str(rows[i].text), &a);

		if (ok != (rows[i].canonical != NULL))
			fail_msg("row \"%s\"", rows[i].text);
		if (!ok)
			continue;
		coo_buf_init(&b, mem, sizeof(mem));
		coo_hostlist_put_addr(&b, &a);
		assert_span(coo_buf_span(&b), coo_span_str(rows[i].canonical), rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_of_windows_is_read),
		cmocka_unit_test(what_is_written_is_the_same_again),
		cmocka_unit_test(an_entry_that_does_not_fit_leaves_nothing_behind),
		cmocka_unit_test(every_truncation_ends_without_reading_beyond),
		cmocka_unit_test(ports_are_read_either_way),
		cmocka_unit_test(addresses_as_text),
	};

	return cmocka_run_group_tests_name("hostlist", tests, NULL, NULL);
}
