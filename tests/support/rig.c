/* SPDX-License-Identifier: MIT */
#include "support/rig.h"

#include <stdlib.h>

coo_addr rig_addr(uint8_t last)
{
	return coo_addr_v4(10, 0, 0, last, 2425);
}

coo_node_cfg rig_cfg(void)
{
	coo_node_cfg cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.seed = 42;
	cfg.first_packet_no = 1000;
	cfg.member = true;
	cfg.legacy.user = cfg.utf8.user = LIT("me");
	cfg.legacy.host = cfg.utf8.host = LIT("here");
	cfg.legacy.nick = cfg.utf8.nick = LIT("coo");
	cfg.legacy.group = cfg.utf8.group = LIT("grp");
	cfg.info = LIT("coo test");
	cfg.max_peers = 64;
	cfg.max_messages = 32;
	cfg.max_texts = 8;
	cfg.text_cap = 4096;
	cfg.max_seen = 256;
	return cfg;
}

struct rig *rig_open(const coo_node_cfg *cfg)
{
	struct rig *r = calloc(1, sizeof(*r));
	size_t size = coo_node_size(cfg);

	assert_non_null(r);
	r->mem = calloc(1, size);
	assert_non_null(r->mem);
	assert_int_equal(coo_node_init(&r->node, cfg, r->mem, size), COO_OK);
	r->now = COO_SEC(1000);
	return r;
}

struct rig *rig_member(void)
{
	coo_node_cfg cfg = rig_cfg();

	return rig_open(&cfg);
}

struct rig *rig_reader(void)
{
	coo_node_cfg cfg = rig_cfg();

	cfg.send_read = true;
	return rig_open(&cfg);
}

void rig_close(struct rig *r)
{
	free(r->mem);
	free(r);
}

static void keep_event(struct rig *r, const coo_event *ev)
{
	struct rig_event *e = &r->events[r->n_events];
	coo_span text = coo_span_head(coo_packet_text(&ev->packet), sizeof(e->text));

	if (r->n_events == RIG_EVENTS)
		return;
	r->n_events++;
	memset(e, 0, sizeof(*e));
	e->type = ev->type;
	e->has_peer = ev->peer != NULL;
	e->from = ev->rx.from;
	e->command = ev->packet.command;
	e->packet_no = ev->packet.packet_no;
	e->result = ev->result;
	e->n = text.n;
	if (text.n)
		memcpy(e->text, text.p, text.n);
}

static void keep_sent(struct rig *r, const coo_tx *tx, coo_span bytes)
{
	struct rig_sent *s = &r->sent[r->n_sent];

	if (r->n_sent == RIG_SENT)
		return;
	r->n_sent++;
	s->tx = *tx;
	s->at = r->now;
	s->n = coo_span_head(bytes, sizeof(s->bytes)).n;
	memcpy(s->bytes, bytes.p, s->n);
	assert_int_equal(coo_packet_decode(coo_span_of(s->bytes, s->n), &s->p), COO_OK);
}

static void take_events(struct rig *r)
{
	coo_event ev;

	for (unsigned i = 0; coo_node_next_event(r->node, &ev); i++) {
		assert_true(i < 10000);
		keep_event(r, &ev);
	}
}

void rig_drain(struct rig *r)
{
	static uint8_t mem[COO_PACKET_MAX];
	coo_buf out;
	coo_tx tx;

	take_events(r);
	coo_node_tick(r->node, r->now);
	take_events(r);
	coo_buf_init(&out, mem, sizeof(mem));
	for (unsigned i = 0; coo_node_next_tx(r->node, r->now, &out, &tx); i++) {
		assert_true(i < 100000);
		keep_sent(r, &tx, coo_buf_span(&out));
	}
	take_events(r);
}

void rig_recv(struct rig *r, coo_addr from, coo_span dgram)
{
	uint8_t *copy = test_guard_copy(dgram);

	r->next_rx.from = from;
	coo_node_recv(r->node, &r->next_rx, coo_span_of(copy, dgram.n), r->now);
	take_events(r);
	test_guard_free(copy, dgram.n);
	rig_drain(r);
}

void rig_recv_str(struct rig *r, coo_addr from, const char *text)
{
	rig_recv(r, from, coo_span_str(text));
}

void rig_receipt(struct rig *r, coo_addr from, uint32_t cmd, uint64_t of)
{
	char text[80];

	snprintf(text, sizeof(text), "1:5:bob:pc:%u:%llu", cmd, (unsigned long long)of);
	rig_recv(r, from, coo_span_of(text, strlen(text) + 1));
}

enum coo_rtx_result rig_result(const struct rig *r)
{
	assert_int_equal(rig_count_events(r, COO_EV_RESULT), 1);
	for (size_t i = 0; i < r->n_events; i++) {
		if (r->events[i].type == COO_EV_RESULT)
			return (enum coo_rtx_result)r->events[i].result.result;
	}
	return COO_RTX_FAILED;
}

void rig_run(struct rig *r, coo_time d)
{
	coo_time end = r->now + d;

	for (unsigned i = 0;; i++) {
		coo_time next = coo_node_deadline(r->node);

		assert_true(i < 100000);
		rig_drain(r);
		if (next > end)
			break;
		if (next > r->now)
			r->now = next;
		rig_drain(r);
		if (coo_node_deadline(r->node) <= r->now)
			fail_msg("a deadline that has been served is still due");
	}
	r->now = end;
}

void rig_clear(struct rig *r)
{
	r->n_sent = r->n_events = 0;
}

size_t rig_count_sent(const struct rig *r, uint32_t cmd)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_sent; i++)
		n += coo_packet_cmd(&r->sent[i].p) == cmd;
	return n;
}

size_t rig_count_events(const struct rig *r, enum coo_event_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_events; i++)
		n += r->events[i].type == type;
	return n;
}

const struct rig_sent *rig_first(const struct rig *r, uint32_t cmd)
{
	for (size_t i = 0; i < r->n_sent; i++) {
		if (coo_packet_cmd(&r->sent[i].p) == cmd)
			return &r->sent[i];
	}
	fail_msg("no %s was sent", coo_cmd_name(cmd));
	return NULL;
}

coo_send rig_message(coo_addr to, const char *text)
{
	coo_send s;

	memset(&s, 0, sizeof(s));
	s.token = 7;
	s.to = to;
	s.options = COO_OPT_SENDCHECK;
	s.ext = coo_span_of(text, strlen(text) + 1);
	return s;
}

uint32_t rig_send_text(struct rig *r, coo_addr to, const char *text)
{
	coo_send s = rig_message(to, text);
	uint32_t no = 0;

	assert_int_equal(coo_node_send(r->node, &s, r->now, &no), COO_OK);
	rig_drain(r);
	return no;
}
