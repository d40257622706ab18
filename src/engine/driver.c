/* SPDX-License-Identifier: MIT */
#include "engine/driver_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"

static void on_poll(uv_poll_t *poll, int status, int events);

/* --- opening
 * ---------------------------------------------------------------------------------------- */

static coo_err add_socket(coo_driver *d, const coo_addr *bind, bool reuse)
{
	coo_driver_socket *s = &d->sockets[d->n_sockets];
	coo_udp_opts opts;
	coo_err e;

	if (d->n_sockets == MAX_SOCKETS)
		return COO_OK;
	memset(&opts, 0, sizeof(opts));
	opts.bind = *bind;
	opts.want_dst = true;
	opts.reuse_addr = reuse;
	opts.sndbuf = SNDBUF;
	e = coo_udp_open(&opts, &s->udp);
	if (e != COO_OK)
		return e;
	s->driver = d;
	uv_poll_init(d->loop, &s->poll, coo_udp_fd(s->udp));
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_poll);
	d->handles++;
	d->n_sockets++;
	return COO_OK;
}

/* All addresses: one socket a family. IPv6 may be missing on this system, IPv4 may not. */
static coo_err open_any(coo_driver *d)
{
	coo_addr any;
	coo_err e;

	memset(&any, 0, sizeof(any));
	any.family = 4;
	any.port = d->cfg.port;
	e = add_socket(d, &any, false);
	if (e != COO_OK)
		return e;
	any.family = 6;
	any.port = coo_udp_local(d->sockets[0].udp).port;
	if (add_socket(d, &any, false) != COO_OK)
		coo_log(COO_LOG_INFO, "IPv6 is not used: %s", strerror(errno));
	return COO_OK;
}

/*
 * A socket bound to one address hears no broadcast, so the broadcast addresses of its network get
 * sockets of their own, which only listen.
 */
static void open_broadcast_ears(coo_driver *d, uint16_t port)
{
	coo_addr all = coo_addr_v4(255, 255, 255, 255, port);

	for (size_t i = 0; i < d->netifs.n; i++) {
		coo_addr b = d->netifs.v[i].broadcast;

		if (!b.family || !coo_addr_eq_ip(&d->netifs.v[i].addr, &d->cfg.bind))
			continue;
		b.port = port;
		if (add_socket(d, &b, true) != COO_OK || add_socket(d, &all, true) != COO_OK)
			coo_log(COO_LOG_WARN, "broadcasts will not be heard: %s", strerror(errno));
		return;
	}
}

static coo_err open_sockets(coo_driver *d)
{
	coo_addr bind = d->cfg.bind;
	coo_err e;

	if (!bind.family)
		return open_any(d);
	bind.port = d->cfg.port;
	e = add_socket(d, &bind, false);
	if (e == COO_OK && bind.family == 4 && !coo_addr_is_any(&bind))
		open_broadcast_ears(d, coo_udp_local(d->sockets[0].udp).port);
	return e;
}

static coo_err open_node(coo_driver *d)
{
	size_t size = coo_node_size(&d->cfg.node);

	d->node_mem = calloc(1, size);
	d->out = malloc(OUT_BYTES);
	if (!d->node_mem || !d->out)
		return COO_ENOMEM;
	return coo_node_init(&d->node, &d->cfg.node, d->node_mem, size);
}

/* The IPv6 groups of the places that announcements go to: who speaks there has to listen there. */
static void join_groups(coo_driver *d)
{
	for (size_t i = 0; i < d->reach.n; i++) {
		const coo_dgram *g = &d->reach.v[i];
		coo_driver_socket *s =
		    g->peer.family == 6 ? coo_driver_socket_for(d, &g->peer) : NULL;

		if (s)
			coo_ignore(coo_udp_join(s->udp, &g->peer, g->ifindex)); /* again: no harm */
	}
}

/* A new place to speak to is told that we are here; one that is gone needs nothing. */
static void on_interfaces(void *user)
{
	coo_driver *d = user;
	coo_netifs now;
	coo_reach reach;
	bool is_new;

	if (d->closing || coo_netifs_read(d->cfg.names, d->cfg.n_names, &now, NULL) != COO_OK)
		return;
	coo_netifs_free(&d->netifs);
	d->netifs = now;
	coo_reach_find(&reach, &d->netifs, &d->cfg.bind);
	is_new = coo_reach_has_more(&reach, &d->reach);
	d->reach = reach;
	join_groups(d);
	coo_log(COO_LOG_INFO, "the interfaces changed; announcements go to %zu addresses", reach.n);
	if (is_new && coo_node_is_announced(d->node))
		coo_node_announce(d->node, coo_clock_now());
	coo_driver_kick(d);
}

coo_err coo_driver_open(uv_loop_t *loop, const coo_driver_cfg *cfg, coo_driver **out,
			const char **bad)
{
	coo_driver *d = calloc(1, sizeof(*d));
	const char *unknown = NULL;
	coo_err e;
	int saved;

	if (!d)
		return COO_ENOMEM;
	d->cfg = *cfg;
	d->loop = loop;
	uv_timer_init(loop, &d->timer);
	d->timer.data = d;
	d->handles = 1;
	coo_offlink_init(&d->offlink, &cfg->offlink, &cfg->node);
	e = coo_netifs_read(cfg->names, cfg->n_names, &d->netifs, &unknown);
	if (bad)
		*bad = unknown;
	if (e == COO_OK)
		e = open_node(d);
	if (e == COO_OK)
		e = open_sockets(d);
	if (e != COO_OK) {
		saved = errno;
		coo_driver_close(d);
		errno = saved;
		return e;
	}
	if (!cfg->no_broadcast) {
		coo_reach_find(&d->reach, &d->netifs, &cfg->bind);
		join_groups(d);
		if (coo_netwatch_open(loop, on_interfaces, d, &d->watch) != COO_OK)
			coo_log(COO_LOG_INFO, "changes of interfaces will not be noticed");
	}
	*out = d;
	return COO_OK;
}

/* --- closing
 * ---------------------------------------------------------------------------------------- */

static void free_driver(coo_driver *d)
{
	for (size_t i = 0; i < d->n_sockets; i++)
		coo_udp_close(d->sockets[i].udp);
	coo_netifs_free(&d->netifs);
	free(d->node_mem);
	free(d->out);
	free(d);
}

static void one_closed(coo_driver *d)
{
	if (--d->handles == 0)
		free_driver(d);
}

static void on_poll_closed(uv_handle_t *h)
{
	one_closed(((coo_driver_socket *)h->data)->driver);
}

static void on_timer_closed(uv_handle_t *h)
{
	one_closed(h->data);
}

void coo_driver_close(coo_driver *d)
{
	if (!d || d->closing)
		return;
	d->closing = true;
	coo_netwatch_close(d->watch);
	for (size_t i = 0; i < d->n_sockets; i++)
		uv_close((uv_handle_t *)&d->sockets[i].poll, on_poll_closed);
	uv_close((uv_handle_t *)&d->timer, on_timer_closed);
}

void coo_driver_watch(coo_driver_socket *s, bool write)
{
	if (s->want_write == write)
		return;
	s->want_write = write;
	uv_poll_start(&s->poll, UV_READABLE | (write ? UV_WRITABLE : 0), on_poll);
}

/* --- the turn
 * --------------------------------------------------------------------------------------- */

static void drain_events(coo_driver *d)
{
	coo_event ev;

	while (coo_node_next_event(d->node, &ev)) {
		if (d->cfg.on_event)
			d->cfg.on_event(d->cfg.user, &ev);
	}
}

static void on_timer(uv_timer_t *timer);

/* libuv counts whole milliseconds: rounded up, or the loop would spin until the time has come. */
static void set_timer(coo_driver *d)
{
	coo_time deadline = coo_node_deadline(d->node), now = coo_clock_now();
	uint64_t ms = deadline > now ? (deadline - now + COO_MS(1) - 1) / COO_MS(1) : 0;

	if (d->closing)
		return;
	uv_update_time(d->loop);
	if (deadline == COO_NEVER || d->n_queue > 0)
		uv_timer_stop(&d->timer);
	else
		uv_timer_start(&d->timer, on_timer, ms, 0);
}

static void finish_turn(coo_driver *d)
{
	coo_time now = coo_clock_now();

	coo_node_tick(d->node, now);
	drain_events(d);
	coo_driver_send_all(d, now);
	drain_events(d);
	set_timer(d);
	if (d->cfg.on_turn)
		d->cfg.on_turn(d->cfg.user);
}

static void on_timer(uv_timer_t *timer)
{
	finish_turn(timer->data);
}

static bool is_wanted(const coo_driver *d, uint32_t ifindex)
{
	if (d->cfg.n_names == 0 || ifindex == 0)
		return true;
	for (size_t i = 0; i < d->netifs.n; i++) {
		if (d->netifs.v[i].index == ifindex)
			return d->netifs.v[i].use != COO_NETIF_NOT_NAMED;
	}
	return false;
}

/* Whether the sender has another port than we, or an address that is not of this machine. */
static bool is_foreign(const coo_driver *d, const coo_addr *from)
{
	if (from->port != coo_udp_local(d->sockets[0].udp).port)
		return true;
	for (size_t i = 0; i < d->netifs.n; i++) {
		if (coo_addr_eq_ip(&d->netifs.v[i].addr, from))
			return false;
	}
	return !coo_addr_is_loopback(from);
}

static void receive(coo_driver *d, const coo_dgram *g, coo_time now)
{
	coo_rx rx;

	if (g->truncated || g->peer.port == 0 || !is_wanted(d, g->ifindex))
		return;
	memset(&rx, 0, sizeof(rx));
	rx.from = g->peer;
	rx.local = g->local;
	rx.ifindex = g->ifindex;
	rx.was_broadcast = g->local.family && (coo_addr_is_multicast(&g->local) ||
					       coo_netifs_is_broadcast(&d->netifs, &g->local));
	rx.foreign = is_foreign(d, &g->peer);
	rx.off_link = !coo_netifs_on_link(&d->netifs, &g->peer) &&
		      !coo_offlink_admits(&d->offlink, &rx, g->data, now);
	coo_node_recv(d->node, &rx, g->data, now);
	drain_events(d);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	coo_driver_socket *s = poll->data;
	coo_driver *d = s->driver;
	const coo_dgram *g;

	(void)status;
	(void)events;
	for (unsigned turn = 0; turn < BATCHES_A_TURN && !d->closing; turn++) {
		size_t n = coo_udp_recv(s->udp, &g);
		coo_time now = coo_clock_now();

		for (size_t i = 0; i < n; i++)
			receive(d, &g[i], now);
		if (n == 0)
			break;
		coo_driver_send_all(d, now);
	}
	finish_turn(d);
}

void coo_driver_kick(coo_driver *d)
{
	finish_turn(d);
}

coo_node *coo_driver_node(coo_driver *d)
{
	return d->node;
}

uv_loop_t *coo_driver_loop(coo_driver *d)
{
	return d->loop;
}

coo_time coo_driver_now(const coo_driver *d)
{
	(void)d;
	return coo_clock_now();
}

bool coo_driver_is_full(const coo_driver *d)
{
	return d->n_queue > 0;
}

coo_addr coo_driver_local(const coo_driver *d)
{
	return coo_udp_local(d->sockets[0].udp);
}

const coo_udp_stats *coo_driver_udp_stats(const coo_driver *d)
{
	return coo_udp_get_stats(d->sockets[0].udp);
}

size_t coo_driver_rcvbuf(const coo_driver *d)
{
	return coo_udp_rcvbuf(d->sockets[0].udp);
}

const coo_netifs *coo_driver_netifs(const coo_driver *d)
{
	return &d->netifs;
}

size_t coo_driver_n_broadcast(const coo_driver *d)
{
	return d->reach.n;
}
