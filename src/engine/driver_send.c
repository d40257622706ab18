/* SPDX-License-Identifier: MIT */
#include "engine/driver_impl.h"

#include <errno.h>
#include <string.h>

static void tell_unsent(coo_driver *d, const coo_addr *to, uint32_t packet_no, int error)
{
	coo_node_tx_failed(d->node, packet_no, error);
	if (d->cfg.on_unsent)
		d->cfg.on_unsent(d->cfg.user, to, error);
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
		size_t at = d->queue_at + i;

		if (failed[i])
			tell_unsent(d, &d->queue[at].peer, d->queue_no[at], failed[i]);
	}
	d->queue_at += done;
	coo_driver_watch(d->queue_socket, done < todo);
	if (done < todo)
		return false;
	d->n_queue = d->queue_at = d->out_used = 0;
	return true;
}

coo_driver_socket *coo_driver_socket_for(coo_driver *d, const coo_addr *to)
{
	for (size_t i = 0; i < d->n_sockets; i++) {
		if (coo_udp_local(d->sockets[i].udp).family == to->family)
			return &d->sockets[i];
	}
	return NULL;
}

/* Puts one datagram into the queue, which has room for it. */
static void enqueue(coo_driver *d, coo_driver_socket *s, const coo_dgram *g, uint32_t packet_no)
{
	d->queue_socket = s;
	d->queue[d->n_queue] = *g;
	d->queue_no[d->n_queue++] = packet_no;
}

static void enqueue_unicast(coo_driver *d, coo_span data, const coo_tx *tx)
{
	coo_driver_socket *s = coo_driver_socket_for(d, &tx->to);
	coo_dgram g;

	if (!s) {
		tell_unsent(d, &tx->to, tx->packet_no, EAFNOSUPPORT);
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

/* A network that has no route for one of the addresses is no failure of the whole: the first, which
 * is a directed broadcast, stands for all. A flush on the way gives back the room of what is still
 * to be queued: the caller takes it again. */
static void enqueue_broadcast(coo_driver *d, coo_span data, const coo_tx *tx)
{
	for (size_t i = 0; i < d->reach.n; i++) {
		coo_dgram g = d->reach.v[i];
		coo_driver_socket *s = coo_driver_socket_for(d, &g.peer);

		if (!s)
			continue;
		/* broadcasts are few and are lost easily: a full socket loses some, the next round
		 * repeats */
		if ((d->n_queue == OUT_DGRAMS || (d->n_queue > 0 && d->queue_socket != s)) &&
		    !flush_queue(d))
			return;
		g.data = data;
		g.peer.port = tx->to.port;
		enqueue(d, s, &g, i == 0 ? tx->packet_no : 0);
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

void coo_driver_send_all(coo_driver *d, coo_time now)
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
		if (tx.broadcast)
			enqueue_broadcast(d, coo_buf_span(&b), &tx);
		else
			enqueue_unicast(d, coo_buf_span(&b), &tx);
		if (d->n_queue > 0)
			d->out_used = (size_t)(b.p - d->out) + b.n;
	}
	coo_ignore(flush_queue(d));
}
