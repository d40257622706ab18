/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/charset.h"
#include "proto/utf8.h"
#include "support/test.h"

#define FFFD "\xef\xbf\xbd"

static coo_charset *open_set(const char *name)
{
	coo_charset *cs = NULL;

	if (coo_charset_open(name, &cs) != COO_OK)
		fail_msg("cannot open %s", name);
	return cs;
}

/* Decodes the row from memory that ends at a guard page. */
static void check_decode(const char *set, coo_span in, coo_span want, size_t bad, const char *row)
{
	coo_charset *cs = open_set(set);
	uint8_t *guarded = test_guard_copy(in), mem[512];
	size_t replaced = 1000;
	coo_buf out;

	coo_buf_init(&out, mem, sizeof(mem));
	assert_int_equal(coo_charset_decode(cs, coo_span_of(guarded, in.n), &out, &replaced),
			 COO_OK);
	assert_span(coo_buf_span(&out), want, row);
	if (replaced != 1000 + bad)
		fail_msg("row \"%s\": %zu replaced, not %zu", row, replaced - 1000, bad);
	assert_int_equal(coo_charset_valid(cs, coo_span_of(guarded, in.n)), bad == 0);
	test_guard_free(guarded, in.n);
	coo_charset_close(cs);
}

static void check_encode(const char *set, coo_span in, coo_span want, size_t gone, const char *row)
{
	coo_charset *cs = open_set(set);
	uint8_t *guarded = test_guard_copy(in), mem[512];
	size_t lost = 1000;
	coo_buf out;

	coo_buf_init(&out, mem, sizeof(mem));
	assert_int_equal(coo_charset_encode(cs, coo_span_of(guarded, in.n), &out, &lost), COO_OK);
	assert_span(coo_buf_span(&out), want, row);
	if (lost != 1000 + gone)
		fail_msg("row \"%s\": %zu lost, not %zu", row, lost - 1000, gone);
	test_guard_free(guarded, in.n);
	coo_charset_close(cs);
}

/* Text that goes both ways without loss. Bytes written by other encoders (CPython's codecs). */
static const struct pair {
	const char *name, *set;
	coo_span bytes, text;
} pairs[] = {
#define PAIR(name, set, bytes, text)                                                               \
	{                                                                                          \
		name, set, { (const uint8_t *)(bytes), sizeof(bytes) - 1 },                        \
		{                                                                                  \
			(const uint8_t *)(text), sizeof(text) - 1                                  \
		}                                                                                  \
	}
	PAIR("GBK hello", "gbk", "\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7", "你好，世界"),
	PAIR("GBK backslash trail", "gbk", "\x81\x5c\x82\x5c\x95\x5c", "乗俓昞"),
	PAIR("GBK among ASCII", "gbk", "hello, world: \xc4\xe3\xba\xc3 0123456789 abcdef \xca\xc0!",
	     "hello, world: 你好 0123456789 abcdef 世!"),
	PAIR("GBK euro", "gbk", "5 \x80, \xc4\xe3", "5 €, 你"),
	PAIR("GBK with NUL", "gbk", "a\0\xc4\xe3\0", "a\0你\0"),
	PAIR("FeiQ nickname", "cp936",
	     "LINLINDONG:\xb6\xad\xc1\xd5\xc1\xd5"
	     "DT-DTG4",
	     "LINLINDONG:董琳琳DT-DTG4"),
	PAIR("GB18030 emoji and rare Han", "gb18030", "\x94\x39\xfc\x36\x95\x34\xb2\x35", "😀𠮷"),
	PAIR("GB18030 four bytes, BMP", "gb18030", "\x81\x39\xee\x39", "㐀"),
	PAIR("GB18030 euro", "gb18030", "\xa2\xe3", "€"),
	PAIR("CP932 hello", "cp932", "\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd\x90\xa2\x8a\x45",
	     "こんにちは世界"),
	PAIR("CP932 half-width kana", "cp932", "\xb1\xca\xdf\xb0\xc4", "ｱﾊﾟｰﾄ"),
	PAIR("CP932 backslash trail", "shift_jis", "\x95\x5c\x94\x5c\x83\x5c", "表能ソ"),
	PAIR("CP932 backslash itself", "sjis", "a\\b~", "a\\b~"),
	PAIR("Big5 backslash trail", "big5", "\xb3\x5c\xa5\x5c\xbb\x5c", "許功蓋"),
	PAIR("Big5 hello", "BIG5", "\xa7\x41\xa6\x6e", "你好"),
	PAIR("EUC-KR hello", "euc-kr", "\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4", "안녕하세요"),
	PAIR("CP949 beyond EUC-KR", "cp949", "\x8c\x63", "똠"),
	PAIR("UTF-8", "utf-8", "你好 😀", "你好 😀"),
	PAIR("Latin-1 by iconv's name", "iso-8859-1", "caf\xe9", "café"),
	PAIR("empty", "gbk", "", ""),
#undef PAIR
};

static void known_texts_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(pairs); i++) {
		check_decode(pairs[i].set, pairs[i].bytes, pairs[i].text, 0, pairs[i].name);
		check_encode(pairs[i].set, pairs[i].text, pairs[i].bytes, 0, pairs[i].name);
	}
}

static void bytes_that_are_not_text_become_counted_replacements(void **state)
{
	(void)state;
	check_decode("gbk", LIT("\xff"), LIT(FFFD), 1, "no lead byte");
	check_decode("gbk", LIT("\xb6:x"), LIT(FFFD ":x"), 1, "a separator is never eaten");
	check_decode("gbk", LIT("\xc4\xe3\xff\xc4\xe3"), LIT("你" FFFD "你"), 1, "in the middle");
	check_decode("gbk", LIT("a\xc4"), LIT("a" FFFD), 1, "half a character at the end");
	check_decode("gbk", LIT("\x94\x39\xfc"), LIT(FFFD "9" FFFD), 2, "three of four bytes");
	check_decode("gbk", LIT("\xff\xff\xff\xff"), LIT(FFFD FFFD FFFD FFFD), 4, "four bad ones");
	check_decode("gbk", LIT("\x94\x39\xfc\x36"), LIT("😀"), 0, "GBK decodes as GB18030");
	check_decode("gbk", LIT("\xa2\xe3"), LIT("€"), 0, "GB18030's euro too");
	check_decode("gb18030", LIT("\x80"), LIT(FFFD), 1, "0x80 is the euro in CP936 only");
	check_decode("cp932", LIT("\xfe\x81\xff"), LIT(FFFD FFFD FFFD), 3, "CP932");
	check_decode("utf-8", LIT("a\xc4\xe3z"), LIT("a" FFFD FFFD "z"), 2, "GBK read as UTF-8");
	check_decode("utf-8", LIT("\xed\xa0\x80"), LIT(FFFD FFFD FFFD), 3, "a surrogate");
	check_decode("utf-8", LIT("\xc0\xaf"), LIT(FFFD FFFD), 2, "overlong slash");
}

static void characters_that_a_set_lacks_become_counted_question_marks(void **state)
{
	(void)state;
	check_encode("gbk", LIT("你😀好"), LIT("\xc4\xe3?\xba\xc3"), 1, "emoji");
	check_encode("gbk", LIT("𠮷野家"), LIT("?\xd2\xb0\xbc\xd2"), 1, "rare Han");
	check_encode("gbk", LIT("㐀"), LIT("?"), 1, "GB18030's four-byte part is not GBK");
	check_encode("gbk", LIT("ḿ\xee\x80\x80"), LIT("??"), 2, "nor are PUA and 2005's glyphs");
	check_encode("gbk", LIT("안녕"), LIT("??"), 2, "Hangul, one mark a character");
	check_encode("gbk", LIT("“é”\xc2\xa0"), LIT("\xa1\xb0\xa8\xa6\xa1\xb1?"), 1,
		     "no-break space");
	check_encode("cp932", LIT("ñ你©"), LIT("???"), 3, "never transliterated");
	check_encode("iso-8859-1", LIT("“x” ﬁ 𝐀"), LIT("?x? ? ?"), 4, "nor in Latin-1");
	check_encode("gbk", LIT("a\xf3\xa0\x80\x81z\xf3\xa0\x81\xbf"), LIT("a?z?"), 2,
		     "tag characters, which iconv drops silently");
	check_encode("gbk", LIT("\xef\xbf\xbd"), LIT("?"), 1, "U+FFFD itself");
	check_encode("gbk", LIT("你\xef\xbb\xbf好"), LIT("\xc4\xe3?\xba\xc3"), 1, "a BOM inside");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
	coo_charset *cs = open_set("gbk");
	uint8_t mem[16];
	size_t lost = 0;
	coo_buf out;

	(void)state;
	coo_buf_init(&out, mem, sizeof(mem));
	assert_int_equal(coo_charset_encode(cs, LIT("\xc4\xe3"), &out, &lost), COO_EFORMAT);
	assert_int_equal(out.n, 0);
	coo_charset_close(cs);
}

static void names_are_canonical(void **state)
{
	static const struct {
		const char *user, *name;
	} rows[] = {
		{ "UTF8", "UTF-8" },	{ "Gbk", "GBK" },	  { "gb2312", "GBK" },
		{ "CP936", "GBK" },	{ "GB18030", "GB18030" }, { "Shift_JIS", "CP932" },
		{ "cp950", "BIG5" },	{ "EUC-kr", "EUC-KR" },	  { "koi8-r", "KOI8-R" },
		{ "cp1252", "CP1252" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_charset *cs = open_set(rows[i].user);

		assert_string_equal(coo_charset_name(cs), rows[i].name);
		assert_int_equal(coo_charset_is_utf8(cs), strcmp(rows[i].name, "UTF-8") == 0);
		coo_charset_close(cs);
	}
	coo_charset_close(NULL);
}

static void sets_without_plain_ascii_are_refused(void **state)
{
	static const char *const names[] = {
		"utf-16",      "UTF-16LE",    "UCS-2",
		"utf-32",      "utf-7",	      "ISO-2022-JP",
		"ISO-2022-CN", "HZ",	      "iso-2022-kr",
		"EBCDIC-US",   "IBM037",      "",
		"no-such-set", "gbk//ignore", "gbk//translit",
		"gbk ",	       "../gbk",      "a-name-that-is-far-too-long-to-be-one"
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(names); i++) {
		coo_charset *cs = NULL;

		if (coo_charset_open(names[i], &cs) != COO_ECHARSET || cs)
			fail_msg("\"%s\" was opened", names[i]);
	}
}

/* Every truncation decodes to valid UTF-8, and its whole characters are those of the full text. */
static void every_truncation_decodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(pairs); i++) {
		coo_charset *cs = open_set(pairs[i].set);

		for (size_t n = 0; n < pairs[i].bytes.n; n++) {
			uint8_t *in = test_guard_copy(coo_span_head(pairs[i].bytes, n));
			uint8_t mem[256];
			size_t bad = 0, same = 0;
			coo_buf out;

			coo_buf_init(&out, mem, sizeof(mem));
			assert_int_equal(coo_charset_decode(cs, coo_span_of(in, n), &out, &bad),
					 COO_OK);
			assert_true(coo_utf8_valid(coo_buf_span(&out)));
			assert_true(out.n <= 4 * n);
			while (same < out.n && same < pairs[i].text.n &&
			       mem[same] == pairs[i].text.p[same])
				same++;
			if (bad == 0 && same != out.n)
				fail_msg("row \"%s\" cut to %zu", pairs[i].name, n);
			assert_int_equal(coo_charset_valid(cs, coo_span_of(in, n)), bad == 0);
			test_guard_free(in, n);
		}
		coo_charset_close(cs);
	}
}

/* Whatever the room: nothing behind it is written and what stands there is whole characters. */
static void every_short_buffer_is_refused_without_half_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(pairs); i++) {
		coo_charset *cs = open_set(pairs[i].set);

		for (size_t cap = 0; cap < pairs[i].bytes.n; cap++) {
			uint8_t *mem = test_guard_copy(coo_span_head(pairs[i].bytes, cap));
			size_t lost = 0;
			coo_buf out;

			coo_buf_init(&out, mem, cap);
			assert_int_equal(coo_charset_encode(cs, pairs[i].text, &out, &lost),
					 COO_ENOBUF);
			assert_int_equal(lost, 0);
			assert_true(coo_charset_valid(cs, coo_buf_span(&out)));
			assert_span(coo_buf_span(&out), coo_span_head(pairs[i].bytes, out.n),
				    pairs[i].name);
			test_guard_free(mem, cap);
		}
		for (size_t cap = 0; cap < pairs[i].text.n; cap++) {
			uint8_t *mem = test_guard_copy(coo_span_head(pairs[i].text, cap));
			coo_buf out;

			coo_buf_init(&out, mem, cap);
			assert_int_equal(coo_charset_decode(cs, pairs[i].bytes, &out, NULL),
					 COO_ENOBUF);
			if (!coo_utf8_valid(coo_buf_span(&out)) ||
			    !coo_span_has_prefix(pairs[i].text, coo_buf_span(&out)))
				fail_msg("row \"%s\" in %zu bytes", pairs[i].name, cap);
			test_guard_free(mem, cap);
		}
		coo_charset_close(cs);
	}
}

static void a_failed_buffer_stays_failed(void **state)
{
	coo_charset *cs = open_set("gbk");
	uint8_t mem[8];
	coo_buf out;

	(void)state;
	coo_buf_init(&out, mem, sizeof(mem));
	out.failed = true;
	assert_int_equal(coo_charset_decode(cs, LIT("a"), &out, NULL), COO_ENOBUF);
	assert_int_equal(coo_charset_encode(cs, LIT("a"), &out, NULL), COO_ENOBUF);
	assert_int_equal(out.n, 0);
	coo_charset_close(cs);
}

/* What a text could not say must not colour the next one. */
static void a_descriptor_is_clean_after_bad_input(void **state)
{
	coo_charset *cs = open_set("gbk");
	uint8_t mem[64];
	coo_buf out;

	(void)state;
	coo_buf_init(&out, mem, sizeof(mem));
	coo_ignore(coo_charset_decode(cs, LIT("\xc4"), &out, NULL));
	out.n = 0;
	assert_int_equal(coo_charset_decode(cs, LIT("\xe3\xba\xc3"), &out, NULL), COO_OK);
	assert_span(coo_buf_span(&out), LIT("愫" FFFD), NULL);
	coo_charset_close(cs);
}

/* Random bytes: valid UTF-8 always comes out, within the promised size. */
static void random_bytes_always_become_utf8(void **state)
{
	static const char *const sets[] = { "gbk",    "gb18030", "cp932", "big5",
					    "euc-kr", "cp1258",	 "utf-8", "big5-hkscs" };
	uint64_t seed = 20130228;

	(void)state;
	for (size_t k = 0; k < COO_ARRAY_LEN(sets); k++) {
		coo_charset *cs = NULL;

		if (coo_charset_open(sets[k], &cs) != COO_OK)
			continue; /* not every iconv has every set */
		for (unsigned round = 0; round < 2000; round++) {
			uint8_t in[48], mem[4 * sizeof(in)];
			size_t n = test_random(&seed) % sizeof(in);
			coo_buf out;

			for (size_t i = 0; i < n; i++)
				in[i] = (uint8_t)test_random(&seed);
			coo_buf_init(&out, mem, 4 * n);
			if (coo_charset_decode(cs, coo_span_of(in, n), &out, NULL) != COO_OK ||
			    !coo_utf8_valid(coo_buf_span(&out)))
				fail_msg("%s, round %u", sets[k], round);
		}
		coo_charset_close(cs);
	}
}

/* The whole of Unicode: GBK emits GBK alone, which reads back as what was meant. */
static void what_gbk_emits_reads_back_as_the_same_character(void **state)
{
	coo_charset *cs = open_set("gbk");
	size_t held = 0;

	(void)state;
	for (uint32_t cp = 0x80; cp < 0x30000; cp++) {
		uint8_t a[4], b[8], c[8];
		size_t lost = 0, bad = 0;
		coo_buf in, mid, back;

		if (cp >= 0xd800 && cp < 0xe000)
			continue;
		coo_buf_init(&in, a, sizeof(a));
		coo_buf_init(&mid, b, sizeof(b));
		coo_buf_init(&back, c, sizeof(c));
		coo_utf8_put(&in, cp);
		assert_int_equal(coo_charset_encode(cs, coo_buf_span(&in), &mid, &lost), COO_OK);
		if (lost) {
			assert_span(coo_buf_span(&mid), LIT("?"), NULL);
			continue;
		}
		held++;
		assert_int_equal(mid.n, cp == 0x20ac ? 1 : 2);
		assert_int_equal(coo_charset_decode(cs, coo_buf_span(&mid), &back, &bad), COO_OK);
		assert_int_equal(bad, 0);
		assert_span(coo_buf_span(&back), coo_buf_span(&in), NULL);
	}
	/* CP936 as Microsoft publishes it: 21,791 characters beyond ASCII, and the euro sign. */
	assert_int_equal(held, 21792);
	coo_charset_close(cs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_go_both_ways),
		cmocka_unit_test(bytes_that_are_not_text_become_counted_replacements),
		cmocka_unit_test(characters_that_a_set_lacks_become_counted_question_marks),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
		cmocka_unit_test(names_are_canonical),
		cmocka_unit_test(sets_without_plain_ascii_are_refused),
		cmocka_unit_test(every_truncation_decodes),
		cmocka_unit_test(every_short_buffer_is_refused_without_half_characters),
		cmocka_unit_test(a_failed_buffer_stays_failed),
		cmocka_unit_test(a_descriptor_is_clean_after_bad_input),
		cmocka_unit_test(random_bytes_always_become_utf8),
		cmocka_unit_test(what_gbk_emits_reads_back_as_the_same_character),
	};

	return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
