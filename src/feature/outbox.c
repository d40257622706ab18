/* SPDX-License-Identifier: MIT */
#include "feature/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "feature/message.h"
#include "proto/utf8.h"

enum { PACE_MS = 10, PACE_MESSAGES = 10 };

struct target {
	coo_outbox_result r;
	size_t offset; /* where the next part begins */
	size_t part;   /* length of the part under way */
	bool finished;
};

struct coo_outbox {
	coo_outbox_cfg cfg;
	struct target *v;
	size_t n, cap, started, pending;
	uint8_t *scratch; /* one encoded part */
	uint8_t *sample;  /* text and names together, where there are files */
	size_t scratch_cap;
	uv_timer_t *pace;
	unsigned budget;
	bool started_once;
};

coo_err coo_outbox_new(const coo_outbox_cfg *cfg, coo_outbox **out)
{
	coo_outbox *o = calloc(1, sizeof(*o));

	if (!o)
		return COO_ENOMEM;
	o->cfg = *cfg;
	o->scratch_cap = cfg->utf8.n * 4 + 16 + cfg->room;
	o->scratch = malloc(o->scratch_cap);
	o->budget = PACE_MESSAGES;
	if (cfg->put)
		o->sample = malloc(cfg->utf8.n + cfg->names.n + 1);
	if (!o->scratch || (cfg->put && !o->sample)) {
		coo_outbox_free(o);
		return COO_ENOMEM;
	}
	*out = o;
	return COO_OK;
}

static void on_pace_closed(uv_handle_t *h)
{
	free(h);
}

void coo_outbox_free(coo_outbox *o)
{
	if (!o)
		return;
	if (o->pace)
		uv_close((uv_handle_t *)o->pace, on_pace_closed);
	free(o->scratch);
	free(o->sample);
	free(o->v);
	free(o);
}

coo_err coo_outbox_add(coo_outbox *o, const coo_addr *to)
{
	struct target *t;

	if (o->n == o->cap) {
		size_t cap = o->cap ? o->cap * 2 : 16;
		void *v = realloc(o->v, cap * sizeof(*o->v));

		if (!v)
			return COO_ENOMEM;
		o->v = v;
		o->cap = cap;
	}
	t = &o->v[o->n];
	memset(t, 0, sizeof(*t));
	t->r.index = o->n++;
	t->r.to = *to;
	o->pending++;
	return COO_OK;
}

size_t coo_outbox_pending(const coo_outbox *o)
{
	return o->pending;
}

struct encoded {
	coo_buf ext;
	bool utf8;
	size_t lost;
	const char *charset;
	coo_text_plan plan; /* where there are files */
};

/* Text, NUL and list of files, all in the charset that suits both. */
static coo_err encode_with_files(coo_outbox *o, const coo_text_hint *hint, bool has_utf8,
				 coo_span text, struct encoded *e)
{
	coo_buf sample;
	coo_err err;

	coo_buf_init(&sample, o->sample, o->cfg.utf8.n + o->cfg.names.n);
	coo_buf_put(&sample, text);
	coo_buf_put(&sample, o->cfg.names);
	err = coo_text_choose(o->cfg.text, coo_buf_span(&sample), hint, has_utf8, o->cfg.charset,
			      &e->plan);
	if (err != COO_OK)
		return err;
	e->utf8 = e->plan.utf8_opt;
	e->charset = e->plan.charset;
	err = coo_text_put(&e->plan, text, &e->ext, &e->lost);
	coo_buf_put_byte(&e->ext, 0);
	if (err == COO_OK)
		err = o->cfg.put(o->cfg.put_user, &e->plan, &e->ext, &e->lost);
	return err;
}

/* Encodes text for one target, with the NUL that ends it (PROTOCOL.md 2: 5.8.2 needs it). */
static coo_err encode(coo_outbox *o, const coo_addr *to, coo_span text, struct encoded *e)
{
	const coo_peers *peers = coo_node_peers(coo_driver_node(o->cfg.driver));
	const coo_peer *peer = coo_peers_at(peers, to);
	coo_text_hint hint = coo_hint_of_peer(peers, peer);
	coo_err err;

	memset(e, 0, sizeof(*e));
	coo_buf_init(&e->ext, o->scratch, o->scratch_cap);
	if (o->cfg.put)
		return encode_with_files(o, peer ? &hint : NULL, peer && peer->has_utf8, text, e);
	err = coo_text_encode(o->cfg.text, text, peer ? &hint : NULL, peer && peer->has_utf8,
			      o->cfg.charset, &e->ext, &e->utf8, &e->lost, &e->charset);
	coo_buf_put_byte(&e->ext, 0);
	return err;
}

static size_t room_for(const coo_outbox *o, bool utf8)
{
	return coo_node_room(coo_driver_node(o->cfg.driver), utf8 ? COO_OPT_UTF8 : 0,
			     o->cfg.max_packet);
}

/* The length of the first character of text. */
static size_t one_character(coo_span text)
{
	uint32_t cp;

	return coo_utf8_next(text, &cp);
}

/*
 * Encodes as much of text as fits one datagram; *used tells how much that was. GB18030 takes four
 * bytes where UTF-8 takes three and nothing takes more than that, so three quarters of the room
 * always fit; the rest is filled up step by step, the end of it character by character.
 */
static coo_err encode_fitting(coo_outbox *o, const coo_addr *to, coo_span text, struct encoded *e,
			      size_t *used)
{
	size_t room, next, best = 0;
	coo_err err = COO_OK;

	*used = text.n;
	memset(e, 0, sizeof(*e));
	/* four bytes of UTF-8 become one at least: what is longer is not tried as a whole, which
	 * would convert a long text anew for each of its parts */
	if (o->cfg.put || text.n / 4 <= o->cfg.max_packet) {
		err = encode(o, to, text, e);
		if (err != COO_OK || e->ext.n <= room_for(o, e->utf8))
			return err;
	}
	room = room_for(o, e->utf8);
	next = coo_utf8_truncate(text, room > 1 ? (room - 1) / 4 * 3 : 0);
	while (next > best) {
		size_t left;

		err = encode(o, to, coo_span_head(text, next), e);
		room = room_for(o, e->utf8);
		if (err != COO_OK || e->ext.n > room)
			break;
		best = next;
		left = (room - e->ext.n) / 4 * 3;
		next = coo_utf8_truncate(text, best + left);
		if (next == best)
			next += one_character(coo_span_skip(text, best));
	}
	*used = best;
	if (err == COO_OK && best > 0)
		err = encode(o, to, coo_span_head(text, best), e);
	return err != COO_OK || best > 0 ? err : COO_EMSGSIZE;
}

coo_err coo_outbox_check(coo_outbox *o, size_t *fits)
{
	coo_addr nobody;
	struct encoded e;
	coo_err err;

	memset(&nobody, 0, sizeof(nobody));
	err = encode_fitting(o, o->n ? &o->v[0].r.to : &nobody, o->cfg.utf8, &e, fits);
	if (err != COO_OK)
		return err;
	return *fits < o->cfg.utf8.n && !o->cfg.split ? COO_EMSGSIZE : COO_OK;
}

static void finish(coo_outbox *o, struct target *t, enum coo_delivery delivery)
{
	if (t->finished)
		return;
	t->finished = true;
	t->r.delivery = delivery;
	o->pending--;
	o->cfg.on_result(o->cfg.user, &t->r);
}

/* Sends the next part of a target's text. COO_EFULL: later. */
static coo_err send_part(coo_outbox *o, struct target *t)
{
	coo_driver *d = o->cfg.driver;
	struct encoded e;
	coo_send s;
	coo_err err =
	    encode_fitting(o, &t->r.to, coo_span_skip(o->cfg.utf8, t->offset), &e, &t->part);

	if (err != COO_OK)
		return err;
	memset(&s, 0, sizeof(s));
	s.token = t->r.index + 1;
	s.to = t->r.to;
	s.broadcast = t->r.to.family == 0;
	s.options = o->cfg.options | (e.utf8 ? COO_OPT_UTF8 : 0);
	s.ext = coo_buf_span(&e.ext);
	s.attempts = o->cfg.attempts;
	s.wait = o->cfg.wait;
	s.want_read = o->cfg.want_read;
	err = coo_node_send(coo_driver_node(d), &s, coo_driver_now(d), &t->r.packet_no);
	if (err != COO_OK)
		return err;
	t->r.charset = e.charset;
	t->r.lost += e.lost;
	t->r.parts++;
	if (o->cfg.on_sent)
		o->cfg.on_sent(o->cfg.put_user, &t->r, &e.plan);
	return COO_OK;
}

static bool may_start(coo_outbox *o, const coo_addr *to)
{
	if (coo_addr_is_loopback(to))
		return true;
	if (o->budget == 0)
		return false;
	o->budget--;
	return true;
}

static void start_more(coo_outbox *o)
{
	while (o->started < o->n && may_start(o, &o->v[o->started].r.to)) {
		struct target *t = &o->v[o->started];
		coo_err err = send_part(o, t);

		if (err == COO_EFULL)
			return;
		o->started++;
		if (err != COO_OK) {
			t->r.error = 0;
			finish(o, t, COO_DELIVERY_ERROR);
		}
	}
}

static void on_pace(uv_timer_t *timer)
{
	coo_outbox *o = timer->data;

	o->budget = PACE_MESSAGES;
	start_more(o);
	if (o->started == o->n)
		uv_timer_stop(timer);
	coo_driver_kick(o->cfg.driver);
}

void coo_outbox_start(coo_outbox *o)
{
	start_more(o);
	if (o->started < o->n && (o->pace = calloc(1, sizeof(*o->pace))) != NULL) {
		uv_timer_init(coo_driver_loop(o->cfg.driver), o->pace);
		o->pace->data = o;
		uv_timer_start(o->pace, on_pace, PACE_MS, PACE_MS);
	}
	coo_driver_kick(o->cfg.driver);
}

static enum coo_delivery delivery_of(const coo_rtx_entry *e)
{
	switch ((enum coo_rtx_result)e->result) {
	case COO_RTX_ACKED:
		return e->want_read ? COO_DELIVERY_UNREAD : COO_DELIVERY_ACKED;
	case COO_RTX_READ:
		return COO_DELIVERY_READ;
	case COO_RTX_SENT:
		return COO_DELIVERY_SENT;
	case COO_RTX_TIMEOUT:
		return COO_DELIVERY_TIMEOUT;
	case COO_RTX_FAILED:
		break;
	}
	return COO_DELIVERY_ERROR;
}

static bool arrived(enum coo_delivery d)
{
	return d == COO_DELIVERY_ACKED || d == COO_DELIVERY_READ || d == COO_DELIVERY_SENT;
}

void coo_outbox_on_event(coo_outbox *o, const coo_event *ev)
{
	const coo_rtx_entry *e = &ev->result;
	enum coo_delivery delivery;
	struct target *t;

	if (ev->type != COO_EV_RESULT || e->token == 0 || e->token > o->n)
		return;
	t = &o->v[e->token - 1];
	if (t->finished || t->r.packet_no != e->packet_no)
		return;
	delivery = delivery_of(e);
	t->r.error = e->error;
	t->r.rtt = e->acked_at ? e->acked_at - e->first_sent : 0;
	if (e->attempts > t->r.attempts)
		t->r.attempts = e->attempts;
	t->offset += t->part;
	if (arrived(delivery) && t->offset < o->cfg.utf8.n) {
		if (send_part(o, t) == COO_OK)
			return;
		delivery = COO_DELIVERY_ERROR;
	}
	finish(o, t, delivery);
	start_more(o);
}
