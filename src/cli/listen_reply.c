/* SPDX-License-Identifier: MIT */
#include "cli/listen_reply.h"

#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "cli/xalloc.h"
#include "proto/utf8.h"

/* Most clients take no more in one datagram (protocol.md 1.3). */
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
