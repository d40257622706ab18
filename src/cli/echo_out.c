/* SPDX-License-Identifier: MIT */
#include "cli/echo_out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/xalloc.h"
#include "proto/attr.h"

/* What poll says has room takes so much without blocking, but for terminals. */
enum { PIECE = PIPE_BUF };

/* A terminal or pipe is opened anew, since O_NONBLOCK would else be everybody's who shares it. */
void echo_out_open(struct echo_out *o)
{
	struct stat st;
	int fd = -1;

	if (fstat(STDOUT_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(STDOUT_FILENO)))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	o->fd = fd >= 0 ? fd : STDOUT_FILENO;
}

static bool has_room(int fd, coo_time until)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int n;

	do {
		coo_time now = coo_clock_now();

		n = poll(&p, 1, now < until ? (int)((until - now) / COO_MS(1)) : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0; /* an error counts: write tells which */
}

/* As much of the rest as there is room for. */
static void push(struct echo_out *o, coo_time until)
{
	while (o->at < o->n && has_room(o->fd, until)) {
		size_t n = o->n - o->at;
		ssize_t w = write(o->fd, o->rest + o->at, n < PIECE ? n : PIECE);

		if (w >= 0) {
			o->at += (size_t)w;
		} else if (errno == EAGAIN) { /* a terminal with room for half a line feed */
			if (coo_clock_now() >= until)
				return;
			coo_ignore(poll(NULL, 0, 1));
		} else if (errno != EINTR) {
			o->broken = errno;
			o->at = o->n;
		}
	}
}

static coo_time patience(const struct echo_out *o)
{
	bool waits = !o->stalled && !__atomic_load_n(&o->hurry, __ATOMIC_RELAXED);

	return coo_clock_now() + (waits ? COO_MS(ECHO_OUT_PATIENCE) : 0);
}

static bool ready_until(struct echo_out *o, coo_time until)
{
	push(o, until);
	o->stalled = o->at < o->n || !has_room(o->fd, until);
	return !o->stalled;
}

bool echo_out_ready(struct echo_out *o)
{
	return ready_until(o, patience(o));
}

bool echo_out_write(void *user, const char *text, size_t n)
{
	struct echo_out *o = user;
	size_t left = o->n - o->at;

	if (!o->broken) {
		if (left > 0)
			memmove(o->rest, o->rest + o->at, left);
		o->rest = xrealloc(o->rest, left + n, 1);
		memcpy(o->rest + left, text, n);
		o->at = 0;
		o->n = left + n;
		push(o, patience(o));
	}
	errno = o->broken;
	return !o->broken;
}

void echo_out_hurry(struct echo_out *o)
{
	__atomic_store_n(&o->hurry, true, __ATOMIC_RELAXED);
}

bool echo_out_last(struct echo_out *o)
{
	return ready_until(o, coo_clock_now() + COO_MS(ECHO_OUT_LAST_PATIENCE));
}

bool echo_out_end(struct echo_out *o)
{
	bool all;

	push(o, coo_clock_now() + (o->stalled ? 0 : COO_MS(ECHO_OUT_LAST_PATIENCE)));
	all = o->at == o->n;
	free(o->rest);
	if (o->fd != STDOUT_FILENO)
		close(o->fd);
	memset(o, 0, sizeof(*o));
	o->fd = STDOUT_FILENO;
	return all;
}

bool echo_out_may_say(void)
{
	struct stat out, err;

	if (fstat(STDOUT_FILENO, &out) != 0 || fstat(STDERR_FILENO, &err) != 0)
		return false;
	return (out.st_dev != err.st_dev || out.st_ino != err.st_ino) && has_room(STDERR_FILENO, 0);
}
