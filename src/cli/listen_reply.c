/* SPDX-License-Identifier: MIT */
#include "cli/listen_reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "cli/out.h"
#include "cli/xalloc.h"
#include "proto/dedup.h"
#include "proto/hash.h"
#include "proto/utf8.h"

/* Most clients take no more in one datagram (PROTOCOL.md 12). */
enum { REPLY_MAX = 8000 };

/* Tokens of answers lie above those that an outbox uses. */
static const uint64_t token = UINT64_C(1) << 63;

bool listen_may_reply(const coo_message *m)
{
	return !m->broadcast && !m->automatic && !m->encrypted;
}

void listen_reply(struct net *n, const coo_rx *rx, coo_client client, coo_span text)
{
	coo_node *node = net_node(n);
	const coo_peers *peers = coo_node_peers(node);
	const coo_peer *peer = coo_peers_at(peers, &rx->from);
	coo_text_hint hint = coo_hint_of_peer(peers, peer);
	bool utf8 = false, known = peer || client != COO_CLIENT_UNKNOWN;
	coo_span cut = coo_span_head(text, coo_utf8_truncate(text, REPLY_MAX / 4 * 3));
	size_t cap = cut.n * 4 + 8;
	uint8_t *mem = xcalloc(cap, 1);
	coo_send s;
	coo_buf b;
	coo_err e;

	if (cut.n < text.n)
		say_warn("an answer of %zu bytes is cut to %zu", text.n, cut.n);
	hint.client = client;
	coo_buf_init(&b, mem, cap);
	e = coo_text_encode(n->text, cut, known ? &hint : NULL, peer && peer->has_utf8, NULL, &b,
			    &utf8, NULL, NULL);
	coo_buf_put_byte(&b, 0);
	memset(&s, 0, sizeof(s));
	s.token = token;
	s.to = rx->from;
	s.local = rx->was_broadcast ? s.local : rx->local;
	s.options = COO_OPT_AUTORET | (utf8 ? COO_OPT_UTF8 : 0);
	s.ext = coo_buf_span(&b);
	if (e == COO_OK)
		e = coo_node_send(node, &s, coo_driver_now(n->driver), NULL);
	if (e != COO_OK)
		say_warn("an answer could not be sent: %s", coo_err_text(e));
	free(mem);
}

enum { QUIET_PEERS = 4096 };

struct listen_quiet {
	coo_dedup table;
	uint64_t key;
};

struct listen_quiet *listen_quiet_new(void)
{
	size_t head = (sizeof(struct listen_quiet) + 15) & ~(size_t)15;
	struct listen_quiet *q = xcalloc(1, head + coo_dedup_size(QUIET_PEERS));

	coo_dedup_init(&q->table, QUIET_PEERS, (char *)q + head);
	q->key = coo_rng_u64();
	return q;
}

bool listen_is_first(struct listen_quiet *q, const coo_addr *from, coo_time now)
{
	return !coo_dedup_seen(&q->table, coo_hash_mix(coo_hash_ip(q->key, from), from->port), now);
}

void listen_set_absence(struct net *n, const char *text)
{
	coo_span utf8 = coo_span_str(text);
	uint8_t *mem = xcalloc(utf8.n * 4 + 1, 1);
	coo_text_plan plan;
	coo_buf legacy;

	coo_buf_init(&legacy, mem, utf8.n * 4 + 1);
	if (coo_text_choose(n->text, utf8, NULL, false, coo_text_legacy(n->text), &plan) ==
		COO_OK &&
	    coo_text_put(&plan, utf8, &legacy, NULL) == COO_OK)
		coo_node_set_absence(net_node(n), coo_buf_span(&legacy), utf8,
				     coo_driver_now(n->driver));
	free(mem);
}
