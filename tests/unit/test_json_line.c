/* SPDX-License-Identifier: MIT */
#include "cli/json_line.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

/* What jansson writes is the measure. Takes j. */
static void expect_as_jansson(json_t *j)
{
	char *want = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(12));
	const char *got;
	size_t n = json_line(j, &got);

	assert_non_null(want);
	assert_int_equal(n, strlen(want) + 1);
	assert_memory_equal(got, want, n - 1);
	assert_int_equal(got[n - 1], '\n');
	free(want);
	json_decref(j);
}

static void a_line_is_what_jansson_writes(void **state)
{
	(void)state;
	expect_as_jansson(json_object());
	expect_as_jansson(
	    json_pack("{s:s, s:[], s:{}, s:n, s:b, s:b}", "a", "b", "c", "d", "e", "f", 1, "g", 0));
	expect_as_jansson(json_pack("{s:[i,i,[s],{s:i}], s:{s:{s:[n]}}}", "list", 1, -2, "x", "y",
				    3, "deep", "er", "still"));
	expect_as_jansson(json_pack("{s:f, s:f, s:f}", "whole", 1.0, "part", 0.1, "tiny", 1e-300));
	expect_as_jansson(json_pack("{s:s}", "k\"e\\y\n", "你好 🕊 é"));
}

static void integers_of_every_length_and_sign(void **state)
{
	static const json_int_t values[] = { 0,		9,	   10,		-1,
					     INT64_MAX, INT64_MIN, 2147483648L, -2147483649L,
					     1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		expect_as_jansson(json_pack("{s:I}", "v", values[i]));
}

static void every_character_of_ascii_and_its_neighbours(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 0x7f; c++) {
		char text[5] = { (char)c, 'x', (char)c, (char)c, 'y' };

		expect_as_jansson(json_pack("{s:o}", "v", json_stringn(text, sizeof(text))));
		expect_as_jansson(json_pack("{s:o}", "v", json_stringn(text, 1)));
	}
}

/* JSON would let them be, but a line is read on terminals too. */
static void what_a_terminal_obeys_or_hides_is_escaped(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "a\x7f", "[\"a\\u007F\"]\n" },
		{ "\xc2\x9b"
		  "1m",
		  "[\"\\u009B1m\"]\n" },
		{ "x\u202ey\u2066", "[\"x\\u202Ey\\u2066\"]\n" },
		{ "\U000e0041", "[\"\\uDB40\\uDC41\"]\n" },
		{ "\ufeff\u00a0é…，", "[\"\\uFEFF\u00a0é…，\"]\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *j = json_pack("[s]", rows[i].text);
		const char *got;
		size_t n = json_line(j, &got);

		assert_span(coo_span_of(got, n), coo_span_str(rows[i].want), rows[i].text);
		json_decref(j);
	}
}

static void long_strings_and_short_ones_again(void **state)
{
	char *text = malloc(300000);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 300000; i++)
		text[i] = (char)(i % 7 ? 'a' + (char)(i % 26) : '\n');
	for (size_t n = 1; n <= 300000; n = n * 3 + 1) {
		expect_as_jansson(json_pack("{s:o}", "v", json_stringn(text, n)));
		expect_as_jansson(json_pack("{s:s}", "v", "short"));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_what_jansson_writes),
		cmocka_unit_test(integers_of_every_length_and_sign),
		cmocka_unit_test(every_character_of_ascii_and_its_neighbours),
		cmocka_unit_test(what_a_terminal_obeys_or_hides_is_escaped),
		cmocka_unit_test(long_strings_and_short_ones_again),
	};

	return cmocka_run_group_tests_name("json_line", tests, NULL, NULL);
}
