/* SPDX-License-Identifier: MIT */

/*
 * The input is a script for a node. A step is an action and one byte to it:
 *
 *   0 n LL bytes   a datagram of LL bytes (big-endian) from host n % 8, how n / 8 says
 *   1 n            time passes: 2^(n % 36) ns
 *   2 n            a message to host n % 8, options as n / 8 says
 *   3 n            a receipt of kind n % 4 for message number n / 4 before the last
 *   4 n            go on line, leave, ask, probe
 *   5 n            the system refuses the last datagram
 *
 * Whatever the script, what leaves is small and bounded, and every message has one result.
 */
#include <stdlib.h>

#include "proto/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER_MAX = 400, TX_MAX = 20000, TOKENS = 256 };

struct world {
	coo_node *n;
	coo_time now;
	uint32_t last_no, first_no;
	uint32_t next_token;
	uint8_t results[TOKENS];
	uint64_t rx_bytes, tx;
};

static void take_events(struct world *w)
{
	coo_event ev;

	for (unsigned i = 0; coo_node_next_event(w->n, &ev); i++) {
		if (i > 2000)
			abort();
		if (ev.type == COO_EV_RESULT &&
		    (ev.result.token >= w->next_token || w->results[ev.result.token]++))
			abort();
		if (ev.peer && !ev.peer->used)
			abort();
	}
}

static void flush(struct world *w)
{
	static uint8_t mem[COO_PACKET_MAX];
	coo_packet p;
	coo_buf b;
	coo_tx tx;

	take_events(w);
	coo_node_tick(w->n, w->now);
	coo_buf_init(&b, mem, sizeof(mem));
	while (coo_node_next_tx(w->n, w->now, &b, &tx)) {
		if (++w->tx > TX_MAX || b.n > ANSWER_MAX)
			abort();
		if (coo_packet_decode(coo_buf_span(&b), &p) != COO_OK)
			abort();
		if (!tx.broadcast && tx.to.port == 0)
			abort();
		w->last_no = tx.packet_no;
	}
	take_events(w);
	if (coo_node_deadline(w->n) <= w->now)
		abort();
}

static void datagram(struct world *w, uint8_t how, coo_span bytes)
{
	uint8_t *copy = malloc(bytes.n + 1);
	coo_rx rx;

	if (!copy)
		return;
	memset(&rx, 0, sizeof(rx));
	rx.from = coo_addr_v4(10, 0, 0, how & 7, how & 64 ? 0 : 2425);
	rx.was_broadcast = (how & 8) != 0;
	rx.off_link = (how & 16) != 0;
	if (bytes.n)
		memcpy(copy, bytes.p, bytes.n);
	coo_node_recv(w->n, &rx, coo_span_of(copy, bytes.n), w->now);
	take_events(w);
	free(copy);
	w->rx_bytes += bytes.n;
}

static void message(struct world *w, uint8_t how)
{
	coo_send s;

	memset(&s, 0, sizeof(s));
	if (w->next_token == TOKENS)
		return;
	s.token = w->next_token;
	s.to = coo_addr_v4(10, 0, 0, how & 7, 2425);
	s.options = how & 8 ? 0 : COO_OPT_SENDCHECK;
	s.want_read = (how & 16) != 0;
	s.ext = coo_span_of("hello", how & 32 ? 6 : 3);
	if (coo_node_send(w->n, &s, w->now, NULL) == COO_OK)
		w->next_token++;
}

static void receipt(struct world *w, uint8_t how)
{
	static const uint32_t kinds[] = { 33, 289, 48, 1048624 };
	uint8_t mem[64];
	coo_buf b;

	coo_buf_init(&b, mem, sizeof(mem));
	coo_buf_put_str(&b, "1:1:a:b:");
	coo_buf_put_u64(&b, kinds[how & 3]);
	coo_buf_put_byte(&b, ':');
	coo_buf_put_u64(&b, (uint64_t)w->last_no - (how >> 4));
	datagram(w, (how >> 2) & 3, coo_buf_span(&b));
}

static void command(struct world *w, uint8_t what)
{
	coo_addr to = coo_addr_v4(10, 0, 0, what & 7, 2425);

	switch ((what >> 3) & 3) {
	case 0:
		coo_node_announce(w->n, w->now);
		break;
	case 1:
		coo_node_leave(w->n, w->now);
		break;
	case 2:
		coo_node_ask(w->n, &to, COO_CMD_GETINFO, w->now);
		break;
	default:
		coo_node_probe(w->n, &to, w->now);
	}
}

static coo_span step(struct world *w, coo_span in)
{
	uint8_t action = in.p[0] % 6, arg = in.p[1];
	size_t n;

	in = coo_span_skip(in, 2);
	switch (action) {
	case 0:
		if (in.n < 2)
			return coo_span_none();
		n = (size_t)in.p[0] << 8 | in.p[1];
		in = coo_span_skip(in, 2);
		datagram(w, arg, coo_span_head(in, n));
		in = coo_span_skip(in, n);
		break;
	case 1:
		w->now += UINT64_C(1) << (arg % 36);
		break;
	case 2:
		message(w, arg);
		break;
	case 3:
		receipt(w, arg);
		break;
	case 4:
		command(w, arg);
		break;
	default:
		coo_node_tx_failed(w->n, w->last_no, 101);
	}
	return in;
}

static void start(struct world *w, uint8_t how, void *mem, size_t cap)
{
	coo_node_cfg cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.seed = how;
	cfg.first_packet_no = how & 1 ? INT32_MAX - 3 : 100;
	cfg.member = (how & 2) == 0;
	cfg.send_read = (how & 4) != 0;
	cfg.legacy.user = cfg.utf8.user = coo_span_str("me");
	cfg.legacy.host = cfg.utf8.host = coo_span_str("here");
	cfg.info = coo_span_str("fuzz");
	cfg.max_peers = 8;
	cfg.max_messages = 8;
	cfg.max_texts = 4;
	cfg.text_cap = 64;
	cfg.names_cap = 192;
	cfg.max_seen = 16;
	memset(w, 0, sizeof(*w));
	w->now = COO_SEC(1);
	w->next_token = 1;
	if (coo_node_size(&cfg) > cap)
		abort();
	memset(mem, 0, coo_node_size(&cfg));
	if (coo_node_init(&w->n, &cfg, mem, cap) != COO_OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t mem[1 << 17];
	coo_span in = coo_span_of(data, size);
	struct world w;

	if (size < 3 || size > 8192)
		return 0;
	start(&w, in.p[0], mem, sizeof(mem));
	in = coo_span_skip(in, 1);
	while (in.n >= 2) {
		in = step(&w, in);
		flush(&w);
	}
	for (unsigned i = 0; i < 100 && !coo_node_is_idle(w.n); i++) {
		w.now += COO_SEC(1);
		flush(&w);
	}
	if (!coo_node_is_idle(w.n))
		abort();
	for (uint32_t t = 1; t < w.next_token; t++) {
		if (w.results[t] != 1)
			abort();
	}
	return 0;
}
