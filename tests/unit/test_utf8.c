/* SPDX-License-Identifier: MIT */
#include "proto/utf8.h"
#include "support/test.h"

#define S(s)                                                                                       \
	{                                                                                          \
		(const uint8_t *)(s), sizeof(s) - 1                                                \
	}

static void validity_rows(void **state)
{
	static const struct {
		const char *name;
		coo_span bytes;
		bool valid;
	} rows[] = {
		{ "empty", S(""), true },
		{ "ASCII with NUL", S("a\0b"), true },
		{ "Chinese", S("\xe9\xa3\x9e\xe9\xb8\xbd"), true },
		{ "first of two bytes", S("\xc2\x80"), true },
		{ "last of two", S("\xdf\xbf"), true },
		{ "first of three", S("\xe0\xa0\x80"), true },
		{ "before the surrogates", S("\xed\x9f\xbf"), true },
		{ "behind the surrogates", S("\xee\x80\x80"), true },
		{ "first of four", S("\xf0\x90\x80\x80"), true },
		{ "U+10FFFF", S("\xf4\x8f\xbf\xbf"), true },
		{ "U+110000", S("\xf4\x90\x80\x80"), false },
		{ "overlong slash", S("\xc0\xaf"), false },
		{ "overlong in three", S("\xe0\x9f\xbf"), false },
		{ "overlong in four", S("\xf0\x8f\xbf\xbf"), false },
		{ "first surrogate", S("\xed\xa0\x80"), false },
		{ "last surrogate", S("\xed\xbf\xbf"), false },
		{ "tail alone", S("\x80"), false },
		{ "five bytes", S("\xf8\x88\x80\x80\x80"), false },
		{ "FF", S("\xff"), false },
		{ "GBK", S("\xc4\xe3\xba\xc3"), false },
		{ "bad byte behind sixteen good ones", S("0123456789abcdef\xff"), false },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		uint8_t *copy = test_guard_copy(rows[i].bytes);

		if (coo_utf8_valid(coo_span_of(copy, rows[i].bytes.n)) != rows[i].valid)
			fail_msg("row \"%s\"", rows[i].name);
		test_guard_free(copy, rows[i].bytes.n);
	}
}

static void every_scalar_value_and_no_other_goes_both_ways(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		uint8_t mem[4];
		uint32_t back = 0;
		coo_buf b;
		size_t n;

		coo_buf_init(&b, mem, sizeof(mem));
		coo_utf8_put(&b, cp);
		n = coo_utf8_next(coo_buf_span(&b), &back);
		if (cp >= 0xd800 && cp <= 0xdfff) {
			if (n != 0)
				fail_msg("U+%04X is taken for a character", cp);
		} else if (n != b.n || back != cp ||
			   coo_utf8_next(coo_span_of(mem, n - 1), &back)) {
			fail_msg("U+%04X", cp);
		}
	}
}

static void truncation_ends_on_a_boundary(void **state)
{
	const coo_span s = LIT("a\xc3\xa9\xe9\xa3\x9e\xf0\x9f\x91\x8d!");
	static const size_t want[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };

	(void)state;
	for (size_t max = 0; max < COO_ARRAY_LEN(want); max++)
		assert_int_equal(coo_utf8_truncate(s, max), want[max]);
	assert_int_equal(coo_utf8_truncate(coo_span_none(), 0), 0);
}

static void escaping_rows(void **state)
{
	static const struct {
		const char *name;
		coo_span in;
		const char *one_line, *lines;
	} rows[] = {
		{ "plain", S("\xe9\xa3\x9e a~"), "\xe9\xa3\x9e a~", "\xe9\xa3\x9e a~" },
		{ "line feed and tab", S("a\n\tb"), "a\\x0a\\x09b", "a\n\tb" },
		{ "carriage return", S("a\r"), "a\\x0d", "a\\x0d" },
		{ "escape", S("\x1b[2J"), "\\x1b[2J", "\\x1b[2J" },
		{ "NUL", S("\0"), "\\x00", "\\x00" },
		{ "DEL", S("\x7f"), "\\x7f", "\\x7f" },
		{ "C1: the other CSI", S("\xc2\x9b"), "\\u{9b}", "\\u{9b}" },
		{ "no-break space stays", S("\xc2\xa0"), "\xc2\xa0", "\xc2\xa0" },
		{ "soft hyphen", S("\xc2\xad"), "\\u{ad}", "\\u{ad}" },
		{ "right-to-left override", S("\xe2\x80\xae"), "\\u{202e}", "\\u{202e}" },
		{ "isolate", S("\xe2\x81\xa6"), "\\u{2066}", "\\u{2066}" },
		{ "BOM", S("\xef\xbb\xbf"), "\\u{feff}", "\\u{feff}" },
		{ "line separator", S("\xe2\x80\xa8"), "\\u{2028}", "\\u{2028}" },
		{ "tag", S("\xf3\xa0\x80\x81"), "\\u{e0001}", "\\u{e0001}" },
		{ "joiner stays: emoji need it", S("\xe2\x80\x8d"), "\xe2\x80\x8d",
		  "\xe2\x80\x8d" },
		{ "GBK", S("\xc4\xe3"), "\\xc4\\xe3", "\\xc4\\xe3" },
		{ "cut character", S("\xe9\xa3"), "\\xe9\\xa3", "\\xe9\\xa3" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		uint8_t mem[64];
		coo_buf b;

		coo_buf_init(&b, mem, sizeof(mem));
		coo_utf8_escape(&b, rows[i].in, COO_UTF8_ONE_LINE);
		assert_span(coo_buf_span(&b), coo_span_str(rows[i].one_line), rows[i].name);
		if (coo_utf8_is_plain(rows[i].in, COO_UTF8_ONE_LINE) !=
		    coo_span_eq_str(rows[i].in, rows[i].one_line))
			fail_msg("row \"%s\": is_plain", rows[i].name);
		coo_buf_init(&b, mem, sizeof(mem));
		coo_utf8_escape(&b, rows[i].in, COO_UTF8_KEEP_LINES);
		assert_span(coo_buf_span(&b), coo_span_str(rows[i].lines), rows[i].name);
		if (coo_utf8_is_plain(rows[i].in, COO_UTF8_KEEP_LINES) !=
		    coo_span_eq_str(rows[i].in, rows[i].lines))
			fail_msg("row \"%s\": is_plain, lines", rows[i].name);
	}
}

static void a_short_buffer_for_escaped_text_fails(void **state)
{
	static const uint8_t room[20];
	const coo_span in = LIT("a\x1b\xff\xe2\x80\xae");
	const size_t need = strlen("a\\x1b\\xff\\u{202e}");

	(void)state;
	for (size_t cap = 0; cap <= need; cap++) {
		uint8_t *mem = test_guard_copy(coo_span_of(room, cap));
		coo_buf b;

		coo_buf_init(&b, mem, cap);
		coo_utf8_escape(&b, in, COO_UTF8_ONE_LINE);
		assert_int_equal(coo_buf_ok(&b), cap == need);
		test_guard_free(mem, cap);
	}
}

static void width_rows(void **state)
{
	static const struct {
		const char *name, *text;
		size_t want;
	} rows[] = {
		{ "empty", "", 0 },
		{ "ASCII", "abc", 3 },
		{ "Chinese", "\xe9\xa3\x9e\xe9\xb8\xbd", 4 },
		{ "kana", "\xe3\x81\x93", 2 },
		{ "half-width kana", "\xef\xbd\xb1", 1 },
		{ "full-width comma", "\xef\xbc\x8c", 2 },
		{ "Hangul", "\xed\x95\x9c", 2 },
		{ "accent of its own", "e\xcc\x81", 1 },
		{ "Latin with accent", "\xc3\xa9", 1 },
		{ "emoji", "\xf0\x9f\x91\x8d", 2 },
		{ "rare character", "\xf0\xa0\x80\x80", 2 },
		{ "box drawing", "\xe2\x94\x80", 1 },
		{ "bad byte", "\xff", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		if (coo_utf8_width(coo_span_str(rows[i].text)) != rows[i].want)
			fail_msg("row \"%s\": %zu", rows[i].name,
				 coo_utf8_width(coo_span_str(rows[i].text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(validity_rows),
		cmocka_unit_test(every_scalar_value_and_no_other_goes_both_ways),
		cmocka_unit_test(truncation_ends_on_a_boundary),
		cmocka_unit_test(escaping_rows),
		cmocka_unit_test(a_short_buffer_for_escaped_text_fails),
		cmocka_unit_test(width_rows),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
