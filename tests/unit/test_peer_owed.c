/* SPDX-License-Identifier: MIT */

/* Who is owed an answer: the heap by itself, and what a node does with it (PROTOCOL.md 5.3, 12). */
#include <stdlib.h>

#include "support/rig.h"

enum { CAP = 500 };

static coo_peers open_table(void)
{
	const coo_peers_cfg cfg = { CAP, 192, 24 };
	void *mem = calloc(1, coo_peers_size(&cfg));
	coo_peers t;

	assert_non_null(mem);
	coo_peers_init(&t, &cfg, 42, mem);
	return t;
}

static coo_peer *add(coo_peers *t, unsigned i)
{
	char user[16];

	snprintf(user, sizeof(user), "u%u", i);
	return coo_peers_add(t, coo_span_str(user), LIT("pc"), coo_span_none());
}

/* Any order of owing, settling and removing: what comes out is always the earliest of those left.
 */
static void the_earliest_comes_first(void **state)
{
	coo_peers t = open_table();
	uint64_t random = 3;

	(void)state;
	for (unsigned i = 0; i < CAP; i++)
		coo_peers_owe(&t, add(&t, i), test_random(&random) % 1000);
	for (unsigned i = 0; i < CAP / 4; i++) {
		coo_peer *p = coo_peers_nth(&t, test_random(&random) % CAP);

		if (!p->used)
			continue;
		coo_peers_settle(&t, p);
		coo_peers_settle(&t, p); /* nothing the second time */
		assert_false(coo_peer_owes(p));
		if (i % 2)
			coo_peers_remove(&t, p);
		else
			coo_peers_owe(&t, p, test_random(&random) % 1000);
	}
	for (coo_time last = 0; t.owed_n > 0;) {
		coo_peer *p = coo_peers_first_owed(&t);

		assert_true(p->used && coo_peer_owes(p) && p->answer_at >= last);
		last = p->answer_at;
		coo_peers_settle(&t, p);
	}
	assert_null(coo_peers_first_owed(&t));
	free(t.mem);
}

static void who_gives_way_is_owed_nothing(void **state)
{
	coo_peers t = open_table();

	(void)state;
	for (unsigned i = 0; i < 3 * CAP; i++)
		coo_peers_owe(&t, add(&t, i), i);
	assert_int_equal(t.owed_n, CAP);
	assert_int_equal(t.evicted, 2 * CAP);
	coo_peers_settle_all(&t);
	assert_int_equal(t.owed_n, 0);
	for (size_t i = 0; i < CAP; i++)
		assert_false(coo_peer_owes(coo_peers_nth(&t, i)));
	free(t.mem);
}

/* --- the node ------------------------------------------------------------------------------------
 */

static struct rig *open_rig(uint32_t peers)
{
	coo_node_cfg cfg = rig_cfg();

	cfg.max_peers = peers;
	return rig_open(&cfg);
}

static void entry_from(struct rig *r, coo_addr from, unsigned user, bool broadcast)
{
	char text[64];

	snprintf(text, sizeof(text), "1:9:u%u:h:1:n", user);
	memset(&r->next_rx, 0, sizeof(r->next_rx));
	r->next_rx.was_broadcast = broadcast;
	rig_recv_str(r, from, text);
	memset(&r->next_rx, 0, sizeof(r->next_rx));
}

static coo_addr addr_of(unsigned i)
{
	return coo_addr_v4(10, 1, (uint8_t)(i >> 8), (uint8_t)i, 2425);
}

/* Five thousand who ask in one instant all get their answer, at the pace of a thousand a second. */
static void a_crowd_is_answered_late_not_lost(void **state)
{
	struct rig *r = open_rig(8192);
	const coo_node_stats *s = coo_node_get_stats(r->node);
	uint64_t before = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		entry_from(r, addr_of(i), i, true);
	for (unsigned second = 0; second < 10; second++) {
		rig_run(r, COO_SEC(1));
		/* two thousand at once, where there was nothing to answer before */
		assert_true(s->tx <= 2000 + 1000 * (second + 1));
		assert_true(s->tx == 5000 || s->tx > before);
		before = s->tx;
	}
	assert_int_equal(s->tx, 5000);
	assert_int_equal(s->limited + s->queue_full, 0);
	assert_true(coo_node_is_idle(r->node));
	rig_close(r);
}

static void each_address_that_asked_is_answered(void **state)
{
	struct rig *r = open_rig(64);
	coo_addr v4 = rig_addr(2), other_port = rig_addr(2), v6;
	unsigned seen = 0;

	(void)state;
	other_port.port = 40000;
	memset(&v6, 0, sizeof(v6));
	v6.family = 6;
	v6.ip[0] = 0xfe;
	v6.ip[1] = 0x80;
	v6.ip[15] = 2;
	v6.scope = 1;
	v6.port = 2425;
	/* a listener announces itself, another program of the same user asks, and again each */
	entry_from(r, v4, 1, true);
	entry_from(r, v6, 1, true);
	entry_from(r, other_port, 1, true);
	entry_from(r, v6, 1, true);
	entry_from(r, v4, 1, true);
	rig_run(r, COO_SEC(3));
	assert_int_equal(rig_count_sent(r, COO_CMD_ANSENTRY), 3);
	for (size_t i = 0; i < r->n_sent; i++)
		seen |= coo_addr_eq(&r->sent[i].tx.to, &v4)	      ? 1u
			: coo_addr_eq(&r->sent[i].tx.to, &other_port) ? 2u
			: coo_addr_eq(&r->sent[i].tx.to, &v6)	      ? 4u
								      : 8u;
	assert_int_equal(seen, 7);
	rig_close(r);
}

static void who_left_is_not_answered(void **state)
{
	struct rig *r = open_rig(64);

	(void)state;
	entry_from(r, rig_addr(2), 1, true);
	rig_recv_str(r, rig_addr(2), "1:10:u1:h:2:n");
	rig_run(r, COO_SEC(3));
	assert_int_equal(rig_count_sent(r, COO_CMD_ANSENTRY), 0);
	/* its address now speaks for somebody else: one answer, not two */
	entry_from(r, rig_addr(3), 2, true);
	entry_from(r, rig_addr(3), 3, true);
	rig_run(r, COO_SEC(3));
	assert_int_equal(rig_count_sent(r, COO_CMD_ANSENTRY), 1);
	/* nor does who leaves answer */
	entry_from(r, rig_addr(4), 4, true);
	coo_node_leave(r->node, r->now);
	rig_run(r, COO_SEC(3));
	assert_int_equal(rig_count_sent(r, COO_CMD_ANSENTRY), 1);
	rig_close(r);
}

/* A receipt and a message do not wait behind the answers to a crowd. */
static void receipts_go_before_answers(void **state)
{
	struct rig *r = open_rig(8192);

	(void)state;
	for (unsigned i = 0; i < 4000; i++)
		entry_from(r, addr_of(i), i, true);
	r->now += COO_SEC(5);
	rig_clear(r);
	rig_recv_str(r, rig_addr(2), "1:11:li:pc:288:hello");
	assert_true(r->n_sent > 1);
	assert_int_equal(coo_packet_cmd(&r->sent[0].p), COO_CMD_RECVMSG);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_earliest_comes_first),
		cmocka_unit_test(who_gives_way_is_owed_nothing),
		cmocka_unit_test(a_crowd_is_answered_late_not_lost),
		cmocka_unit_test(each_address_that_asked_is_answered),
		cmocka_unit_test(who_left_is_not_answered),
		cmocka_unit_test(receipts_go_before_answers),
	};

	return cmocka_run_group_tests_name("peer_owed", tests, NULL, NULL);
}
