/* SPDX-License-Identifier: MIT */
#include "proto/dialect.h"
#include "support/test.h"

static void client_rows(void **state)
{
	static const struct {
		const char *version, *client;
		bool gbk;
	} rows[] = {
		{ "1", "ipmsg", false },
		{ "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9", "feiq", true },
		{ "1_lbt4", "feiq", true },
		{ "1_iptux 0.8.3", "iptux", false },
		{ "1_coo", "coo", false },
		{ "1_coo 0.1", "coo", false },
		{ "1@shiyeline", "shiyeline", true },
		{ "1.feige.1", "feige", true },
		{ "5.1.180210", "feige", true },
		{ "1.1.180210", "feige", true },
		{ "1_gipmsg_0.2", "unknown", false },
		{ "", "unknown", false },
		{ "1_lb", "unknown", false },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_client c = coo_client_of(coo_span_str(rows[i].version));

		assert_string_equal(coo_client_name(c), rows[i].client);
		assert_int_equal(coo_client_is_gbk(c), rows[i].gbk);
	}
}

static void feiq_version_rows(void **state)
{
	/* generation avatar status mac avatar_size image_size cipher_size build tail */
	static const struct {
		const char *version, *fields[9];
	} rows[] = {
		{ "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9",
		  { "lbt6", "0", "128", "C85B76BD9F3F", "0", "0", "0", "4001", "9" } },
		{ "1_lbt6_51#32899#5C60BA7361C6#1944#0#96#4000#9",
		  { "lbt6", "51", "32899", "5C60BA7361C6", "1944", "0", "96", "4000", "9" } },
		{ "1_lbt4_0#128#000C29D68D8F#0#0#0#2.5a",
		  { "lbt4", "0", "128", "000C29D68D8F", "0", "0", "0", "2.5a", "" } },
		{ "1_lbt2", { "lbt2", "", "", "", "", "", "", "", "" } },
		{ "1_lbt6_0##", { "lbt6", "0", "", "", "", "", "", "", "" } },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_feiq_version v;

		assert_true(coo_feiq_version_decode(coo_span_str(rows[i].version), &v));
		{
			const coo_span got[9] = { v.generation,	 v.avatar,	v.status,
						  v.mac,	 v.avatar_size, v.image_size,
						  v.cipher_size, v.build,	v.tail };

			for (size_t k = 0; k < 9; k++)
				assert_span(got[k], coo_span_str(rows[i].fields[k]),
					    rows[i].version);
		}
	}
}

static void other_versions_are_not_feiq(void **state)
{
	coo_feiq_version v, before;

	(void)state;
	memset(&v, 0x5a, sizeof(v));
	before = v;
	assert_false(coo_feiq_version_decode(LIT("1"), &v));
	assert_false(coo_feiq_version_decode(coo_span_none(), &v));
	assert_memory_equal(&v, &before, sizeof(v));
}

static void the_version_that_looks_like_feiq(void **state)
{
	static const uint8_t mac[6] = { 0xc8, 0x5b, 0x76, 0xbd, 0x9f, 0x3f };
	static const uint8_t room[64];
	const coo_span want = LIT("1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9");

	(void)state;
	for (size_t cap = 0; cap <= want.n; cap++) {
		uint8_t *mem = test_guard_copy(coo_span_of(room, cap));
		coo_buf b;

		coo_buf_init(&b, mem, cap);
		coo_feiq_version_encode(&b, mac);
		assert_int_equal(coo_buf_ok(&b), cap == want.n);
		if (cap == want.n)
			assert_span(coo_buf_span(&b), want, "version");
		test_guard_free(mem, cap);
	}
}

#define FONT "{/font;-8 0 0 0 400 0 0 0 134 0 0 2 32 \xe5\xbe\xae\xe8\xbd\xaf 8404992;}"
#define RICH "[rich]0A0000000000860008AE5F[/rich]"

static void font_rows(void **state)
{
	static const struct {
		const char *name, *in, *text, *font;
	} rows[] = {
		{ "G11", "1122" FONT, "1122", FONT },
		{ "G12: one blank goes", "1 " FONT, "1", FONT },
		{ "two blanks: one stays", "1  " FONT, "1 ", FONT },
		{ "nothing but the trailer", FONT, "", FONT },
		{ "backslash before", "a\\" FONT, "a", "\\" FONT },
		{ "backslash within", "a{\\font;-8 0 0 0 400 0 0 0 134 0 0 2 32 x 0;}", "a",
		  "{\\font;-8 0 0 0 400 0 0 0 134 0 0 2 32 x 0;}" },
		{ "face with blanks", "a{/font;-8 0 0 0 400 0 0 0 0 0 0 2 32 Times New Roman 0;}",
		  "a", "{/font;-8 0 0 0 400 0 0 0 0 0 0 2 32 Times New Roman 0;}" },
		{ "twelve numbers are text", "a{/font;0 0 0 400 0 0 0 134 0 0 2 32 x 0;}",
		  "a{/font;0 0 0 400 0 0 0 134 0 0 2 32 x 0;}", "" },
		{ "text behind it", FONT "b", FONT "b", "" },
		{ "cut", "a{/font;-8 0 0 0 400;", "a{/font;-8 0 0 0 400;", "" },
		{ "a quoted text with its own trailer", "a" FONT "\nb" FONT, "a" FONT "\nb", FONT },
		{ "numbers alone", "hi{-11 0 0 0 134 2 0 0 0}", "hi", "{-11 0 0 0 134 2 0 0 0}" },
		{ "too few numbers", "hi{1 2 3}", "hi{1 2 3}", "" },
		{ "braces of a program", "int f(){ 1 2 3 4 5 6 7 8 }", "int f(){ 1 2 3 4 5 6 7 8 }",
		  "" },
		{ "H07", "hi" RICH, "hi", RICH },
		{ "rich without hex", "hi[rich]xyz[/rich]", "hi[rich]xyz[/rich]", "" },
		{ "rich without an end", "hi[rich]0A00", "hi[rich]0A00", "" },
		{ "two rich blocks", RICH "b" RICH, RICH "b", RICH },
		{ "empty", "", "", "" },
		{ "a brace", "}", "}", "" },
		{ "a bracket", "]", "]", "" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_span in = coo_span_str(rows[i].in), text, font;
		uint8_t *copy = test_guard_copy(in);

		coo_font_split(coo_span_of(copy, in.n), &text, &font);
		assert_span(text, coo_span_str(rows[i].text), rows[i].name);
		assert_span(font, coo_span_str(rows[i].font), rows[i].name);
		test_guard_free(copy, in.n);
	}
}

static void a_trailer_longer_than_512_bytes_is_text(void **state)
{
	static char in[1200];
	coo_span text, font;

	(void)state;
	for (unsigned face = 400; face < 600; face++) {
		int n = snprintf(in, sizeof(in), "a{/font;-8 0 0 0 400 0 0 0 134 0 0 2 32 ");

		memset(in + n, 'f', face);
		snprintf(in + n + face, sizeof(in) - (size_t)n - face, " 0;}");
		coo_font_split(coo_span_str(in), &text, &font);
		assert_int_equal(font.n, strlen(in) - 1 <= 512 ? strlen(in) - 1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_rows),
		cmocka_unit_test(feiq_version_rows),
		cmocka_unit_test(other_versions_are_not_feiq),
		cmocka_unit_test(the_version_that_looks_like_feiq),
		cmocka_unit_test(font_rows),
		cmocka_unit_test(a_trailer_longer_than_512_bytes_is_text),
	};

	return cmocka_run_group_tests_name("dialect", tests, NULL, NULL);
}
