/* SPDX-License-Identifier: MIT */
#include "proto/buf.h"
#include "support/test.h"

static void put_all(coo_buf *b)
{
	coo_buf_put(b, LIT("a\0b"));
	coo_buf_put_str(b, "text");
	coo_buf_put_byte(b, ':');
	coo_buf_put_u64(b, UINT64_MAX);
	coo_buf_put_byte(b, ':');
	coo_buf_put_hex(b, UINT64_MAX, 0);
	coo_buf_put_byte(b, ':');
	coo_buf_put_hex(b, 0xab, 4);
	coo_buf_put(b, coo_span_none());
}

static const char want[] = "a\0btext:18446744073709551615:ffffffffffffffff:00ab";

static void what_is_put_stands_there_in_order(void **state)
{
	uint8_t mem[100];
	coo_buf b;

	(void)state;
	coo_buf_init(&b, mem, sizeof(mem));
	put_all(&b);
	assert_true(coo_buf_ok(&b));
	assert_span(coo_buf_span(&b), LIT(want), "all");
}

static void every_short_buffer_fails_and_nothing_is_written_behind_it(void **state)
{
	(void)state;
	for (size_t cap = 0; cap <= sizeof(want); cap++) {
		uint8_t *mem = test_guard_copy(coo_span_of(want, cap));
		coo_buf b;

		coo_buf_init(&b, mem, cap);
		put_all(&b);
		assert_int_equal(coo_buf_ok(&b), cap >= sizeof(want) - 1);
		assert_true(b.n <= cap);
		assert_span(coo_buf_span(&b), coo_span_of(want, b.n), "prefix");
		test_guard_free(mem, cap);
	}
}

static void failure_is_sticky(void **state)
{
	uint8_t mem[4];
	coo_buf b;

	(void)state;
	coo_buf_init(&b, mem, sizeof(mem));
	coo_buf_put_str(&b, "12345");
	coo_buf_put_byte(&b, 'x');
	assert_false(coo_buf_ok(&b));
	assert_int_equal(b.n, 0);
}

static void hex_rows(void **state)
{
	static const struct {
		uint64_t v;
		unsigned digits;
		const char *want;
	} rows[] = {
		{ 0, 0, "0" },	  { 0, 1, "0" },	 { 0, 4, "0000" },
		{ 255, 1, "ff" }, { 0x1234, 2, "1234" }, { 1, 99, "00000000000000000001" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		uint8_t mem[32];
		coo_buf b;

		coo_buf_init(&b, mem, sizeof(mem));
		coo_buf_put_hex(&b, rows[i].v, rows[i].digits);
		assert_span(coo_buf_span(&b), coo_span_str(rows[i].want), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_stands_there_in_order),
		cmocka_unit_test(every_short_buffer_fails_and_nothing_is_written_behind_it),
		cmocka_unit_test(failure_is_sticky),
		cmocka_unit_test(hex_rows),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
