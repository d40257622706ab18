/* SPDX-License-Identifier: MIT */
#include "proto/num.h"
#include "support/test.h"

static void decimal_rows(void **state)
{
	static const struct {
		const char *name, *text;
		uint64_t max, want;
		bool ok;
	} rows[] = {
		{ "zero", "0", 10, 0, true },
		{ "leading zeros", "0000000000000000000000007", 10, 7, true },
		{ "the maximum", "4294967295", UINT32_MAX, UINT32_MAX, true },
		{ "one more", "4294967296", UINT32_MAX, 0, false },
		{ "the largest u64", "18446744073709551615", UINT64_MAX, UINT64_MAX, true },
		{ "u64 overflow", "18446744073709551616", UINT64_MAX, 0, false },
		{ "empty", "", 10, 0, false },
		{ "sign", "+1", 10, 0, false },
		{ "negative", "-1", 10, 0, false },
		{ "blank", " 1", 10, 0, false },
		{ "trailing letter", "12abc", 100, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		uint64_t v = 99;
		bool ok = coo_num_dec(coo_span_str(rows[i].text), rows[i].max, &v);

		if (ok != rows[i].ok || v != (ok ? rows[i].want : 99))
			fail_msg("row \"%s\"", rows[i].name);
	}
}

static void every_value_against_every_maximum(void **state)
{
	(void)state;
	for (uint64_t max = 0; max < 300; max++) {
		for (uint64_t value = 0; value < 1000; value++) {
			char text[8];
			uint64_t v = 12345;
			bool ok;

			snprintf(text, sizeof(text), "%u", (unsigned)value);
			ok = coo_num_dec(coo_span_str(text), max, &v);
			assert_int_equal(ok, value <= max);
			assert_int_equal(v, ok ? value : 12345);
			snprintf(text, sizeof(text), "%x", (unsigned)value);
			ok = coo_num_hex(coo_span_str(text), max, &v);
			assert_int_equal(ok, value <= max);
		}
	}
}

static void hex_takes_either_case(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_true(coo_num_hex(LIT("fFfF"), UINT64_MAX, &v));
	assert_int_equal(v, 0xffff);
	assert_false(coo_num_hex(LIT("10000000000000000"), UINT64_MAX, &v));
	assert_false(coo_num_hex(LIT("0x10"), UINT64_MAX, &v));
	assert_false(coo_num_hex(coo_span_none(), UINT64_MAX, &v));
}

static void prefix_stops_at_the_first_other_byte(void **state)
{
	uint64_t v = 0;
	size_t used = 0;

	(void)state;
	assert_true(coo_num_dec_prefix(LIT("12\0iot"), 100, &v, &used));
	assert_int_equal(v, 12);
	assert_int_equal(used, 2);
	assert_false(coo_num_dec_prefix(LIT("x"), 100, &v, &used));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimal_rows),
		cmocka_unit_test(every_value_against_every_maximum),
		cmocka_unit_test(hex_takes_either_case),
		cmocka_unit_test(prefix_stops_at_the_first_other_byte),
	};

	return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
