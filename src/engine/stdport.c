/* SPDX-License-Identifier: MIT */
#include "engine/stdport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/buf.h"

/* A descriptor that can be waited for, or a file that is always ready. */
struct port {
	uv_poll_t poll;
	uv_idle_t idle;
	int fd, flags; /* flags: to be put back, or -1 */
	bool waits;
	unsigned handles;
	void (*freed)(struct port *);
};

struct coo_inport {
	struct port port;
	const coo_inport_fns *fns;
	void *user;
	bool ended, paused;
	size_t size;
	uint8_t bytes[];
};

struct coo_outport {
	struct port port;
	const coo_outport_fns *fns;
	void *user;
	uint8_t *mem; /* from at to n waits to be written */
	size_t at, n, cap;
	bool failed;
};

/* One mebibyte of pipe halves the number of wake-ups; where it is refused, nothing is lost. */
static void widen(int fd)
{
#ifdef F_SETPIPE_SZ
	coo_ignore(fcntl(fd, F_SETPIPE_SZ, 1 << 20));
#else
	(void)fd;
#endif
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* A file description of our own for the same pipe or terminal; -1 where there is no such thing. */
static int reopen(int fd, int access)
{
#ifdef __linux__
	char path[40];
	coo_buf b;

	if (!is_pipe(fd) && !isatty(fd))
		return -1;
	coo_buf_init(&b, path, sizeof(path));
	coo_buf_put_str(&b, "/proc/self/fd/");
	coo_buf_put_u64(&b, (uint64_t)fd);
	coo_buf_put_byte(&b, 0);
	return open(path, access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
#else
	(void)fd;
	(void)access;
	return -1;
#endif
}

static int port_init(struct port *p, uv_loop_t *loop, int fd, int access)
{
	int e, own = reopen(fd, access);

	/* a duplicate, since standard input and output may be one socket, watched twice */
	p->fd = own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (p->fd < 0)
		return -errno;
	p->flags = own >= 0 ? -1 : fcntl(fd, F_GETFL);
	if (is_pipe(p->fd))
		widen(p->fd);
	e = uv_poll_init(loop, &p->poll, p->fd);
	p->waits = e == 0;
	p->poll.data = p;
	if (e != 0 && e != UV_EPERM) {
		close(p->fd);
		return e;
	}
	coo_ignore(uv_idle_init(loop, &p->idle));
	p->idle.data = p;
	p->handles = p->waits ? 2 : 1;
	return 0;
}

static void on_port_closed(uv_handle_t *h)
{
	struct port *p = h->data;

	if (--p->handles > 0)
		return;
	if (p->waits && p->flags >= 0)
		coo_ignore(fcntl(p->fd, F_SETFL, p->flags));
	close(p->fd);
	p->freed(p);
}

static void port_close(struct port *p)
{
	if (p->waits)
		uv_close((uv_handle_t *)&p->poll, on_port_closed);
	uv_close((uv_handle_t *)&p->idle, on_port_closed);
}

/* --- input ----------------------------------------------------------------------------------- */

static void end_input(coo_inport *p, int err)
{
	coo_inport_pause(p);
	p->ended = true;
	p->fns->end(p->user, err);
}

static void read_once(coo_inport *p)
{
	ssize_t n = read(p->port.fd, p->bytes, p->size);

	if (n > 0)
		p->fns->data(p->user, coo_span_of(p->bytes, (size_t)n));
	else if (n == 0)
		end_input(p, 0);
	else if (errno == EIO && isatty(p->port.fd))
		end_input(p, 0); /* the terminal has gone */
	else if (errno != EAGAIN && errno != EINTR)
		end_input(p, errno);
}

static void on_readable(uv_poll_t *h, int status, int events)
{
	(void)status; /* read tells what is wrong */
	(void)events;
	read_once((coo_inport *)h->data);
}

static void on_idle_read(uv_idle_t *h)
{
	read_once((coo_inport *)h->data);
}

void coo_inport_resume(coo_inport *p)
{
	p->paused = false;
	if (p->ended)
		return;
	if (p->port.waits)
		coo_ignore(uv_poll_start(&p->port.poll, UV_READABLE | UV_DISCONNECT, on_readable));
	else
		coo_ignore(uv_idle_start(&p->port.idle, on_idle_read));
}

void coo_inport_pause(coo_inport *p)
{
	p->paused = true;
	if (p->port.waits)
		coo_ignore(uv_poll_stop(&p->port.poll));
	else
		coo_ignore(uv_idle_stop(&p->port.idle));
}

static void free_inport(struct port *p)
{
	free((coo_inport *)p);
}

coo_err coo_inport_open(uv_loop_t *loop, int fd, size_t size, const coo_inport_fns *fns, void *user,
			coo_inport **out)
{
	coo_inport *p = calloc(1, sizeof(*p) + size);
	int e;

	if (!p)
		return COO_ENOMEM;
	p->size = size;
	p->fns = fns;
	p->user = user;
	p->port.freed = free_inport;
	e = port_init(&p->port, loop, fd, O_RDONLY);
	if (e != 0) {
		free(p);
		errno = -e;
		return COO_ESYS;
	}
	coo_inport_resume(p);
	*out = p;
	return COO_OK;
}

void coo_inport_close(coo_inport *p)
{
	if (!p)
		return;
	p->ended = true;
	port_close(&p->port);
}

/* --- output ---------------------------------------------------------------------------------- */

static void fail(coo_outport *p, int err)
{
	p->failed = true;
	p->at = p->n = 0;
	if (p->port.waits)
		coo_ignore(uv_poll_stop(&p->port.poll));
	p->fns->failed(p->user, err);
}

/* Bytes of s that were taken. */
static size_t write_some(coo_outport *p, coo_span s)
{
	size_t done = 0;

	while (done < s.n && !p->failed) {
		ssize_t n = write(p->port.fd, s.p + done, s.n - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			break;
		else if (n < 0 && errno != EINTR)
			fail(p, errno);
	}
	return done;
}

static void on_writable(uv_poll_t *h, int status, int events)
{
	coo_outport *p = h->data;

	(void)status;
	(void)events;
	p->at += write_some(p, coo_span_of(p->mem + p->at, p->n - p->at));
	if (p->failed || p->at < p->n)
		return;
	p->at = p->n = 0;
	coo_ignore(uv_poll_stop(&p->port.poll));
	p->fns->drained(p->user);
}

static bool queue(coo_outport *p, coo_span s)
{
	if (s.n > p->cap - p->n) {
		size_t cap = p->n + s.n > 2 * p->cap ? p->n + s.n : 2 * p->cap;
		uint8_t *mem = realloc(p->mem, cap);

		if (!mem)
			return false;
		p->mem = mem;
		p->cap = cap;
	}
	memcpy(p->mem + p->n, s.p, s.n);
	p->n += s.n;
	return true;
}

bool coo_outport_write(coo_outport *p, coo_span s)
{
	if (p->failed)
		return true;
	if (coo_outport_is_empty(p))
		s = coo_span_skip(s, write_some(p, s));
	if (p->failed || s.n == 0)
		return coo_outport_is_empty(p);
	if (!queue(p, s))
		fail(p, ENOMEM);
	else
		coo_ignore(uv_poll_start(&p->port.poll, UV_WRITABLE, on_writable));
	return p->failed;
}

bool coo_outport_is_empty(const coo_outport *p)
{
	return p->at == p->n;
}

static void free_outport(struct port *p)
{
	coo_outport *o = (coo_outport *)p;

	free(o->mem);
	free(o);
}

coo_err coo_outport_open(uv_loop_t *loop, int fd, const coo_outport_fns *fns, void *user,
			 coo_outport **out)
{
	coo_outport *p = calloc(1, sizeof(*p));
	int e;

	if (!p)
		return COO_ENOMEM;
	p->fns = fns;
	p->user = user;
	p->port.freed = free_outport;
	e = port_init(&p->port, loop, fd, O_WRONLY);
	if (e != 0) {
		free(p);
		errno = -e;
		return COO_ESYS;
	}
	*out = p;
	return COO_OK;
}

void coo_outport_close(coo_outport *p)
{
	if (p)
		port_close(&p->port);
}
