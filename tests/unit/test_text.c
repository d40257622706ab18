/* SPDX-License-Identifier: MIT */
#include "feature/text.h"

#include "proto/entry.h"
#include "proto/packet.h"
#include "proto/utf8.h"
#include "support/hexfile.h"
#include "support/test.h"

#define FFFD "\xef\xbf\xbd"
#define SMILE "\xf0\x9f\x98\x80" /* not in GBK, in GB18030 as 94 39 fc 36 */

static coo_text *open_text(const char *legacy)
{
	coo_text *t = NULL;

	if (coo_text_open(legacy, &t) != COO_OK)
		fail_msg("cannot open \"%s\"", legacy);
	return t;
}

static const struct row {
	const char *name, *legacy;
	coo_client client;
	bool utf8_flag;
	const char *encoding;
	coo_span in;
	const char *want, *charset;
	size_t replaced;
} rows[] = {
#define ROW(name, legacy, client, flag, encoding, in, want, charset, replaced)                     \
	{                                                                                          \
		name, legacy, COO_CLIENT_##client, flag, encoding,                                 \
		    { (const uint8_t *)(in), sizeof(in) - 1 }, want, charset, replaced             \
	}
	ROW("empty", "auto", UNKNOWN, false, "", "", "", "US-ASCII", 0),
	ROW("ascii", "cp932", FEIQ, true, "utf-16", "haha", "haha", "US-ASCII", 0),
	/* 1 and 2: the flag, where the bytes bear it out */
	ROW("flag and utf-8", "auto", IPMSG, true, "", "\xe4\xbd\xa0", "你", "UTF-8", 0),
	ROW("flag of feiq, and utf-8", "auto", FEIQ, true, "", "\xe4\xbd\xa0\xe5\xa5\xbd", "你好",
	    "UTF-8", 0),
	ROW("flag, but gbk", "auto", IPMSG, true, "", "\xc4\xe3\xba\xc3", "你好", "GBK", 0),
	ROW("flag, and cut inside a character", "auto", IPMSG, true, "",
	    "\xe4\xbd\xa0\xe5\xa5\xbd\xe5\xa5", "你好" FFFD FFFD, "UTF-8", 2),
	/* 3: clients that write GBK */
	ROW("feiq", "cp932", FEIQ, false, "", "\xc4\xe3\xba\xc3", "你好", "GBK", 0),
	ROW("feiq writes what is utf-8 too", "cp932", FEIQ, false, "", "\xc4\xa3", "模", "GBK", 0),
	ROW("feiq's euro sign", "cp932", FEIQ, false, "",
	    "\x80"
	    "5",
	    "€5", "GBK", 0),
	ROW("a feiq clone writes utf-8", "auto", FEIQ, false, "",
	    "\xe4\xbd\xa0"
	    "!",
	    "你!", "UTF-8", 0),
	ROW("内网通 cuts a name at ten bytes", "auto", SHIYELINE, false, "",
	    "a\xc4\xda\xcd\xf8\xcd\xa8\xc1\xaa\xcf", "a内网通联" FFFD, "GBK", 1),
	ROW("coo writes what is utf-8 too", "auto", COO, false, "", "\xc4\xbf\xc2\xbc", "目录",
	    "GBK", 0),
	ROW("coo, what GBK lacks", "auto", COO, false, "", "\x94\x39\xfc\x36", SMILE, "GBK", 0),
	ROW("coo, with the flag", "auto", COO, true, "", "\xc4\xbf\xc2\xbc", "Ŀ¼", "UTF-8", 0),
	/* 4: what iptux announced */
	ROW("iptux, big5", "auto", IPTUX, false, "big5", "\xa7\x41\xa6\x6e", "你好", "BIG5", 0),
	ROW("iptux, GB18030", "cp932", IPTUX, false, "GB18030", "\x94\x39\xfc\x36", SMILE,
	    "GB18030", 0),
	ROW("iptux, gb18030, but plain utf-8", "auto", IPTUX, false, "gb18030",
	    "\xe4\xbd\xa0\xe5\xa5\xbd", "你好", "UTF-8", 0),
	ROW("iptux, utf-8, but gbk", "auto", IPTUX, false, "utf-8", "\xc4\xe3\xba\xc3", "你好",
	    "GBK", 0),
	ROW("iptux, utf-16 is not looked at", "auto", IPTUX, false, "utf-16", "\xc4\xe3\xba\xc3",
	    "你好", "GBK", 0),
	ROW("iptux, a name that is none", "auto", IPTUX, false, "../../x", "\xe4\xbd\xa0", "你",
	    "UTF-8", 0),
	/* 5 and 6: nothing is known */
	ROW("utf-8", "cp932", UNKNOWN, false, "", "\xe4\xbd\xa0", "你", "UTF-8", 0),
	ROW("gbk", "auto", UNKNOWN, false, "", "\xc4\xe3\xba\xc3", "你好", "GBK", 0),
	ROW("gb18030", "gb18030", UNKNOWN, false, "", "\xc4\xe3\xba\xc3", "你好", "GB18030", 0),
	ROW("cp932", "cp932", UNKNOWN, false, "", "\x83\x65\x83\x58\x83\x67", "テスト", "CP932", 0),
	ROW("koi8-r", "koi8-r", UNKNOWN, false, "", "\xcd\xc9\xd2", "мир", "KOI8-R", 0),
	ROW("legacy is utf-8", "utf-8", UNKNOWN, false, "", "\xc4\xe3\xba\xc3", "你好", "GB18030",
	    0),
	ROW("an overlong form is not utf-8", "auto", UNKNOWN, false, "", "\xc1\xaa\xcd\xa8", "联通",
	    "GBK", 0),
	/* 7: lines, and the last resort */
	ROW("not cp932, so gb18030", "cp932", UNKNOWN, false, "", "\xc4\xe3\xff", "你" FFFD,
	    "GB18030", 1),
	ROW("nothing at all", "auto", UNKNOWN, false, "", "\xff\xff\x41", FFFD FFFD "A", "GB18030",
	    2),
	ROW("utf-8 without its last byte", "auto", UNKNOWN, false, "", "\xe4\xbd\xa0\xe5\xa5",
	    "你" FFFD FFFD, "UTF-8", 2),
	ROW("qipmsg quotes utf-8, answers in gbk", "auto", UNKNOWN, false, "",
	    ">\xe4\xbd\xa0\xe5\xa5\xbd\n\xc4\xe3\xba\xc3\nok\n", ">你好\n你好\nok\n", "mixed", 0),
	ROW("an odd utf-8 line beside gbk", "auto", UNKNOWN, false, "",
	    "\xe4\xbd\xa0\n\xc4\xe3\xba\xc3", "你\n你好", "mixed", 0),
	ROW("gbk lines stay gbk", "auto", UNKNOWN, false, "", "\xc4\xa3\n\xc4\xe3\xba\xc3",
	    "模\n你好", "GBK", 0),
	/* line ends */
	ROW("crlf, cr, lf", "auto", UNKNOWN, false, "", "a\r\nb\rc\nd\r\r\n\r", "a\nb\nc\nd\n\n\n",
	    "US-ASCII", 0),
	ROW("crlf in gbk", "auto", FEIQ, false, "", "\xc4\xe3\r\n\xba\xc3", "你\n好", "GBK", 0),
#undef ROW
};

static void rows_of_the_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		coo_text_hint hint = { r->client, r->utf8_flag, coo_span_str(r->encoding) };
		coo_text *t = open_text(r->legacy);
		uint8_t *guarded = test_guard_copy(r->in), mem[512];
		coo_text_result res = { NULL, 0 };
		coo_buf out;

		/* exactly the room that the contract asks for, behind bytes that are not its own */
		coo_buf_init(&out, mem, 2 + 4 * r->in.n);
		coo_buf_put_str(&out, "\r\r");
		assert_int_equal(
		    coo_text_decode(t, coo_span_of(guarded, r->in.n), &hint, &out, &res), COO_OK);
		assert_span(coo_span_skip(coo_buf_span(&out), 2), coo_span_str(r->want), r->name);
		assert_memory_equal(mem, "\r\r", 2);
		if (strcmp(res.charset, r->charset) != 0 || res.replaced != r->replaced)
			fail_msg("row \"%s\": %s, %zu replaced", r->name, res.charset,
				 res.replaced);
		test_guard_free(guarded, r->in.n);
		coo_text_close(t);
	}
}

static void too_little_room_is_an_error_that_writes_nothing(void **state)
{
	coo_text *t = open_text("auto");
	coo_text_result res;
	uint8_t mem[64];

	(void)state;
	for (size_t cap = 0; cap < 16; cap++) {
		coo_buf out;

		coo_buf_init(&out, mem, cap);
		assert_int_equal(coo_text_decode(t, LIT("\xc4\xe3\xba\xc3"), NULL, &out, &res),
				 COO_ENOBUF);
		assert_int_equal(out.n, 0);
	}
	coo_text_close(t);
}

/* The text of a recorded packet as this module reads it. */
static void check_vector(const char *id, const char *legacy, coo_span want, const char *charset)
{
	coo_text *t = open_text(legacy);
	coo_text_result res;
	coo_text_hint hint;
	uint8_t mem[4096];
	coo_packet p;
	coo_buf out;

	assert_int_equal(coo_packet_decode(hexfile_vec(id), &p), COO_OK);
	memset(&hint, 0, sizeof(hint));
	hint.client = coo_client_of(p.version);
	hint.utf8_flag = coo_packet_has(&p, COO_OPT_UTF8);
	coo_buf_init(&out, mem, sizeof(mem));
	assert_int_equal(coo_text_decode(t, coo_packet_text(&p), &hint, &out, &res), COO_OK);
	assert_span(coo_buf_span(&out), want, id);
	assert_string_equal(res.charset, charset);
	assert_int_equal(res.replaced, 0);
	coo_text_close(t);
}

static void recorded_packets_read_as_they_were_meant(void **state)
{
	(void)state;
	check_vector("C01", "auto", LIT("こんにちは"), "UTF-8");
	check_vector("C03", "cp932", LIT("テスト"), "CP932");
	check_vector("G05", "cp932", LIT("董琳琳DT-DTG4"), "GBK");
	check_vector("G11", "cp932",
		     LIT("1122{/font;-8 0 0 0 400 0 0 0 1 0 0 2 32 微软雅黑 8404992;}"), "GBK");
	check_vector("H01", "auto", LIT("LIDAOBIN-3"), "US-ASCII");
	check_vector("H03", "auto", LIT("123"), "US-ASCII");
}

static void the_group_of_neiwangtong_is_gbk(void **state)
{
	coo_text *t = open_text("cp932");
	coo_text_hint hint = { COO_CLIENT_SHIYELINE, false, { NULL, 0 } };
	coo_text_result res;
	uint8_t mem[256];
	coo_packet p;
	coo_entry e;
	coo_buf out;

	(void)state;
	assert_int_equal(coo_packet_decode(hexfile_vec("H01"), &p), COO_OK);
	coo_entry_decode(&p, &e);
	coo_buf_init(&out, mem, sizeof(mem));
	assert_int_equal(coo_text_decode(t, e.group, &hint, &out, &res), COO_OK);
	assert_span(coo_buf_span(&out), LIT("内网通联系人"), "H01");
	coo_text_close(t);
}

/* The packet of every tutorial: user and host by themselves, in either charset. */
static void the_first_packet_of_every_tutorial(void **state)
{
	static const struct {
		coo_span dgram;
		const char *charset;
	} packets[] = {
		{ { (const uint8_t
			 *)"1:123123:\xce\xe2\xd1\xe5\xd7\xe6:\xce\xe2\xd1\xe5\xd7\xe6-pc:32:haha",
		    33 },
		  "GBK" },
		{ { (const uint8_t *)"1:123123:吴彦祖:吴彦祖-pc:32:haha", 38 + 1 }, "UTF-8" },
	};
	coo_text *t = open_text("auto");

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(packets); i++) {
		coo_text_result res;
		uint8_t mem[256];
		coo_packet p;
		coo_buf out;

		assert_int_equal(coo_packet_decode(packets[i].dgram, &p), COO_OK);
		coo_buf_init(&out, mem, sizeof(mem));
		assert_int_equal(coo_text_decode(t, p.user, NULL, &out, &res), COO_OK);
		assert_string_equal(res.charset, packets[i].charset);
		coo_buf_put_byte(&out, '@');
		assert_int_equal(coo_text_decode(t, p.host, NULL, &out, &res), COO_OK);
		assert_string_equal(res.charset, packets[i].charset);
		assert_span(coo_buf_span(&out), LIT("吴彦祖@吴彦祖-pc"), packets[i].charset);
		assert_span(coo_packet_text(&p), LIT("haha"), packets[i].charset);
	}
	coo_text_close(t);
}

static const struct send_row {
	const char *name, *legacy;
	int client; /* -1: an unknown peer */
	const char *encoding;
	bool has_utf8;
	const char *force, *text;
	coo_span want;
	bool utf8_opt;
	size_t lost;
	const char *charset;
} send_rows[] = {
#define SEND(name, legacy, client, enc, cap, force, text, want, opt, lost, charset)                \
	{                                                                                          \
		name, legacy, client, enc, cap, force, text,                                       \
		    { (const uint8_t *)(want), sizeof(want) - 1 }, opt, lost, charset              \
	}
	SEND("feiq gets gbk", "cp932", COO_CLIENT_FEIQ, "", false, NULL, "你好", "\xc4\xe3\xba\xc3",
	     false, 0, "GBK"),
	SEND("feiq with caputf8 gets gbk", "auto", COO_CLIENT_FEIQ, "", true, NULL, "你",
	     "\xc4\xe3", false, 0, "GBK"),
	SEND("feiq lacks emoji", "auto", COO_CLIENT_FEIQ, "", true, NULL, "你" SMILE, "\xc4\xe3?",
	     false, 1, "GBK"),
	SEND("内网通", "auto", COO_CLIENT_SHIYELINE, "", false, NULL, "你", "\xc4\xe3", false, 0,
	     "GBK"),
	SEND("official with caputf8", "cp932", COO_CLIENT_IPMSG, "", true, NULL, "你", "你", true,
	     0, "UTF-8"),
	SEND("official with caputf8, ascii", "cp932", COO_CLIENT_IPMSG, "", true, NULL, "hi", "hi",
	     true, 0, "US-ASCII"),
	SEND("official without", "cp932", COO_CLIENT_IPMSG, "", false, NULL, "テ" SMILE,
	     "\x83\x65?", false, 1, "CP932"),
	SEND("iptux, nothing announced", "auto", COO_CLIENT_IPTUX, "", false, NULL, "你", "你",
	     false, 0, "UTF-8"),
	SEND("iptux, gb18030", "auto", COO_CLIENT_IPTUX, "gb18030", true, NULL, "你" SMILE,
	     "\xc4\xe3\x94\x39\xfc\x36", false, 0, "GB18030"),
	SEND("iptux, utf-16 is not obeyed", "auto", COO_CLIENT_IPTUX, "utf-16", true, NULL, "你",
	     "你", false, 0, "UTF-8"),
	SEND("another coo", "auto", COO_CLIENT_COO, "", false, NULL, SMILE, SMILE, true, 0,
	     "UTF-8"),
	SEND("unknown, ascii", "auto", -1, "", false, NULL, "hi", "hi", false, 0, "US-ASCII"),
	SEND("unknown, gbk holds it", "auto", -1, "", false, NULL, "你好", "\xc4\xe3\xba\xc3",
	     false, 0, "GBK"),
	SEND("unknown, gbk lacks it", "auto", -1, "", false, NULL, "你" SMILE,
	     "\xc4\xe3\x94\x39\xfc\x36", false, 0, "GB18030"),
	SEND("unknown, cp932 lacks it", "cp932", -1, "", false, NULL, "你", "你", true, 0, "UTF-8"),
	SEND("unknown, cp932 holds it", "cp932", -1, "", false, NULL, "テ", "\x83\x65", false, 0,
	     "CP932"),
	SEND("forced utf-8", "auto", -1, "", false, "utf-8", "你", "你", true, 0, "UTF-8"),
	SEND("forced utf-8 to feiq has no flag", "auto", COO_CLIENT_FEIQ, "", false, "utf-8", "你",
	     "你", false, 0, "UTF-8"),
	SEND("forced gbk", "auto", COO_CLIENT_IPMSG, "", true, "gbk", "你", "\xc4\xe3", false, 0,
	     "GBK"),
	SEND("forced auto", "auto", COO_CLIENT_FEIQ, "", false, "auto", "你", "\xc4\xe3", false, 0,
	     "GBK"),
	SEND("forced, off the list", "auto", -1, "", false, "iso-8859-5", "мир", "\xdc\xd8\xe0",
	     false, 0, "ISO-8859-5"),
	SEND("no carriage return goes out", "auto", COO_CLIENT_FEIQ, "", false, NULL,
	     "a\r\n你\rc\r", "a\n\xc4\xe3\nc\n", false, 0, "GBK"),
#undef SEND
};

static void rows_of_the_choice_for_sending(void **state)
{
	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(send_rows); i++) {
		const struct send_row *r = &send_rows[i];
		coo_text_hint hint = { r->client < 0 ? COO_CLIENT_UNKNOWN : (coo_client)r->client,
				       false, coo_span_str(r->encoding) };
		coo_text *t = open_text(r->legacy);
		const char *charset = NULL;
		bool opt = !r->utf8_opt;
		uint8_t mem[256];
		size_t lost = 0;
		coo_buf out;

		coo_buf_init(&out, mem, sizeof(mem));
		assert_int_equal(coo_text_encode(t, coo_span_str(r->text),
						 r->client < 0 ? NULL : &hint, r->has_utf8,
						 r->force, &out, &opt, &lost, &charset),
				 COO_OK);
		assert_span(coo_buf_span(&out), r->want, r->name);
		if (opt != r->utf8_opt || lost != r->lost || strcmp(charset, r->charset) != 0)
			fail_msg("row \"%s\": UTF8OPT %d, %zu lost, %s", r->name, opt, lost,
				 charset);
		coo_text_close(t);
	}
}

static void names_that_are_no_charset_are_errors(void **state)
{
	coo_text *t = NULL;
	coo_text_plan plan;

	(void)state;
	assert_int_equal(coo_text_open("nonsense", &t), COO_ECHARSET);
	assert_int_equal(coo_text_open("utf-16", &t), COO_ECHARSET);
	assert_null(t);
	t = open_text("auto");
	assert_string_equal(coo_text_legacy(t), "GBK");
	assert_int_equal(coo_text_choose(t, LIT("x"), NULL, false, "nonsense", &plan),
			 COO_ECHARSET);
	assert_int_equal(coo_text_choose(t, LIT("x"), NULL, false,
					 "a-name-that-is-longer-than-any-charset-has", &plan),
			 COO_ECHARSET);
	assert_int_equal(coo_text_choose(t, LIT("\xff"), NULL, false, NULL, &plan), COO_EFORMAT);
	coo_text_close(t);
	coo_text_close(NULL);
}

/* One plan for text and names of a packet: what one of them needs, all get. */
static void one_plan_serves_a_whole_packet(void **state)
{
	coo_text *t = open_text("auto");
	uint8_t mem[64];
	coo_text_plan plan;
	coo_buf out;

	(void)state;
	assert_int_equal(coo_text_choose(t, LIT("hi" SMILE), NULL, false, NULL, &plan), COO_OK);
	coo_buf_init(&out, mem, sizeof(mem));
	assert_int_equal(coo_text_put(&plan, LIT("hi"), &out, NULL), COO_OK);
	assert_int_equal(coo_text_put(&plan, LIT(SMILE), &out, NULL), COO_OK);
	assert_span(coo_buf_span(&out), LIT("hi\x94\x39\xfc\x36"), "plan");
	coo_text_close(t);
}

/* Whatever comes in, valid UTF-8 without CR comes out, in the room promised. */
static void random_bytes_always_become_utf8(void **state)
{
	static const char *const encodings[] = { "", "utf-8", "big5", "gb18030" };
	coo_text *t[] = { open_text("auto"), open_text("cp932") };
	uint64_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t in[48], mem[4 * sizeof(in)];
		uint64_t r = test_random(&seed);
		coo_text_hint hint = { (coo_client)(r % 7), (r >> 8 & 1) != 0,
				       coo_span_str(encodings[r >> 9 & 3]) };
		size_t n = (r >> 16) % (sizeof(in) + 1);
		coo_text_result res;
		coo_buf out;

		for (size_t k = 0; k < n; k++) {
			uint64_t b = test_random(&seed);
			uint8_t plain = (uint8_t) "\r\n:a"[b & 3];

			in[k] = b >> 8 & 7 ? (uint8_t)(b | 0x80) : plain;
		}
		coo_buf_init(&out, mem, 4 * n);
		assert_int_equal(
		    coo_text_decode(t[r >> 11 & 1], coo_span_of(in, n), &hint, &out, &res), COO_OK);
		assert_true(coo_utf8_valid(coo_buf_span(&out)));
		assert_int_equal(coo_span_find(coo_buf_span(&out), '\r'), out.n);
	}
	coo_text_close(t[0]);
	coo_text_close(t[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_the_order),
		cmocka_unit_test(too_little_room_is_an_error_that_writes_nothing),
		cmocka_unit_test(recorded_packets_read_as_they_were_meant),
		cmocka_unit_test(the_group_of_neiwangtong_is_gbk),
		cmocka_unit_test(the_first_packet_of_every_tutorial),
		cmocka_unit_test(rows_of_the_choice_for_sending),
		cmocka_unit_test(names_that_are_no_charset_are_errors),
		cmocka_unit_test(one_plan_serves_a_whole_packet),
		cmocka_unit_test(random_bytes_always_become_utf8),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
