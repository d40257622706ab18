/* SPDX-License-Identifier: MIT */
#include "feature/tcpecho.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "feature/impair.h"

enum { BACKLOG = 128, SWEEP_MS = 10000 };

struct connection {
	uv_tcp_t tcp;
	uv_write_t write;
	struct coo_tcpecho *t;
	struct connection *prev, *next;
	coo_time used;
	char buffer[COO_TCPECHO_BUFFER];
};

struct coo_tcpecho {
	uv_tcp_t listener[2];
	uv_timer_t sweeper;
	unsigned handles; /* not closed yet */
	bool closing;
	bool upper;
	struct connection *first;
	coo_guard guard;
	coo_tcpecho_stats stats;
};

static void release(coo_tcpecho *t)
{
	if (t->closing && t->handles == 0 && !t->first)
		free(t);
}

static void connection_closed(uv_handle_t *h)
{
	struct connection *c = h->data;
	coo_tcpecho *t = c->t;

	if (c->prev)
		c->prev->next = c->next;
	else
		t->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	t->stats.open--;
	free(c);
	release(t);
}

static void hang_up(struct connection *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, connection_closed);
}

static void give_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct connection *c = h->data;

	(void)suggested;
	*buf = uv_buf_init(c->buffer, sizeof(c->buffer));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf);

static void on_written(uv_write_t *w, int status)
{
	struct connection *c = w->data;

	if (status != 0 || uv_is_closing((uv_handle_t *)&c->tcp) ||
	    uv_read_start((uv_stream_t *)&c->tcp, give_buffer, on_read) != 0)
		hang_up(c);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct connection *c = s->data;
	uv_buf_t out;

	if (n == 0)
		return;
	if (n < 0) {
		hang_up(c);
		return;
	}
	c->used = coo_clock_now();
	c->t->stats.bytes += (uint64_t)n;
	if (c->t->upper)
		coo_impair_upper((uint8_t *)buf->base, (size_t)n);
	out = uv_buf_init(buf->base, (unsigned)n);
	uv_read_stop(s);
	c->write.data = c;
	if (uv_write(&c->write, s, &out, 1, on_written) != 0)
		hang_up(c);
}

static bool may_enter(coo_tcpecho *t, uv_tcp_t *tcp)
{
	struct sockaddr_storage ss;
	int len = sizeof(ss);
	enum coo_guard_verdict v;
	coo_addr from;

	if (t->stats.open > COO_TCPECHO_MAX ||
	    uv_tcp_getpeername(tcp, (struct sockaddr *)&ss, &len) != 0 ||
	    !coo_addr_from_sockaddr((const struct sockaddr *)&ss, &from))
		return false;
	from.port = UINT16_MAX; /* a stream's source port says nothing: no loop starts by forgery */
	coo_guard_find(&t->guard, &from, coo_clock_now(), &v);
	return v == COO_GUARD_OK;
}

static void on_connection(uv_stream_t *server, int status)
{
	coo_tcpecho *t = server->data;
	struct connection *c = status == 0 ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return;
	if (uv_tcp_init(server->loop, &c->tcp) != 0) {
		free(c);
		return;
	}
	c->tcp.data = c;
	c->t = t;
	c->used = coo_clock_now();
	c->next = t->first;
	if (t->first)
		t->first->prev = c;
	t->first = c;
	t->stats.open++;
	if (uv_accept(server, (uv_stream_t *)&c->tcp) == 0 && may_enter(t, &c->tcp) &&
	    uv_read_start((uv_stream_t *)&c->tcp, give_buffer, on_read) == 0) {
		uv_tcp_nodelay(&c->tcp, 1);
		t->stats.accepted++;
		return;
	}
	t->stats.refused++;
	hang_up(c);
}

static void sweep(uv_timer_t *timer)
{
	coo_tcpecho *t = timer->data;
	coo_time now = coo_clock_now();

	for (struct connection *c = t->first; c; c = c->next) {
		if (now - c->used > COO_TCPECHO_IDLE)
			hang_up(c);
	}
}

static void handle_closed(uv_handle_t *h)
{
	coo_tcpecho *t = h->data;

	t->handles--;
	release(t);
}

static int listen_on(uv_loop_t *loop, coo_tcpecho *t, uv_tcp_t *tcp, const coo_addr *a)
{
	struct sockaddr_storage ss;
	int e = uv_tcp_init(loop, tcp);

	if (e != 0)
		return e;
	t->handles++;
	tcp->data = t;
	coo_addr_to_sockaddr(a, &ss);
	e = uv_tcp_bind(tcp, (struct sockaddr *)&ss, a->family == 6 ? UV_TCP_IPV6ONLY : 0);
	if (e == 0)
		e = uv_listen((uv_stream_t *)tcp, BACKLOG, on_connection);
	if (e != 0)
		uv_close((uv_handle_t *)tcp, handle_closed);
	return e;
}

coo_err coo_tcpecho_open(uv_loop_t *loop, const coo_addr *addr, const coo_guard_cfg *guard,
			 bool upper, coo_tcpecho **out)
{
	coo_tcpecho *t = calloc(1, sizeof(*t));
	coo_addr a = *addr;
	int e;

	if (!t)
		return COO_ENOMEM;
	coo_guard_init(&t->guard, guard);
	t->upper = upper;
	if (!a.family)
		a.family = 4;
	e = listen_on(loop, t, &t->listener[0], &a);
	if (e != 0) {
		t->closing = true;
		release(t);
		errno = -e;
		return COO_ESYS;
	}
	if (!addr->family) {
		memset(a.ip, 0, sizeof(a.ip));
		a.family = 6;
		coo_ignore(listen_on(loop, t, &t->listener[1], &a)); /* none without IPv6 */
	}
	if (uv_timer_init(loop, &t->sweeper) == 0) {
		t->handles++;
		t->sweeper.data = t;
		uv_timer_start(&t->sweeper, sweep, SWEEP_MS, SWEEP_MS);
	}
	*out = t;
	return COO_OK;
}

void coo_tcpecho_close(coo_tcpecho *t)
{
	uv_handle_t *handles[3];

	if (!t)
		return;
	handles[0] = (uv_handle_t *)&t->listener[0];
	handles[1] = (uv_handle_t *)&t->listener[1];
	handles[2] = (uv_handle_t *)&t->sweeper;
	t->closing = true;
	for (int i = 0; i < 3; i++) {
		if (handles[i]->data && !uv_is_closing(handles[i]))
			uv_close(handles[i], handle_closed);
	}
	for (struct connection *c = t->first; c; c = c->next)
		hang_up(c);
}

void coo_tcpecho_get_stats(const coo_tcpecho *t, coo_tcpecho_stats *out)
{
	*out = t->stats;
}
