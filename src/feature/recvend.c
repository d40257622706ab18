/* SPDX-License-Identifier: MIT */
/*
 * How a fetch ends: the connection is closed, what came gets its name, and its hash, both by worker
 * threads; then the owner is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "feature/filerecv_int.h"

/* The hash follows the writing in steps, small enough to be waited for. */
#define HASH_STEP (4u << 20)
#define HASH_STEP_MAX (16u << 20)

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

void coo_fetch_disconnect(coo_fetch *f, bool abort_it)
{
	/* an unfinished transfer ends in a reset: the sender must not take it for complete */
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (f->poll)
		uv_close((uv_handle_t *)f->poll, on_poll_closed);
	f->poll = NULL;
	if (f->fd < 0)
		return;
	if (abort_it)
		coo_ignore(setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0);
	close(f->fd);
	f->fd = -1;
}

static void on_timer_closed(uv_handle_t *handle)
{
	coo_fetch *f = handle->data;

	if (!f->published)
		f->result.took = coo_clock_now() - f->started;
	f->opts.on_done(f->opts.user, &f->result);
	free(f->block);
	free(f);
}

void coo_fetch_take_counts(coo_fetch *f)
{
	coo_fetch_result *r = &f->result;

	if (coo_fetch_is_dir(f)) {
		r->bytes = f->dir.bytes;
		r->files = f->dir.files;
		r->folders = f->dir.folders;
	} else {
		r->bytes = f->file.pos > f->file.part.have ? f->file.pos : f->file.part.have;
		r->resumed_from = f->restarted ? 0 : f->file.part.have;
	}
}

/* All is said and written, for better or worse. */
static void close_all(coo_fetch *f)
{
	f->state = COO_FETCH_CLOSING;
	coo_fetch_disconnect(f, f->result.e != COO_OK);
	if (f->result.e != COO_OK && !f->result.name[0]) {
		const char *part = coo_fetch_is_dir(f) ? f->dir.temp : f->file.part.name;

		memcpy(f->result.name, part, strlen(part) + 1);
	}
	if (coo_fetch_is_dir(f))
		coo_recvdir_close(&f->dir);
	else
		coo_recvfile_close(&f->file, f->opts.dir);
	uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}

static void hash_work(uv_work_t *work)
{
	coo_fetch *f = work->data;

	coo_thread_background();
	f->work_result = coo_recvfile_hash(&f->file, f->hash_until);
}

static void after_hash(uv_work_t *work, int status);
static void after_publish(uv_work_t *work, int status);

static bool queue_hash(coo_fetch *f)
{
	uint64_t left = f->file.pos - f->file.hashed;

	f->hash_until = f->file.hashed + (left < HASH_STEP_MAX ? left : HASH_STEP_MAX);
	f->work.data = f;
	f->working = uv_queue_work(f->opts.loop, &f->work, hash_work, after_hash) == 0;
	return f->working;
}

static void publish_work(uv_work_t *work)
{
	coo_fetch *f = work->data;

	if (coo_fetch_is_dir(f))
		f->work_result = coo_recvdir_publish(&f->dir, f->result.name);
	else
		f->work_result =
		    coo_partial_publish(&f->file.part, f->opts.dir, &f->opts.id, f->result.name);
	f->work_errno = errno;
}

static void queue_publish(coo_fetch *f)
{
	f->work.data = f;
	f->working = uv_queue_work(f->opts.loop, &f->work, publish_work, after_publish) == 0;
	if (!f->working)
		coo_fetch_finish(f, COO_ENOMEM, "no worker thread");
}

/* Hashes on, step by step, and ends when there is no more. */
static void hash_rest(coo_fetch *f)
{
	uint8_t digest[COO_SHA256_SIZE];
	bool whole = f->file.hashed == f->file.pos;

	if (!whole && !f->cancelled && f->work_result == COO_OK && queue_hash(f))
		return;
	if (whole) {
		coo_sha256_final(&f->file.hash, digest);
		coo_sha256_hex(digest, f->result.sha256);
	}
	f->result.has_sha256 = whole;
	close_all(f);
}

/* The sender has waited for this: the hash is for us alone. */
static void after_publish(uv_work_t *work, int status)
{
	coo_fetch *f = work->data;

	(void)status;
	f->working = false;
	if (f->work_result != COO_OK) {
		f->result.e = f->work_result;
		f->result.sys = f->work_errno;
		f->result.why = "what was received cannot be stored";
		f->result.name[0] = '\0';
		close_all(f);
		return;
	}
	coo_fetch_disconnect(f, false);
	f->published = true;
	f->result.took = coo_clock_now() - f->started;
	if (coo_fetch_is_dir(f))
		close_all(f);
	else
		hash_rest(f);
}

static void after_hash(uv_work_t *work, int status)
{
	coo_fetch *f = work->data;

	(void)status;
	f->working = false;
	if (f->state != COO_FETCH_FINISHING)
		return;
	if (f->published)
		hash_rest(f);
	else if (f->result.e == COO_OK)
		queue_publish(f);
	else
		close_all(f);
}

void coo_fetch_follow(coo_fetch *f)
{
	if (!f->working && f->hash_along && f->file.pos >= f->file.hashed + HASH_STEP &&
	    f->file.pos > f->file.part.have)
		coo_ignore(!queue_hash(f));
}

void coo_fetch_finish(coo_fetch *f, coo_err e, const char *why)
{
	int sys = errno;

	if (f->state == COO_FETCH_CLOSING || f->state == COO_FETCH_FINISHING)
		return;
	coo_fetch_take_counts(f);
	f->result.e = e;
	f->result.sys = e == COO_ESYS ? sys : 0;
	f->result.why = why;
	f->state = COO_FETCH_FINISHING;
	if (f->poll)
		uv_poll_stop(f->poll);
	uv_timer_stop(&f->timer);
	if (f->working)
		return;
	if (e == COO_OK)
		queue_publish(f);
	else
		close_all(f);
}
