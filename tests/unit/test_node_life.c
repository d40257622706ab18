/* SPDX-License-Identifier: MIT */
#include "proto/hostlist.h"
#include "support/rig.h"

static struct rig *open_for(coo_time reannounce, coo_time silence, bool serve_list)
{
	coo_node_cfg cfg = rig_cfg();

	cfg.reannounce = reannounce;
	cfg.silence = silence;
	cfg.serve_list = serve_list;
	return rig_open(&cfg);
}

static void presence_is_renewed_by_an_entry_nobody_answers(void **state)
{
	struct rig *r = open_for(COO_SEC(100), 0, false);

	(void)state;
	coo_node_announce(r->node, r->now);
	rig_run(r, COO_SEC(10));
	rig_clear(r);
	rig_run(r, COO_SEC(1000));
	assert_in_range(rig_count_sent(r, COO_CMD_BR_ABSENCE), 8, 13);
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ENTRY), 0);
	assert_true(rig_first(r, COO_CMD_BR_ABSENCE)->tx.broadcast);
	rig_close(r);
}

static void who_does_not_announce_renews_nothing(void **state)
{
	struct rig *r = open_for(COO_SEC(100), 0, false);

	(void)state;
	rig_run(r, COO_SEC(1000));
	assert_int_equal(r->n_sent, 0);
	rig_close(r);
}

static void a_silent_peer_is_asked_three_times_and_then_gone(void **state)
{
	struct rig *r = open_for(0, COO_SEC(60), false);

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:9:a:b:3:n");
	rig_run(r, COO_SEC(55));
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ENTRY), 0);
	rig_run(r, COO_SEC(65));
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ENTRY), 3);
	assert_false(rig_first(r, COO_CMD_BR_ENTRY)->tx.broadcast);
	assert_int_equal(rig_count_events(r, COO_EV_PEER_DOWN), 1);
	assert_int_equal(coo_node_get_stats(r->node)->peers_silent, 1);
	rig_close(r);
}

static void a_silent_peer_that_answers_stays(void **state)
{
	struct rig *r = open_for(0, COO_SEC(60), false);

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:9:a:b:3:n");
	for (unsigned i = 0; i < 10; i++) {
		char text[32];

		rig_run(r, COO_SEC(70));
		snprintf(text, sizeof(text), "1:%u:a:b:3:n", 10 + i);
		rig_recv_str(r, rig_addr(2), text);
	}
	assert_in_range(rig_count_sent(r, COO_CMD_BR_ENTRY), 9, 20);
	assert_int_equal(rig_count_events(r, COO_EV_PEER_DOWN), 0);
	rig_close(r);
}

static void absence_is_told_and_answered(void **state)
{
	struct rig *r = open_for(0, 0, false);

	(void)state;
	coo_node_announce(r->node, r->now);
	rig_run(r, COO_SEC(10));
	rig_clear(r);
	coo_node_set_absence(r->node, LIT("\xb3\xd4\xb7\xb9"), LIT("吃饭"), r->now);
	rig_drain(r);
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ABSENCE), 1);
	assert_true(rig_first(r, COO_CMD_BR_ABSENCE)->p.command & COO_OPT_ABSENCE);
	rig_recv_str(r, rig_addr(2), "1:9:a:b:80:");
	assert_span(coo_packet_text(&rig_first(r, COO_CMD_SENDABSENCEINFO)->p),
		    LIT("\xb3\xd4\xb7\xb9"), "to who is not known: legacy");
	rig_clear(r);
	coo_node_set_absence(r->node, coo_span_none(), coo_span_none(), r->now);
	rig_drain(r);
	assert_false(rig_first(r, COO_CMD_BR_ABSENCE)->p.command & COO_OPT_ABSENCE);
	rig_recv_str(r, rig_addr(3), "1:9:a:b:80:");
	assert_span(coo_packet_text(&rig_first(r, COO_CMD_SENDABSENCEINFO)->p),
		    LIT("Not Absence mode"), "present again");
	rig_close(r);
}

static void an_offered_list_is_fetched_page_by_page(void **state)
{
	struct rig *r = open_for(0, 0, false);
	coo_peer *peer;

	(void)state;
	coo_node_ask_list(r->node, NULL, r->now + COO_SEC(10), r->now);
	rig_drain(r);
	assert_true(rig_first(r, COO_CMD_BR_ISGETLIST2)->tx.broadcast);
	rig_recv_str(r, rig_addr(2), "1:9:srv:SRV:17:");
	assert_span(coo_packet_text(&rig_first(r, COO_CMD_GETLIST)->p), LIT("0"), "from the start");
	rig_clear(r);
	rig_recv_str(r, rig_addr(2),
		     "1:10:srv:SRV:8388627:    1\a    1\au1\ah1\a1\a10.0.0.11\a30985\an1\ag1\a");
	assert_int_equal(rig_count_events(r, COO_EV_LIST), 1);
	assert_span(coo_packet_text(&rig_first(r, COO_CMD_GETLIST)->p), LIT("1"), "the next page");
	rig_recv_str(
	    r, rig_addr(2),
	    "1:11:srv:SRV:8388627:    0\a    1\au2\ah2\a1\a10.0.0.12\a30985\a\b\a\b\a"
	    "gone\ah3\a0\a10.0.0.13\a30985\a\b\a\b\aleft\ah4\a2\a10.0.0.14\a30985\a\b\a\b\a");
	assert_int_equal(coo_node_peers(r->node)->n, 2);
	peer = coo_peers_find(coo_node_peers(r->node), LIT("u2"), LIT("h2"), coo_span_none());
	assert_non_null(peer);
	assert_int_equal(peer->how, COO_HOW_LIST);
	assert_int_equal(peer->addr.port, 2425);
	rig_close(r);
}

static void a_list_that_nobody_asked_for_changes_nothing(void **state)
{
	struct rig *r = open_for(0, 0, false);

	(void)state;
	rig_recv_str(r, rig_addr(2),
		     "1:10:srv:SRV:19:    0\a    1\au1\ah1\a1\a10.0.0.11\a30985\an1\ag1\a");
	assert_int_equal(coo_node_peers(r->node)->n, 0);
	assert_int_equal(coo_node_get_stats(r->node)->rx_list_unasked, 1);
	rig_close(r);
}

static void a_list_that_never_ends_is_left(void **state)
{
	struct rig *r = open_for(0, 0, false);
	char text[128];

	(void)state;
	coo_node_ask_list(r->node, NULL, r->now + COO_SEC(1000), r->now);
	rig_recv_str(r, rig_addr(2), "1:9:srv:SRV:17:");
	for (unsigned i = 1; i < 200; i++) {
		snprintf(text, sizeof(text),
			 "1:%u:srv:SRV:19:%5u\a    1\au%u\ah\a1\a10.0.1.%u\a30985\an\ag\a", 10 + i,
			 i, i, i);
		rig_recv_str(r, rig_addr(2), text);
	}
	assert_in_range(rig_count_sent(r, COO_CMD_GETLIST), 2, 64);
	rig_close(r);
}

/* Reads all pages that the node serves into one count. */
static unsigned fetch_all(struct rig *r)
{
	unsigned entries = 0, number = 5000;
	uint32_t next = 0;

	do {
		char ask[64];
		coo_hostlist l;
		coo_hostlist_entry e;

		rig_run(r, COO_SEC(3));
		rig_clear(r);
		snprintf(ask, sizeof(ask), "1:%u:x:y:18:%u", number++, (unsigned)next);
		rig_recv_str(r, rig_addr(250), ask);
		assert_int_equal(
		    coo_hostlist_decode(coo_packet_text(&rig_first(r, COO_CMD_ANSLIST)->p), &l),
		    COO_OK);
		while (coo_hostlist_next(&l, 2425, &e)) {
			/* a status of 0 would say that it is gone, a zone means nothing elsewhere
			 */
			assert_int_not_equal(e.status, 0);
			assert_int_equal(e.addr.family, 4);
			entries++;
		}
		next = l.next;
	} while (next);
	return entries;
}

static void the_list_that_is_served_holds_who_was_heard(void **state)
{
	struct rig *r = open_for(0, 0, true);
	coo_addr link_local;
	char text[64];

	(void)state;
	for (unsigned i = 1; i <= 8; i++) {
		snprintf(text, sizeof(text), "1:9:user%u:host%u:3:nick%u", i, i, i);
		rig_recv_str(r, rig_addr((uint8_t)i), text);
	}
	/* one that is known by IPv6 of this link only is no use to others */
	memset(&link_local, 0, sizeof(link_local));
	link_local.family = 6;
	link_local.ip[0] = 0xfe;
	link_local.ip[1] = 0x80;
	link_local.ip[15] = 9;
	link_local.scope = 2;
	link_local.port = 2425;
	rig_recv_str(r, link_local, "1:9:six:six:3:six");
	coo_node_announce(r->node, r->now);
	rig_run(r, COO_SEC(10));
	rig_clear(r);
	rig_recv_str(r, rig_addr(250), "1:9:x:y:24:");
	assert_int_equal(rig_count_sent(r, COO_CMD_OKGETLIST), 1);
	assert_int_equal(fetch_all(r), 8);
	rig_close(r);
}

static void nobody_serves_a_list_unasked_by_its_user(void **state)
{
	struct rig *r = open_for(0, 0, false);

	(void)state;
	rig_run(r, COO_SEC(10));
	rig_recv_str(r, rig_addr(250), "1:9:x:y:24:");
	rig_recv_str(r, rig_addr(250), "1:10:x:y:18:");
	rig_run(r, COO_SEC(1));
	assert_int_equal(r->n_sent, 0);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presence_is_renewed_by_an_entry_nobody_answers),
		cmocka_unit_test(who_does_not_announce_renews_nothing),
		cmocka_unit_test(a_silent_peer_is_asked_three_times_and_then_gone),
		cmocka_unit_test(a_silent_peer_that_answers_stays),
		cmocka_unit_test(absence_is_told_and_answered),
		cmocka_unit_test(an_offered_list_is_fetched_page_by_page),
		cmocka_unit_test(a_list_that_nobody_asked_for_changes_nothing),
		cmocka_unit_test(a_list_that_never_ends_is_left),
		cmocka_unit_test(the_list_that_is_served_holds_who_was_heard),
		cmocka_unit_test(nobody_serves_a_list_unasked_by_its_user),
	};

	return cmocka_run_group_tests_name("node_life", tests, NULL, NULL);
}
