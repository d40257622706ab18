/* SPDX-License-Identifier: MIT */
#include <poll.h>

#include "base/addr.h"
#include "base/clock.h"
#include "engine/driver_impl.h"
#include "support/test.h"

#define WAIT_MS 5000 /* far more than loopback needs; only a failing test waits it out */

/* A host to speak to: one address of each family, both with the same port. */
struct ears {
	coo_udp *v4, *v6;
};

static coo_udp *open_at(coo_addr bind)
{
	coo_udp_opts opts = { .bind = bind, .batch = 1 }; /* one datagram a turn */
	coo_udp *u = NULL;

	return coo_udp_open(&opts, &u) == COO_OK ? u : NULL;
}

static coo_addr loopback6(uint16_t port)
{
	coo_addr a = { .ip = { [15] = 1 }, .family = 6, .port = port };

	return a;
}

/* v6 stays NULL where this system has no IPv6. */
static struct ears open_ears(void)
{
	struct ears e = { NULL, NULL };

	for (int i = 0; i < 20 && !e.v6; i++) {
		coo_udp_close(e.v4);
		e.v4 = open_at(coo_addr_v4(127, 0, 0, 1, 0));
		assert_non_null(e.v4);
		e.v6 = open_at(loopback6(coo_udp_local(e.v4).port));
	}
	return e;
}

static coo_driver *open_driver(uv_loop_t *loop, uint16_t port)
{
	const coo_names names = { .user = LIT("u"), .host = LIT("h") };
	const coo_driver_cfg cfg = {
		.node = { .first_packet_no = 1000,
			  .port = port,
			  .legacy = names,
			  .utf8 = names,
			  .member = true },
		.no_broadcast = true,
	};
	coo_driver *d = NULL;

	uv_loop_init(loop);
	assert_int_equal(coo_driver_open(loop, &cfg, &d, NULL), COO_OK);
	return d;
}

static void close_driver(uv_loop_t *loop, coo_driver *d)
{
	coo_driver_close(d);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

/* The command of the next packet that came. */
static uint32_t next_command(coo_udp *u)
{
	struct pollfd p = { .fd = coo_udp_fd(u), .events = POLLIN };
	const coo_dgram *got;
	coo_packet packet;

	if (poll(&p, 1, WAIT_MS) != 1)
		fail_msg("nothing came");
	assert_int_equal(coo_udp_recv(u, &got), 1);
	assert_int_equal(coo_packet_decode(got->data, &packet), COO_OK);
	return coo_packet_cmd(&packet);
}

static void several_broadcasts_at_once_keep_their_bytes_in_both_families(void **state)
{
	static const uint32_t commands[] = { COO_CMD_NOOPERATION, COO_CMD_BR_ISGETLIST2,
					     COO_CMD_BR_ABSENCE };
	struct ears ears = open_ears();
	uv_loop_t loop;
	coo_driver *d;

	(void)state;
	if (!ears.v6) {
		coo_udp_close(ears.v4);
		return; /* one family: nothing to mix up */
	}
	d = open_driver(&loop, coo_udp_local(ears.v4).port);
	d->reach.n = 2;
	d->reach.v[0].peer = coo_udp_local(ears.v4);
	d->reach.v[1].peer = coo_udp_local(ears.v6);
	for (size_t i = 0; i < COO_ARRAY_LEN(commands); i++) {
		coo_addr everybody = { .port = coo_udp_local(ears.v4).port };

		coo_node_ask(d->node, &everybody, commands[i], coo_clock_now());
	}
	coo_driver_kick(d);
	for (size_t i = 0; i < COO_ARRAY_LEN(commands); i++) {
		assert_int_equal(next_command(ears.v4), commands[i]);
		assert_int_equal(next_command(ears.v6), commands[i]);
	}
	close_driver(&loop, d);
	coo_udp_close(ears.v4);
	coo_udp_close(ears.v6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_broadcasts_at_once_keep_their_bytes_in_both_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
