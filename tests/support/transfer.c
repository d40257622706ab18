/* SPDX-License-Identifier: MIT */
#include "support/transfer.h"

#include <stdlib.h>

#include "base/clock.h"

static void on_send(void *user, const coo_filesend_event *ev)
{
	struct transfer *w = user;

	w->done += ev->what == COO_FILESEND_DONE;
	w->failed += ev->what == COO_FILESEND_FAILED;
	w->refused += ev->what == COO_FILESEND_REFUSED;
	w->skipped += ev->what == COO_FILESEND_SKIPPED;
	if (ev->what == COO_FILESEND_DONE) {
		w->complete = ev->complete;
		w->sent = ev->sent;
		w->offset = ev->offset;
	}
	if (ev->why)
		w->why = ev->why;
}

void transfer_begin_with(struct transfer *w, coo_time request, coo_time idle)
{
	const coo_addr any = coo_addr_v4(127, 0, 0, 1, 0);
	coo_filesend_opts opts;

	memset(w, 0, sizeof(*w));
	assert_int_equal(uv_loop_init(&w->loop), 0);
	tmpdir_make(&w->from);
	tmpdir_make(&w->to);
	memset(&opts, 0, sizeof(opts));
	opts.loop = &w->loop;
	opts.on_event = on_send;
	opts.user = w;
	opts.request_timeout = request;
	opts.idle_timeout = idle;
	assert_int_equal(coo_filesend_open(&opts, &w->send), COO_OK);
	assert_int_equal(coo_filesend_listen(w->send, &any, &w->bound), COO_OK);
	assert_int_not_equal(w->bound.port, 0);
	w->set = coo_fileset_new(false);
	assert_non_null(w->set);
}

void transfer_begin(struct transfer *w)
{
	transfer_begin_with(w, 0, 0);
}

void transfer_end(struct transfer *w)
{
	coo_filesend_close(w->send);
	coo_fileset_unref(w->set);
	assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	tmpdir_remove(&w->from);
	tmpdir_remove(&w->to);
}

void transfer_add(struct transfer *w, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", w->from.path, name);
	assert_int_equal(coo_fileset_add(w->set, path), COO_OK);
}

void transfer_make(struct transfer *w, const char *name, size_t n, uint64_t seed)
{
	uint8_t *bytes = malloc(n + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)test_random(&seed);
	tmpdir_write(w->from.fd, name, bytes, n);
	free(bytes);
}

void transfer_offer(struct transfer *w)
{
	coo_filesend_to to;

	memset(&to, 0, sizeof(to));
	to.addr = coo_addr_v4(127, 0, 0, 1, 0);
	to.user = LIT("me");
	to.host = LIT("here");
	to.expires = COO_NEVER;
	assert_int_equal(coo_filesend_offer(w->send, TRANSFER_PACKET, w->set, &to), COO_OK);
}

void transfer_offer_one(struct transfer *w, const char *name, size_t n)
{
	transfer_make(w, name, n, 1);
	transfer_add(w, name);
	transfer_offer(w);
}

static void on_done(void *user, const coo_fetch_result *r)
{
	struct transfer *w = user;

	w->result = *r;
	w->finished = true;
}

coo_fetch_opts transfer_ask(struct transfer *w, size_t i)
{
	const coo_fileset_file *f = &w->set->v[i];
	coo_fetch_opts o;

	memset(&o, 0, sizeof(o));
	o.loop = &w->loop;
	o.peer = w->bound;
	o.my_version = LIT("1");
	o.my_user = LIT("me");
	o.my_host = LIT("here");
	o.packet_no = 1783728300;
	o.utf8 = true;
	o.dir = w->to.fd;
	o.type = f->type;
	snprintf(o.id.peer, sizeof(o.id.peer), "me@here");
	memcpy(o.id.name, f->name, sizeof(o.id.name));
	o.id.packet = TRANSFER_PACKET;
	o.id.id = f->id;
	o.id.size = f->size;
	o.id.mtime = f->mtime;
	o.on_done = on_done;
	o.user = w;
	return o;
}

void transfer_fetch(struct transfer *w, const coo_fetch_opts *o)
{
	coo_time until = coo_clock_now() + COO_SEC(20);
	coo_fetch *f;

	w->finished = false;
	assert_int_equal(coo_fetch_start(o, &f), COO_OK);
	assert_false(w->finished);
	while ((!w->finished || coo_filesend_active(w->send) > 0) && coo_clock_now() < until)
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_true(w->finished);
}

void transfer_assert_same(struct transfer *w, const char *a, const char *b)
{
	size_t cap = 4u << 20;
	uint8_t *one = malloc(cap), *two = malloc(cap);
	long n, m;

	assert_true(one && two);
	n = tmpdir_read(w->from.fd, a, one, cap);
	m = tmpdir_read(w->to.fd, b, two, cap);
	assert_true(n >= 0);
	assert_int_equal(n, m);
	assert_memory_equal(one, two, (size_t)n);
	free(one);
	free(two);
}

void transfer_make_tree(struct transfer *w)
{
	int sub, deep;

	assert_int_equal(mkdirat(w->from.fd, "tree", 0755), 0);
	sub = openat(w->from.fd, "tree", O_RDONLY | O_DIRECTORY);
	for (unsigned i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof(name), "file %u", i);
		tmpdir_write(sub, name, name, strlen(name));
	}
	assert_int_equal(mkdirat(sub, "子目录", 0755), 0);
	deep = openat(sub, "子目录", O_RDONLY | O_DIRECTORY);
	tmpdir_write(deep, "empty", "", 0);
	assert_int_equal(symlinkat("empty", deep, "link"), 0);
	assert_int_equal(symlinkat("..", deep, "up"), 0);
	assert_int_equal(mkfifoat(deep, "pipe", 0600), 0);
	close(deep);
	close(sub);
	transfer_make(w, "tree/large", 1u << 20, 9);
}
