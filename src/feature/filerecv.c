/* SPDX-License-Identifier: MIT */
#include "feature/filerecv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "feature/filerecv_int.h"

#define BLOCK (1u << 20) /* fewer turns of the loop count for more than the cache */
#define CONNECT_TIMEOUT COO_SEC(10)
#define TICK_MS 500
#define TELL_EVERY COO_MS(200)

/* Bytes without which an idle period was no progress: a drip of single bytes is none. */
#define PROGRESS_BYTES (16u << 10)

/* Bytes that one transfer takes a turn of the loop: messages are not starved. */
#define SLICE BLOCK

/* How long an empty file may take to end: some servers close only after us. */
#define EMPTY_WAIT COO_SEC(2)

static coo_err open_connection(coo_fetch *f);

/* The sender has another file by now than the part is of: all of it again, once. */
static void restart(coo_fetch *f)
{
	if (f->restarted || f->working) {
		coo_fetch_finish(f, COO_EFORMAT, "the peer sends something else than before");
		return;
	}
	f->restarted = true;
	coo_fetch_disconnect(f, true);
	if (coo_recvfile_restart(&f->file) != COO_OK)
		coo_fetch_finish(f, COO_ESYS, "the part cannot be emptied");
	else if (open_connection(f) != COO_OK)
		coo_fetch_finish(f, COO_ESYS, "the peer cannot be connected");
}

static void tell(coo_fetch *f, coo_time now)
{
	if (!f->opts.on_progress || now - f->told < TELL_EVERY)
		return;
	f->told = now;
	coo_fetch_take_counts(f);
	f->result.took = now - f->started;
	f->opts.on_progress(f->opts.user, &f->result);
}

static void finish_full(coo_fetch *f)
{
	f->result.no_room = true;
	coo_fetch_finish(f, COO_ELIMIT, "the file system would have too little room left");
}

/* min_free is looked at now and then: others fill the disk, too. */
static bool has_room(coo_fetch *f, uint64_t before)
{
	const uint64_t step = 16u << 20;

	return !f->opts.limits.min_free || before / step == f->arrived / step ||
	       coo_path_free_bytes(f->opts.dir) >= f->opts.limits.min_free;
}

static void take_block(coo_fetch *f, size_t n)
{
	coo_span in = coo_span_of(f->block, n);
	uint64_t before = f->arrived;
	coo_err e;

	f->arrived += n;
	if (coo_fetch_is_dir(f))
		e = coo_recvdir_feed(&f->dir, in);
	else
		e = coo_recvfile_feed(&f->file, in, f->opts.limits.max_file);
	if (e == COO_OK) {
		coo_fetch_finish(f, COO_OK, NULL);
	} else if (e == COO_EMORE) {
		if (!coo_fetch_is_dir(f))
			coo_fetch_follow(f);
		if (has_room(f, before))
			tell(f, coo_clock_now());
		else
			finish_full(f);
	} else if (!coo_fetch_is_dir(f) && f->file.differs) {
		restart(f);
	} else if (coo_fetch_is_dir(f)) {
		coo_fetch_finish(f, e, f->dir.why);
	} else {
		coo_fetch_finish(f, e,
				 e == COO_ELIMIT ? "the file is larger than allowed"
						 : "the file cannot be written");
	}
}

static void take_end(coo_fetch *f)
{
	if (!coo_fetch_is_dir(f) &&
	    (f->file.pos == f->file.size || f->file.size == COO_FILE_SIZE_UNKNOWN))
		coo_fetch_finish(f, COO_OK, NULL);
	else if (f->arrived == 0)
		coo_fetch_finish(f, COO_EFORMAT,
				 "the peer closed the connection without a byte: the offer "
				 "is over, or not for us");
	else
		coo_fetch_finish(f, COO_EFORMAT, "the peer closed the connection too early");
}

/* Gives whether there may be more at once. */
static bool receive(coo_fetch *f, int status)
{
	ssize_t n = recv(f->fd, f->block, BLOCK, MSG_DONTWAIT);

	if (n > 0)
		take_block(f, (size_t)n);
	else if (n == 0)
		take_end(f);
	else if (errno != EINTR && (errno != EAGAIN || status < 0))
		coo_fetch_finish(f, COO_ESYS, "the connection broke");
	return n == BLOCK;
}

static void receive_slice(coo_fetch *f, const uv_poll_t *poll, int status)
{
	uint64_t until = f->arrived + SLICE;
	bool more = true;

	/* after an error of the socket libuv does not call again: take what is left, then the error
	 */
	while (f->state == COO_FETCH_RECEIVING && poll == f->poll &&
	       (status < 0 || (more && f->arrived < until)))
		more = receive(f, status);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_connected(coo_fetch *f)
{
	int error = 0;
	socklen_t n = sizeof(error);
	coo_err e;

	if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0) {
		errno = error;
		coo_fetch_finish(f, COO_ESYS, "the peer cannot be connected");
		return;
	}
	e = coo_recv_request(f->fd, &f->opts, coo_fetch_is_dir(f) ? 0 : f->file.begin,
			     f->restarted);
	if (e != COO_OK) {
		coo_fetch_finish(f, e, "the request cannot be sent");
		return;
	}
	f->state = COO_FETCH_RECEIVING;
	f->connected = f->window_start = coo_clock_now();
	f->window_bytes = f->arrived;
	coo_ignore(uv_poll_start(f->poll, UV_READABLE, on_poll) != 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	coo_fetch *f = poll->data;

	(void)events;
	if (f->state == COO_FETCH_CONNECTING)
		on_connected(f);
	else
		receive_slice(f, poll, status);
}

static void on_tick(uv_timer_t *timer)
{
	coo_fetch *f = timer->data;
	coo_time now = coo_clock_now();
	coo_time idle = f->opts.limits.idle ? f->opts.limits.idle : COO_SEC(120);

	if (f->state == COO_FETCH_CONNECTING) {
		errno = ETIMEDOUT;
		if (now - f->window_start >= CONNECT_TIMEOUT)
			coo_fetch_finish(f, COO_ESYS, "the peer cannot be connected");
		return;
	}
	if (!coo_fetch_is_dir(f) && f->file.pos == f->file.size &&
	    now - f->connected >= EMPTY_WAIT) {
		coo_fetch_finish(f, COO_OK, NULL);
		return;
	}
	if (now - f->window_start < idle)
		return;
	if (f->arrived - f->window_bytes < PROGRESS_BYTES) {
		errno = ETIMEDOUT;
		coo_fetch_finish(f, COO_ESYS, "the peer sends nothing, or next to nothing");
		return;
	}
	f->window_start = now;
	f->window_bytes = f->arrived;
}

static coo_err open_connection(coo_fetch *f)
{
	f->state = COO_FETCH_CONNECTING;
	f->window_start = coo_clock_now();
	f->fd = coo_recv_connect(&f->opts);
	if (f->fd < 0)
		return COO_ESYS;
	f->poll = calloc(1, sizeof(*f->poll));
	if (!f->poll || uv_poll_init_socket(f->opts.loop, f->poll, f->fd) != 0) {
		free(f->poll);
		f->poll = NULL;
		errno = ENOMEM;
		return COO_ESYS;
	}
	f->poll->data = f;
	return uv_poll_start(f->poll, UV_WRITABLE, on_poll) == 0 ? COO_OK : COO_ESYS;
}

/* The identity is copied into one block; the spans of opts point there. */
static coo_err copy_identity(coo_fetch *f)
{
	coo_span *spans[] = { &f->opts.my_version, &f->opts.my_user, &f->opts.my_host };
	coo_buf b;

	coo_buf_init(&b, f->identity, sizeof(f->identity));
	for (size_t i = 0; i < COO_ARRAY_LEN(spans); i++) {
		size_t at = b.n;

		coo_buf_put(&b, *spans[i]);
		*spans[i] = coo_span_of(b.p + at, b.n - at);
	}
	return coo_buf_ok(&b) ? COO_OK : COO_EINVAL;
}

static coo_err open_sink(coo_fetch *f)
{
	coo_err e;

	if (coo_fetch_is_dir(f)) {
		coo_recvdir_init(&f->dir, f->opts.dir, f->opts.id.name, &f->opts.limits,
				 f->opts.names, f->opts.names_first && !f->opts.utf8);
		return coo_recv_check(&f->opts, 0, &f->result);
	}
	e = coo_recvfile_open(&f->file, f->opts.dir, &f->opts.id);
	if (e == COO_OK)
		return coo_recv_check(&f->opts, f->file.part.have, &f->result);
	f->result.why = e == COO_EFULL ? "the same file is being received already"
				       : "the part cannot be opened";
	return e;
}

/* Failures before the first byte are told like all others, from the loop. */
static void on_start(uv_timer_t *timer)
{
	coo_fetch *f = timer->data;
	coo_err e = f->result.e;

	if (e == COO_OK) {
		e = open_connection(f);
		f->result.why = "the peer cannot be connected";
	} else {
		errno = f->result.sys;
	}
	if (e != COO_OK)
		coo_fetch_finish(f, e, f->result.why);
	else
		coo_ignore(uv_timer_start(timer, on_tick, TICK_MS, TICK_MS) != 0);
}

/* On two processors sender and receiver want both for themselves, even where what runs beside them
 * stands back: then the hash is made when all has come. */
static bool has_spare_processor(void)
{
	return uv_available_parallelism() > 2;
}

coo_err coo_fetch_start(const coo_fetch_opts *opts, coo_fetch **out)
{
	coo_fetch *f = calloc(1, sizeof(*f));
	coo_err e;

	if (!f || !(f->block = malloc(BLOCK))) {
		free(f);
		return COO_ENOMEM;
	}
	f->opts = *opts;
	f->fd = f->dir.fd = f->dir.root = f->file.part.fd = f->file.hash_fd = -1;
	f->started = f->window_start = coo_clock_now();
	f->timer.data = f;
	f->hash_along = has_spare_processor();
	e = copy_identity(f);
	if (e != COO_OK || uv_timer_init(opts->loop, &f->timer) != 0) {
		free(f->block);
		free(f);
		return e != COO_OK ? e : COO_ENOMEM;
	}
	f->result.e = open_sink(f);
	f->result.sys = errno;
	coo_ignore(uv_timer_start(&f->timer, on_start, 0, 0) != 0);
	*out = f;
	return COO_OK;
}

void coo_fetch_cancel(coo_fetch *f)
{
	f->cancelled = true; /* what is stored stays, though without its hash */
	coo_fetch_finish(f, COO_ELIMIT, "was cancelled");
}
