/* SPDX-License-Identifier: MIT */
#include "cli/talk_hex.h"
#include "support/test.h"

static void hex_is_taken_as_people_write_it(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} rows[] = {
		{ "c4e3bac3", "\xc4\xe3\xba\xc3" },
		{ "c4 E3\tba  c3 ", "\xc4\xe3\xba\xc3" },
		{ "0xc4,0XE3", "\xc4\xe3" },
		{ "\\xc4\\xe3", "\xc4\xe3" },
		{ "c4:e3-ba", "\xc4\xe3\xba" },
		{ "", "" },
		{ " ", "" },
		{ "c", NULL },
		{ "c4 e", NULL },
		{ "c4e", NULL },
		{ "xy", NULL },
		{ "c4 0x", NULL },
		{ "c4;e3", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct strbuf b = { NULL, 0, 0 };
		bool ok;

		strbuf_put_str(&b, ">");
		ok = talk_hex_parse(coo_span_str(rows[i].text), &b);
		assert_int_equal(ok, rows[i].want != NULL);
		assert_span(coo_span_skip(strbuf_span(&b), 1), coo_span_str(rows[i].want),
			    rows[i].text);
		strbuf_free(&b);
	}
}

static void every_byte_survives_the_way_to_hex_and_back(void **state)
{
	struct strbuf hex = { NULL, 0, 0 }, back = { NULL, 0, 0 };
	uint8_t all[256];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	talk_hex_plain(&hex, coo_span_of(all, sizeof(all)));
	assert_int_equal(hex.n, 512);
	assert_true(talk_hex_parse(strbuf_span(&hex), &back));
	assert_span(strbuf_span(&back), coo_span_of(all, sizeof(all)), "all bytes");
	strbuf_free(&hex);
	strbuf_free(&back);
}

static void a_dump_shows_no_control_character(void **state)
{
	struct strbuf b = { NULL, 0, 0 };
	coo_charset *cs = NULL;

	(void)state;
	assert_int_equal(coo_charset_open("gbk", &cs), COO_OK);
	talk_hex_dump(&b, cs, LIT("\x1b[2J\xc4\xe3\xff\x7f\n"));
	assert_span(strbuf_span(&b),
		    LIT("  0000  1b 5b 32 4a c4 e3 ff 7f  0a                       .[2J你...\n"),
		    "dump");
	strbuf_free(&b);
	coo_charset_close(cs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_is_taken_as_people_write_it),
		cmocka_unit_test(every_byte_survives_the_way_to_hex_and_back),
		cmocka_unit_test(a_dump_shows_no_control_character),
	};

	return cmocka_run_group_tests_name("talk_hex", tests, NULL, NULL);
}
