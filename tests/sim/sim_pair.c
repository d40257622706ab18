/* SPDX-License-Identifier: MIT */

/*
 * Two nodes on a bad line: 0 to 60 % of all datagrams lost, up to 30 % doubled, delays of up to
 * two seconds so that they overtake each other and their own retries. Whatever happens, a message
 * is shown at most once and has one result, and one reported as acknowledged was shown. SIM_SEED=N
 * replays one seed.
 */
#include "sim/vlan.h"

enum { MESSAGES = 40 };

struct message {
	unsigned from, shown, acked, results;
	enum coo_rtx_result result;
};

struct run {
	uint64_t seed;
	struct message m[MESSAGES + 1];
	unsigned shown, acked, unanswered;
};

static struct message *message_of(struct run *run, uint64_t token)
{
	if (token == 0 || token > MESSAGES)
		fail_msg("seed %llu: a result for message %llu", (unsigned long long)run->seed,
			 (unsigned long long)token);
	return &run->m[token];
}

static void on_event(void *ctx, unsigned node, const coo_event *ev)
{
	struct run *run = ctx;
	unsigned no = 0;

	if (ev->type == COO_EV_MESSAGE) {
		coo_span text = coo_packet_text(&ev->packet);

		for (size_t i = 1; i < text.n; i++)
			no = no * 10 + (unsigned)(text.p[i] - '0');
		message_of(run, no)->shown++;
		assert_int_not_equal(run->m[no].from, node);
	} else if (ev->type == COO_EV_RESULT) {
		struct message *m = message_of(run, ev->result.token);

		m->results++;
		m->result = (enum coo_rtx_result)ev->result.result;
	} else if (ev->type == COO_EV_ACKED) {
		message_of(run, ev->result.token)->acked++;
	}
}

static void send_one(struct vlan *v, struct run *run, unsigned no)
{
	unsigned from = (unsigned)vlan_random(v, 2);
	bool sealed = vlan_random(v, 4) == 0;
	coo_send s;
	char text[16];

	snprintf(text, sizeof(text), "m%u", no);
	memset(&s, 0, sizeof(s));
	s.token = no;
	s.to = vlan_addr(1 - from);
	s.options = COO_OPT_SENDCHECK;
	s.ext = coo_span_of(text, strlen(text) + 1);
	if (sealed) {
		s.options |= COO_OPT_SECRET | COO_OPT_READCHECK;
		s.want_read = true;
		s.wait = COO_SEC(20);
	}
	run->m[no].from = from;
	assert_int_equal(coo_node_send(vlan_node(v, from), &s, vlan_now(v), NULL), COO_OK);
}

static bool is_right(const struct message *m)
{
	bool told = m->result == COO_RTX_ACKED || m->result == COO_RTX_READ;

	return m->results == 1 && m->shown <= 1 && m->acked <= 1 && (!told || m->shown == 1) &&
	       (told || m->result == COO_RTX_TIMEOUT) &&
	       (!m->acked || m->result != COO_RTX_TIMEOUT);
}

static void check(struct run *run, const struct vlan_cfg *cfg)
{
	for (unsigned i = 1; i <= MESSAGES; i++) {
		const struct message *m = &run->m[i];

		if (!is_right(m))
			fail_msg("seed %llu, loss %u %%: message %u: %u results, the last %d, "
				 "shown %u times (SIM_SEED=%llu replays it)",
				 (unsigned long long)run->seed, cfg->loss, i, m->results, m->result,
				 m->shown, (unsigned long long)run->seed);
		run->shown += m->shown;
		run->acked += m->result != COO_RTX_TIMEOUT;
		run->unanswered += m->result == COO_RTX_TIMEOUT;
	}
}

static void run_seed(struct run *run, unsigned loss, unsigned doubled, coo_time delay_max)
{
	struct vlan_cfg cfg = { run->seed, 2, loss, doubled, COO_US(100), delay_max, 1 };
	struct vlan *v = vlan_open(&cfg, on_event, run);

	coo_node_announce(vlan_node(v, 0), vlan_now(v));
	coo_node_announce(vlan_node(v, 1), vlan_now(v));
	for (unsigned i = 1; i <= MESSAGES; i++) {
		vlan_run(v, vlan_now(v) + COO_MS(vlan_random(v, 400)));
		send_one(v, run, i);
	}
	vlan_run(v, vlan_now(v) + COO_SEC(60));
	check(run, &cfg);
	assert_true(coo_node_is_idle(vlan_node(v, 0)));
	assert_true(coo_node_is_idle(vlan_node(v, 1)));
	vlan_close(v);
}

static void messages_on_a_bad_line_are_shown_once_or_reported(void **state)
{
	unsigned shown = 0, acked = 0, unanswered = 0;
	uint64_t seed, last;

	(void)state;
	for (vlan_seeds(&seed, &last); seed <= last; seed++) {
		uint64_t random = seed;
		struct run run;

		memset(&run, 0, sizeof(run));
		run.seed = seed;
		run_seed(&run, (unsigned)(test_random(&random) % 61),
			 (unsigned)(test_random(&random) % 31),
			 COO_MS(1 + test_random(&random) % 2000));
		shown += run.shown;
		acked += run.acked;
		unanswered += run.unanswered;
	}
	print_message("# sim_pair: %u shown, %u acknowledged, %u not acknowledged\n", shown, acked,
		      unanswered);
	assert_true(acked > 0 && shown >= acked);
}

static void a_good_line_loses_nothing(void **state)
{
	struct run run;

	(void)state;
	memset(&run, 0, sizeof(run));
	run.seed = 1;
	run_seed(&run, 0, 0, COO_MS(1));
	assert_int_equal(run.shown, MESSAGES);
	assert_int_equal(run.acked, MESSAGES);
}

static void a_dead_line_is_reported(void **state)
{
	struct run run;

	(void)state;
	memset(&run, 0, sizeof(run));
	run.seed = 1;
	run_seed(&run, 100, 0, COO_MS(1));
	assert_int_equal(run.shown, 0);
	assert_int_equal(run.unanswered, MESSAGES);
}

/* The same numbers and texts again after a crash are new messages. */
static void what_a_restarted_peer_says_again_is_shown_again(void **state)
{
	struct vlan_cfg cfg = { 5, 2, 0, 0, COO_US(100), COO_MS(1), 1 };
	struct run run;
	struct vlan *v;

	(void)state;
	memset(&run, 0, sizeof(run));
	run.seed = cfg.seed;
	v = vlan_open(&cfg, on_event, &run);
	for (unsigned life = 0; life < 3; life++) {
		coo_send s;

		coo_node_announce(vlan_node(v, 0), vlan_now(v));
		vlan_run(v, vlan_now(v) + COO_SEC(10));
		memset(&s, 0, sizeof(s));
		s.token = 1;
		s.to = vlan_addr(1);
		s.options = COO_OPT_SENDCHECK;
		s.ext = LIT("m1\0");
		assert_int_equal(coo_node_send(vlan_node(v, 0), &s, vlan_now(v), NULL), COO_OK);
		vlan_run(v, vlan_now(v) + COO_SEC(10));
		assert_int_equal(run.m[1].shown, life + 1);
		vlan_restart(v, 0);
	}
	vlan_close(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_on_a_bad_line_are_shown_once_or_reported),
		cmocka_unit_test(a_good_line_loses_nothing),
		cmocka_unit_test(a_dead_line_is_reported),
		cmocka_unit_test(what_a_restarted_peer_says_again_is_shown_again),
	};

	return cmocka_run_group_tests_name("sim_pair", tests, NULL, NULL);
}
