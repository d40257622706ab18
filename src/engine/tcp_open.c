/* SPDX-License-Identifier: MIT */
/* How connections come into being: connecting and listening. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "engine/tcp_impl.h"

static coo_err sys(int uv_err)
{
	errno = -uv_err;
	return COO_ESYS;
}

void coo_tcp_server_unref(coo_tcp_server *s)
{
	if (!s || !s->closed || !s->handle_gone || s->conns > 0)
		return;
	coo_tcp_reader_unref(s->reader);
	free(s);
}

/* --- connecting ------------------------------------------------------------------------------ */

static void on_connect(uv_connect_t *req, int status)
{
	coo_tcp *c = req->data;

	if (c->closing)
		return;
	uv_timer_stop(&c->connecting->timer);
	if (status != 0)
		coo_tcp_fail(c, status);
	else
		coo_tcp_opened(c);
}

static void on_timeout(uv_timer_t *timer)
{
	coo_tcp_fail(timer->data, UV_ETIMEDOUT);
}

static int begin_connect(coo_tcp *c, uv_loop_t *loop, const coo_addr *to, const coo_tcp_opts *opts)
{
	coo_time timeout = opts->connect_timeout ? opts->connect_timeout : COO_SEC(10);
	struct sockaddr_storage ss;
	int e;

	coo_ignore(uv_timer_init(loop, &c->connecting->timer));
	c->connecting->timer.data = c;
	c->connecting->req.data = c;
	c->handles = 2;
	if (opts->bind.family) {
		coo_addr_to_sockaddr(&opts->bind, &ss);
		e = uv_tcp_bind(&c->handle, (struct sockaddr *)&ss, 0);
		if (e != 0)
			return e;
	}
	coo_addr_to_sockaddr(to, &ss);
	e = uv_tcp_connect(&c->connecting->req, &c->handle, (struct sockaddr *)&ss, on_connect);
	if (e != 0)
		return e;
	return uv_timer_start(&c->connecting->timer, on_timeout, (timeout + 999999) / 1000000, 0);
}

coo_err coo_tcp_connect(uv_loop_t *loop, const coo_addr *to, const coo_tcp_opts *opts,
			const coo_tcp_fns *fns, void *user, coo_tcp **out)
{
	struct reader *reader = coo_tcp_reader_new(opts->read_size);
	struct connecting *g = calloc(1, sizeof(*g));
	coo_tcp *c = reader && g ? coo_tcp_new(loop, reader, opts, fns, user) : NULL;
	int e;

	coo_tcp_reader_unref(reader);
	if (!c) {
		free(g);
		return COO_ENOMEM;
	}
	c->connecting = g;
	c->peer = *to;
	*out = c;
	e = begin_connect(c, loop, to, opts);
	if (e != 0)
		coo_tcp_fail(c, e); /* told by closed(), as every other end */
	return COO_OK;
}

/* --- listening ------------------------------------------------------------------------------- */

static void on_server_closed(uv_handle_t *h)
{
	coo_tcp_server *s = h->data;

	s->handle_gone = true;
	coo_tcp_server_unref(s);
}

static void on_connection(uv_stream_t *stream, int status)
{
	coo_tcp_server *s = stream->data;
	coo_tcp *c;

	if (status != 0 || s->closed) {
		s->refused++;
		return;
	}
	c = coo_tcp_new(stream->loop, s->reader, &s->opts, s->fns, s->user);
	if (!c) {
		s->refused++;
		return;
	}
	c->server = s;
	s->conns++;
	if (uv_accept(stream, (uv_stream_t *)&c->handle) != 0 || s->conns > s->opts.max_conns) {
		static const coo_tcp_fns silent;

		s->refused++;
		c->fns = &silent;
		coo_tcp_close(c);
		return;
	}
	coo_tcp_opened(c);
}

static int set_reuse_port(const uv_tcp_t *h)
{
	uv_os_fd_t fd;
	int one = 1, e = uv_fileno((const uv_handle_t *)h, &fd);

	if (e != 0)
		return e;
	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0 ? 0 : -errno;
}

static int start_listening(coo_tcp_server *s, uv_loop_t *loop, const coo_addr *at)
{
	struct sockaddr_storage ss;
	int e;

	coo_addr_to_sockaddr(at, &ss);
	e = uv_tcp_init_ex(loop, &s->handle, ss.ss_family);
	if (e != 0)
		return e;
	s->handle.data = s;
	if (s->opts.reuse_port)
		e = set_reuse_port(&s->handle);
	if (e == 0)
		e = uv_tcp_bind(&s->handle, (struct sockaddr *)&ss,
				s->opts.v6_only && at->family == 6 ? UV_TCP_IPV6ONLY : 0);
	if (e == 0)
		e = uv_listen((uv_stream_t *)&s->handle, BACKLOG, on_connection);
	if (e != 0)
		coo_tcp_server_close(s);
	return e;
}

coo_err coo_tcp_listen(uv_loop_t *loop, const coo_addr *at, const coo_tcp_opts *opts,
		       const coo_tcp_fns *fns, void *user, coo_tcp_server **out)
{
	coo_tcp_server *s = calloc(1, sizeof(*s));
	int e;

	if (!s)
		return COO_ENOMEM;
	s->reader = coo_tcp_reader_new(opts->read_size);
	if (!s->reader) {
		free(s);
		return COO_ENOMEM;
	}
	s->opts = *opts;
	if (s->opts.max_conns == 0)
		s->opts.max_conns = 10000;
	s->fns = fns;
	s->user = user;
	e = start_listening(s, loop, at);
	if (e != 0) {
		/* without a handle nothing else would free it */
		if (!s->handle.data) {
			coo_tcp_reader_unref(s->reader);
			free(s);
		}
		return sys(e);
	}
	*out = s;
	return COO_OK;
}

void coo_tcp_server_close(coo_tcp_server *s)
{
	if (!s || s->closed)
		return;
	s->closed = true;
	uv_close((uv_handle_t *)&s->handle, on_server_closed);
}

coo_addr coo_tcp_server_local(const coo_tcp_server *s)
{
	return coo_tcp_name_of(&s->handle, uv_tcp_getsockname);
}

uint64_t coo_tcp_server_refused(const coo_tcp_server *s)
{
	return s->refused;
}
