/* SPDX-License-Identifier: MIT */

/* Going on line, being seen, seeing others come, change and leave (PROTOCOL.md 5). */

#include "proto/node.h"
#include "support/rig.h"

static void going_on_line_takes_four_broadcasts(void **state)
{
	static const struct {
		uint32_t cmd;
		coo_time at;
	} want[] = {
		{ COO_CMD_NOOPERATION, 0 },
		{ COO_CMD_BR_ENTRY, COO_MS(250) },
		{ COO_CMD_NOOPERATION, COO_MS(5000) },
		{ COO_CMD_BR_ENTRY, COO_MS(5250) },
	};
	struct rig *r = rig_member();
	coo_time start = r->now;

	(void)state;
	coo_node_announce(r->node, r->now);
	rig_run(r, COO_SEC(60));
	assert_int_equal(r->n_sent, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(coo_packet_cmd(&r->sent[i].p), want[i].cmd);
		assert_int_equal(r->sent[i].at - start, want[i].at);
		assert_true(r->sent[i].tx.broadcast);
		assert_int_equal(r->sent[i].tx.to.port, 2425);
	}
	assert_span(coo_span_of(r->sent[1].bytes, r->sent[1].n),
		    LIT("1_coo:1001:me:here:16777217:coo\0grp\0\nUN:me\nHN:here\nNN:coo\nGN:grp"),
		    "entry");
	rig_close(r);
}

static void leaving_is_said_twice_100_ms_apart(void **state)
{
	struct rig *r = rig_member();

	(void)state;
	coo_node_announce(r->node, r->now);
	rig_run(r, COO_MS(300));
	rig_clear(r);
	coo_node_leave(r->node, r->now);
	coo_node_leave(r->node, r->now);
	rig_run(r, COO_SEC(10));
	assert_int_equal(r->n_sent, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(coo_packet_cmd(&r->sent[i].p), COO_CMD_BR_EXIT);
		assert_true(r->sent[i].tx.broadcast);
	}
	assert_int_equal(r->sent[1].at - r->sent[0].at, COO_MS(100));
	rig_clear(r);
	rig_recv_str(r, rig_addr(2), "1:1:a:b:1:n");
	rig_run(r, COO_SEC(5));
	assert_int_equal(r->n_sent, 0);
	rig_close(r);
}

static void leaving_does_not_swallow_the_receipt_that_is_owed(void **state)
{
	struct rig *r = rig_member();
	coo_span text = LIT("1:9:a:b:524576:last one");
	coo_rx rx;

	(void)state;
	memset(&rx, 0, sizeof(rx));
	rx.from = rig_addr(2);
	coo_node_announce(r->node, r->now);
	coo_node_recv(r->node, &rx, text, r->now);
	coo_node_leave(r->node, r->now);
	rig_run(r, COO_SEC(1));
	assert_int_equal(rig_count_sent(r, COO_CMD_RECVMSG), 1);
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_EXIT), 2);
	rig_close(r);
}

static void own_broadcasts_are_not_taken_for_a_peer(void **state)
{
	struct rig *r = rig_member();
	struct rig_sent own;

	(void)state;
	coo_node_announce(r->node, r->now);
	rig_run(r, COO_MS(300));
	own = r->sent[1];
	rig_clear(r);
	rig_recv(r, rig_addr(1), coo_span_of(own.bytes, own.n));
	rig_run(r, COO_SEC(4));
	assert_int_equal(r->n_sent + r->n_events, 0);
	assert_int_equal(coo_node_get_stats(r->node)->rx_own, 1);
	r->next_rx.foreign = true; /* a twin whose numbers have come to where ours began */
	rig_recv(r, rig_addr(8), coo_span_of(own.bytes, own.n));
	assert_int_equal(coo_node_get_stats(r->node)->rx_own, 1);
	rig_recv_str(r, rig_addr(9), "1_coo:77:me:here:16777217:twin");
	assert_int_equal(rig_count_events(r, COO_EV_PEER_UP), 1);
	rig_close(r);
}

static void answers_are_written_as_the_asker_reads_them(void **state)
{
	static const struct {
		const char *name, *packet, *want;
		size_t n;
	} rows[] = {
#define ROW(name, packet, want) { name, packet, want, sizeof(want) - 1 }
		ROW("official client, CAPUTF8", "1:5:a:b:16777217:n",
		    "1_coo:1000:\xe6\x88\x91:here:25165827:\xe6\x88\x91\0\xe7\xbb\x84\0"),
		ROW("old client", "1:5:a:b:1:n",
		    "1_coo:1000:\xce\xd2:here:16777219:\xce\xd2\0\xd7\xe9\0"),
		ROW("iptux", "1_iptux 0.8.3:5:a:b:257:n",
		    "1_coo:1000:\xe6\x88\x91:here:16777219:\xe6\x88\x91\0\xe7\xbb\x84\0"
		    "icon-tux.png\0utf-8\0"),
		ROW("FeiQ, whatever its flags",
		    "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9:5:a:b:16777217:n",
		    "1_coo:1000:\xce\xd2:here:16777219:\xce\xd2\0\xd7\xe9\0"),
		ROW("neiwangtong wants no option at all", "1@shiyeline:5:a:b:1:n",
		    "1_coo:1000:\xce\xd2:here:3:\xce\xd2\0\xd7\xe9\0"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_node_cfg cfg = rig_cfg();
		struct rig *r;

		cfg.legacy.user = cfg.legacy.nick = LIT("\xce\xd2");
		cfg.legacy.group = LIT("\xd7\xe9");
		cfg.utf8.user = cfg.utf8.nick = LIT("\xe6\x88\x91");
		cfg.utf8.group = LIT("\xe7\xbb\x84");
		r = rig_open(&cfg);
		rig_recv_str(r, rig_addr(2), rows[i].packet);
		rig_run(r, COO_SEC(5));
		assert_span(coo_span_of(r->sent[0].bytes, r->sent[0].n),
			    coo_span_of(rows[i].want, rows[i].n), rows[i].name);
		rig_close(r);
	}
}

static void the_answer_to_an_entry_waits_a_random_while(void **state)
{
	coo_time least = COO_NEVER, most = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		coo_node_cfg cfg = rig_cfg();
		struct rig *r;
		coo_time took;

		cfg.seed = seed;
		r = rig_open(&cfg);
		took = r->now;
		rig_recv_str(r, rig_addr(2), "1:5:a:b:1:n");
		rig_run(r, COO_SEC(5));
		took = rig_first(r, COO_CMD_ANSENTRY)->at - took;
		least = took < least ? took : least;
		most = took > most ? took : most;
		rig_close(r);
	}
	assert_true(least >= COO_MS(5) && least < COO_MS(200));
	assert_true(most > COO_MS(600) && most <= COO_MS(5 + 1024));
}

static void a_peer_that_asks_again_and_again_gets_few_answers(void **state)
{
	struct rig *r = rig_member();
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "1:%u:a:b:%u:n", 5 + i, i & 1 ? 1u : 64u);
		rig_recv_str(r, rig_addr(2), text);
		rig_run(r, COO_MS(10));
	}
	assert_in_range(rig_count_sent(r, COO_CMD_ANSENTRY), 5, 24);
	assert_in_range(rig_count_sent(r, COO_CMD_SENDINFO), 20, 24);
	assert_true(coo_node_get_stats(r->node)->limited > 400);
	rig_close(r);
}

static void forged_sources_together_get_a_bounded_number_of_answers(void **state)
{
	struct rig *r = rig_member();
	coo_addr from = rig_addr(2);
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		from.ip[1] = (uint8_t)(i >> 8);
		from.ip[2] = (uint8_t)i;
		snprintf(text, sizeof(text), "1:%u:a%u:b:64:", 5 + i, i);
		rig_recv_str(r, from, text);
	}
	rig_run(r, COO_SEC(1));
	assert_in_range(rig_count_sent(r, COO_CMD_SENDINFO), 1, 3000);
	rig_close(r);
}

static void who_loses_the_only_address_to_another_is_told_as_gone(void **state)
{
	struct rig *r = rig_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:9:a:b:3:first");
	assert_int_equal(rig_count_events(r, COO_EV_PEER_UP), 1);
	rig_recv_str(r, rig_addr(2), "1:9:c:d:3:second");
	assert_int_equal(rig_count_events(r, COO_EV_PEER_DOWN), 1);
	assert_int_equal(rig_count_events(r, COO_EV_PEER_UP), 2);
	rig_close(r);
}

static void a_stranger_is_asked_who_it_is_until_it_answers(void **state)
{
	struct rig *r = rig_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:9:a:b:288:t");
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ENTRY), 1);
	assert_false(rig_first(r, COO_CMD_BR_ENTRY)->tx.broadcast);
	rig_recv_str(r, rig_addr(2), "1:10:a:b:3:n");
	rig_clear(r);
	rig_recv_str(r, rig_addr(2), "1:11:a:b:288:u");
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ENTRY), 0);
	assert_true(r->events[0].has_peer);
	rig_close(r);
}

static void one_who_left_and_talks_is_asked_again(void **state)
{
	struct rig *r = rig_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:9:a:b:3:n");
	rig_recv_str(r, rig_addr(2), "1:10:a:b:2:n");
	rig_recv_str(r, rig_addr(2), "1:11:a:b:288:t");
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ENTRY), 1);
	rig_close(r);
}

static void coming_changing_and_leaving_are_told_once(void **state)
{
	static const struct {
		const char *name, *packet;
		uint8_t from;
		enum coo_event_type type;
		size_t n;
	} steps[] = {
		{ "comes", "1:1:a:b:1:nick", 2, COO_EV_PEER_UP, 1 },
		{ "says it again", "1:2:a:b:1:nick", 2, COO_EV_PEER_SEEN, 1 },
		{ "in capitals", "1:2:A:B:3:nick", 2, COO_EV_PEER_UP, 0 },
		{ "a new nick", "1:3:a:b:4:nock", 2, COO_EV_PEER_CHANGE, 1 },
		{ "is absent", "1:4:a:b:260:nock", 2, COO_EV_PEER_CHANGE, 1 },
		{ "another address", "1:5:a:b:260:nock", 3, COO_EV_PEER_CHANGE, 1 },
		{ "the first address again", "1:6:a:b:260:nock", 2, COO_EV_PEER_SEEN, 1 },
		{ "a forged exit", "1:7:a:b:2:nock", 66, COO_EV_PEER_DOWN, 0 },
		{ "leaves", "1:8:a:b:2:nock", 3, COO_EV_PEER_DOWN, 1 },
		{ "the second exit", "1:9:a:b:2:nock", 3, COO_EV_PEER_DOWN, 0 },
		{ "an exit of nobody", "1:9:x:y:2:nock", 3, COO_EV_PEER_DOWN, 0 },
		{ "comes back", "1:10:a:b:1:nock", 2, COO_EV_PEER_UP, 1 },
	};
	struct rig *r = rig_member();

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(steps); i++) {
		rig_clear(r);
		rig_recv_str(r, rig_addr(steps[i].from), steps[i].packet);
		if (rig_count_events(r, steps[i].type) != steps[i].n ||
		    (i != 2 && r->n_events != steps[i].n))
			fail_msg("step \"%s\": %zu events", steps[i].name, r->n_events);
	}
	assert_int_equal(coo_node_get_stats(r->node)->rx_exit_foreign, 1);
	assert_int_equal(coo_node_peers(r->node)->n, 1);
	rig_close(r);
}

static void names_come_from_the_block_and_else_from_the_sections(void **state)
{
	static const struct {
		const char *name;
		coo_span packet;
		const char *nick, *group;
		bool utf8;
	} rows[] = {
#define P(s) { (const uint8_t *)(s), sizeof(s) - 1 }
		{ "both in the block",
		  P("1:1:a:b:16777217:\xb3\xc2\0\xd7\xe9\0\nNN:\xe9\x99\x88\nGN:\xe7\xbb\x84"),
		  "\xe9\x99\x88", "\xe7\xbb\x84", true },
		{ "group is ASCII and stands before the block only",
		  P("1:1:a:b:16777217:\xb3\xc2\0Sales\0\nNN:\xe9\x99\x88"), "\xe9\x99\x88", "Sales",
		  true },
		{ "nick is ASCII and stands before the block only",
		  P("1:1:a:b:16777217:Li\0\xd7\xe9\0\nGN:\xe7\xbb\x84"), "Li", "\xe7\xbb\x84",
		  true },
		{ "an empty GN is no group", P("1:1:a:b:16777217:Li\0\0\nNN:Li\nGN:"), "Li", "",
		  true },
		{ "no block", P("1:1:a:b:1:\xb3\xc2\0\xd7\xe9\0"), "\xb3\xc2", "\xd7\xe9", false },
		{ "UTF8OPT", P("1:1:a:b:8388611:\xe9\x99\x88\0\xe7\xbb\x84\0"), "\xe9\x99\x88",
		  "\xe7\xbb\x84", true },
#undef P
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct rig *r = rig_member();
		const coo_peers *t = coo_node_peers(r->node);
		const coo_peer *p;
		size_t at = 0;

		rig_recv(r, rig_addr(2), rows[i].packet);
		p = coo_peers_next(t, &at);
		assert_non_null(p);
		assert_span(coo_peer_name(t, p, COO_NAME_NICK), coo_span_str(rows[i].nick),
			    rows[i].name);
		assert_span(coo_peer_name(t, p, COO_NAME_GROUP), coo_span_str(rows[i].group),
			    rows[i].name);
		if (p->names_utf8 != rows[i].utf8)
			fail_msg("row \"%s\": names_utf8", rows[i].name);
		rig_close(r);
	}
}

static void who_understands_utf8(void **state)
{
	static const struct {
		const char *name, *packet;
		bool want;
	} rows[] = {
		{ "CAPUTF8 and an ASCII nick", "1:1:a:b:16777217:n", true },
		{ "CAPUTF8 and a UTF-8 nick", "1:1:a:b:16777217:\xe9\x99\x88", true },
		{ "the same bit on a GBK nick (IpMsg.Net)", "1:1:a:b:16777217:\xb3\xc2", false },
		{ "no CAPUTF8", "1:1:a:b:1:n", false },
		{ "FeiQ", "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9:1:a:b:16777217:n", false },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct rig *r = rig_member();
		size_t at = 0;

		rig_recv_str(r, rig_addr(2), rows[i].packet);
		if (coo_peers_next(coo_node_peers(r->node), &at)->has_utf8 != rows[i].want)
			fail_msg("row \"%s\"", rows[i].name);
		rig_close(r);
	}
}

static void a_full_table_forgets_strangers_not_partners(void **state)
{
	struct rig *r = rig_member();
	char text[64];

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:1:friend:pc:1:n");
	rig_send_text(r, rig_addr(2), "hi");
	for (unsigned i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "1:1:u%u:h:3:n", i);
		rig_recv_str(r, coo_addr_v4(10, 1, (uint8_t)(i >> 8), (uint8_t)i, 2425), text);
	}
	assert_int_equal(coo_node_peers(r->node)->n, 64);
	assert_int_equal(coo_node_peers(r->node)->evicted, 500 - 63);
	assert_non_null(
	    coo_peers_find(coo_node_peers(r->node), LIT("friend"), LIT("pc"), coo_span_none()));
	rig_close(r);
}

static void every_answer_is_small(void **state)
{
	static const uint32_t asks[] = { 1, 3, 64, 80, 288, 1049376, 1048624, 2, 4 };
	struct rig *r = rig_reader();
	char text[900];

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(asks); i++) {
		int n = snprintf(text, sizeof(text), "1:%zu:a:b:%u:", 20 + i, asks[i]);

		memset(text + n, 'x', sizeof(text) - (size_t)n);
		rig_recv(r, rig_addr(2), coo_span_of(text, sizeof(text)));
		rig_run(r, COO_SEC(3));
	}
	for (size_t i = 0; i < r->n_sent; i++)
		assert_true(r->sent[i].n <= 100);
	rig_close(r);
}

static void a_node_that_cannot_be_is_refused(void **state)
{
	static uint64_t mem[4096];
	coo_node_cfg good = rig_cfg(), cfg;
	coo_node *n;

	(void)state;
	good.max_peers = good.max_messages = good.max_texts = good.max_seen = 1;
	good.text_cap = 100;
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		cfg = good;                                                                        \
		change;                                                                            \
		assert_int_equal(coo_node_init(&n, &cfg, mem, SIZE_MAX), COO_EINVAL);              \
	} while (0)
	REFUSED(cfg.first_packet_no = 0);
	REFUSED(cfg.first_packet_no = 0x80000000u);
	REFUSED(cfg.legacy.user = coo_span_none());
	REFUSED(cfg.utf8.host = coo_span_none());
	REFUSED(cfg.legacy.user = LIT("a:b"));
	REFUSED(cfg.legacy.host = LIT("a\0b"));
	REFUSED(cfg.utf8.nick = LIT("a\0b"));
	REFUSED(cfg.version = LIT("1:2"));
	REFUSED(cfg.names_cap = 100);
#undef REFUSED
	assert_int_equal(coo_node_init(&n, &good, mem, 10), COO_EINVAL);
}

static void more_askers_than_places_are_counted(void **state)
{
	struct rig *r = rig_member();
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 1100; i++) {
		snprintf(text, sizeof(text), "1:1:u%u:h:1:n", i);
		rig_recv_str(r, coo_addr_v4(10, 1, (uint8_t)(i >> 8), (uint8_t)i, 2425), text);
	}
	assert_int_equal(coo_node_get_stats(r->node)->queue_full, 1100 - 1024);
	rig_run(r, COO_SEC(5));
	assert_true(coo_node_is_idle(r->node));
	assert_int_equal(coo_node_get_stats(r->node)->tx, 1024);
	rig_close(r);
}

static void events_that_nobody_takes_are_counted_and_the_newest_kept(void **state)
{
	struct rig *r = rig_member();
	coo_event ev;
	coo_rx rx;
	char text[20][64];

	(void)state;
	memset(&rx, 0, sizeof(rx));
	rx.from = rig_addr(2);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text[i], sizeof(text[i]), "1:%u:a:b:32:t", 50 + i);
		coo_node_recv(r->node, &rx, coo_span_str(text[i]), r->now);
	}
	assert_int_equal(coo_node_get_stats(r->node)->events_lost, 4);
	assert_true(coo_node_next_event(r->node, &ev));
	assert_int_equal(ev.packet.packet_no, 54);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(going_on_line_takes_four_broadcasts),
		cmocka_unit_test(leaving_is_said_twice_100_ms_apart),
		cmocka_unit_test(leaving_does_not_swallow_the_receipt_that_is_owed),
		cmocka_unit_test(own_broadcasts_are_not_taken_for_a_peer),
		cmocka_unit_test(answers_are_written_as_the_asker_reads_them),
		cmocka_unit_test(the_answer_to_an_entry_waits_a_random_while),
		cmocka_unit_test(a_peer_that_asks_again_and_again_gets_few_answers),
		cmocka_unit_test(forged_sources_together_get_a_bounded_number_of_answers),
		cmocka_unit_test(who_loses_the_only_address_to_another_is_told_as_gone),
		cmocka_unit_test(a_stranger_is_asked_who_it_is_until_it_answers),
		cmocka_unit_test(one_who_left_and_talks_is_asked_again),
		cmocka_unit_test(coming_changing_and_leaving_are_told_once),
		cmocka_unit_test(names_come_from_the_block_and_else_from_the_sections),
		cmocka_unit_test(who_understands_utf8),
		cmocka_unit_test(a_full_table_forgets_strangers_not_partners),
		cmocka_unit_test(every_answer_is_small),
		cmocka_unit_test(a_node_that_cannot_be_is_refused),
		cmocka_unit_test(more_askers_than_places_are_counted),
		cmocka_unit_test(events_that_nobody_takes_are_counted_and_the_newest_kept),
	};

	return cmocka_run_group_tests_name("node_presence", tests, NULL, NULL);
}
