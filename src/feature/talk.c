/* SPDX-License-Identifier: MIT */
#include "feature/talk.h"

#include <errno.h>
#include <stdlib.h>

#include "feature/talk_impl.h"

/* --- peers ----------------------------------------------------------------------------------- */

coo_talk_peer *coo_talk_add_peer(coo_talk *t, const coo_addr *addr, coo_tcp *tcp)
{
	coo_talk_peer *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->id = ++t->next_id;
	p->addr = *addr;
	p->tcp = tcp;
	coo_frame_init(&p->frame, t->cfg.framing, 0);
	p->next = t->peers;
	if (p->next)
		p->next->prev = p;
	t->peers = p;
	t->n_peers++;
	return p;
}

void coo_talk_drop_peer(coo_talk *t, coo_talk_peer *p, int err)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		t->peers = p->next;
	if (p->next)
		p->next->prev = p->prev;
	t->n_peers--;
	if (t->last == p)
		t->last = NULL;
	if (t->chosen == p->id)
		t->chosen = 0;
	t->fns->peer_down(t->user, p, err);
	coo_frame_fini(&p->frame);
	free(p);
}

coo_talk_peer *coo_talk_find(coo_talk *t, uint64_t id)
{
	coo_talk_peer *p = t->peers;

	while (p && p->id != id)
		p = p->next;
	return p;
}

coo_talk_peer *coo_talk_find_addr(coo_talk *t, const coo_addr *a)
{
	coo_talk_peer *p = t->peers;

	while (p && !coo_addr_eq(&p->addr, a))
		p = p->next;
	return p;
}

coo_talk_peer *coo_talk_peers(coo_talk *t)
{
	return t->peers;
}

size_t coo_talk_n_peers(const coo_talk *t)
{
	return t->n_peers;
}

void coo_talk_choose(coo_talk *t, const coo_talk_peer *p)
{
	t->chosen = p ? p->id : 0;
	t->chosen_addr.family = 0;
}

void coo_talk_choose_addr(coo_talk *t, const coo_addr *to)
{
	t->chosen = 0;
	t->chosen_addr = *to;
}

coo_talk_peer *coo_talk_target(coo_talk *t)
{
	if (t->chosen_addr.family)
		return coo_talk_find_addr(t, &t->chosen_addr);
	if (t->chosen)
		return coo_talk_find(t, t->chosen);
	if (t->cfg.kind == COO_TALK_CLIENT)
		return t->peers;
	return t->cfg.kind == COO_TALK_UDP && t->cfg.n_to == 0 ? t->last : NULL;
}

const coo_addr *coo_talk_target_addr(const coo_talk *t)
{
	if (t->chosen_addr.family)
		return &t->chosen_addr;
	return t->cfg.n_to == 1 ? &t->cfg.to[0] : NULL;
}

void coo_talk_kick(coo_talk *t, coo_talk_peer *p)
{
	if (p->tcp)
		coo_tcp_close(p->tcp); /* peer_down follows */
	else
		coo_talk_drop_peer(t, p, 0);
}

/* --- receiving ------------------------------------------------------------------------------- */

static void take_frame(coo_talk *t, coo_talk_peer *p, coo_span body, bool end)
{
	bool whole = !p->tcp || (t->cfg.framing != COO_FRAME_NONE && !p->frame.raw);

	t->fns->frame(t->user, p, body, whole);
	if (t->cfg.reply != COO_TALK_NO_REPLY)
		coo_talk_answer(t, p, body, whole || end);
}

void coo_talk_take(coo_talk *t, coo_talk_peer *p, coo_span bytes, bool end)
{
	coo_span body;
	coo_err e;

	while ((e = coo_frame_next(&p->frame, &bytes, &body)) != COO_EMORE) {
		if (e == COO_OK) {
			take_frame(t, p, body, false);
		} else if (e == COO_ERANGE) {
			t->fns->flaw(t->user, p, COO_TALK_ABSURD, p->frame.absurd);
		} else {
			t->fns->flaw(t->user, p, COO_TALK_NO_MEMORY, 0);
			return;
		}
	}
	if (!end)
		return;
	body = coo_frame_rest(&p->frame);
	if (body.n > 0) {
		t->fns->flaw(t->user, p, COO_TALK_UNFINISHED, body.n);
		t->fns->frame(t->user, p, body, false);
	}
}

void coo_talk_pause(coo_talk *t, bool paused)
{
	if (t->paused == paused)
		return;
	t->paused = paused;
	for (coo_talk_peer *p = t->peers; p; p = p->next) {
		if (p->tcp && paused)
			coo_tcp_pause(p->tcp);
		else if (p->tcp && !coo_tcp_is_busy(p->tcp))
			coo_tcp_resume(p->tcp);
	}
	coo_talk_udp_watch(t);
}

/* --- sending --------------------------------------------------------------------------------- */

coo_err coo_talk_frame(coo_talk *t, coo_span body, coo_span *wire)
{
	coo_buf b;
	coo_err e;

	if (t->cfg.framing == COO_FRAME_NONE) {
		*wire = body;
		return COO_OK;
	}
	if (t->scratch_cap < body.n + 4) {
		size_t cap = body.n + 4 > 4096 ? 2 * (body.n + 4) : 4096;
		uint8_t *mem = realloc(t->scratch, cap);

		if (!mem)
			return COO_ENOMEM;
		t->scratch = mem;
		t->scratch_cap = cap;
	}
	coo_buf_init(&b, t->scratch, t->scratch_cap);
	e = coo_frame_encode(t->cfg.framing, body, &b);
	*wire = coo_buf_span(&b);
	return e;
}

static coo_err write_to(coo_talk *t, coo_talk_peer *p, coo_span wire)
{
	coo_err e = p->tcp ? coo_talk_tcp_write(t, p, wire) : coo_talk_udp_put(t, &p->addr, wire);

	if (e == COO_OK) {
		p->tx++;
		p->tx_bytes += wire.n;
	}
	return e;
}

coo_err coo_talk_send_to(coo_talk *t, coo_talk_peer *p, coo_span body, bool framed)
{
	coo_span wire = body;
	coo_err e = framed ? coo_talk_frame(t, body, &wire) : COO_OK;

	return e == COO_OK ? write_to(t, p, wire) : e;
}

/* To all targets of the configuration, or all clients: done where one could take it. */
static coo_err send_to_all(coo_talk *t, coo_span wire)
{
	coo_err e = COO_ENOENT;
	bool any = false;

	if (t->cfg.kind == COO_TALK_UDP) {
		for (size_t i = 0; i < t->cfg.n_to; i++) {
			e = coo_talk_udp_put(t, &t->cfg.to[i], wire);
			any = any || e == COO_OK;
		}
	} else {
		coo_talk_peer *next;

		for (coo_talk_peer *p = t->peers; p; p = next) {
			next = p->next;
			e = write_to(t, p, wire);
			any = any || e == COO_OK;
		}
	}
	return any ? COO_OK : e;
}

coo_err coo_talk_send_raw(coo_talk *t, coo_span bytes)
{
	coo_talk_peer *p;

	if (t->chosen_addr.family)
		return coo_talk_udp_put(t, &t->chosen_addr, bytes);
	if (t->chosen) {
		p = coo_talk_find(t, t->chosen);
		return p ? write_to(t, p, bytes) : COO_ENOENT;
	}
	if (t->cfg.kind == COO_TALK_UDP && t->cfg.n_to == 0)
		return t->last ? write_to(t, t->last, bytes) : COO_ENOENT;
	return send_to_all(t, bytes);
}

coo_err coo_talk_send(coo_talk *t, coo_span body)
{
	coo_span wire;
	coo_err e = coo_talk_frame(t, body, &wire);

	return e == COO_OK ? coo_talk_send_raw(t, wire) : e;
}

/* One slow client of many is no reason to stop for all: it loses texts and is told of. */
bool coo_talk_is_busy(const coo_talk *t)
{
	if (t->cfg.kind == COO_TALK_UDP)
		return coo_talk_udp_busy(t);
	if (t->n_peers != 1)
		return false;
	return coo_tcp_is_busy(t->peers->tcp);
}

bool coo_talk_is_idle(const coo_talk *t)
{
	for (const coo_talk_peer *p = t->peers; p; p = p->next) {
		if (p->tcp && coo_tcp_queued(p->tcp) > 0)
			return false;
	}
	return t->n_batch == 0 && (!t->execs || coo_execpool_is_idle(t->execs));
}

void coo_talk_check_drained(coo_talk *t)
{
	bool was_busy = t->was_busy;

	t->was_busy = coo_talk_is_busy(t);
	if (was_busy && !t->was_busy && !t->closing)
		t->fns->drained(t->user); /* which may make it busy again */
}

void coo_talk_end(coo_talk *t)
{
	t->ended = true;
	for (coo_talk_peer *p = t->peers; p; p = p->next) {
		if (p->tcp)
			coo_tcp_end(p->tcp);
	}
}

void coo_talk_end_peer(coo_talk *t, coo_talk_peer *p)
{
	(void)t;
	if (p->tcp)
		coo_tcp_end(p->tcp);
}

/* --- opening and closing --------------------------------------------------------------------- */

coo_err coo_talk_open(uv_loop_t *loop, const coo_talk_cfg *cfg, const coo_talk_fns *fns, void *user,
		      coo_talk **out)
{
	coo_talk *t = calloc(1, sizeof(*t));
	coo_err e = COO_OK;

	if (!t)
		return COO_ENOMEM;
	t->loop = loop;
	t->cfg = *cfg;
	t->fns = fns;
	t->user = user;
	*out = t;
	if (cfg->reply == COO_TALK_EXEC)
		e = coo_execpool_new(loop, cfg->reply_argv, &t->execs);
	if (e == COO_OK && cfg->kind == COO_TALK_UDP)
		e = coo_talk_open_udp(t);
	else if (e == COO_OK && cfg->kind == COO_TALK_CLIENT)
		e = coo_talk_open_client(t);
	else if (e == COO_OK)
		e = coo_talk_open_server(t);
	if (e != COO_OK) {
		int saved = errno;

		coo_talk_free(t);
		*out = NULL;
		errno = saved;
	}
	return e;
}

void coo_talk_close(coo_talk *t)
{
	coo_talk_peer *next;

	if (t->closing)
		return;
	t->closing = true;
	if (t->execs)
		coo_execpool_close(t->execs);
	coo_talk_close_server(t);
	if (t->conn && !t->peers)
		coo_tcp_close(t->conn);
	for (coo_talk_peer *p = t->peers; p; p = next) {
		next = p->next;
		if (p->tcp)
			coo_tcp_close(p->tcp);
		else
			coo_talk_drop_peer(t, p, 0);
	}
	coo_talk_close_udp(t);
}

void coo_talk_free(coo_talk *t)
{
	if (!t)
		return;
	coo_execpool_free(t->execs);
	coo_netifs_free(&t->ifs);
	free(t->arena);
	free(t->scratch);
	free(t);
}
