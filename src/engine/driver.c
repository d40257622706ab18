/* SPDX-License-Identifier: MIT */
#include "engine/driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"

enum {
	MAX_SOCKETS = 8,
	MAX_BROADCAST = 64,
	OUT_BYTES = 4 * 65536,
	OUT_DGRAMS = 64,
	BATCHES_A_TURN = 4,
};

struct socket {
	coo_udp *udp;
	uv_poll_t poll;
	bool want_write;
	coo_driver *driver;
};

struct coo_driver {
	coo_driver_cfg cfg;
	uv_loop_t *loop;
	uv_timer_t timer;
	coo_node *node;
	void *node_mem;
	coo_netifs netifs;
	struct socket sockets[MAX_SOCKETS];
	size_t n_sockets;
	coo_dgram broadcast[MAX_BROADCAST]; /* addresses alone */
	size_t n_broadcast;

	/* datagrams made but not yet taken by the kernel, all for one socket */
	uint8_t *out;
	size_t out_used;
	coo_dgram queue[OUT_DGRAMS];
	uint32_t queue_no[OUT_DGRAMS];
	size_t n_queue, queue_at;
	struct socket *queue_socket;
	unsigned handles; /* libuv handles still open */
	bool closing;
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* --- opening
 * ---------------------------------------------------------------------------------------- */

static coo_err add_socket(coo_driver *d, const coo_addr *bind, bool reuse)
{
	struct socket *s = &d->sockets[d->n_sockets];
	coo_udp_opts opts;
	coo_err e;

	if (d->n_sockets == MAX_SOCKETS)
		return COO_OK;
	memset(&opts, 0, sizeof(opts));
	opts.bind = *bind;
	opts.want_dst = true;
	opts.reuse_addr = reuse;
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

static void add_broadcast(coo_driver *d, const coo_netif *i, const coo_addr *to)
{
	coo_dgram *g = &d->broadcast[d->n_broadcast];

	if (d->n_broadcast == MAX_BROADCAST)
		return;
	memset(g, 0, sizeof(*g));
	g->peer = *to;
	g->local = i->addr;
	g->ifindex = i->index;
	d->n_broadcast++;
}

/* Both the directed and the limited broadcast, on every interface: each is deaf in some client
 * (protocol.md 14.6). */
static void find_broadcasts(coo_driver *d)
{
	coo_addr all = coo_addr_v4(255, 255, 255, 255, 0);

	for (size_t i = 0; i < d->netifs.n; i++) {
		const coo_netif *n = &d->netifs.v[i];
		bool bound_elsewhere = d->cfg.bind.family && !coo_addr_is_any(&d->cfg.bind) &&
				       !coo_addr_eq_ip(&n->addr, &d->cfg.bind);

		if (n->addr.family != 4 || bound_elsewhere)
			continue;
		if (n->use != COO_NETIF_USED || !n->broadcast.family) {
			coo_log(COO_LOG_INFO, "no broadcast on %s: it %s", n->name,
				coo_netif_use_text(n->use));
			continue;
		}
		add_broadcast(d, n, &n->broadcast);
		add_broadcast(d, n, &all);
	}
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
	if (!cfg->no_broadcast)
		find_broadcasts(d);
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
	one_closed(((struct socket *)h->data)->driver);
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
	for (size_t i = 0; i < d->n_sockets; i++)
		uv_close((uv_handle_t *)&d->sockets[i].poll, on_poll_closed);
	uv_close((uv_handle_t *)&d->timer, on_timer_closed);
}

/* --- sending
 * ---------------------------------------------------------------------------------------- */

static void watch(struct socket *s, bool write)
{
	if (s->want_write == write)
		return;
	s->want_write = write;
	uv_poll_start(&s->poll, UV_READABLE | (write ? UV_WRITABLE : 0), on_poll);
}

/* Hands the queue to the kernel; false where the socket is full and has to be waited for. */
static bool flush_queue(coo_driver *d)
{
	int failed[OUT_DGRAMS];
	size_t todo = d->n_queue - d->queue_at, done;

	if (todo == 0)
		return true;
	done = coo_udp_send(d->queue_socket->udp, &d->queue[d->queue_at], todo, failed);
	for (size_t i = 0; i < done; i++) {
		if (failed[i])
			coo_node_tx_failed(d->node, d->queue_no[d->queue_at + i], failed[i]);
	}
	d->queue_at += done;
	watch(d->queue_socket, done < todo);
	if (done < todo)
		return false;
	d->n_queue = d->queue_at = d->out_used = 0;
	return true;
}

static struct socket *socket_for(coo_driver *d, const coo_addr *to)
{
	for (size_t i = 0; i < d->n_sockets; i++) {
		if (coo_udp_local(d->sockets[i].udp).family == to->family)
			return &d->sockets[i];
	}
	return NULL;
}

/* Puts one datagram into the queue, which has room for it. */
static void enqueue(coo_driver *d, struct socket *s, const coo_dgram *g, uint32_t packet_no)
{
	d->queue_socket = s;
	d->queue[d->n_queue] = *g;
	d->queue_no[d->n_queue++] = packet_no;
}

static void enqueue_unicast(coo_driver *d, coo_span data, const coo_tx *tx)
{
	struct socket *s = socket_for(d, &tx->to);
	coo_dgram g;

	if (!s) {
		coo_node_tx_failed(d->node, tx->packet_no, EAFNOSUPPORT);
		return;
	}
	memset(&g, 0, sizeof(g));
	g.data = data;
	g.peer = tx->to;
	g.local = tx->local;
	/* a global address has a route; only a link-local one needs its interface */
	g.ifindex = tx->to.scope ? tx->ifindex : 0;
	enqueue(d, s, &g, tx->packet_no);
}

static void enqueue_broadcast(coo_driver *d, coo_span data, const coo_tx *tx)
{
	for (size_t i = 0; i < d->n_broadcast; i++) {
		coo_dgram g = d->broadcast[i];

		/* broadcasts are few and are lost easily: a full socket loses some, the next round
		 * repeats */
		if (d->n_queue == OUT_DGRAMS && !flush_queue(d))
			return;
		g.data = data;
		g.peer.port = tx->to.port;
		enqueue(d, socket_for(d, &g.peer), &g, tx->packet_no);
	}
}

static bool has_room(const coo_driver *d)
{
	return d->n_queue < OUT_DGRAMS && OUT_BYTES - d->out_used >= COO_PACKET_MAX;
}

/* A queue holds datagrams for one socket: another family has to wait until it is empty. */
static bool must_flush_first(const coo_driver *d, const coo_tx *tx)
{
	return d->n_queue > 0 &&
	       (tx->broadcast || coo_udp_local(d->queue_socket->udp).family != tx->to.family);
}

static void send_all(coo_driver *d, coo_time now)
{
	coo_buf b;
	coo_tx tx;

	while (d->queue_at == 0 || flush_queue(d)) {
		if (!has_room(d) && !flush_queue(d))
			return;
		coo_buf_init(&b, d->out + d->out_used, COO_PACKET_MAX);
		if (!coo_node_next_tx(d->node, now, &b, &tx))
			break;
		if (must_flush_first(d, &tx)) {
			/* what is queued goes first; the new bytes move to where they may stay */
			if (!flush_queue(d))
				return;
			memmove(d->out, b.p, b.n);
			b.p = d->out;
		}
		d->out_used += b.n;
		if (tx.broadcast)
			enqueue_broadcast(d, coo_buf_span(&b), &tx);
		else
			enqueue_unicast(d, coo_buf_span(&b), &tx);
	}
	coo_ignore(flush_queue(d));
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
	send_all(d, now);
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
	rx.off_link = !coo_netifs_on_link(&d->netifs, &g->peer);
	coo_node_recv(d->node, &rx, g->data, now);
	drain_events(d);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct socket *s = poll->data;
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
		send_all(d, now);
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
	return d->n_broadcast;
}
