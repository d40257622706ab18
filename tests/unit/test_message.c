/* SPDX-License-Identifier: MIT */
#include "feature/message.h"
#include "support/rig.h"

static coo_peer_view view_of(const struct rig *r, coo_text *t, uint8_t *mem, size_t cap)
{
	const coo_peers *peers = coo_node_peers(r->node);
	coo_peer_view v;
	coo_buf scratch;
	size_t i = 0;

	coo_buf_init(&scratch, mem, cap);
	assert_int_equal(coo_peer_view_of(t, peers, coo_peers_next(peers, &i), &scratch, &v),
			 COO_OK);
	return v;
}

/* 营业 in GBK, d3 aa d2 b5, is valid UTF-8 by chance. */
static void names_that_came_together_are_read_in_one_charset(void **state)
{
	static const struct {
		const char *name;
		coo_span packet;
		const char *nick, *group, *charset;
	} rows[] = {
#define P(s) { (const uint8_t *)(s), sizeof(s) - 1 }
		{ "a legacy client", P("1:1:a:b:1:\xb0\xa2\xb1\xfb\0\xd3\xaa\xd2\xb5\0"), "阿丙",
		  "营业", "GBK" },
		{ "iptux that is set to GB18030 and announces utf-8",
		  P("1_iptux 0.8.3:1:a:b:257:\xb0\xa2\xb1\xfb\0\xd3\xaa\xd2\xb5\0icon\0utf-8\0"),
		  "阿丙", "营业", "GB18030" },
		{ "iptux in UTF-8", P("1_iptux 0.8.3:1:a:b:257:阿丙\0营业\0icon\0utf-8\0"), "阿丙",
		  "营业", "UTF-8" },
		{ "FeiQ", P("1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9:1:a:b:1:A\0\xd3\xaa\xd2\xb5\0"),
		  "A", "营业", "GBK" },
#undef P
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_node_cfg cfg = rig_cfg();
		struct rig *r = rig_open(&cfg);
		uint8_t mem[2048];
		coo_text *t;
		coo_peer_view v;

		assert_int_equal(coo_text_open("gbk", &t), COO_OK);
		rig_recv(r, rig_addr(2), rows[i].packet);
		v = view_of(r, t, mem, sizeof(mem));
		if (!coo_span_eq(v.nick, coo_span_str(rows[i].nick)) ||
		    !coo_span_eq(v.group, coo_span_str(rows[i].group)) ||
		    strcmp(v.charset, rows[i].charset) != 0)
			fail_msg("%s: %.*s, %.*s, %s", rows[i].name, (int)v.nick.n, v.nick.p,
				 (int)v.group.n, v.group.p, v.charset);
		coo_text_close(t);
		rig_close(r);
	}
}

/* 张 in GBK is d5 c5. */
static void what_is_ascii_does_not_change_the_charset(void **state)
{
	static const struct {
		const char *name;
		const char *packets[3];
		const char *charset;
	} rows[] = {
		{ "a plain question after CAPUTF8",
		  { "1:1:a:b:16777217:n", "1:2:a:b:1:n" },
		  "UTF-8" },
		{ "and the exit", { "1:1:a:b:16777217:n", "1:2:a:b:1:n", "1:3:a:b:2:n" }, "UTF-8" },
		{ "an ASCII nick after one in GBK",
		  { "1:1:a:b:1:\xd5\xc5", "1:2:a:b:1:n" },
		  "GBK" },
		{ "and the exit", { "1:1:a:b:1:\xd5\xc5", "1:2:a:b:2:n" }, "GBK" },
		{ "an ASCII nick after one in UTF-8",
		  { "1_iptux 0.8.3:1:a:b:257:张", "1_iptux 0.8.3:2:a:b:257:n" },
		  "UTF-8" },
		{ "an ASCII nick of iptux in GB18030",
		  { "1_iptux 0.8.3:1:a:b:257:\xd5\xc5", "1_iptux 0.8.3:2:a:b:257:n" },
		  "GB18030" },
		{ "text in GBK tells too", { "1:1:a:b:1:n", "1:2:a:b:32:\xd5\xc5" }, "GBK" },
		{ "what tells is believed", { "1:1:a:b:16777217:n", "1:2:a:b:1:\xd5\xc5" }, "GBK" },
		{ "the other way too", { "1:1:a:b:1:\xd5\xc5", "1:2:a:b:16777217:n" }, "UTF-8" },
		{ "nothing was ever told", { "1:1:a:b:1:n", "1:2:a:b:4:n" }, "US-ASCII" },
		{ "another program of the same user",
		  { "1_iptux 0.8.3:1:a:b:257:张", "1:2:a:b:1:n" },
		  "US-ASCII" },
		{ "one that left and came back",
		  { "1:1:a:b:16777217:n", "1:2:a:b:2:n", "1:3:a:b:1:n" },
		  "US-ASCII" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_node_cfg cfg = rig_cfg();
		struct rig *r = rig_open(&cfg);
		uint8_t mem[2048];
		coo_peer_view v;
		coo_text *t;

		assert_int_equal(coo_text_open("gbk", &t), COO_OK);
		for (size_t k = 0; k < COO_ARRAY_LEN(rows[i].packets) && rows[i].packets[k]; k++)
			rig_recv_str(r, rig_addr(2), rows[i].packets[k]);
		v = view_of(r, t, mem, sizeof(mem));
		if (strcmp(v.charset, rows[i].charset) != 0)
			fail_msg("row %zu, %s: %s", i, rows[i].name, v.charset);
		coo_text_close(t);
		rig_close(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_came_together_are_read_in_one_charset),
		cmocka_unit_test(what_is_ascii_does_not_change_the_charset),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
