/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/clock.h"
#include "engine/udp.h"
#include "support/test.h"

#define WAIT_MS 5000 /* far more than loopback needs; only a failing test waits it out */

static coo_udp *open_udp(coo_udp_opts opts)
{
	coo_udp *u = NULL;

	if (coo_udp_open(&opts, &u) != COO_OK)
		fail_msg("cannot open a socket: %s", strerror(errno));
	return u;
}

static coo_udp *open_v4(uint8_t last)
{
	return open_udp((coo_udp_opts){ .bind = coo_addr_v4(127, 0, 0, last, 0) });
}

static coo_dgram to(const coo_udp *u, const void *data, size_t n)
{
	coo_dgram d;

	memset(&d, 0, sizeof(d));
	d.data = coo_span_of(data, n);
	d.peer = coo_udp_local(u);
	return d;
}

/* Waits for the socket to be readable and takes a turn. */
static size_t turn(coo_udp *u, const coo_dgram **got)
{
	struct pollfd p = { .fd = coo_udp_fd(u), .events = POLLIN };

	if (poll(&p, 1, WAIT_MS) != 1)
		fail_msg("nothing came");
	return coo_udp_recv(u, got);
}

static const coo_dgram *one(coo_udp *u)
{
	const coo_dgram *got;

	assert_int_equal(turn(u, &got), 1);
	return got;
}

static void one_datagram_arrives_as_it_was_sent(void **state)
{
	coo_udp *a = open_v4(1), *b = open_v4(1);
	coo_dgram d = to(b, "hello", 5);
	coo_addr local = coo_udp_local(a);
	const coo_dgram *got;
	int failed = 7;

	(void)state;
	assert_int_equal(coo_udp_recv(b, &got), 0);
	assert_int_equal(coo_udp_send(a, &d, 1, &failed), 1);
	assert_int_equal(failed, 0);
	got = one(b);
	assert_span(got->data, LIT("hello"), NULL);
	assert_true(coo_addr_eq(&got->peer, &local));
	assert_int_equal(got->local.family, 0);
	assert_int_equal(got->stamp, 0);
	assert_false(got->truncated);
	assert_int_equal(coo_udp_recv(b, &got), 0);
	assert_int_equal(coo_udp_get_stats(a)->tx, 1);
	assert_int_equal(coo_udp_get_stats(a)->tx_bytes, 5);
	assert_int_equal(coo_udp_get_stats(b)->rx, 1);
	assert_int_equal(coo_udp_get_stats(b)->rx_bytes, 5);
	coo_udp_close(a);
	coo_udp_close(b);
}

static void batches_keep_every_datagram_and_their_order(void **state)
{
	enum { N = 150 };
	coo_udp *a = open_v4(1), *b = open_v4(1);
	coo_dgram out[N];
	uint8_t text[N][2];
	size_t seen = 0, most = 0;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		text[i][0] = text[i][1] = (uint8_t)i;
		out[i] = to(b, text[i], 1 + i % 2);
	}
	assert_int_equal(coo_udp_send(a, out, N, NULL), N);
	while (seen < N) {
		const coo_dgram *got;
		size_t n = turn(b, &got);

		if (n > most)
			most = n;
		for (size_t i = 0; i < n; i++, seen++)
			assert_span(got[i].data, out[seen].data, "in order");
	}
	assert_int_equal(most, 32);
	assert_int_equal(coo_udp_get_stats(b)->rx, N);
	assert_int_equal(coo_udp_get_stats(a)->tx, N);
	coo_udp_close(a);
	coo_udp_close(b);
}

/* After a long time of single datagrams a train is still taken whole, in few turns. */
static void a_train_after_single_datagrams_is_batched_soon(void **state)
{
	enum { N = 200 };
	coo_udp *a = open_v4(1), *b = open_v4(1);
	coo_dgram out[N];
	size_t seen = 0, turns = 0;

	(void)state;
	for (size_t i = 0; i < N; i++)
		out[i] = to(b, "x", 1);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(coo_udp_send(a, out, 1, NULL), 1);
		(void)one(b);
	}
	assert_int_equal(coo_udp_send(a, out, N, NULL), N);
	for (; seen < N; turns++) {
		const coo_dgram *got;

		seen += turn(b, &got);
	}
	assert_true(turns <= 16 + N / 32 + 1);
	coo_udp_close(a);
	coo_udp_close(b);
}

static void any_length_a_datagram_may_have_arrives_whole(void **state)
{
	static const size_t lengths[] = { 0, 1, 1472, 1473, 65506, 65507 };
	coo_udp *a = open_v4(1), *b = open_v4(1);
	uint8_t *big = malloc(65508);

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < 65508; i++)
		big[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < COO_ARRAY_LEN(lengths); i++) {
		coo_dgram d = to(b, big, lengths[i]);
		const coo_dgram *got;

		assert_int_equal(coo_udp_send(a, &d, 1, NULL), 1);
		got = one(b);
		assert_span(got->data, coo_span_of(big, lengths[i]), "length");
		assert_false(got->truncated);
	}
	assert_int_equal(coo_udp_get_stats(b)->rx_truncated, 0);
	free(big);
	coo_udp_close(a);
	coo_udp_close(b);
}

/* The one that is too long is given up, those around it are sent. */
static void a_datagram_that_is_too_long_is_given_up_alone(void **state)
{
	coo_udp *a = open_v4(1), *b = open_v4(1);
	uint8_t *big = calloc(1, 65508);
	coo_dgram d[3];
	int failed[3] = { 9, 9, 9 };
	size_t seen = 0;

	(void)state;
	assert_non_null(big);
	d[0] = to(b, "1", 1);
	d[1] = to(b, big, 65508);
	d[2] = to(b, "3", 1);
	assert_int_equal(coo_udp_send(a, d, 3, failed), 3);
	assert_int_equal(failed[0], 0);
	assert_int_equal(failed[1], EMSGSIZE);
	assert_int_equal(failed[2], 0);
	assert_int_equal(coo_udp_get_stats(a)->tx, 2);
	assert_int_equal(coo_udp_get_stats(a)->tx_too_long, 1);
	while (seen < 2) {
		const coo_dgram *got;

		seen += turn(b, &got);
	}
	free(big);
	coo_udp_close(a);
	coo_udp_close(b);
}

/* Broadcasting without leave is refused by every kernel before anything is sent. */
static void a_refused_datagram_is_given_up_alone(void **state)
{
	coo_udp *b = open_v4(1), *a;
	coo_dgram d[3];
	int failed[3] = { 9, 9, 9 };

	(void)state;
	a = open_udp((coo_udp_opts){ .bind = coo_addr_v4(127, 0, 0, 1, 0), .no_broadcast = true });
	d[0] = d[1] = d[2] = to(b, "x", 1);
	d[0].peer = coo_addr_v4(127, 255, 255, 255, d[1].peer.port);
	assert_int_equal(coo_udp_send(a, d, 3, failed), 3);
	assert_int_not_equal(failed[0], 0);
	assert_int_equal(failed[1], 0);
	assert_int_equal(failed[2], 0);
	assert_int_equal(coo_udp_get_stats(a)->tx_unreachable, 1);
	assert_int_equal(coo_udp_get_stats(a)->tx, 2);
	coo_udp_close(a);
	coo_udp_close(b);
}

static void an_answer_leaves_from_the_address_that_was_asked(void **state)
{
	coo_udp *any, *asker = open_v4(1);
	coo_addr asked;
	coo_dgram d = to(asker, "q", 1);
	const coo_dgram *got;

	(void)state;
	any = open_udp((coo_udp_opts){
	    .bind = coo_addr_v4(0, 0, 0, 0, 0), .want_dst = true, .want_stamp = true });
	asked = coo_addr_v4(127, 0, 0, 2, coo_udp_local(any).port);
	d.peer = asked;
	assert_int_equal(coo_udp_send(asker, &d, 1, NULL), 1);
	got = one(any);
	assert_true(coo_addr_eq(&got->local, &asked));
	assert_int_not_equal(got->ifindex, 0);
	assert_true(got->stamp + COO_SEC(60) > coo_clock_wall());
	assert_true(got->stamp < coo_clock_wall() + COO_SEC(60));
	d = *got;
	assert_int_equal(coo_udp_send(any, &d, 1, NULL), 1);
	got = one(asker);
	assert_true(coo_addr_eq(&got->peer, &asked));
	coo_udp_close(any);
	coo_udp_close(asker);
}

static void ipv6_goes_the_same_way(void **state)
{
	coo_addr any = { .family = 6 }, loopback = { .family = 6 };
	coo_udp *a = NULL, *b;
	coo_udp_opts opts = { .want_dst = true };
	coo_dgram d;
	const coo_dgram *got;

	(void)state;
	loopback.ip[15] = 1;
	opts.bind = loopback;
	if (coo_udp_open(&opts, &a) != COO_OK)
		skip(); /* a system without IPv6 */
	opts.bind = any;
	b = open_udp(opts);
	d = to(b, "six", 3);
	d.peer.ip[15] = 1;
	assert_int_equal(coo_udp_send(a, &d, 1, NULL), 1);
	got = one(b);
	assert_span(got->data, LIT("six"), NULL);
	assert_true(coo_addr_eq_ip(&got->local, &loopback));
	d = *got;
	assert_int_equal(coo_udp_send(b, &d, 1, NULL), 1);
	assert_span(one(a)->data, LIT("six"), NULL);
	coo_udp_close(a);
	coo_udp_close(b);
}

/* IPv4 and IPv6 may be bound to one port side by side; another program may hold one such port. */
static void an_ipv6_socket_leaves_ipv4_alone(void **state)
{
	bool both = false;

	(void)state;
	for (unsigned attempt = 0; attempt < 20 && !both; attempt++) {
		coo_udp_opts opts = { .bind = { .family = 6 } };
		coo_udp *v6 = NULL, *v4 = NULL;

		if (coo_udp_open(&opts, &v6) != COO_OK)
			skip();
		opts.bind = coo_addr_v4(0, 0, 0, 0, coo_udp_local(v6).port);
		both = coo_udp_open(&opts, &v4) == COO_OK;
		coo_udp_close(v4);
		coo_udp_close(v6);
	}
	assert_true(both);
}

static void what_the_kernel_drops_is_counted(void **state)
{
	enum { N = 60 };
	coo_udp *a = open_v4(1), *b;
	uint8_t data[1000] = { 0 };
	coo_dgram d;
	const coo_dgram *got;
	size_t n, seen = 0;

	(void)state;
	b = open_udp((coo_udp_opts){ .bind = coo_addr_v4(127, 0, 0, 1, 0), .rcvbuf = 4096 });
	d = to(b, data, sizeof(data));
	for (size_t i = 0; i < N; i++)
		assert_int_equal(coo_udp_send(a, &d, 1, NULL), 1);
	while ((n = coo_udp_recv(b, &got)) > 0)
		seen += n;
	assert_true(seen < N);
	assert_int_equal(coo_udp_send(a, &d, 1, NULL), 1);
	(void)one(b); /* brings the news */
#ifdef SO_RXQ_OVFL
	assert_int_equal(coo_udp_get_stats(b)->rx_dropped, N - seen);
#endif
	coo_udp_close(a);
	coo_udp_close(b);
}

#ifdef IP_RECVERR
/* A port where nobody listens: the kernel reports it at the next receive, which counts it. */
static void an_icmp_error_is_counted_and_nothing_else(void **state)
{
	coo_udp *a = open_v4(1), *gone = open_v4(1), *b = open_v4(1);
	coo_dgram d = to(gone, "x", 1), e = to(b, "y", 1);
	struct pollfd p = { .fd = coo_udp_fd(a), .events = POLLIN };
	const coo_dgram *got;
	int on = 1;

	(void)state;
	assert_int_equal(setsockopt(coo_udp_fd(a), IPPROTO_IP, IP_RECVERR, &on, sizeof(on)), 0);
	coo_udp_close(gone);
	assert_int_equal(coo_udp_send(a, &d, 1, NULL), 1);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(coo_udp_recv(a, &got), 0);
	assert_int_equal(coo_udp_get_stats(a)->rx_error, 1);
	/* Met by a send instead, it does not cost the datagram that is being sent. */
	assert_int_equal(coo_udp_send(a, &d, 1, NULL), 1);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(coo_udp_send(a, &e, 1, NULL), 1);
	assert_span(one(b)->data, LIT("y"), NULL);
	assert_int_equal(coo_udp_get_stats(a)->rx_error, 2);
	assert_int_equal(coo_udp_get_stats(a)->tx_unreachable, 0);
	coo_udp_close(a);
	coo_udp_close(b);
}
#endif

static void the_socket_is_private_and_does_not_block(void **state)
{
	coo_udp *a = open_v4(1);

	(void)state;
	assert_true(fcntl(coo_udp_fd(a), F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(coo_udp_fd(a), F_GETFL) & O_NONBLOCK);
	assert_true(coo_udp_rcvbuf(a) > 0);
	assert_int_not_equal(coo_udp_local(a).port, 0);
	coo_udp_close(a);
	coo_udp_close(NULL);
}

static void a_port_in_use_is_an_error_of_the_system(void **state)
{
	coo_udp *a = open_v4(1), *b = NULL;
	coo_udp_opts opts = { .bind = coo_udp_local(a) };

	(void)state;
	assert_int_equal(coo_udp_open(&opts, &b), COO_ESYS);
	assert_int_equal(errno, EADDRINUSE);
	assert_null(b);
	coo_udp_close(a);
}

static void wrong_options_are_refused(void **state)
{
	coo_udp *u = NULL;
	coo_udp_opts no_family = { .batch = 1 };
	coo_udp_opts large = { .bind = coo_addr_v4(127, 0, 0, 1, 0), .batch = 65 };

	(void)state;
	assert_int_equal(coo_udp_open(&no_family, &u), COO_EINVAL);
	assert_int_equal(coo_udp_open(&large, &u), COO_EINVAL);
	assert_null(u);
}

static void a_batch_of_one_works(void **state)
{
	coo_udp *a, *b = open_v4(1);
	coo_dgram d[3];

	(void)state;
	a = open_udp((coo_udp_opts){ .bind = coo_addr_v4(127, 0, 0, 1, 0), .batch = 1 });
	d[0] = d[1] = d[2] = to(a, "x", 1);
	assert_int_equal(coo_udp_send(b, d, 3, NULL), 3);
	for (size_t i = 0; i < 3; i++)
		assert_span(one(a)->data, LIT("x"), NULL);
	coo_udp_close(a);
	coo_udp_close(b);
}

static void groups_are_joined_and_left(void **state)
{
	coo_udp *u = open_udp((coo_udp_opts){ .bind = coo_addr_v4(0, 0, 0, 0, 0) });
	coo_addr group = coo_addr_v4(239, 255, 24, 25, 0), plain = coo_addr_v4(10, 0, 0, 1, 0);

	(void)state;
	assert_int_equal(coo_udp_join(u, &plain, 0), COO_EINVAL);
	assert_int_equal(coo_udp_leave(u, &group, 0), COO_ESYS); /* never joined */
	assert_int_equal(coo_udp_join(u, &group, 1), COO_OK);
	assert_int_equal(coo_udp_join(u, &group, 1), COO_ESYS); /* twice */
	assert_int_equal(coo_udp_leave(u, &group, 1), COO_OK);
	coo_udp_close(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_datagram_arrives_as_it_was_sent),
		cmocka_unit_test(batches_keep_every_datagram_and_their_order),
		cmocka_unit_test(a_train_after_single_datagrams_is_batched_soon),
		cmocka_unit_test(any_length_a_datagram_may_have_arrives_whole),
		cmocka_unit_test(a_datagram_that_is_too_long_is_given_up_alone),
		cmocka_unit_test(a_refused_datagram_is_given_up_alone),
		cmocka_unit_test(an_answer_leaves_from_the_address_that_was_asked),
		cmocka_unit_test(ipv6_goes_the_same_way),
		cmocka_unit_test(an_ipv6_socket_leaves_ipv4_alone),
		cmocka_unit_test(what_the_kernel_drops_is_counted),
#ifdef IP_RECVERR
		cmocka_unit_test(an_icmp_error_is_counted_and_nothing_else),
#endif
		cmocka_unit_test(the_socket_is_private_and_does_not_block),
		cmocka_unit_test(a_port_in_use_is_an_error_of_the_system),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(a_batch_of_one_works),
		cmocka_unit_test(groups_are_joined_and_left),
	};

	return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
