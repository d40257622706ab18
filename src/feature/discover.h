/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_DISCOVER_H
#define COO_FEATURE_DISCOVER_H

#include "base/addr.h"
#include "engine/driver.h"
#include "proto/attr.h"

/*
 * Finds who is there: everybody on our networks by broadcast, in rounds, or every address of a list
 * or network by unicast, in passes and paced. What gets lost is asked for again: rounds go on as
 * long as the answers that went missing so far say that somebody may have been missed altogether,
 * at most three times the wait.
 *
 * Asking puts us on the lists of the others, so coo_discover_leave takes us off again.
 */
typedef struct coo_discover coo_discover;

/* How a peer was found, weakest first. */
enum coo_found_by {
	COO_FOUND_LIST,	     /* another host's list */
	COO_FOUND_HEARD,     /* it announced itself, or answered what was not asked here */
	COO_FOUND_SWEEP,     /* it answered a question to its address */
	COO_FOUND_BROADCAST, /* it answered a question to everybody */
};

/* "heard", "host list", "sweep", "broadcast". Static storage. */
const char *coo_found_by_name(enum coo_found_by by);

typedef struct coo_found {
	const coo_peer *peer; /* in the node's table */
	enum coo_found_by by;
	coo_time rtt; /* question to first answer, the client's own delay included; 0: not asked */
} coo_found;

typedef struct coo_discover_cfg {
	coo_driver *driver;
	bool everybody;	 /* ask by broadcast */
	bool usual_port; /* we speak from the port that the others do: 内网通 can be asked too */
	bool host_lists; /* ask for the lists of others too, which reach beyond our networks */
	bool stay;	 /* goes on until coo_discover_leave, asking everybody again each minute */
	coo_time wait;	 /* in all, and at least the longest answering delay seen; of a sweep with
			    a single pass: after its last question; 0: 3 s */
	unsigned rate;	 /* questions of a sweep a second; 0: 500, of a large one on the link 160 */
	unsigned passes; /* of a sweep; 0: by its size, 3 to 1 */
	size_t enough;	 /* ends when so many are found; 0: no such end */
	void (*on_done)(void *user); /* once; from the loop */
	void *user;
} coo_discover_cfg;

/* Gives: coo_discover_free, after which the loop has to run once more. COO_ENOMEM. */
COO_MUST_CHECK coo_err coo_discover_new(const coo_discover_cfg *cfg, coo_discover **out);
void coo_discover_free(coo_discover *d); /* accepts NULL */

/* Adds addresses to sweep, before the start. Errors: coo_sweep_add. */
COO_MUST_CHECK coo_err coo_discover_add(coo_discover *d, const coo_cidr *net, uint16_t port);

/* How many addresses were added, and how many are asked a second. */
size_t coo_discover_addresses(const coo_discover *d);
unsigned coo_discover_rate(const coo_discover *d);

void coo_discover_start(coo_discover *d);

/* To be called with every event of the node. */
void coo_discover_on_event(coo_discover *d, const coo_event *ev);

/* To be called where the system refused to send to an address: errno. How many of those added could
 * not be asked when last tried, and the last reason; with none 0. */
void coo_discover_unsent(coo_discover *d, const coo_addr *to, int error);
size_t coo_discover_n_unsent(const coo_discover *d);
int coo_discover_error(const coo_discover *d);

/* How many are there now, and who: *i begins with 0; false at the end. */
size_t coo_discover_count(const coo_discover *d);
bool coo_discover_next(const coo_discover *d, size_t *i, coo_found *out);

/* What is known of one peer. */
coo_found coo_discover_of(const coo_discover *d, const coo_peer *peer);

/* How often everybody was asked, and the longest time from a question to its answer. */
unsigned coo_discover_rounds(const coo_discover *d);
coo_time coo_discover_longest(const coo_discover *d);

/*
 * Asks nobody any more and says goodbye to those who have us on their lists. From another port than
 * the usual one, where the holder of that port is known under the same address, only to clients
 * that tell us apart by name. on_left comes from the loop when all is sent.
 */
void coo_discover_leave(coo_discover *d, void (*on_left)(void *user));

#endif
