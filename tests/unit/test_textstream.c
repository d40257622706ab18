/* SPDX-License-Identifier: MIT */
#include "feature/textstream.h"

#include "support/test.h"

/* Decodes s in two pieces cut at every position, then byte by byte; all have to give want. */
static void check(const char *charset, coo_span s, const char *want, const char *row)
{
	coo_charset *cs = NULL;

	assert_int_equal(coo_charset_open(charset, &cs), COO_OK);
	for (size_t cut = 0; cut <= s.n + 1; cut++) {
		uint8_t mem[512];
		coo_textstream t;
		coo_buf out;

		coo_buf_init(&out, mem, sizeof(mem));
		coo_textstream_init(&t, cs);
		if (cut <= s.n) {
			assert_int_equal(coo_textstream_put(&t, coo_span_head(s, cut), &out),
					 COO_OK);
			assert_int_equal(coo_textstream_put(&t, coo_span_skip(s, cut), &out),
					 COO_OK);
		} else {
			for (size_t i = 0; i < s.n; i++)
				assert_int_equal(
				    coo_textstream_put(&t, coo_span_of(s.p + i, 1), &out), COO_OK);
		}
		assert_int_equal(coo_textstream_end(&t, &out), COO_OK);
		assert_span(coo_buf_span(&out), coo_span_str(want), row);
	}
	coo_charset_close(cs);
}

static void characters_are_put_together_at_every_split(void **state)
{
	static const struct {
		const char *name, *charset, *in, *want;
	} rows[] = {
		{ "ASCII", "gbk", "hello", "hello" },
		{ "GBK", "gbk",
		  "\xc4\xe3\xba\xc3\xa3\xac"
		  "a\xca\xc0",
		  "你好，a世" },
		{ "GBK with an ASCII second byte", "gbk", "\x81\x5c\x8e\x7a", "乗巣" },
		{ "GB18030, four bytes", "gb18030", "a\x94\x39\xda\x33z", "a💩z" },
		{ "UTF-8", "utf-8", "h\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80!", "hé你😀!" },
		{ "Shift_JIS", "cp932", "\x93\xfa\x96\x7b\xb1", "日本ｱ" },
		{ "Big5", "big5", "\xa7\x41\xa6\x6e", "你好" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++)
		check(rows[i].charset, coo_span_str(rows[i].in), rows[i].want, rows[i].name);
}

static void bytes_that_are_no_character_are_shown(void **state)
{
	static const struct {
		const char *name, *charset, *in, *want;
	} rows[] = {
		{ "0xff in GBK", "gbk",
		  "a\xff"
		  "b",
		  "a\\xffb" },
		{ "a lead without its tail", "gbk", "\xc4\xe3\xba", "你\\xba" },
		{ "a lead before a blank", "gbk", "\xc4 \xba\xc3", "\\xc4 好" },
		{ "GBK read as UTF-8", "utf-8", "\xc4\xe3x", "\\xc4\\xe3x" },
		{ "a lone tail", "utf-8", "a\x80", "a\\x80" },
		{ "a truncated character", "utf-8", "\xe4\xbd", "\\xe4\\xbd" },
		{ "overlong", "utf-8", "\xc0\xaf", "\\xc0\\xaf" },
		{ "a surrogate", "utf-8", "\xed\xa0\x80.", "\\xed\\xa0\\x80." },
		{ "above the last character", "utf-8", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "a truncated character before another", "utf-8", "\xf0\x9f\x98\xe4\xbd\xa0",
		  "\\xf0\\x9f\\x98你" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++)
		check(rows[i].charset, coo_span_str(rows[i].in), rows[i].want, rows[i].name);
}

static void what_can_be_no_character_is_not_held_back(void **state)
{
	coo_charset *cs = NULL;
	coo_textstream t;
	uint8_t mem[64];
	coo_buf out;

	(void)state;
	assert_int_equal(coo_charset_open("utf-8", &cs), COO_OK);
	coo_textstream_init(&t, cs);
	coo_buf_init(&out, mem, sizeof(mem));
	assert_int_equal(coo_textstream_put(&t, LIT("\xff\xe0\x80"), &out), COO_OK);
	assert_span(coo_buf_span(&out), LIT("\\xff\\xe0\\x80"), "at once");
	assert_int_equal(t.invalid, 3);
	coo_charset_close(cs);
}

static void a_long_text_cut_anywhere(void **state)
{
	enum { CHARS = 3000 };
	static uint8_t in[2 * CHARS], want[3 * CHARS], mem[4 * (2 * CHARS + 4)];
	uint64_t seed = 6;
	coo_charset *cs = NULL;

	(void)state;
	for (size_t i = 0; i < CHARS; i++) {
		memcpy(in + 2 * i, "\xc4\xe3", 2);
		memcpy(want + 3 * i, "你", 3);
	}
	assert_int_equal(coo_charset_open("gbk", &cs), COO_OK);
	for (int round = 0; round < 50; round++) {
		coo_span s = coo_span_of(in, sizeof(in));
		coo_textstream t;
		coo_buf out;

		coo_buf_init(&out, mem, sizeof(mem));
		coo_textstream_init(&t, cs);
		while (s.n > 0) {
			size_t n = 1 + (size_t)(test_random(&seed) % 5000);

			assert_int_equal(coo_textstream_put(&t, coo_span_head(s, n), &out), COO_OK);
			s = coo_span_skip(s, n);
		}
		assert_span(coo_buf_span(&out), coo_span_of(want, sizeof(want)), "long");
	}
	coo_charset_close(cs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_put_together_at_every_split),
		cmocka_unit_test(bytes_that_are_no_character_are_shown),
		cmocka_unit_test(what_can_be_no_character_is_not_held_back),
		cmocka_unit_test(a_long_text_cut_anywhere),
	};

	return cmocka_run_group_tests_name("textstream", tests, NULL, NULL);
}
