/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_FIND_H
#define COO_CLI_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "cli/net.h"
#include "cli/opt.h"
#include "feature/discover.h"
#include "feature/message.h"

/* Who is on the network: asked, waited for, and left again, for every command that wants to know.
 */

/* Addresses to ask one by one. Zeroed is empty. */
struct find_nets {
	struct find_net {
		coo_cidr net;
		uint16_t port;
	} * v;
	size_t n;
};

/* Adds a network, an address, a host name, or every line of @FILE; false, said on stderr, where
 * word is none of these. */
bool find_nets_add(struct find_nets *nets, const char *word, uint16_t default_port);
/* Adds one address. */
void find_nets_add_addr(struct find_nets *nets, const coo_addr *a, uint16_t default_port);
void find_nets_free(struct find_nets *nets);

struct found_peer {
	coo_peer_view view; /* into bytes */
	enum coo_found_by by;
	coo_time rtt; /* 0: it was not asked */
	coo_time age; /* since it was last heard of */
	uint8_t *bytes;
	coo_span entry; /* its last entry as it came, from view.addr; into bytes */
};

struct found {
	struct found_peer *v;
	size_t n;
	coo_time took;
	size_t unsent;	  /* of the addresses to ask, so many could not be sent to, */
	size_t asked;	  /* of so many, */
	int error;	  /* and why: errno */
	bool other_port;  /* the usual one was taken, so not everybody answers */
	bool interrupted; /* by Ctrl-C: what was found so far */
	coo_addr addr;	  /* bound */
};

struct find_wish {
	const char *command;	      /* for the first JSON object; NULL: none */
	const struct find_nets *nets; /* NULL or empty: everybody, by broadcast */
	bool host_lists;
	coo_time wait;
	unsigned rate, passes;
	size_t enough;	    /* ends when so many are there; 0: no such end */
	uint32_t max_peers; /* 0: the default */
	/* Goes on until Ctrl-C, or enough, and tells who comes ('+'), changes ('~') and goes ('-').
	 * NULL: ends when the wait is over. */
	void (*on_peer)(void *user, char sign, const struct found_peer *p);
	void *user;
};

/* 0, or the exit code to end with, said why. found_free later in either case. */
int find_peers(const struct common *c, const struct find_wish *wish, struct found *out);
void found_free(struct found *f);

/* Tells a node what the peer said of itself, so that it knows how to speak to it. */
void find_teach(struct net *n, const coo_addr *from, coo_span entry);

#endif
