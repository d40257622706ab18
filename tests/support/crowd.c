/* SPDX-License-Identifier: MIT */
#include "support/crowd.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/node.h"
#include "proto/num.h"
#include "support/test.h"

enum {
	LANES = 2,
	STEP_SECOND = 1000 / CROWD_STEP_MS,
	PEER_BYTES =
	    180, /* a record with short names, its place in the indexes: for the estimate */
	NODE_BYTES = 250000,
};

struct member {
	coo_node *node;
	void *mem;
	coo_time join, known_at;
	unsigned known, sent_now; /* peers that came up; datagrams sent in this second */
	char name[12];
};

/* A datagram on the wire; its bytes lie in the lane's store. */
struct flying {
	unsigned from, next; /* the next one to the same receiver, + 1 */
	uint32_t at, n;
};

/* What one thread sends in a step. */
struct lane {
	uint8_t *store;
	size_t stored, store_cap;
	struct flying *v;
	size_t n, cap;
	unsigned *broadcasts; /* indexes into v */
	size_t n_broadcasts, broadcasts_cap;
	unsigned *first, *last; /* by receiver: index into v, + 1 */
};

struct crowd {
	struct crowd_cfg cfg;
	struct crowd_result result;
	struct member *m;
	size_t node_size;
	coo_time now, begin;
	struct lane lanes[2][LANES]; /* of this step and of the one before */
	unsigned turn;
	struct crowd_result part[LANES]; /* what each thread saw */
	pthread_barrier_t barrier;
	bool over;
	uint64_t steps;
};

struct worker {
	struct crowd *c;
	unsigned lane;
};

/* --- the wire ------------------------------------------------------------------------------------
 */

/* Bytes that Linux charges a socket buffer for a datagram: seen with 20 to 1,000 bytes on loopback
 * (a full buffer of 212,992 bytes holds 256, 166 or 92 of them). */
static size_t charge(size_t n)
{
	return n <= 192 ? 832 : n <= 512 ? 1283 : 2315;
}

static void *grow(void *p, size_t *cap, size_t need, size_t each)
{
	if (need <= *cap)
		return p;
	*cap = need * 2;
	p = realloc(p, *cap * each);
	assert_non_null(p);
	return p;
}

static unsigned host_of(const coo_addr *a)
{
	return (unsigned)a->ip[1] << 16 | (unsigned)a->ip[2] << 8 | a->ip[3];
}

static coo_addr addr_of(unsigned i)
{
	return coo_addr_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 2425);
}

static void empty(struct lane *l, unsigned nodes)
{
	l->n = l->stored = l->n_broadcasts = 0;
	memset(l->first, 0, nodes * sizeof(*l->first));
	memset(l->last, 0, nodes * sizeof(*l->last));
}

static void launch(struct lane *l, unsigned from, const coo_tx *tx, coo_span bytes)
{
	unsigned to;

	l->v = grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->store = grow(l->store, &l->store_cap, l->stored + bytes.n, 1);
	memcpy(l->store + l->stored, bytes.p, bytes.n);
	l->v[l->n++] = (struct flying){ from, 0, (uint32_t)l->stored, (uint32_t)bytes.n };
	l->stored += bytes.n;
	if (tx->broadcast) {
		l->broadcasts = grow(l->broadcasts, &l->broadcasts_cap, l->n_broadcasts + 1,
				     sizeof(*l->broadcasts));
		l->broadcasts[l->n_broadcasts++] = (unsigned)l->n - 1;
		return;
	}
	to = host_of(&tx->to);
	if (l->last[to])
		l->v[l->last[to] - 1].next = (unsigned)l->n;
	else
		l->first[to] = (unsigned)l->n;
	l->last[to] = (unsigned)l->n;
}

/* --- one node, one step --------------------------------------------------------------------------
 */

static void take_events(struct crowd *c, struct member *m)
{
	coo_event ev;

	while (coo_node_next_event(m->node, &ev)) {
		if (ev.type != COO_EV_PEER_UP)
			continue;
		m->known++;
		m->known_at = c->now;
	}
}

struct burst {
	size_t n, charge;
};

static void deliver(struct crowd *c, struct member *m, const struct lane *l, size_t i,
		    bool broadcast, struct burst *b)
{
	const struct flying *f = &l->v[i];
	coo_rx rx;

	memset(&rx, 0, sizeof(rx));
	rx.from = addr_of(f->from);
	rx.was_broadcast = broadcast;
	b->n++;
	b->charge += charge(f->n);
	coo_node_recv(m->node, &rx, coo_span_of(l->store + f->at, f->n), c->now);
	take_events(c, m);
}

static void receive(struct crowd *c, unsigned i, struct crowd_result *part)
{
	struct burst b = { 0, 0 };

	for (unsigned k = 0; k < LANES; k++) {
		const struct lane *l = &c->lanes[!c->turn][k];

		for (size_t j = 0; j < l->n_broadcasts; j++)
			deliver(c, &c->m[i], l, l->broadcasts[j], true, &b);
		for (unsigned j = l->first[i]; j; j = l->v[j - 1].next)
			deliver(c, &c->m[i], l, j - 1, false, &b);
	}
	part->received += (double)b.n;
	if (b.charge > part->burst_charge) {
		part->burst_charge = b.charge;
		part->burst = b.n;
	}
}

static void send_all(struct crowd *c, unsigned i, struct lane *out, struct crowd_result *part)
{
	struct member *m = &c->m[i];
	uint8_t bytes[1024];
	coo_buf buf;
	coo_tx tx;

	coo_node_tick(m->node, c->now);
	take_events(c, m);
	coo_buf_init(&buf, bytes, sizeof(bytes));
	if (c->steps % STEP_SECOND == 0)
		m->sent_now = 0;
	while (coo_node_next_tx(m->node, c->now, &buf, &tx)) {
		launch(out, i, &tx, coo_buf_span(&buf));
		part->sent++;
		m->sent_now++;
	}
	if (m->sent_now > part->most_sent)
		part->most_sent = m->sent_now;
}

static void step_lane(struct crowd *c, unsigned lane)
{
	struct lane *out = &c->lanes[c->turn][lane];

	empty(out, c->cfg.nodes);
	for (unsigned i = lane; i < c->cfg.nodes; i += LANES) {
		struct member *m = &c->m[i];

		if (m->join > c->now) /* not switched on */
			continue;
		if (!coo_node_is_announced(m->node))
			coo_node_announce(m->node, c->now);
		receive(c, i, &c->part[lane]);
		send_all(c, i, out, &c->part[lane]);
	}
}

/* --- all of them ---------------------------------------------------------------------------------
 */

static void *work(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		pthread_barrier_wait(&w->c->barrier);
		if (w->c->over)
			return NULL;
		step_lane(w->c, w->lane);
		pthread_barrier_wait(&w->c->barrier);
	}
}

static void step(struct crowd *c)
{
	pthread_barrier_wait(&c->barrier);
	step_lane(c, 0);
	pthread_barrier_wait(&c->barrier);
	c->turn = !c->turn;
	c->steps++;
	c->now += COO_MS(CROWD_STEP_MS);
}

static void run_until(struct crowd *c, coo_time end)
{
	while (c->now < end)
		step(c);
}

static uint64_t sent_by_all(const struct crowd *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < c->cfg.nodes; i++)
		n += coo_node_get_stats(c->m[i].node)->tx;
	return n;
}

static bool open_member(struct crowd *c, unsigned i)
{
	struct member *m = &c->m[i];
	coo_node_cfg cfg;

	memset(&cfg, 0, sizeof(cfg));
	snprintf(m->name, sizeof(m->name), "%x", i);
	cfg.seed = c->cfg.seed * 1000003 + i;
	cfg.first_packet_no = 1;
	cfg.member = true;
	cfg.legacy.user = cfg.utf8.user = cfg.legacy.host = cfg.utf8.host = coo_span_str(m->name);
	cfg.max_peers = c->cfg.nodes;
	cfg.max_messages = cfg.max_texts = cfg.max_seen = 1;
	cfg.text_cap = 64;
	cfg.names_cap = 192;
	cfg.names_near = 16;
	c->node_size = coo_node_size(&cfg);
	m->mem = mmap(NULL, c->node_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->mem == MAP_FAILED)
		return false;
	/* a huge page would take memory for what is not touched */
	coo_ignore(madvise(m->mem, c->node_size, MADV_NOHUGEPAGE));
	return coo_node_init(&m->node, &cfg, m->mem, c->node_size) == COO_OK;
}

/* Everybody but the last member gets a random time within the span. */
static bool open_members(struct crowd *c)
{
	uint64_t random = c->cfg.seed;

	for (unsigned i = 0; i < c->cfg.nodes; i++) {
		if (!open_member(c, i))
			return false;
		c->m[i].join = c->begin + test_random(&random) % c->cfg.span;
	}
	c->m[c->cfg.nodes - 1].join = COO_NEVER;
	return true;
}

static void open_lanes(struct crowd *c)
{
	for (unsigned i = 0; i < 2 * LANES; i++) {
		struct lane *l = &c->lanes[i / LANES][i % LANES];

		l->first = calloc(c->cfg.nodes, sizeof(*l->first));
		l->last = calloc(c->cfg.nodes, sizeof(*l->last));
		assert_true(l->first && l->last);
	}
}

static void close_crowd(struct crowd *c)
{
	for (unsigned i = 0; i < 2 * LANES; i++) {
		struct lane *l = &c->lanes[i / LANES][i % LANES];

		free(l->store);
		free(l->v);
		free(l->broadcasts);
		free(l->first);
		free(l->last);
	}
	for (unsigned i = 0; i < c->cfg.nodes && c->m[i].mem; i++)
		munmap(c->m[i].mem, c->node_size);
	free(c->m);
}

static size_t resident(void)
{
	char text[128];
	FILE *f = fopen("/proc/self/statm", "r");
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;
	coo_span left = coo_span_of(text, n), all, pages;
	uint64_t number = 0;

	if (f)
		fclose(f);
	if (!coo_span_cut(&left, ' ', &all) || !coo_span_cut(&left, ' ', &pages) ||
	    !coo_num_dec(pages, SIZE_MAX, &number))
		return 0;
	return (size_t)number * (size_t)sysconf(_SC_PAGESIZE);
}

static void sum_up(struct crowd *c, unsigned nodes)
{
	struct crowd_result *r = &c->result;
	coo_time last = c->begin, last_join = c->begin;

	for (unsigned i = 0; i < nodes; i++) {
		const struct member *m = &c->m[i];

		r->strangers += m->known < nodes - 1 ? nodes - 1 - m->known : 0;
		last = m->known_at > last ? m->known_at : last;
		last_join = m->join > last_join ? m->join : last_join;
	}
	r->known_after = last - last_join;
	for (unsigned k = 0; k < LANES; k++) {
		const struct crowd_result *p = &c->part[k];

		r->sent += p->sent / nodes;
		r->received += p->received / nodes;
		r->most_sent = p->most_sent > r->most_sent ? p->most_sent : r->most_sent;
		if (p->burst_charge > r->burst_charge) {
			r->burst_charge = p->burst_charge;
			r->burst = p->burst;
		}
	}
}

/* All but one come at once, then the last one, when nobody owes an answer any more. */
static void play(struct crowd *c)
{
	unsigned nodes = c->cfg.nodes;
	struct member *late = &c->m[nodes - 1];
	uint64_t before;

	run_until(c, c->begin + c->cfg.settle);
	sum_up(c, nodes - 1);
	before = sent_by_all(c);
	late->join = c->now;
	run_until(c, c->now + COO_SEC(12));
	c->result.join_sent = sent_by_all(c) - before;
	for (unsigned i = 0; i < nodes; i++) {
		const coo_node_stats *s = coo_node_get_stats(c->m[i].node);

		c->result.strangers += c->m[i].known != nodes - 1;
		c->result.strangers += coo_node_peers(c->m[i].node)->n != nodes - 1;
		c->result.withheld += s->limited;
		c->result.dropped += s->queue_full;
	}
}

static bool fits(const struct crowd_cfg *cfg, size_t *needs)
{
	size_t have = (size_t)sysconf(_SC_AVPHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);

	*needs = (size_t)cfg->nodes * (NODE_BYTES + (size_t)cfg->nodes * PEER_BYTES);
	return have > *needs + *needs / 16;
}

bool crowd_run(const struct crowd_cfg *cfg, struct crowd_result *out, size_t *needs)
{
	struct crowd c;
	struct worker workers[LANES];
	pthread_t threads[LANES];
	size_t before = resident();

	if (!fits(cfg, needs))
		return false;
	memset(&c, 0, sizeof(c));
	c.cfg = *cfg;
	c.now = c.begin = COO_SEC(1);
	c.m = calloc(cfg->nodes, sizeof(*c.m));
	assert_non_null(c.m);
	assert_true(open_members(&c));
	open_lanes(&c);
	assert_int_equal(pthread_barrier_init(&c.barrier, NULL, LANES), 0);
	for (unsigned k = 1; k < LANES; k++) {
		workers[k] = (struct worker){ &c, k };
		assert_int_equal(pthread_create(&threads[k], NULL, work, &workers[k]), 0);
	}
	play(&c);
	c.result.node_memory = (resident() - before) / cfg->nodes;
	c.over = true;
	pthread_barrier_wait(&c.barrier);
	for (unsigned k = 1; k < LANES; k++)
		pthread_join(threads[k], NULL);
	pthread_barrier_destroy(&c.barrier);
	*out = c.result;
	close_crowd(&c);
	return true;
}
