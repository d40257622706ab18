/* SPDX-License-Identifier: MIT */

/* A flood of entries from forged identities and sources, and a conversation in the middle of it
 * (PROTOCOL.md 12). */
#include "proto/node.h"
#include "support/rig.h"

enum { ROUNDS = 100, STRANGERS = 500 };

static const char partner[] = "1:1:li:pc:3:li";

/* A message of the partner is told and acknowledged at once. */
static void partner_says(struct rig *r, unsigned round)
{
	char text[64];

	snprintf(text, sizeof(text), "1:%u:li:pc:288:hello %u", 10 + round, round);
	rig_clear(r);
	rig_recv_str(r, rig_addr(2), text);
	assert_int_equal(rig_count_events(r, COO_EV_MESSAGE), 1);
	assert_int_equal(rig_count_sent(r, COO_CMD_RECVMSG), 1);
	assert_true(r->events[0].has_peer);
}

static uint32_t say_to_partner(struct rig *r)
{
	coo_send s;
	uint32_t no = 0;

	memset(&s, 0, sizeof(s));
	s.token = 7;
	s.to = rig_addr(2);
	s.options = COO_OPT_SENDCHECK;
	s.ext = LIT("hello\0");
	rig_clear(r);
	assert_int_equal(coo_node_send(r->node, &s, r->now, &no), COO_OK);
	rig_drain(r);
	assert_int_equal(rig_count_sent(r, COO_CMD_SENDMSG), 1);
	return no;
}

/* Another name, host and address each time; longer names than are kept among them. */
static void stranger(struct rig *r, uint64_t *random)
{
	uint64_t x = test_random(random);
	char text[160];

	snprintf(text, sizeof(text), "1:%u:u%llx:h%0*llx:1:n", (unsigned)(x >> 40) + 1,
		 (unsigned long long)x, (int)(x % 80), (unsigned long long)x);
	r->now += COO_US(20);
	rig_clear(r);
	rig_recv_str(r,
		     coo_addr_v4(11, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24),
				 (uint16_t)(1024 + x % 60000)),
		     text);
}

static void a_conversation_is_unharmed_by_a_flood(void **state)
{
	struct rig *r = rig_member();
	const coo_peers *peers = coo_node_peers(r->node);
	coo_addr there = rig_addr(2);
	uint64_t random = 5;

	(void)state;
	coo_node_announce(r->node, r->now);
	rig_recv_str(r, there, partner);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t no = say_to_partner(r);
		const coo_peer *p;

		for (unsigned i = 0; i < STRANGERS; i++)
			stranger(r, &random);
		rig_clear(r);
		rig_receipt(r, there, COO_CMD_RECVMSG, no);
		assert_int_equal(rig_result(r), COO_RTX_ACKED);
		partner_says(r, round);
		p = coo_peers_at(peers, &there);
		assert_non_null(p);
		assert_true(p->talked && p->online);
		assert_true(peers->n <= peers->cap);
	}
	assert_int_equal(peers->n, peers->cap);
	assert_true(peers->evicted + peers->cap + peers->refused >= ROUNDS * STRANGERS);
	assert_true(coo_node_get_stats(r->node)->limited > 0);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_conversation_is_unharmed_by_a_flood),
	};

	return cmocka_run_group_tests_name("node_flood", tests, NULL, NULL);
}
