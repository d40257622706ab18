/* SPDX-License-Identifier: MIT */
#include "proto/span.h"
#include "support/test.h"

static void cutting_rows(void **state)
{
	static const struct {
		const char *name, *in, *head, *rest;
		bool ok;
	} rows[] = {
		{ "in the middle", "ab:cd", "ab", "cd", true },
		{ "first of two", "a:b:c", "a", "b:c", true },
		{ "at the start", ":cd", "", "cd", true },
		{ "at the end", "ab:", "ab", "", true },
		{ "only the delimiter", ":", "", "", true },
		{ "none", "abcd", "?", "abcd", false },
		{ "empty", "", "?", "", false },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_span s = coo_span_str(rows[i].in), head = LIT("?");

		if (coo_span_cut(&s, ':', &head) != rows[i].ok)
			fail_msg("row \"%s\"", rows[i].name);
		assert_span(head, coo_span_str(rows[i].head), rows[i].name);
		assert_span(s, coo_span_str(rows[i].rest), rows[i].name);
	}
}

static void next_gives_every_piece_and_the_last_without_a_delimiter(void **state)
{
	static const struct {
		const char *name, *in;
		const char *pieces[4];
		size_t n;
	} rows[] = {
		{ "three", "a:b:c", { "a", "b", "c" }, 3 },
		{ "empty ones", ":b:", { "", "b" }, 2 },
		{ "one", "abc", { "abc" }, 1 },
		{ "none", "", { NULL }, 0 },
		{ "a delimiter alone", ":", { "" }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_span s = coo_span_str(rows[i].in), piece;
		size_t n = 0;

		while (coo_span_next(&s, ':', &piece)) {
			assert_true(n < rows[i].n);
			assert_span(piece, coo_span_str(rows[i].pieces[n++]), rows[i].name);
		}
		if (n != rows[i].n)
			fail_msg("row \"%s\"", rows[i].name);
	}
}

static void head_and_skip_never_leave_the_span(void **state)
{
	coo_span s = LIT("abc");

	(void)state;
	for (size_t n = 0; n < 6; n++) {
		assert_int_equal(coo_span_head(s, n).n, n < 3 ? n : 3);
		assert_int_equal(coo_span_skip(s, n).n, n < 3 ? 3 - n : 0);
	}
	assert_int_equal(coo_span_skip(s, SIZE_MAX).n, 0);
	assert_int_equal(coo_span_skip(coo_span_none(), 1).n, 0);
	assert_int_equal(coo_span_str(NULL).n, 0);
}

static void comparing_rows(void **state)
{
	static const struct {
		const char *name, *a, *b;
		bool eq, nocase, prefix; /* prefix: a begins with b */
	} rows[] = {
		{ "same", "abc", "abc", true, true, true },
		{ "case", "aBc", "AbC", false, true, false },
		{ "shorter", "abc", "ab", false, false, true },
		{ "longer", "ab", "abc", false, false, false },
		{ "both empty", "", "", true, true, true },
		{ "one empty", "a", "", false, false, true },
		{ "what lies beside the letters", "@[`{", "`{@[", false, false, false },
		{ "high bytes keep their case", "\xc1", "\xe1", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_span a = coo_span_str(rows[i].a), b = coo_span_str(rows[i].b);

		if (coo_span_eq(a, b) != rows[i].eq || coo_span_eq_nocase(a, b) != rows[i].nocase ||
		    coo_span_has_prefix(a, b) != rows[i].prefix)
			fail_msg("row \"%s\"", rows[i].name);
	}
	assert_true(coo_span_eq(coo_span_none(), LIT("")));
	assert_false(coo_span_eq(LIT("a\0b"), LIT("a\0c")));
}

static void a_high_byte_is_found_wherever_it_stands(void **state)
{
	uint8_t bytes[40];

	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		memset(bytes, 0x7f, sizeof(bytes));
		for (size_t at = 0; at < n; at++) {
			uint8_t *copy;

			bytes[at] = 0x80;
			copy = test_guard_copy(coo_span_of(bytes, n));
			assert_true(coo_span_has_high(coo_span_of(copy, n)));
			bytes[at] = 0x7f;
			test_guard_free(copy, n);
		}
		assert_false(coo_span_has_high(coo_span_of(bytes, n)));
	}
}

static void trimming_takes_all_and_only_the_last(void **state)
{
	(void)state;
	assert_span(coo_span_trim_end(LIT("a\0b\0\0"), 0), LIT("a\0b"), "NULs");
	assert_span(coo_span_trim_end(LIT("\0\0"), 0), LIT(""), "nothing else");
	assert_span(coo_span_trim_end(coo_span_none(), 0), LIT(""), "empty");
	assert_int_equal(coo_span_find(LIT("abc"), 'c'), 2);
	assert_int_equal(coo_span_find(LIT("abc"), 'x'), 3);
	assert_int_equal(coo_span_find(coo_span_none(), 'x'), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cutting_rows),
		cmocka_unit_test(next_gives_every_piece_and_the_last_without_a_delimiter),
		cmocka_unit_test(head_and_skip_never_leave_the_span),
		cmocka_unit_test(comparing_rows),
		cmocka_unit_test(a_high_byte_is_found_wherever_it_stands),
		cmocka_unit_test(trimming_takes_all_and_only_the_last),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
