/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_DRIVER_H
#define COO_ENGINE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "engine/netif.h"
#include "engine/offlink.h"
#include "engine/udp.h"
#include "proto/attr.h"
#include "proto/node.h"

/*
 * Joins one node to its sockets and to a libuv loop: datagrams in, datagrams out, time, and where
 * broadcasts go. Everything runs on the loop's thread.
 */
typedef struct coo_driver coo_driver;

typedef struct coo_driver_cfg {
	coo_node_cfg node;
	coo_addr bind;		  /* family 0: all addresses of both families */
	uint16_t port;		  /* to bind; 0 lets the kernel choose */
	const char *const *names; /* interfaces to use; borrowed for the call */
	size_t n_names;		  /* 0: all but loopback and virtual ones */
	bool no_broadcast;	  /* announcements go nowhere */
	coo_offlink_cfg offlink;  /* who beside our own networks gets answers */

	/* ev and what it points to end with the call; it may call the node and coo_driver_kick. */
	void (*on_event)(void *user, const coo_event *ev);
	/* After each turn of datagrams, when nothing more is waiting: the place to flush output.
	 * May be NULL. */
	void (*on_turn)(void *user);
	/* The system refused for good to send a datagram to that address: errno. Calls nothing of
	 * the driver. May be NULL. */
	void (*on_unsent)(void *user, const coo_addr *to, int error);
	void *user;
} coo_driver_cfg;

/*
 * Opens the sockets and starts watching them. COO_ESYS with errno where the system refuses
 * (EADDRINUSE: the port is taken), COO_ENOENT for an unknown interface, whose name is then in *bad
 * (may be NULL), COO_EINVAL from the node. Gives: coo_driver_close.
 */
COO_MUST_CHECK coo_err coo_driver_open(uv_loop_t *loop, const coo_driver_cfg *cfg, coo_driver **out,
				       const char **bad);

/* Stops watching and closes; memory goes when the loop has run once more. Accepts NULL. */
void coo_driver_close(coo_driver *d);

coo_node *coo_driver_node(coo_driver *d);
uv_loop_t *coo_driver_loop(coo_driver *d);

/* The time that the node lives in: coo_clock_now(). */
coo_time coo_driver_now(const coo_driver *d);

/* Sends what the node has to say and sets the timer anew: after every command given to the node
 * outside on_event. */
void coo_driver_kick(coo_driver *d);

/* Whether datagrams wait because the socket is full: who sends much holds back until they went. */
bool coo_driver_is_full(const coo_driver *d);

/* The address bound first, with the real port. */
coo_addr coo_driver_local(const coo_driver *d);

/* The IPv4 socket's numbers (the IPv6 one's where there is no other). */
const coo_udp_stats *coo_driver_udp_stats(const coo_driver *d);
size_t coo_driver_rcvbuf(const coo_driver *d);

/* The interfaces as they are now. Borrowed until the loop runs on: a change reads them anew. */
const coo_netifs *coo_driver_netifs(const coo_driver *d);

/* How many broadcast addresses an announcement goes to. */
size_t coo_driver_n_broadcast(const coo_driver *d);

#endif
