/* SPDX-License-Identifier: MIT */
#include "feature/message.h"

#include <string.h>

#include "proto/utf8.h"

static coo_err decode(coo_text *t, coo_span in, const coo_text_hint *hint, coo_buf *scratch,
		      coo_span *out, coo_text_result *res)
{
	size_t start = scratch->n;
	coo_err e = coo_text_decode(t, in, hint, scratch, res);

	if (e == COO_OK)
		*out = coo_span_of(scratch->p + start, scratch->n - start);
	return e;
}

static bool has_bytes_of_legacy(const coo_peers *peers, const coo_peer *peer)
{
	static const enum coo_peer_name names[] = { COO_NAME_NICK, COO_NAME_GROUP, COO_NAME_USER,
						    COO_NAME_HOST };

	for (size_t i = 0; !peer->names_utf8 && i < COO_ARRAY_LEN(names); i++) {
		if (!coo_utf8_valid(coo_peer_name(peers, peer, names[i])))
			return true;
	}
	return false;
}

coo_text_hint coo_hint_of_peer(const coo_peers *peers, const coo_peer *peer)
{
	coo_text_hint hint;

	memset(&hint, 0, sizeof(hint));
	if (peer) {
		hint.client = (coo_client)peer->client;
		hint.utf8_flag = peer->names_utf8;
		hint.encoding = coo_peer_name(peers, peer, COO_NAME_ENCODING);
		/* iptux set to GB18030 announces "utf-8", but writes and reads what it is set to
		 * (seen with 0.8.3): its names tell */
		if (peer->client == COO_CLIENT_IPTUX && has_bytes_of_legacy(peers, peer))
			hint.encoding = coo_span_str("gb18030");
	}
	return hint;
}

/* Names that are ASCII do not tell what it writes: what it wrote before does. */
static const char *charset_before(const coo_text *t, const coo_peer *peer)
{
	if (peer->saw_utf8)
		return "UTF-8";
	if (!peer->saw_gbk)
		return "US-ASCII";
	return peer->client == COO_CLIENT_IPTUX ? "GB18030" : coo_text_legacy(t);
}

coo_err coo_peer_view_of(coo_text *t, const coo_peers *peers, const coo_peer *peer,
			 coo_buf *scratch, coo_peer_view *out)
{
	static const enum coo_peer_name which[] = { COO_NAME_USER, COO_NAME_HOST, COO_NAME_NICK,
						    COO_NAME_GROUP, COO_NAME_VERSION };
	coo_span *into[] = { &out->user, &out->host, &out->nick, &out->group, &out->version };
	coo_text_hint hint = coo_hint_of_peer(peers, peer);
	coo_text_result res = { NULL, 0 };

	/* names that came together are in one charset, and 营业 in GBK is valid UTF-8 by chance */
	if (hint.client != COO_CLIENT_IPTUX && has_bytes_of_legacy(peers, peer))
		hint.encoding = coo_span_str(coo_text_legacy(t));

	memset(out, 0, sizeof(*out));
	out->charset = "US-ASCII";
	for (size_t i = 0; i < COO_ARRAY_LEN(which); i++) {
		coo_span name = coo_peer_name(peers, peer, which[i]);
		coo_err e = decode(t, name, &hint, scratch, into[i], &res);

		if (e != COO_OK)
			return e;
		if (coo_span_has_high(name))
			out->charset = res.charset;
	}
	if (strcmp(out->charset, "US-ASCII") == 0)
		out->charset = charset_before(t, peer);
	if (peer->has_utf8)
		out->charset = "UTF-8";
	else if (coo_client_is_gbk((coo_client)peer->client))
		out->charset = "GBK";
	out->client = (coo_client)peer->client;
	out->addr = peer->n_addrs ? peer->addr : coo_addr_v4(0, 0, 0, 0, 0);
	out->known = peer->announced;
	out->absent = peer->absent;
	out->last_heard = peer->last_heard;
	return COO_OK;
}

/* A stranger is what its packet says. */
static coo_err view_of_packet(coo_text *t, const coo_event *ev, const coo_text_hint *hint,
			      coo_buf *scratch, coo_peer_view *out)
{
	coo_text_result res;
	coo_err e;

	memset(out, 0, sizeof(*out));
	out->client = coo_client_of(ev->packet.version);
	e = decode(t, ev->packet.user, hint, scratch, &out->user, &res);
	if (e == COO_OK) {
		out->charset = res.charset;
		e = decode(t, ev->packet.host, hint, scratch, &out->host, &res);
	}
	if (e == COO_OK)
		e = decode(t, ev->packet.version, hint, scratch, &out->version, &res);
	return e;
}

static coo_err view_of_sender(coo_text *t, const coo_peers *peers, const coo_event *ev,
			      const coo_text_hint *hint, coo_buf *scratch, coo_peer_view *out)
{
	coo_err e = ev->peer && ev->peer->used ? coo_peer_view_of(t, peers, ev->peer, scratch, out)
					       : view_of_packet(t, ev, hint, scratch, out);

	out->addr = ev->rx.from;
	return e;
}

coo_err coo_message_of(coo_text *t, const coo_peers *peers, const coo_event *ev, coo_buf *scratch,
		       coo_message *out)
{
	const coo_packet *p = &ev->packet;
	coo_text_hint hint = coo_hint_of_peer(peers, ev->peer);
	coo_text_result res = { "US-ASCII", 0 };
	coo_span body = coo_span_none();
	coo_err e;

	memset(out, 0, sizeof(*out));
	hint.client = coo_client_of(p->version);
	hint.utf8_flag = coo_packet_has(p, COO_OPT_UTF8);
	e = view_of_sender(t, peers, ev, &hint, scratch, &out->from);
	out->packet_no = p->packet_no;
	out->command = p->command;
	out->broadcast = coo_packet_has(p, COO_OPT_BROADCAST) || ev->rx.was_broadcast;
	out->sealed = coo_packet_has(p, COO_OPT_SECRET);
	out->encrypted = coo_packet_has(p, COO_OPT_ENCRYPT);
	out->automatic = coo_packet_has(p, COO_OPT_AUTORET);
	if (e == COO_OK && !out->encrypted)
		e = decode(t, coo_packet_text(p), &hint, scratch, &body, &res);
	out->charset = res.charset;
	out->replaced = res.replaced;
	coo_font_split(body, &out->text, &out->font);
	return e;
}
