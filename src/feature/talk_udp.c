/* SPDX-License-Identifier: MIT */
/* The UDP side of a talk: one socket a family, sending in batches. */
#include <errno.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/clock.h"
#include "feature/talk_impl.h"

enum { NS_PER_DGRAM = 1000000000 / COO_TALK_PACE, BURST = 20 };

/* --- receiving ------------------------------------------------------------------------------- */

/* Makes room in the table of who spoke: who came first has to go. */
static void forget_oldest(coo_talk *t)
{
	coo_talk_peer *p = t->peers;

	while (p->next)
		p = p->next;
	coo_talk_drop_peer(t, p, 0);
}

static coo_talk_peer *udp_peer(coo_talk *t, const coo_addr *from)
{
	coo_talk_peer *p;

	if (t->last && coo_addr_eq(&t->last->addr, from))
		return t->last;
	p = coo_talk_find_addr(t, from);
	if (p)
		return p;
	if (t->n_peers == COO_TALK_UDP_PEERS)
		forget_oldest(t);
	p = coo_talk_add_peer(t, from, NULL);
	if (p)
		t->fns->peer_up(t->user, p);
	return p;
}

bool coo_talk_is_self(const coo_talk *t, const coo_addr *from)
{
	for (size_t i = 0; i < t->n_socks; i++) {
		const coo_addr *own = &t->socks[i].local;

		if (own->family != from->family || own->port != from->port)
			continue;
		if (coo_addr_eq_ip(own, from) ||
		    (coo_addr_is_any(own) &&
		     (coo_addr_is_loopback(from) || coo_netifs_is_own(&t->ifs, from))))
			return true;
	}
	return false;
}

/* What was sent to many is not answered: a broadcast would make everybody talk at once. */
static bool may_answer(const coo_talk *t, const coo_dgram *d)
{
	return t->cfg.reply != COO_TALK_NO_REPLY && !coo_addr_is_multicast(&d->local) &&
	       !coo_netifs_is_broadcast(&t->ifs, &d->local);
}

static void take_datagram(coo_talk *t, const coo_dgram *d)
{
	enum coo_talk_reply reply = t->cfg.reply;
	coo_talk_peer *p;

	if (t->cfg.group.family && coo_talk_is_self(t, &d->peer))
		return; /* a group hears itself */
	p = udp_peer(t, &d->peer);
	if (!p)
		return;
	t->last = p;
	p->rx++;
	p->rx_bytes += d->data.n;
	if (t->cfg.framing == COO_FRAME_NONE) {
		t->fns->frame(t->user, p, d->data, true);
		if (may_answer(t, d))
			coo_talk_answer(t, p, d->data, true);
		return;
	}
	if (!may_answer(t, d))
		t->cfg.reply = COO_TALK_NO_REPLY;
	coo_talk_take(t, p, d->data, true);
	t->cfg.reply = reply;
	/* no frame reaches from one datagram into the next */
	coo_frame_fini(&p->frame);
	coo_frame_init(&p->frame, t->cfg.framing, 0);
}

static void receive(struct coo_talk_sock *s)
{
	coo_talk *t = s->talk;
	const coo_dgram *got;
	size_t n;

	for (int round = 0; round < 4 && !t->paused && !t->closing; round++) {
		n = coo_udp_recv(s->udp, &got);
		for (size_t i = 0; i < n && !t->closing; i++)
			take_datagram(t, &got[i]);
		if (n == 0)
			break;
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct coo_talk_sock *s = poll->data;

	(void)status;
	if (events & UV_WRITABLE) {
		s->writes = false;
		coo_talk_udp_flush(s->talk);
	}
	if (events & UV_READABLE || status != 0)
		receive(s);
	coo_talk_udp_watch(s->talk);
}

void coo_talk_udp_watch(coo_talk *t)
{
	for (size_t i = 0; i < t->n_socks && !t->closing; i++) {
		struct coo_talk_sock *s = &t->socks[i];
		int events = (t->paused ? 0 : UV_READABLE) | (s->writes ? UV_WRITABLE : 0);

		if (events)
			coo_ignore(uv_poll_start(&s->poll, events, on_poll));
		else
			coo_ignore(uv_poll_stop(&s->poll));
	}
}

/* --- sending --------------------------------------------------------------------------------- */

static struct coo_talk_sock *sock_for(coo_talk *t, const coo_addr *to)
{
	for (size_t i = 0; i < t->n_socks; i++) {
		if (t->socks[i].local.family == to->family)
			return &t->socks[i];
	}
	return NULL;
}

static bool is_paced(const coo_talk *t, const coo_dgram *d)
{
	return !t->cfg.flood && !coo_addr_is_loopback(&d->peer);
}

static void earn_credit(coo_talk *t)
{
	coo_time now = coo_clock_now();

	t->credit += now - t->paced_at;
	t->paced_at = now;
	if (t->credit > (uint64_t)BURST * NS_PER_DGRAM)
		t->credit = (uint64_t)BURST * NS_PER_DGRAM;
}

/* How many from the front may go now to one socket. */
static size_t allowed(coo_talk *t, const struct coo_talk_sock *s)
{
	uint64_t credit = t->credit;
	size_t n = 0;

	while (n < t->n_batch && sock_for(t, &t->batch[n].peer) == s) {
		if (is_paced(t, &t->batch[n])) {
			if (credit < NS_PER_DGRAM)
				break;
			credit -= NS_PER_DGRAM;
		}
		n++;
	}
	return n;
}

static void count_sent(coo_talk *t, size_t n, const int *failed)
{
	for (size_t i = 0; i < n; i++) {
		if (is_paced(t, &t->batch[i]))
			t->credit -= NS_PER_DGRAM;
		if (failed[i])
			t->fns->send_failed(t->user, &t->batch[i].peer, failed[i]);
	}
	t->n_batch -= n;
	memmove(t->batch, t->batch + n, t->n_batch * sizeof(t->batch[0]));
	if (t->n_batch == 0)
		t->arena_n = 0;
}

static void on_pace(uv_timer_t *timer)
{
	coo_talk *t = timer->data;

	coo_talk_udp_flush(t);
	coo_talk_udp_watch(t);
}

/* Sends what is allowed now; tells nobody that there is room again. */
static void flush(coo_talk *t)
{
	while (t->n_batch > 0) {
		struct coo_talk_sock *s = sock_for(t, &t->batch[0].peer);
		int failed[COO_TALK_BATCH];
		size_t n, sent;

		earn_credit(t);
		n = allowed(t, s);
		if (n == 0) {
			coo_ignore(uv_timer_start(&t->pace, on_pace, 2, 0));
			break;
		}
		sent = coo_udp_send(s->udp, t->batch, n, failed);
		count_sent(t, sent, failed);
		if (sent < n) {
			s->writes = true;
			break;
		}
	}
}

void coo_talk_udp_flush(coo_talk *t)
{
	flush(t);
	coo_talk_check_drained(t);
}

static void on_prepare(uv_prepare_t *prepare)
{
	coo_talk *t = prepare->data;

	if (t->n_batch == 0 || uv_is_active((uv_handle_t *)&t->pace))
		return;
	coo_talk_udp_flush(t);
	flush(t); /* what whoever was told of the room has put there */
	coo_talk_udp_watch(t);
}

static bool has_room(const coo_talk *t, size_t n)
{
	return t->n_batch < COO_TALK_BATCH && n <= COO_TALK_ARENA - t->arena_n;
}

bool coo_talk_udp_busy(const coo_talk *t)
{
	return !has_room(t, COO_TALK_MAX_DATAGRAM);
}

coo_err coo_talk_udp_put(coo_talk *t, const coo_addr *to, coo_span wire)
{
	coo_dgram *d;

	if (wire.n > COO_TALK_MAX_DATAGRAM)
		return COO_EMSGSIZE;
	if (!sock_for(t, to)) {
		t->fns->send_failed(t->user, to, EAFNOSUPPORT);
		return COO_ENOENT;
	}
	if (!has_room(t, wire.n)) {
		t->was_busy = true;
		return COO_EFULL;
	}
	d = &t->batch[t->n_batch++];
	memset(d, 0, sizeof(*d));
	d->peer = *to;
	d->ifindex = coo_addr_is_multicast(to) ? t->cfg.ifindex : 0;
	if (wire.n)
		memcpy(t->arena + t->arena_n, wire.p, wire.n);
	d->data = coo_span_of(t->arena + t->arena_n, wire.n);
	t->arena_n += wire.n;
	if (!has_room(t, COO_TALK_MAX_DATAGRAM))
		flush(t);
	if (!has_room(t, COO_TALK_MAX_DATAGRAM)) {
		t->was_busy = true;
		coo_talk_udp_watch(t); /* for room, where the socket is full */
	}
	return COO_OK;
}

/* --- opening --------------------------------------------------------------------------------- */

static coo_err open_sock(coo_talk *t, const coo_addr *bind)
{
	struct coo_talk_sock *s = &t->socks[t->n_socks];
	coo_udp_opts o = {
		.bind = *bind,
		.device = t->cfg.device,
		.reuse_addr = t->cfg.group.family != 0,
		.reuse_port = t->cfg.reuse_port,
		.want_dst = t->cfg.reply != COO_TALK_NO_REPLY,
		.batch = COO_TALK_BATCH,
	};
	coo_err e = coo_udp_open(&o, &s->udp);

	if (e != COO_OK)
		return e;
	if (t->cfg.group.family) {
		e = coo_udp_join(s->udp, &t->cfg.group, t->cfg.ifindex);
		if (e != COO_OK) {
			int saved = errno;

			coo_udp_close(s->udp);
			errno = saved;
			return e;
		}
	}
	s->talk = t;
	s->local = coo_udp_local(s->udp);
	coo_ignore(uv_poll_init(t->loop, &s->poll, coo_udp_fd(s->udp)));
	s->poll.data = s;
	t->n_socks++;
	return COO_OK;
}

static coo_err open_socks(coo_talk *t)
{
	coo_addr at = t->cfg.bind;
	coo_err e;

	if (!t->cfg.any_family)
		return open_sock(t, &at);
	at.family = 4;
	e = open_sock(t, &at);
	if (e != COO_OK)
		return e;
	at.family = 6;
	at.port = t->socks[0].local.port;
	if (t->cfg.group.family == 0)
		coo_ignore(open_sock(t, &at)); /* a host without IPv6 talks IPv4 */
	return COO_OK;
}

coo_err coo_talk_open_udp(coo_talk *t)
{
	coo_err e;

	t->arena = malloc(COO_TALK_ARENA);
	if (!t->arena)
		return COO_ENOMEM;
	if (t->cfg.reply != COO_TALK_NO_REPLY || t->cfg.group.family) {
		e = coo_netifs_read(NULL, 0, &t->ifs, NULL);
		if (e != COO_OK)
			return e;
	}
	e = open_socks(t);
	if (e != COO_OK)
		return e;
	coo_ignore(uv_prepare_init(t->loop, &t->prepare));
	t->prepare.data = t;
	coo_ignore(uv_prepare_start(&t->prepare, on_prepare));
	uv_unref((uv_handle_t *)&t->prepare);
	coo_ignore(uv_timer_init(t->loop, &t->pace));
	t->pace.data = t;
	t->paced_at = coo_clock_now();
	t->credit = (uint64_t)BURST * NS_PER_DGRAM;
	coo_talk_udp_watch(t);
	t->fns->ready(t->user, &t->socks[0].local, NULL);
	return COO_OK;
}

static void on_poll_closed(uv_handle_t *h)
{
	struct coo_talk_sock *s = h->data;

	coo_udp_close(s->udp);
	s->udp = NULL;
}

void coo_talk_close_udp(coo_talk *t)
{
	if (t->n_socks == 0)
		return;
	if (t->n_batch > 0)
		coo_talk_udp_flush(t); /* what the pace or the socket holds back now is lost */
	for (size_t i = 0; i < t->n_socks; i++)
		uv_close((uv_handle_t *)&t->socks[i].poll, on_poll_closed);
	uv_close((uv_handle_t *)&t->prepare, NULL);
	uv_close((uv_handle_t *)&t->pace, NULL);
}
