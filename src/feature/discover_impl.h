/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_DISCOVER_IMPL_H
#define COO_FEATURE_DISCOVER_IMPL_H

/* The inside of discovery, shared by discover.c (who is there, time, leaving) and discover_ask.c
 * (rounds and passes). Nobody else includes this. */

#include "feature/discover.h"
#include "feature/sweep.h"

enum { COO_DISCOVER_TICK_MS = 20 };

#define COO_DISCOVER_WAKE_UP COO_MS(250) /* NOOPERATION goes ahead of the first round */
#define COO_DISCOVER_ROUND COO_MS(1050)	 /* the official client answers once within 1.03 s */

enum phase { PHASE_ASKING, PHASE_DONE, PHASE_LEAVING, PHASE_LEFT };

/* What is remembered of one place in the node's table. */
struct coo_discover_record {
	coo_time rtt;
	uint32_t last_round; /* in which it answered; 0: none */
	uint32_t answered;   /* rounds in which it did */
	uint8_t by;
	uint8_t asked_again; /* for its names in UTF-8 */
	bool used, asked_list;
};

struct coo_discover {
	coo_discover_cfg cfg;
	uv_timer_t *timer;
	coo_node *node;
	const coo_peers *peers;
	struct coo_discover_record *records;
	enum phase phase;
	bool is_done; /* on_done was called */
	coo_time started, last_ask, longest;
	coo_time list_at; /* when a list was asked for or a page of it came, last */
	unsigned rounds, planned;

	coo_sweep sweep;
	size_t on_link; /* of its addresses */
	int error;	/* of the last one that could not be sent to */
	unsigned pass, passes;
	uint32_t answered_before; /* this pass */
	unsigned credit;	  /* thousandths of a question */

	size_t leave_at; /* next place in the table to say goodbye to */
	void (*on_left)(void *user);
};

static inline struct coo_discover_record *coo_discover_record_of(const coo_discover *d,
								 const coo_peer *peer)
{
	return &d->records[coo_peers_index(d->peers, peer)];
}

/* A record of the same person under names in another character set has lost its address. */
static inline bool coo_discover_is_there(const coo_discover *d, const coo_peer *peer)
{
	return peer->used && peer->online && peer->n_addrs > 0 &&
	       coo_discover_record_of(d, peer)->used;
}

/* One round of questions to everybody. */
void coo_discover_ask_everybody(coo_discover *d, coo_time now);

/* Whether no page of a list is to be expected any more. */
bool coo_discover_lists_over(const coo_discover *d, coo_time now);

/* One step of the rounds, and of the passes; true when they are over. */
bool coo_discover_step_rounds(coo_discover *d, coo_time now);
bool coo_discover_step_sweep(coo_discover *d, coo_time now);

#endif
