/* SPDX-License-Identifier: MIT */

/* A whole office switches on at once: everybody has to learn of everybody, and what that costs in
 * datagrams is printed. */
#include "sim/vlan.h"

struct seen {
	unsigned up;
};

static void on_event(void *ctx, unsigned node, const coo_event *ev)
{
	struct seen *seen = ctx;

	if (ev->type == COO_EV_PEER_UP)
		seen[node].up++;
}

static size_t online(struct vlan *v, unsigned i)
{
	const coo_peers *t = coo_node_peers(vlan_node(v, i));
	const coo_peer *p;
	size_t at = 0, n = 0;

	while ((p = coo_peers_next(t, &at)) != NULL)
		n += p->online;
	return n;
}

static void print_costs(struct vlan *v, unsigned nodes, unsigned loss)
{
	const struct vlan_stats s = vlan_stats(v);
	uint64_t tx = 0, limited = 0, full = 0;

	for (unsigned i = 0; i < nodes; i++) {
		const coo_node_stats *n = coo_node_get_stats(vlan_node(v, i));

		tx += n->tx;
		limited += n->limited;
		full += n->queue_full;
	}
	print_message("# sim_join: %u nodes, %u %% loss: %.1f datagrams sent and %.1f received a "
		      "node, %llu answers withheld, %llu dropped\n",
		      nodes, loss, (double)tx / nodes, (double)s.delivered / nodes,
		      (unsigned long long)limited, (unsigned long long)full);
	assert_int_equal(full, 0);
}

static void join(unsigned nodes, unsigned loss)
{
	struct vlan_cfg cfg = { 7, nodes, loss, 2, COO_US(50), COO_MS(3), 1 };
	static struct seen seen[250];
	struct vlan *v;

	memset(seen, 0, sizeof(seen));
	v = vlan_open(&cfg, on_event, seen);
	for (unsigned i = 0; i < nodes; i++)
		coo_node_announce(vlan_node(v, i), vlan_now(v));
	vlan_run(v, vlan_now(v) + COO_SEC(20));
	for (unsigned i = 0; i < nodes; i++) {
		if (online(v, i) != nodes - 1 || seen[i].up != nodes - 1)
			fail_msg("node %u of %u knows %zu others, told of %u", i, nodes,
				 online(v, i), seen[i].up);
	}
	print_costs(v, nodes, loss);
	for (unsigned i = 1; i < nodes; i++)
		coo_node_leave(vlan_node(v, i), vlan_now(v));
	vlan_run(v, vlan_now(v) + COO_SEC(5));
	if (loss == 0)
		assert_int_equal(online(v, 0), 0);
	vlan_close(v);
}

static void two_hundred_that_join_at_once_know_each_other(void **state)
{
	(void)state;
	join(200, 0);
}

static void those_on_a_line_that_loses_some_do_too(void **state)
{
	(void)state;
	join(60, 5);
}

static void two_find_each_other(void **state)
{
	(void)state;
	join(2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_find_each_other),
		cmocka_unit_test(two_hundred_that_join_at_once_know_each_other),
		cmocka_unit_test(those_on_a_line_that_loses_some_do_too),
	};

	return cmocka_run_group_tests_name("sim_join", tests, NULL, NULL);
}
