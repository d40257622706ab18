/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_DRIVER_IMPL_H
#define COO_ENGINE_DRIVER_IMPL_H

/* The inside of the driver, shared by driver.c (opening, the turn) and driver_send.c. Nobody else
 * includes this. */

#include "engine/driver.h"
#include "engine/netwatch.h"
#include "engine/reach.h"

enum {
	MAX_SOCKETS = 8,
	OUT_BYTES = 4 * 65536,
	OUT_DGRAMS = 64,
	BATCHES_A_TURN = 4,
	/*
	 * What goes to a host that is not there stays in the send buffer while ARP asks for it,
	 * three seconds. So the buffer bounds how many such hosts Linux has to remember at once:
	 * these bytes, which it doubles, hold about 530 questions, and it remembers 1,024 before it
	 * drops more without telling.
	 */
	SNDBUF = 200 << 10,
};

typedef struct coo_driver_socket {
	coo_udp *udp;
	uv_poll_t poll;
	bool want_write;
	coo_driver *driver;
} coo_driver_socket;

struct coo_driver {
	coo_driver_cfg cfg;
	uv_loop_t *loop;
	uv_timer_t timer;
	coo_node *node;
	void *node_mem;
	coo_netifs netifs;
	coo_driver_socket sockets[MAX_SOCKETS];
	size_t n_sockets;
	coo_reach reach;
	coo_offlink offlink;
	coo_netwatch *watch;

	/* datagrams made but not yet taken by the kernel, all for one socket */
	uint8_t *out;
	size_t out_used;
	coo_dgram queue[OUT_DGRAMS];
	uint32_t queue_no[OUT_DGRAMS];
	size_t n_queue, queue_at;
	coo_driver_socket *queue_socket;
	unsigned handles; /* libuv handles still open */
	bool closing;
};

/* The first socket of the address's family, or NULL. */
coo_driver_socket *coo_driver_socket_for(coo_driver *d, const coo_addr *to);

/* Sends all that the node has to say now, as far as the sockets take it. */
void coo_driver_send_all(coo_driver *d, coo_time now);

/* Watches a socket for reading, and for writing too. */
void coo_driver_watch(coo_driver_socket *s, bool write);

#endif
