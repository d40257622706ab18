/* SPDX-License-Identifier: MIT */

/* Asking who is there, and one message to everybody (PROTOCOL.md 5.2, 6.1). */

#include "proto/entry.h"
#include "support/rig.h"

static struct rig *open_guest(void)
{
	coo_node_cfg cfg = rig_cfg();

	cfg.member = false;
	return rig_open(&cfg);
}

static void seek(struct rig *r, const coo_addr *to, bool plain)
{
	rig_clear(r);
	coo_node_seek(r->node, to, plain, r->now);
	rig_drain(r);
	assert_int_equal(r->n_sent, 1);
}

/* Asks everybody for the first time and lets that pass. */
static void first_seek(struct rig *r)
{
	coo_node_seek(r->node, NULL, false, r->now);
	rig_run(r, COO_MS(400));
}

static void the_first_question_wakes_everybody_up(void **state)
{
	struct rig *r = open_guest();

	(void)state;
	first_seek(r);
	assert_int_equal(r->n_sent, 2);
	assert_int_equal(coo_packet_cmd(&r->sent[0].p), COO_CMD_NOOPERATION);
	assert_int_equal(coo_packet_cmd(&r->sent[1].p), COO_CMD_BR_ENTRY);
	assert_int_equal(r->sent[1].at - r->sent[0].at, COO_MS(250));
	rig_close(r);
}

static void asking_everybody_is_one_entry_by_broadcast(void **state)
{
	struct rig *r = open_guest();

	(void)state;
	first_seek(r);
	seek(r, NULL, false);
	assert_true(r->sent[0].tx.broadcast);
	assert_int_equal(r->sent[0].tx.to.port, 2425);
	assert_int_equal(coo_packet_cmd(&r->sent[0].p), COO_CMD_BR_ENTRY);
	assert_true(coo_packet_has(&r->sent[0].p, COO_OPT_ENTRY_CAPUTF8));
	rig_close(r);
}

static void the_plain_form_has_no_option_and_no_block(void **state)
{
	struct rig *r = open_guest();
	coo_addr to = rig_addr(9);
	coo_entry e;

	(void)state;
	first_seek(r);
	seek(r, NULL, true);
	assert_true(r->sent[0].tx.broadcast);
	assert_int_equal(r->sent[0].p.command, 1);
	coo_entry_decode(&r->sent[0].p, &e);
	assert_false(e.has_block);
	assert_true(coo_span_eq(e.nick, coo_span_str("coo")));
	assert_true(coo_span_eq(e.group, coo_span_str("grp")));
	seek(r, &to, true);
	assert_false(r->sent[0].tx.broadcast);
	assert_true(coo_addr_eq(&r->sent[0].tx.to, &to));
	assert_int_equal(r->sent[0].p.command, 1);
	rig_close(r);
}

static void who_asked_everybody_says_that_it_leaves(void **state)
{
	struct rig *r = open_guest();
	coo_addr to = rig_addr(9);

	(void)state;
	seek(r, &to, false);
	coo_node_leave(r->node, r->now);
	rig_run(r, COO_SEC(1));
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_EXIT), 0);
	rig_close(r);

	r = open_guest();
	first_seek(r);
	coo_node_leave(r->node, r->now);
	rig_run(r, COO_SEC(1));
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_EXIT), 2);
	rig_close(r);
}

static void each_answer_is_told_new_or_not(void **state)
{
	struct rig *r = open_guest();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:1:a:b:3:nick");
	assert_int_equal(rig_count_events(r, COO_EV_PEER_UP), 1);
	rig_recv_str(r, rig_addr(2), "1:2:a:b:3:nick");
	rig_recv_str(r, rig_addr(2), "1:3:a:b:3:nick");
	assert_int_equal(rig_count_events(r, COO_EV_PEER_UP), 1);
	assert_int_equal(rig_count_events(r, COO_EV_PEER_SEEN), 2);
	assert_int_equal(r->events[2].packet_no, 3);
	assert_true(r->events[2].has_peer);
	rig_close(r);
}

static void an_answer_to_the_plain_form_takes_nothing_back(void **state)
{
	struct rig *r = open_guest();
	size_t i = 0;
	const coo_peer *p;

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:1:a:b:25165827:\xe5\xbc\xa0"); /* UTF8, CAPUTF8 */
	rig_recv_str(r, rig_addr(2), "1:2:a:b:3:\xd5\xc5");	       /* GBK */
	p = coo_peers_next(coo_node_peers(r->node), &i);
	assert_true(p->has_utf8 && p->names_utf8);
	assert_true(coo_span_eq(coo_peer_name(coo_node_peers(r->node), p, COO_NAME_NICK),
				coo_span_str("\xe5\xbc\xa0")));
	assert_int_equal(rig_count_events(r, COO_EV_PEER_CHANGE), 0);
	rig_recv_str(r, rig_addr(2), "1:3:a:b:1:\xd5\xc5"); /* an entry does */
	assert_int_equal(rig_count_events(r, COO_EV_PEER_CHANGE), 1);
	assert_false(p->names_utf8);
	rig_close(r);
}

static void a_message_to_everybody_is_sent_once_and_has_a_result(void **state)
{
	struct rig *r = open_guest();
	coo_send s;
	uint32_t no = 0;

	(void)state;
	memset(&s, 0, sizeof(s));
	s.token = 3;
	s.broadcast = true;
	s.options = COO_OPT_BROADCAST;
	s.ext = coo_span_of("hi", 3);
	assert_int_equal(coo_node_send(r->node, &s, r->now, &no), COO_OK);
	rig_run(r, COO_SEC(10));
	assert_int_equal(r->n_sent, 1);
	assert_true(r->sent[0].tx.broadcast);
	assert_int_equal(r->sent[0].tx.to.port, 2425);
	assert_int_equal(r->sent[0].p.command, COO_CMD_SENDMSG | COO_OPT_BROADCAST);
	assert_int_equal(rig_count_events(r, COO_EV_RESULT), 1);
	assert_int_equal(r->events[0].result.result, COO_RTX_SENT);
	assert_int_equal(r->events[0].result.token, 3);
	rig_close(r);
}

static void nobody_acknowledges_a_broadcast(void **state)
{
	struct rig *r = open_guest();
	coo_send s;

	(void)state;
	memset(&s, 0, sizeof(s));
	s.token = 3;
	s.broadcast = true;
	s.options = COO_OPT_SENDCHECK;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EINVAL);
	s.options = 0;
	s.want_read = true;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EINVAL);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_question_wakes_everybody_up),
		cmocka_unit_test(asking_everybody_is_one_entry_by_broadcast),
		cmocka_unit_test(the_plain_form_has_no_option_and_no_block),
		cmocka_unit_test(who_asked_everybody_says_that_it_leaves),
		cmocka_unit_test(each_answer_is_told_new_or_not),
		cmocka_unit_test(an_answer_to_the_plain_form_takes_nothing_back),
		cmocka_unit_test(a_message_to_everybody_is_sent_once_and_has_a_result),
		cmocka_unit_test(nobody_acknowledges_a_broadcast),
	};

	return cmocka_run_group_tests_name("node_seek", tests, NULL, NULL);
}
