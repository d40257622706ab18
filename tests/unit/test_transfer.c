/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "feature/filerecv.h"
#include "feature/filesend.h"
#include "support/test.h"
#include "support/tmpdir.h"

/* A sender and a receiver on one loop, over the loopback interface. */
struct world {
	uv_loop_t loop;
	coo_filesend *send;
	coo_fileset *set;
	coo_addr bound;
	struct tmpdir from, to;
	coo_fetch_result result;
	bool finished;
	unsigned done, failed, refused, skipped;
	bool complete;
	uint64_t sent, offset;
	const char *why;
};

#define PACKET 0x6a515048u

static void on_send(void *user, const coo_filesend_event *ev)
{
	struct world *w = user;

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

static void begin(struct world *w)
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
	assert_int_equal(coo_filesend_open(&opts, &w->send), COO_OK);
	assert_int_equal(coo_filesend_listen(w->send, &any, &w->bound), COO_OK);
	assert_int_not_equal(w->bound.port, 0);
	w->set = coo_fileset_new(false);
	assert_non_null(w->set);
}

static void end(struct world *w)
{
	coo_filesend_close(w->send);
	coo_fileset_unref(w->set);
	assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	tmpdir_remove(&w->from);
	tmpdir_remove(&w->to);
}

static void add(struct world *w, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", w->from.path, name);
	assert_int_equal(coo_fileset_add(w->set, path), COO_OK);
}

static void make(struct world *w, const char *name, size_t n, uint64_t seed)
{
	uint8_t *bytes = malloc(n + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)test_random(&seed);
	tmpdir_write(w->from.fd, name, bytes, n);
	free(bytes);
}

static void offer(struct world *w)
{
	coo_filesend_to to;

	memset(&to, 0, sizeof(to));
	to.addr = coo_addr_v4(127, 0, 0, 1, 0);
	to.user = LIT("me");
	to.host = LIT("here");
	to.expires = COO_NEVER;
	assert_int_equal(coo_filesend_offer(w->send, PACKET, w->set, &to), COO_OK);
}

static void on_done(void *user, const coo_fetch_result *r)
{
	struct world *w = user;

	w->result = *r;
	w->finished = true;
}

static coo_fetch_opts ask(struct world *w, size_t i)
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
	o.id.packet = PACKET;
	o.id.id = f->id;
	o.id.size = f->size;
	o.id.mtime = f->mtime;
	o.on_done = on_done;
	o.user = w;
	return o;
}

/* Runs until the fetch is over and the sender has heard of it. */
static void fetch(struct world *w, const coo_fetch_opts *o)
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

static void assert_same(struct world *w, const char *a, const char *b)
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

static void files_of_any_size_arrive(void **state)
{
	static const struct {
		const char *name;
		size_t n;
	} rows[] = {
		{ "empty", 0 },
		{ "three.txt", 3 },
		{ "报告 a:b::c 😀.bin", 300000 },
		{ "large.bin", 3u << 20 },
	};
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		make(&w, rows[i].name, rows[i].n, i);
		add(&w, rows[i].name);
	}
	offer(&w);
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_fetch_opts o = ask(&w, i);
		struct stat a, b;

		assert_int_equal(coo_filesend_pending(w.send), 1);
		fetch(&w, &o);
		if (w.result.e != COO_OK)
			fail_msg("%s: %s, %s", rows[i].name, coo_err_name(w.result.e),
				 w.result.why);
		assert_string_equal(w.result.name, rows[i].name);
		assert_int_equal(w.result.bytes, rows[i].n);
		assert_true(w.result.has_sha256);
		assert_same(&w, rows[i].name, rows[i].name);
		assert_int_equal(fstatat(w.from.fd, rows[i].name, &a, 0), 0);
		assert_int_equal(fstatat(w.to.fd, rows[i].name, &b, 0), 0);
		assert_int_equal(a.st_mtime, b.st_mtime);
		assert_int_equal(w.done, i + 1);
	}
	assert_true(w.complete);
	assert_int_equal(coo_filesend_pending(w.send), 0);
	assert_int_equal(w.failed + w.refused, 0);
	end(&w);
}

static void the_hash_is_that_of_the_file(void **state)
{
	char want[COO_SHA256_HEX_CAP];
	uint8_t digest[COO_SHA256_SIZE];
	struct world w;
	coo_fetch_opts o;
	coo_sha256 h;

	(void)state;
	begin(&w);
	tmpdir_write(w.from.fd, "abc", "abc", 3);
	add(&w, "abc");
	offer(&w);
	o = ask(&w, 0);
	fetch(&w, &o);
	coo_sha256_init(&h);
	coo_sha256_update(&h, "abc", 3);
	coo_sha256_final(&h, digest);
	assert_string_equal(w.result.sha256, coo_sha256_hex(digest, want));
	end(&w);
}

static void make_tree(struct world *w)
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
	make(w, "tree/large", 1u << 20, 9);
}

static void folders_arrive_without_their_links(void **state)
{
	struct world w;
	coo_fetch_opts o;

	(void)state;
	begin(&w);
	make_tree(&w);
	add(&w, "tree");
	offer(&w);
	o = ask(&w, 0);
	fetch(&w, &o);
	if (w.result.e != COO_OK)
		fail_msg("%s, %s", coo_err_name(w.result.e), w.result.why);
	assert_string_equal(w.result.name, "tree");
	assert_int_equal(w.result.files, 302);
	assert_int_equal(w.result.folders, 2);
	assert_int_equal(w.skipped, 3);
	assert_same(&w, "tree/large", "tree/large");
	assert_same(&w, "tree/file 299", "tree/file 299");
	assert_same(&w, "tree/子目录/empty", "tree/子目录/empty");
	assert_int_equal(tmpdir_count(w.to.fd), 1);
	/* once more: what exists is not touched */
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_OK);
	assert_string_equal(w.result.name, "tree (2)");
	end(&w);
}

/* Leaves the first n bytes of the source as a part of the file that o asks for. */
static void plant_part(struct world *w, const coo_fetch_opts *o, const char *name, size_t n,
		       int damage_at)
{
	uint8_t *bytes = malloc(4u << 20);
	coo_partial p;

	assert_non_null(bytes);
	assert_true(tmpdir_read(w->from.fd, name, bytes, 4u << 20) >= (long)n);
	if (damage_at >= 0)
		bytes[damage_at] ^= 1;
	assert_int_equal(coo_partial_open(w->to.fd, &o->id, &p), COO_OK);
	assert_int_equal(write(p.fd, bytes, n), (ssize_t)n);
	coo_partial_close(&p, w->to.fd);
	free(bytes);
}

static void a_part_is_taken_up_again(void **state)
{
	struct world w;
	coo_fetch_opts o;

	(void)state;
	begin(&w);
	make(&w, "big", 1u << 20, 1);
	add(&w, "big");
	offer(&w);
	o = ask(&w, 0);
	plant_part(&w, &o, "big", 700000, -1);
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_OK);
	assert_int_equal(w.result.resumed_from, 700000);
	assert_int_equal(w.offset, 700000 - 65536);
	assert_int_equal(w.sent, (1u << 20) - w.offset);
	assert_same(&w, "big", "big");
	assert_int_equal(tmpdir_count(w.to.fd), 1);
	end(&w);
}

static void a_whole_part_is_checked_and_finished(void **state)
{
	struct world w;
	coo_fetch_opts o;

	(void)state;
	begin(&w);
	make(&w, "big", 100000, 1);
	add(&w, "big");
	offer(&w);
	o = ask(&w, 0);
	plant_part(&w, &o, "big", 100000, -1);
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_OK);
	assert_same(&w, "big", "big");
	end(&w);
}

static void a_part_of_another_file_is_thrown_away(void **state)
{
	struct world w;
	coo_fetch_opts o;

	(void)state;
	begin(&w);
	make(&w, "big", 1u << 20, 1);
	add(&w, "big");
	offer(&w);
	o = ask(&w, 0);
	plant_part(&w, &o, "big", 700000, 699999);
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_OK);
	assert_int_equal(w.result.resumed_from, 0);
	assert_same(&w, "big", "big");
	end(&w);
}

static void only_the_right_one_is_served(void **state)
{
	struct world w;
	coo_fetch_opts o;

	(void)state;
	begin(&w);
	make(&w, "a", 10, 1);
	add(&w, "a");
	offer(&w);
	o = ask(&w, 0);
	o.id.packet++;
	fetch(&w, &o);
	assert_int_equal(w.refused, 1);
	o = ask(&w, 0);
	o.id.id = 7;
	fetch(&w, &o);
	assert_int_equal(w.refused, 2);
	o = ask(&w, 0);
	o.my_user = LIT("mallory");
	fetch(&w, &o);
	assert_int_equal(w.refused, 3);
	o = ask(&w, 0);
	o.local = coo_addr_v4(127, 0, 0, 2, 0);
	fetch(&w, &o);
	assert_int_equal(w.refused, 4);
	assert_int_equal(w.result.e, COO_EFORMAT);
	assert_int_equal(w.done + w.failed, 0);
	assert_int_equal(tmpdir_count(w.to.fd), 0);
	end(&w);
}

static void released_offers_are_over(void **state)
{
	const coo_addr me = coo_addr_v4(127, 0, 0, 1, 9), other = coo_addr_v4(127, 0, 0, 2, 9);
	struct world w;
	coo_fetch_opts o;
	bool complete = true;

	(void)state;
	begin(&w);
	make(&w, "a", 10, 1);
	add(&w, "a");
	offer(&w);
	assert_false(coo_filesend_release(w.send, PACKET, &other, &complete));
	assert_false(coo_filesend_release(w.send, PACKET + 1, &me, &complete));
	assert_true(coo_filesend_release(w.send, PACKET, &me, &complete));
	assert_false(complete);
	assert_int_equal(coo_filesend_pending(w.send), 0);
	o = ask(&w, 0);
	fetch(&w, &o);
	assert_int_equal(w.refused, 1);
	end(&w);
}

static void what_changed_meanwhile_is_not_sent(void **state)
{
	struct world w;
	coo_fetch_opts o;

	(void)state;
	begin(&w);
	make(&w, "a", 10, 1);
	make(&w, "b", 10, 1);
	add(&w, "a");
	add(&w, "b");
	offer(&w);
	make(&w, "a", 9, 1);
	assert_int_equal(unlinkat(w.from.fd, "b", 0), 0);
	for (size_t i = 0; i < 2; i++) {
		o = ask(&w, i);
		fetch(&w, &o);
		assert_int_equal(w.failed, i + 1);
		assert_int_not_equal(w.result.e, COO_OK);
	}
	assert_int_equal(tmpdir_count(w.to.fd), 0);
	end(&w);
}

static void limits_are_kept(void **state)
{
	struct world w;
	coo_fetch_opts o;

	(void)state;
	begin(&w);
	make(&w, "a", 1000, 1);
	make_tree(&w);
	add(&w, "a");
	add(&w, "tree");
	offer(&w);
	o = ask(&w, 0);
	o.limits.max_file = 999;
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	o = ask(&w, 0);
	o.limits.min_free = UINT64_MAX;
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	assert_int_equal(tmpdir_count(w.to.fd), 0);
	o = ask(&w, 1);
	o.limits.max_entries = 100;
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	assert_string_equal(w.result.name, "tree.part");
	o = ask(&w, 1);
	o.limits.max_total = 1u << 19;
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	o = ask(&w, 1);
	o.limits.max_file = 1u << 19;
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	assert_int_equal(w.done, 0);
	end(&w);
}

static void nobody_there_is_said(void **state)
{
	struct world w;
	coo_fetch_opts o;

	(void)state;
	begin(&w);
	make(&w, "a", 10, 1);
	add(&w, "a");
	offer(&w);
	o = ask(&w, 0);
	o.peer = coo_addr_v4(127, 0, 0, 3, w.bound.port);
	fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ESYS);
	assert_int_not_equal(w.result.sys, 0);
	assert_int_equal(tmpdir_count(w.to.fd), 0);
	end(&w);
}

static void a_cancelled_fetch_ends(void **state)
{
	struct world w;
	coo_fetch_opts o;
	coo_fetch *f;

	(void)state;
	begin(&w);
	make(&w, "a", 10, 1);
	add(&w, "a");
	offer(&w);
	o = ask(&w, 0);
	assert_int_equal(coo_fetch_start(&o, &f), COO_OK);
	coo_fetch_cancel(f);
	while (!w.finished)
		uv_run(&w.loop, UV_RUN_ONCE);
	assert_int_equal(w.result.e, COO_ELIMIT);
	end(&w);
}

/* A peer that says nothing sensible is closed, and leaves nothing behind. */
static void rubbish_is_closed(void **state)
{
	static const char *const rows[] = {
		"GET / HTTP/1.1\r\n\r\n::::",
		"1:1:me:here:32:hello",
		"1:1:me:here:96:zz:0:0:",
		"1:1:me:here:4194400:6a515048:0:0:",
		":::::",
	};
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct sockaddr_storage ss;
		socklen_t n = coo_addr_to_sockaddr(&w.bound, &ss);
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		assert_int_equal(connect(fd, (struct sockaddr *)&ss, n), 0);
		assert_int_equal(write(fd, rows[i], strlen(rows[i])), (ssize_t)strlen(rows[i]));
		while (w.refused == i)
			uv_run(&w.loop, UV_RUN_ONCE);
		close(fd);
	}
	assert_int_equal(coo_filesend_active(w.send), 0);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_any_size_arrive),
		cmocka_unit_test(the_hash_is_that_of_the_file),
		cmocka_unit_test(folders_arrive_without_their_links),
		cmocka_unit_test(a_part_is_taken_up_again),
		cmocka_unit_test(a_whole_part_is_checked_and_finished),
		cmocka_unit_test(a_part_of_another_file_is_thrown_away),
		cmocka_unit_test(only_the_right_one_is_served),
		cmocka_unit_test(released_offers_are_over),
		cmocka_unit_test(what_changed_meanwhile_is_not_sent),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(nobody_there_is_said),
		cmocka_unit_test(a_cancelled_fetch_ends),
		cmocka_unit_test(rubbish_is_closed),
	};

	return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
