/* SPDX-License-Identifier: MIT */
/* The TCP side of a talk: one connection, or a server with its clients. */
#include <errno.h>

#include "feature/talk_impl.h"

static bool connect_next(coo_talk *t);

static void on_opened(void *user, coo_tcp *c)
{
	coo_talk *t = user;
	coo_addr peer = coo_tcp_peer(c), local = coo_tcp_local(c);
	coo_talk_peer *p = coo_talk_add_peer(t, &peer, c);

	if (!p) {
		coo_tcp_close(c);
		return;
	}
	coo_tcp_set_data(c, p);
	if (t->cfg.kind == COO_TALK_SERVER)
		t->fns->peer_up(t->user, p);
	else
		t->fns->ready(t->user, &local, p);
	if (t->paused)
		coo_tcp_pause(c);
	if (t->ended)
		coo_tcp_end(c);
}

static void on_data(void *user, coo_tcp *c, coo_span bytes)
{
	coo_talk_peer *p = coo_tcp_data(c);

	p->rx++;
	p->rx_bytes += bytes.n;
	coo_talk_take(user, p, bytes, false);
}

static void on_ended(void *user, coo_tcp *c)
{
	coo_talk *t = user;
	coo_talk_peer *p = coo_tcp_data(c);

	p->ended_at = uv_now(t->loop);
	coo_talk_take(t, p, coo_span_none(), true);
	if (p->n_held > 0)
		coo_talk_answer(t, p, coo_span_none(), true);
	t->fns->peer_end(t->user, p);
	/* a server that only answers has nothing more to say to who asks nothing more */
	if (t->cfg.reply != COO_TALK_NO_REPLY && t->cfg.kind == COO_TALK_SERVER &&
	    !(t->execs && coo_execpool_has(t->execs, p->id)))
		coo_tcp_end(c);
}

static void on_drained(void *user, coo_tcp *c)
{
	coo_talk *t = user;

	if (!t->paused)
		coo_tcp_resume(c);
	coo_talk_check_drained(t);
}

static void on_closed(void *user, coo_tcp *c, int err)
{
	coo_talk *t = user;
	coo_talk_peer *p = coo_tcp_data(c);
	coo_addr to = coo_tcp_peer(c);

	if (t->conn == c)
		t->conn = NULL;
	if (p) {
		coo_talk_drop_peer(t, p, err);
		coo_talk_check_drained(t);
	} else if (!t->closing) {
		bool last = t->next_to == t->cfg.n_to;

		t->fns->unconnected(t->user, &to, err, last);
		if (!last && !t->closing && !connect_next(t))
			t->fns->unconnected(t->user, &to, errno, true);
	}
}

static const coo_tcp_fns tcp_fns = {
	.opened = on_opened,
	.data = on_data,
	.ended = on_ended,
	.drained = on_drained,
	.closed = on_closed,
};

static coo_tcp_opts tcp_opts(const coo_talk *t)
{
	const coo_tcp_opts o = {
		.bind = t->cfg.kind == COO_TALK_CLIENT ? t->cfg.bind : (coo_addr){ .family = 0 },
		.connect_timeout = t->cfg.connect_timeout,
		.keepalive = t->cfg.keepalive,
		.max_out = t->cfg.max_out,
		.read_size = t->cfg.read_size,
		.max_conns = t->cfg.max_clients,
		.reuse_port = t->cfg.reuse_port,
		.v6_only = !t->cfg.any_family,
	};

	return o;
}

static bool connect_next(coo_talk *t)
{
	coo_tcp_opts o = tcp_opts(t);
	const coo_addr *to = &t->cfg.to[t->next_to++];

	if (o.bind.family != to->family)
		o.bind.family = 0;
	return coo_tcp_connect(t->loop, to, &o, &tcp_fns, t, &t->conn) == COO_OK;
}

coo_err coo_talk_open_client(coo_talk *t)
{
	return connect_next(t) ? COO_OK : COO_ENOMEM;
}

/* Who closed its side long ago and got nothing since has most likely gone. */
static void on_grace(uv_timer_t *timer)
{
	coo_talk *t = timer->data;

	for (coo_talk_peer *p = t->peers; p; p = p->next) {
		if (p->tcp && coo_tcp_has_ended(p->tcp) &&
		    uv_now(t->loop) - p->ended_at > COO_TALK_GRACE_S * 1000)
			coo_tcp_end(p->tcp);
	}
}

void coo_talk_close_server(coo_talk *t)
{
	if (!t->server)
		return;
	coo_tcp_server_close(t->server);
	uv_close((uv_handle_t *)&t->grace, NULL);
}

coo_err coo_talk_open_server(coo_talk *t)
{
	coo_tcp_opts o = tcp_opts(t);
	coo_addr at = t->cfg.bind, local;
	coo_err e;

	if (t->cfg.any_family) { /* one socket for both, where the system knows IPv6 */
		memset(at.ip, 0, sizeof(at.ip));
		at.family = 6;
	}
	e = coo_tcp_listen(t->loop, &at, &o, &tcp_fns, t, &t->server);
	if (e == COO_ESYS && t->cfg.any_family &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		at.family = 4;
		e = coo_tcp_listen(t->loop, &at, &o, &tcp_fns, t, &t->server);
	}
	if (e != COO_OK)
		return e;
	coo_ignore(uv_timer_init(t->loop, &t->grace));
	t->grace.data = t;
	coo_ignore(uv_timer_start(&t->grace, on_grace, 1000, 1000));
	uv_unref((uv_handle_t *)&t->grace);
	local = coo_tcp_server_local(t->server);
	t->fns->ready(t->user, &local, NULL);
	return COO_OK;
}

/* A peer whose answers pile up is read no further until it has taken them: the bound of its queue
 * is kept without losing a byte, and only it waits. */
coo_err coo_talk_tcp_write(coo_talk *t, coo_talk_peer *p, coo_span wire)
{
	coo_err e = coo_tcp_send(p->tcp, wire);

	if (e == COO_EFULL) {
		p->dropped++;
		t->fns->flaw(t->user, p, COO_TALK_SLOW, p->dropped);
	}
	p->ended_at = uv_now(t->loop);
	if (e == COO_OK && coo_tcp_is_busy(p->tcp)) {
		t->was_busy = true;
		if (t->cfg.reply != COO_TALK_NO_REPLY)
			coo_tcp_pause(p->tcp);
	}
	return e;
}
