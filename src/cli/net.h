/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_NET_H
#define COO_CLI_NET_H

#include <uv.h>

#include "base/state.h"
#include "cli/opt.h"
#include "engine/driver.h"
#include "feature/identity.h"
#include "feature/text.h"

/* What every command of the messenger stands on: a loop, a node on its sockets, names and character
 * sets. */
struct net {
	uv_loop_t loop;
	coo_driver *driver;
	coo_text *text;
	coo_identity identity;
	coo_state_block numbers;
	char apart[2][80]; /* our user when apart, in both character sets */
	bool ephemeral;	   /* the port was taken, so the source port is another */
	uv_signal_t sigint, sigterm;
	void (*on_stop)(void *user);
	void *user;
};

struct net_wish {
	bool member;	    /* on line, as opposed to a one-shot sender */
	bool port_optional; /* goes on with another source port where the port is taken */
	bool tcp_too;	    /* files are served: TCP of the same number has to be free */
	bool any_port;	    /* any source port will do, unless --bind names one */
	bool apart; /* from another port, be somebody else: the user is NAME-coo unless --user says
		     */
	bool no_broadcast;
	bool send_read;
	bool serve_list;
	coo_offlink_cfg offlink; /* whom beside our own networks it answers */
	uint32_t max_peers;	 /* 0: the default, 16,384 */
	uint32_t max_messages;
	uint32_t text_cap;
	uint32_t capabilities;
	coo_time retry_interval;
	void (*on_event)(void *user, const coo_event *ev);
	void (*on_turn)(void *user);
	void (*on_unsent)(void *user, const coo_addr *to, int error); /* as coo_driver_cfg's */
	void (*on_stop)(void *user); /* Ctrl-C, SIGTERM; a second one ends the process */
	void *user;
};

/* Opens everything; on failure says why and what helps, and returns the exit code to end with. 0:
 * net_close later. */
int net_open(struct net *n, const struct common *c, const struct net_wish *wish);

/* Closes and runs the loop until it is empty. */
void net_close(struct net *n);

/* The node inside. */
coo_node *net_node(struct net *n);

/* The port that targets without one get: --port, or 2425 where that is 0. */
uint16_t net_target_port(const struct common *c);

#endif
