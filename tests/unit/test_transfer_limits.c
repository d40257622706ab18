/* SPDX-License-Identifier: MIT */

/* What ends a transfer before its time: limits, peers that are not there, say rubbish or stall. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "support/transfer.h"

static void limits_are_kept(void **state)
{
	struct transfer w;
	coo_fetch_opts o;

	(void)state;
	transfer_begin(&w);
	transfer_make(&w, "a", 1000, 1);
	transfer_make_tree(&w);
	transfer_add(&w, "a");
	transfer_add(&w, "tree");
	transfer_offer(&w);
	o = transfer_ask(&w, 0);
	o.limits.max_file = 999;
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	o = transfer_ask(&w, 0);
	o.limits.min_free = UINT64_MAX;
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	assert_int_equal(tmpdir_count(w.to.fd), 0);
	o = transfer_ask(&w, 1);
	o.limits.max_entries = 100;
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	assert_string_equal(w.result.name, "tree.part");
	o = transfer_ask(&w, 1);
	o.limits.max_total = 1u << 19;
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	o = transfer_ask(&w, 1);
	o.limits.max_file = 1u << 19;
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ELIMIT);
	assert_int_equal(w.done, 0);
	transfer_end(&w);
}

static void nobody_there_is_said(void **state)
{
	struct transfer w;
	coo_fetch_opts o;

	(void)state;
	transfer_begin(&w);
	transfer_offer_one(&w, "a", 10);
	o = transfer_ask(&w, 0);
	o.peer = coo_addr_v4(127, 0, 0, 3, w.bound.port);
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ESYS);
	assert_int_not_equal(w.result.sys, 0);
	assert_int_equal(tmpdir_count(w.to.fd), 0);
	transfer_end(&w);
}

static void a_cancelled_fetch_ends(void **state)
{
	struct transfer w;
	coo_fetch_opts o;
	coo_fetch *f;

	(void)state;
	transfer_begin(&w);
	transfer_offer_one(&w, "a", 10);
	o = transfer_ask(&w, 0);
	assert_int_equal(coo_fetch_start(&o, &f), COO_OK);
	coo_fetch_cancel(f);
	while (!w.finished)
		uv_run(&w.loop, UV_RUN_ONCE);
	assert_int_equal(w.result.e, COO_ELIMIT);
	transfer_end(&w);
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
	struct transfer w;

	(void)state;
	transfer_begin(&w);
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
	transfer_end(&w);
}

/* --- patience ------------------------------------------------------------------------------------
 */

static int connect_to(const coo_addr *a)
{
	struct sockaddr_storage ss;
	socklen_t n = coo_addr_to_sockaddr(a, &ss);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, n), 0);
	return fd;
}

/* Who connects and says nothing is closed when its time is over, not before. */
static void a_request_has_to_come_in_time(void **state)
{
	struct transfer w;
	coo_time begun;
	int fd;

	(void)state;
	transfer_begin_with(&w, COO_MS(400), 0);
	begun = coo_clock_now();
	fd = connect_to(&w.bound);
	while (w.refused == 0)
		uv_run(&w.loop, UV_RUN_ONCE);
	assert_string_equal(w.why, "sent no request in time");
	assert_true(coo_clock_now() - begun >= COO_MS(400));
	close(fd);
	transfer_end(&w);
}

/* Who asks for a file and takes nothing of it is closed. */
static void who_takes_nothing_is_closed(void **state)
{
	static const char request[] = "1:1:me:here:96:6a515048:0:0:";
	struct transfer w;
	int fd, small = 4096;

	(void)state;
	transfer_begin_with(&w, 0, COO_MS(500));
	transfer_offer_one(&w, "a", 3u << 20);
	fd = connect_to(&w.bound);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(write(fd, request, sizeof(request)), sizeof(request));
	while (w.failed == 0)
		uv_run(&w.loop, UV_RUN_ONCE);
	assert_string_equal(w.why, "the peer takes nothing any more");
	assert_int_equal(w.done, 0);
	close(fd);
	transfer_end(&w);
}

struct dripper {
	uv_timer_t timer;
	int listener, fd;
	size_t dripped;
};

static void on_drip(uv_timer_t *timer)
{
	struct dripper *d = timer->data;

	if (d->fd < 0)
		d->fd = accept4(d->listener, NULL, NULL, SOCK_NONBLOCK);
	if (d->fd >= 0 && send(d->fd, "x", 1, MSG_NOSIGNAL) == 1)
		d->dripped++;
}

/* A byte now and then is no progress. */
static void who_drips_is_closed(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t n = sizeof(sa);
	struct dripper d = { .fd = -1 };
	struct transfer w;
	coo_fetch_opts o;

	(void)state;
	transfer_begin(&w);
	transfer_make(&w, "a", 100000, 1);
	transfer_add(&w, "a");
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	d.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(d.listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(d.listener, 4), 0);
	assert_int_equal(getsockname(d.listener, (struct sockaddr *)&sa, &n), 0);
	uv_timer_init(&w.loop, &d.timer);
	d.timer.data = &d;
	uv_timer_start(&d.timer, on_drip, 10, 10);
	o = transfer_ask(&w, 0);
	o.peer.port = ntohs(sa.sin_port);
	o.limits.idle = COO_MS(700);
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_ESYS);
	assert_string_equal(w.result.why, "the peer sends nothing, or next to nothing");
	assert_true(d.dripped >= 10);
	/* what dripped is kept for a peer that does better */
	assert_true(w.result.bytes > 0);
	assert_true(strstr(w.result.name, ".part") != NULL);
	uv_close((uv_handle_t *)&d.timer, NULL);
	close(d.fd);
	close(d.listener);
	transfer_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(nobody_there_is_said),
		cmocka_unit_test(a_cancelled_fetch_ends),
		cmocka_unit_test(rubbish_is_closed),
		cmocka_unit_test(a_request_has_to_come_in_time),
		cmocka_unit_test(who_takes_nothing_is_closed),
		cmocka_unit_test(who_drips_is_closed),
	};

	return cmocka_run_group_tests_name("transfer_limits", tests, NULL, NULL);
}
