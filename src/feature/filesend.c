/* SPDX-License-Identifier: MIT */
#include "feature/filesend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "feature/filesend_int.h"

#define TICK_MS 100
#define BACKLOG 64
#define ACCEPTS_A_TURN 16

/* Open at once; a message to everybody in a large office needs so many. */
#define MAX_OFFERS 16384

void coo_filesend_handle_closed(struct coo_filesend *s)
{
	if (--s->n_handles == 0 && s->closing)
		free(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
	coo_filesend_handle_closed(handle->data);
}

/* Offers that are over keep their place while a connection serves them. */
static void drop_dead_offers(struct coo_filesend *s, coo_time now)
{
	struct coo_offer **at = &s->offers;

	while (*at) {
		struct coo_offer *o = *at;

		if (o->conns == 0 && (o->released || now >= o->expires)) {
			*at = o->next;
			s->n_offers--;
			coo_offer_free(o);
		} else {
			at = &o->next;
		}
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct coo_filesend *s = timer->data;
	coo_time now = coo_clock_now();

	for (struct coo_sendconn *c = s->conns, *next; c; c = next) {
		next = c->next;
		coo_sendconn_tick(c, now);
	}
	drop_dead_offers(s, now);
	if (s->n_conns == 0)
		uv_timer_stop(timer);
}

void coo_filesend_forget(struct coo_filesend *s, struct coo_sendconn *c)
{
	struct coo_sendconn **at = &s->conns;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at) {
		*at = c->next;
		s->n_conns--;
	}
	if (c->offer)
		c->offer->conns--;
	c->offer = NULL;
}

coo_err coo_filesend_open(const coo_filesend_opts *opts, coo_filesend **out)
{
	struct coo_filesend *s = calloc(1, sizeof(*s));

	if (!s)
		return COO_ENOMEM;
	s->opts = *opts;
	if (!s->opts.max_conns)
		s->opts.max_conns = 64;
	if (!s->opts.max_per_peer)
		s->opts.max_per_peer = 8;
	if (!s->opts.request_timeout)
		s->opts.request_timeout = COO_SEC(10);
	if (!s->opts.idle_timeout)
		s->opts.idle_timeout = COO_SEC(120);
	if (uv_timer_init(opts->loop, &s->timer) != 0) {
		free(s);
		return COO_ESYS;
	}
	s->timer.data = s;
	s->n_handles = 1;
	*out = s;
	return COO_OK;
}

void coo_filesend_close(coo_filesend *s)
{
	if (!s || s->closing)
		return;
	s->closing = true;
	while (s->conns)
		coo_sendconn_stop(s->conns, COO_FILESEND_FAILED, NULL);
	while (s->offers) {
		struct coo_offer *o = s->offers;

		s->offers = o->next;
		coo_offer_free(o);
	}
	for (size_t i = 0; i < s->n_listeners; i++) {
		uv_close((uv_handle_t *)&s->listeners[i].poll, on_handle_closed);
		close(s->listeners[i].fd);
	}
	uv_close((uv_handle_t *)&s->timer, on_handle_closed);
}

static void refuse_conn(struct coo_filesend *s, int fd, const coo_addr *peer)
{
	coo_filesend_event ev;

	close(fd);
	memset(&ev, 0, sizeof(ev));
	ev.what = COO_FILESEND_REFUSED;
	ev.peer = *peer;
	ev.why = "has too many connections";
	if (s->opts.on_event)
		s->opts.on_event(s->opts.user, &ev);
}

static unsigned conns_of(const struct coo_filesend *s, const coo_addr *peer)
{
	unsigned n = 0;

	for (const struct coo_sendconn *c = s->conns; c; c = c->next)
		n += coo_addr_eq_ip(&c->peer, peer);
	return n;
}

static bool accept_one(struct coo_filesend *s, int listener)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	coo_addr peer;
	int fd = accept4(listener, (struct sockaddr *)&ss, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	if (!coo_addr_from_sockaddr((struct sockaddr *)&ss, &peer))
		close(fd);
	else if (s->n_conns >= s->opts.max_conns || conns_of(s, &peer) >= s->opts.max_per_peer)
		refuse_conn(s, fd, &peer);
	else
		coo_sendconn_start(s, fd, &peer);
	return true;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct coo_filesend *s = poll->data;

	(void)events;
	if (status < 0)
		return;
	for (size_t i = 0; i < s->n_listeners; i++) {
		if (&s->listeners[i].poll != poll)
			continue;
		for (unsigned k = 0; k < ACCEPTS_A_TURN && accept_one(s, s->listeners[i].fd);)
			k++;
	}
	if (s->n_conns > 0 && !uv_is_active((uv_handle_t *)&s->timer))
		coo_ignore(uv_timer_start(&s->timer, on_tick, TICK_MS, TICK_MS) != 0);
}

static int open_listener(const coo_addr *at, coo_addr *bound)
{
	struct sockaddr_storage ss;
	socklen_t n = coo_addr_to_sockaddr(at, &ss);
	int one = 1, saved;
	int fd = socket(at->family == 6 ? AF_INET6 : AF_INET,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	coo_ignore(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0);
	if (at->family == 6)
		coo_ignore(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0);
	if (bind(fd, (struct sockaddr *)&ss, n) == 0 && listen(fd, BACKLOG) == 0) {
		n = sizeof(ss);
		if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0 &&
		    coo_addr_from_sockaddr((struct sockaddr *)&ss, bound))
			return fd;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

coo_err coo_filesend_listen(coo_filesend *s, const coo_addr *at, coo_addr *bound)
{
	size_t i = s->n_listeners;
	int fd;

	if (i == COO_SEND_LISTENERS)
		return COO_EFULL;
	fd = open_listener(at, bound);
	if (fd < 0)
		return COO_ESYS;
	if (uv_poll_init_socket(s->opts.loop, &s->listeners[i].poll, fd) != 0) {
		close(fd);
		errno = ENOMEM;
		return COO_ESYS;
	}
	s->listeners[i].poll.data = s;
	s->listeners[i].fd = fd;
	s->n_listeners++;
	s->n_handles++;
	coo_ignore(uv_poll_start(&s->listeners[i].poll, UV_READABLE, on_listener) != 0);
	return COO_OK;
}

coo_err coo_filesend_offer(coo_filesend *s, uint64_t packet, coo_fileset *set,
			   const coo_filesend_to *to)
{
	struct coo_offer *o;

	drop_dead_offers(s, coo_clock_now());
	if (s->n_offers == MAX_OFFERS)
		return COO_EFULL;
	o = coo_offer_new(packet, set, to);
	if (!o)
		return COO_ENOMEM;
	s->n_offers++;
	o->next = s->offers;
	s->offers = o;
	return COO_OK;
}

bool coo_filesend_release(coo_filesend *s, uint64_t packet, const coo_addr *from, bool *complete)
{
	bool found = false;

	for (struct coo_offer *o = s->offers; o; o = o->next) {
		if (o->packet != packet || o->released || !coo_addr_eq_ip(&o->addr, from))
			continue;
		*complete = coo_offer_complete(o);
		o->released = found = true;
	}
	drop_dead_offers(s, coo_clock_now());
	return found;
}

size_t coo_filesend_pending(const coo_filesend *s)
{
	coo_time now = coo_clock_now();
	size_t n = 0;

	for (const struct coo_offer *o = s->offers; o; o = o->next)
		n += !o->released && now < o->expires && !coo_offer_complete(o);
	return n;
}

size_t coo_filesend_active(const coo_filesend *s)
{
	return s->n_conns;
}
