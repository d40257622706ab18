/* SPDX-License-Identifier: MIT */
#include "engine/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "engine/tcp_impl.h"

struct reader *coo_tcp_reader_new(size_t cap)
{
	struct reader *r;

	if (cap == 0)
		cap = 64u << 10;
	r = malloc(sizeof(*r) + cap);
	if (r) {
		r->users = 1;
		r->cap = cap;
	}
	return r;
}

void coo_tcp_reader_unref(struct reader *r)
{
	if (r && --r->users == 0)
		free(r);
}

static coo_err sys(int uv_err)
{
	errno = -uv_err;
	return COO_ESYS;
}

static void on_handle_closed(uv_handle_t *h)
{
	coo_tcp *c = h->data;

	if (--c->handles > 0)
		return;
	if (c->fns->closed)
		c->fns->closed(c->user, c, c->err);
	if (c->server) {
		c->server->conns--;
		coo_tcp_server_unref(c->server);
	}
	coo_tcp_reader_unref(c->reader);
	free(c->flying.p);
	free(c->waiting.p);
	free(c->connecting);
	free(c);
}

void coo_tcp_close(coo_tcp *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->handle, on_handle_closed);
	if (c->connecting)
		uv_close((uv_handle_t *)&c->connecting->timer, on_handle_closed);
}

void coo_tcp_fail(coo_tcp *c, int uv_err)
{
	if (!c->closing)
		c->err = -uv_err;
	coo_tcp_close(c);
}

static void submit(coo_tcp *c);
static void shut(coo_tcp *c);

static void close_if_both_ended(coo_tcp *c)
{
	if (c->shut_done && (c->eof || c->close_when_shut))
		coo_tcp_close(c);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	coo_tcp *c = h->data;

	(void)hint;
	*buf = uv_buf_init(c->reader->bytes, (unsigned)c->reader->cap);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	coo_tcp *c = stream->data;

	if (c->closing || n == 0)
		return;
	if (n == UV_EOF) {
		c->eof = true;
		uv_read_stop(stream);
		if (c->fns->ended)
			c->fns->ended(c->user, c);
		close_if_both_ended(c);
		return;
	}
	if (n < 0) {
		coo_tcp_fail(c, (int)n);
		return;
	}
	if (c->fns->data)
		c->fns->data(c->user, c, coo_span_of(buf->base, (size_t)n));
}

static void start_reading(coo_tcp *c)
{
	int e;

	if (!c->open || c->paused || c->eof || c->closing)
		return;
	e = uv_read_start((uv_stream_t *)&c->handle, on_alloc, on_read);
	if (e != 0 && e != UV_EALREADY)
		coo_tcp_fail(c, e);
}

void coo_tcp_pause(coo_tcp *c)
{
	c->paused = true;
	if (c->open && !c->closing)
		uv_read_stop((uv_stream_t *)&c->handle);
}

void coo_tcp_resume(coo_tcp *c)
{
	c->paused = false;
	start_reading(c);
}

coo_addr coo_tcp_name_of(const uv_tcp_t *h, int (*get)(const uv_tcp_t *, struct sockaddr *, int *))
{
	struct sockaddr_storage ss;
	int n = sizeof(ss);
	coo_addr a;

	memset(&a, 0, sizeof(a));
	if (get(h, (struct sockaddr *)&ss, &n) == 0)
		coo_ignore(coo_addr_from_sockaddr((struct sockaddr *)&ss, &a));
	return a;
}

coo_tcp *coo_tcp_new(uv_loop_t *loop, struct reader *reader, const coo_tcp_opts *opts,
		     const coo_tcp_fns *fns, void *user)
{
	coo_tcp *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fns = fns;
	c->user = user;
	c->max_out = opts->max_out ? opts->max_out : 1u << 20;
	c->keepalive = opts->keepalive;
	c->reader = reader;
	reader->users++;
	coo_ignore(uv_tcp_init(loop, &c->handle)); /* cannot fail: it opens no socket */
	c->handle.data = c;
	c->handles = 1;
	return c;
}

void coo_tcp_opened(coo_tcp *c)
{
	c->open = true;
	c->peer = coo_tcp_name_of(&c->handle, uv_tcp_getpeername);
	c->local = coo_tcp_name_of(&c->handle, uv_tcp_getsockname);
	coo_ignore(uv_tcp_nodelay(&c->handle, 1));
	if (c->keepalive)
		coo_ignore(uv_tcp_keepalive(&c->handle, 1, c->keepalive));
	if (c->fns->opened)
		c->fns->opened(c->user, c);
	if (c->waiting.n > 0 && c->flying.n == 0 && !c->closing)
		submit(c);
	else if (c->shut_asked && c->queued == 0)
		shut(c);
	start_reading(c);
}

/* --- sending --------------------------------------------------------------------------------- */

static void after_write(coo_tcp *c)
{
	if (c->waiting.n > 0)
		submit(c);
	else if (c->shut_asked)
		shut(c);
	if (c->was_busy && !c->closing && c->queued <= c->max_out / 4) {
		c->was_busy = false;
		if (c->fns->drained)
			c->fns->drained(c->user, c);
	}
}

static void on_written(uv_write_t *req, int status)
{
	coo_tcp *c = req->data;

	c->queued -= c->flying.n;
	c->flying.n = 0;
	if (c->flying.cap > KEEP_OUT) {
		free(c->flying.p);
		memset(&c->flying, 0, sizeof(c->flying));
	}
	if (status != 0)
		coo_tcp_fail(c, status);
	else
		after_write(c);
}

/* Hands all that waits to libuv as one write. */
static void submit(coo_tcp *c)
{
	struct outbuf free_one = c->flying;
	uv_buf_t buf;
	int e;

	c->flying = c->waiting;
	c->waiting = free_one;
	c->write.data = c;
	buf = uv_buf_init(c->flying.p, (unsigned)c->flying.n);
	e = uv_write(&c->write, (uv_stream_t *)&c->handle, &buf, 1, on_written);
	if (e != 0)
		coo_tcp_fail(c, e);
}

static coo_err enqueue(coo_tcp *c, coo_span s)
{
	struct outbuf *w = &c->waiting;

	if (s.n > w->cap - w->n) {
		size_t cap = w->n + s.n > 2 * w->cap ? w->n + s.n : 2 * w->cap;
		char *p = realloc(w->p, cap);

		if (!p)
			return COO_ENOMEM;
		w->p = p;
		w->cap = cap;
	}
	memcpy(w->p + w->n, s.p, s.n);
	w->n += s.n;
	c->queued += s.n;
	if (coo_tcp_is_busy(c))
		c->was_busy = true;
	if (c->flying.n == 0 && c->open)
		submit(c);
	return COO_OK;
}

coo_err coo_tcp_send(coo_tcp *c, coo_span s)
{
	int n = 0;

	if (c->closing || c->shut_asked)
		return COO_EINVAL;
	if (c->queued > 0 && c->queued + s.n > c->max_out)
		return COO_EFULL;
	if (c->queued == 0 && c->open && s.n > 0) {
		uv_buf_t buf = uv_buf_init((char *)(uintptr_t)s.p, (unsigned)s.n);

		n = uv_try_write((uv_stream_t *)&c->handle, &buf, 1);
		if (n == UV_EAGAIN)
			n = 0;
		if (n < 0) {
			coo_tcp_fail(c, n);
			return sys(n);
		}
	}
	s = coo_span_skip(s, (size_t)n);
	if (s.n > 0 && enqueue(c, s) != COO_OK) {
		coo_tcp_fail(c, UV_ENOMEM);
		return COO_ENOMEM;
	}
	return COO_OK;
}

size_t coo_tcp_queued(const coo_tcp *c)
{
	return c->queued;
}

bool coo_tcp_is_busy(const coo_tcp *c)
{
	return c->queued > c->max_out / 2;
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	coo_tcp *c = req->data;

	c->shut_done = true;
	/* ENOTCONN: the peer has gone already, and with it both sides */
	if (status != 0)
		coo_tcp_fail(c, status == UV_ENOTCONN ? 0 : status);
	else
		close_if_both_ended(c);
}

static void shut(coo_tcp *c)
{
	if (c->closing || c->shut_sent)
		return;
	c->shut_sent = true;
	c->shutdown.data = c;
	if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->handle, on_shutdown) != 0)
		coo_tcp_close(c);
}

void coo_tcp_end(coo_tcp *c)
{
	if (c->closing || c->shut_asked)
		return;
	c->shut_asked = true;
	if (c->queued == 0 && c->open)
		shut(c);
}

void coo_tcp_finish(coo_tcp *c)
{
	c->close_when_shut = true;
	coo_tcp_end(c);
	close_if_both_ended(c);
}

/* --- about a connection ---------------------------------------------------------------------- */

coo_addr coo_tcp_peer(const coo_tcp *c)
{
	return c->peer;
}

coo_addr coo_tcp_local(const coo_tcp *c)
{
	return c->local;
}

bool coo_tcp_has_ended(const coo_tcp *c)
{
	return c->eof;
}

void coo_tcp_set_data(coo_tcp *c, void *data)
{
	c->data = data;
}

void *coo_tcp_data(const coo_tcp *c)
{
	return c->data;
}

const char *coo_tcp_why(int err)
{
	switch (err) {
	case 0:
		return "closed";
	case ECONNREFUSED:
		return "refused: nothing listens on that port, or a firewall rejects it";
	case ECONNRESET:
		return "reset by the peer: it closed without reading everything, or it crashed";
	case EPIPE:
		return "broken: the peer no longer receives";
	case ETIMEDOUT:
		return "timed out: the host is off, or a firewall swallows the packets";
	case EHOSTUNREACH:
		return "unreachable: the host does not answer on its network";
	case ENETUNREACH:
		return "unreachable: there is no route to that network";
	case EADDRINUSE:
		return "the address and port are in use by another program";
	case EADDRNOTAVAIL:
		return "this host does not have that address";
	case EACCES:
	case EPERM:
		return "not permitted: ports below 1024 need privileges, or a firewall forbids it";
	default:
		return strerror(err);
	}
}
