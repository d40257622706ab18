/* SPDX-License-Identifier: MIT */
#include "proto/hash.h"
#include "support/test.h"

static void case_does_not_count_and_everything_else_does(void **state)
{
	(void)state;
	assert_true(coo_hash_nocase(1, LIT("LEE-PC")) == coo_hash_nocase(1, LIT("lee-pc")));
	assert_true(coo_hash_nocase(1, LIT("LEE-PC")) != coo_hash_nocase(2, LIT("LEE-PC")));
	assert_true(coo_hash_nocase(1, LIT("@")) != coo_hash_nocase(1, LIT("`")));
	assert_true(coo_hash_nocase(1, LIT("\xc1")) != coo_hash_nocase(1, LIT("\xe1")));
	assert_true(coo_hash_span(1, LIT("A")) != coo_hash_span(1, LIT("a")));
	assert_true(coo_hash_span(1, LIT("a")) != coo_hash_span(1, LIT("a\0")));
	assert_true(coo_hash_span(1, coo_span_none()) == coo_hash_span(1, LIT("")));
}

static void two_names_do_not_run_together(void **state)
{
	uint64_t ab_c = coo_hash_nocase(coo_hash_nocase(1, LIT("ab")), LIT("c"));
	uint64_t a_bc = coo_hash_nocase(coo_hash_nocase(1, LIT("a")), LIT("bc"));

	(void)state;
	assert_true(ab_c != a_bc);
}

static void every_length_is_read_exactly(void **state)
{
	static const uint8_t bytes[200];
	uint64_t last = 0;

	(void)state;
	for (size_t n = 0; n < sizeof(bytes); n++) {
		uint8_t *copy = test_guard_copy(coo_span_of(bytes, n));
		uint64_t h = coo_hash_nocase(7, coo_span_of(copy, n));

		assert_true(n == 0 || h != last);
		last = h;
		test_guard_free(copy, n);
	}
}

static void names_that_count_up_spread(void **state)
{
	enum { BUCKETS = 256, NAMES = 256 * 64 };
	static unsigned in[BUCKETS];
	char text[16];

	(void)state;
	for (unsigned i = 0; i < NAMES; i++) {
		int n = snprintf(text, sizeof(text), "pc%u", i);

		in[coo_hash_span(42, coo_span_of(text, (size_t)n)) % BUCKETS]++;
	}
	/* 64 on average; with a fair hash 128 or 20 in any of them is out of the question */
	for (unsigned i = 0; i < BUCKETS; i++)
		assert_in_range(in[i], 20, 128);
}

static void the_port_of_an_address_does_not_count_but_its_zone_does(void **state)
{
	coo_addr a = coo_addr_v4(10, 0, 0, 1, 2425), b = a, six;

	(void)state;
	b.port = 1;
	assert_true(coo_hash_ip(1, &a) == coo_hash_ip(1, &b));
	b.ip[3] = 2;
	assert_true(coo_hash_ip(1, &a) != coo_hash_ip(1, &b));
	memset(&six, 0, sizeof(six));
	six.family = 6;
	six.ip[0] = 0xfe;
	six.ip[15] = 1;
	b = six;
	b.scope = 2;
	assert_true(coo_hash_ip(1, &six) != coo_hash_ip(1, &b));
	b = six;
	b.ip[15] = 2;
	assert_true(coo_hash_ip(1, &six) != coo_hash_ip(1, &b));
}

static void bucket_rows(void **state)
{
	static const struct {
		size_t n, ways, want;
	} rows[] = {
		{ 0, 4, 1 }, { 1, 4, 1 },	 { 4, 4, 1 },
		{ 5, 4, 2 }, { 16384, 4, 4096 }, { 100, 1, 128 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++)
		assert_int_equal(coo_hash_buckets(rows[i].n, rows[i].ways, 16), rows[i].want);
	/* nonsense does not overflow */
	assert_true(coo_hash_buckets(SIZE_MAX, 4, 16) <= SIZE_MAX / 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_does_not_count_and_everything_else_does),
		cmocka_unit_test(two_names_do_not_run_together),
		cmocka_unit_test(every_length_is_read_exactly),
		cmocka_unit_test(names_that_count_up_spread),
		cmocka_unit_test(the_port_of_an_address_does_not_count_but_its_zone_does),
		cmocka_unit_test(bucket_rows),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
