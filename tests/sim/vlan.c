/* SPDX-License-Identifier: MIT */
#include "sim/vlan.h"

#include <stdlib.h>

enum { MAX_NODES = 250, MAX_FLYING = 200000 };

/* A datagram in flight to one receiver; the bytes are shared by all receivers of a broadcast. */
struct payload {
	unsigned refs;
	size_t n;
	uint8_t bytes[];
};

struct flying {
	coo_time at;
	uint64_t order; /* of two at the same time the earlier sent comes first */
	struct payload *payload;
	unsigned from, to;
	bool broadcast;
};

struct host {
	coo_node *node;
	void *mem;
	size_t size;
	coo_node_cfg cfg;
	char user[16], name[16];
};

struct vlan {
	struct vlan_cfg cfg;
	struct vlan_stats stats;
	vlan_on_event *on_event;
	void *ctx;
	coo_time now;
	uint64_t random, order;
	struct host hosts[MAX_NODES];
	struct flying *heap;
	size_t n_flying;
	uint8_t out[COO_PACKET_MAX];
};

uint64_t vlan_random(struct vlan *v, uint64_t n)
{
	return test_random(&v->random) % n;
}

coo_node *vlan_node(struct vlan *v, unsigned i)
{
	return v->hosts[i].node;
}

coo_addr vlan_addr(unsigned i)
{
	return coo_addr_v4(10, 0, 0, (uint8_t)(i + 1), 2425);
}

coo_time vlan_now(const struct vlan *v)
{
	return v->now;
}

struct vlan_stats vlan_stats(const struct vlan *v)
{
	return v->stats;
}

static void start(struct vlan *v, unsigned i)
{
	struct host *h = &v->hosts[i];

	memset(h->mem, 0, h->size);
	h->cfg.seed = vlan_random(v, UINT64_MAX);
	assert_int_equal(coo_node_init(&h->node, &h->cfg, h->mem, h->size), COO_OK);
}

static void open_host(struct vlan *v, unsigned i)
{
	struct host *h = &v->hosts[i];

	snprintf(h->user, sizeof(h->user), "u%u", i);
	snprintf(h->name, sizeof(h->name), "h%u", i);
	h->cfg.first_packet_no = v->cfg.first_no;
	h->cfg.member = true;
	h->cfg.legacy.user = h->cfg.utf8.user = coo_span_str(h->user);
	h->cfg.legacy.host = h->cfg.utf8.host = coo_span_str(h->name);
	h->cfg.max_peers = 256;
	h->cfg.max_messages = 256;
	h->cfg.max_texts = 128;
	h->cfg.text_cap = 256;
	h->cfg.max_seen = 1024;
	h->cfg.send_read = true;
	h->size = coo_node_size(&h->cfg);
	h->mem = malloc(h->size);
	assert_non_null(h->mem);
	start(v, i);
}

struct vlan *vlan_open(const struct vlan_cfg *cfg, vlan_on_event *on_event, void *ctx)
{
	struct vlan *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	assert_in_range(cfg->nodes, 1, MAX_NODES);
	v->heap = calloc(MAX_FLYING, sizeof(*v->heap));
	assert_non_null(v->heap);
	v->cfg = *cfg;
	v->on_event = on_event;
	v->ctx = ctx;
	v->random = cfg->seed;
	v->now = COO_SEC(1);
	for (unsigned i = 0; i < cfg->nodes; i++)
		open_host(v, i);
	return v;
}

static void release(struct payload *p)
{
	if (--p->refs == 0)
		free(p);
}

void vlan_close(struct vlan *v)
{
	for (size_t i = 0; i < v->n_flying; i++)
		release(v->heap[i].payload);
	for (unsigned i = 0; i < v->cfg.nodes; i++)
		free(v->hosts[i].mem);
	free(v->heap);
	free(v);
}

void vlan_restart(struct vlan *v, unsigned i)
{
	start(v, i);
}

/* --- the heap of what flies, earliest first ------------------------------------------------------
 */

static bool before(const struct flying *a, const struct flying *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct vlan *v, struct flying f)
{
	size_t i = v->n_flying++;

	assert_true(v->n_flying <= MAX_FLYING);
	while (i > 0 && before(&f, &v->heap[(i - 1) / 2])) {
		v->heap[i] = v->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	v->heap[i] = f;
}

static struct flying pop(struct vlan *v)
{
	struct flying first = v->heap[0], last = v->heap[--v->n_flying];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= v->n_flying)
			break;
		if (child + 1 < v->n_flying && before(&v->heap[child + 1], &v->heap[child]))
			child++;
		if (!before(&v->heap[child], &last))
			break;
		v->heap[i] = v->heap[child];
		i = child;
	}
	v->heap[i] = last;
	return first;
}

/* --- the wire ------------------------------------------------------------------------------------
 */

static void launch(struct vlan *v, unsigned from, unsigned to, bool broadcast, struct payload *p)
{
	unsigned copies = 1;

	v->stats.sent++;
	if (vlan_random(v, 100) < v->cfg.loss) {
		v->stats.lost++;
		copies--;
	}
	if (vlan_random(v, 100) < v->cfg.doubled) {
		v->stats.doubled++;
		copies++;
	}
	while (copies-- > 0) {
		struct flying f = { v->now + v->cfg.delay_min, v->order++, p, from, to, broadcast };

		f.at += vlan_random(v, v->cfg.delay_max - v->cfg.delay_min + 1);
		p->refs++;
		push(v, f);
	}
}

static unsigned host_at(const struct vlan *v, const coo_addr *to)
{
	for (unsigned i = 0; i < v->cfg.nodes; i++) {
		coo_addr a = vlan_addr(i);

		if (coo_addr_eq(&a, to))
			return i;
	}
	return v->cfg.nodes;
}

static void transmit(struct vlan *v, unsigned from, const coo_tx *tx, coo_span bytes)
{
	struct payload *p = malloc(sizeof(*p) + bytes.n);
	unsigned to;

	assert_non_null(p);
	p->refs = 1;
	p->n = bytes.n;
	memcpy(p->bytes, bytes.p, bytes.n);
	if (tx->broadcast) {
		for (to = 0; to < v->cfg.nodes; to++)
			launch(v, from, to, true, p);
	} else if ((to = host_at(v, &tx->to)) < v->cfg.nodes) {
		launch(v, from, to, false, p);
	}
	release(p);
}

static void take_events(struct vlan *v, unsigned i)
{
	coo_event ev;

	while (coo_node_next_event(v->hosts[i].node, &ev))
		v->on_event(v->ctx, i, &ev);
}

static void turn(struct vlan *v, unsigned i)
{
	coo_node *n = v->hosts[i].node;
	coo_buf out;
	coo_tx tx;

	coo_node_tick(n, v->now);
	take_events(v, i);
	coo_buf_init(&out, v->out, sizeof(v->out));
	for (unsigned k = 0; coo_node_next_tx(n, v->now, &out, &tx); k++) {
		assert_true(k < 100000);
		transmit(v, i, &tx, coo_buf_span(&out));
	}
	take_events(v, i);
}

static void deliver(struct vlan *v, struct flying f)
{
	coo_rx rx;

	memset(&rx, 0, sizeof(rx));
	rx.from = vlan_addr(f.from);
	rx.was_broadcast = f.broadcast;
	v->stats.delivered++;
	coo_node_recv(v->hosts[f.to].node, &rx, coo_span_of(f.payload->bytes, f.payload->n),
		      v->now);
	take_events(v, f.to);
	release(f.payload);
	turn(v, f.to);
}

void vlan_run(struct vlan *v, coo_time end)
{
	for (;;) {
		coo_time next = v->n_flying ? v->heap[0].at : COO_NEVER;
		unsigned who = v->cfg.nodes;

		for (unsigned i = 0; i < v->cfg.nodes; i++) {
			coo_time d = coo_node_deadline(v->hosts[i].node);

			if (d < next) {
				next = d;
				who = i;
			}
		}
		if (next > end)
			break;
		if (next > v->now)
			v->now = next;
		if (who < v->cfg.nodes)
			turn(v, who);
		else
			deliver(v, pop(v));
	}
	v->now = end;
}

void vlan_seeds(uint64_t *first, uint64_t *last)
{
	const char *one = getenv("SIM_SEED");

	*first = one ? strtoull(one, NULL, 10) : 1;
	*last = one ? *first : 200;
}
