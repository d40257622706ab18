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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_came_together_are_read_in_one_charset),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
