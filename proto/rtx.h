/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_RTX_H
#define COO_PROTO_RTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"
#include "proto/time.h"

/*
 * Messages on their way: sent again with the same number and the same bytes until the receipt comes
 * or the attempts are used up (PROTOCOL.md 6.1). Texts are kept once however many recipients
 * they have. Fixed memory.
 */
enum coo_rtx_state {
	COO_RTX_FREE,
	COO_RTX_WAITING, /* for a receipt, or for its turn to be sent first */
	COO_RTX_DONE,	 /* has a result that nobody has taken yet */
};

enum coo_rtx_result {
	COO_RTX_ACKED,
	COO_RTX_READ,	 /* after COO_RTX_ACKED: the sealed message was opened */
	COO_RTX_TIMEOUT, /* all attempts made, time over */
	COO_RTX_FAILED,	 /* the system could not send it at all */
	COO_RTX_SENT,	 /* sent once, without asking for a receipt */
};

typedef struct coo_rtx_entry {
	uint64_t token; /* the caller's, given back with the result */
	uint32_t packet_no;
	uint32_t command;
	coo_addr to, local;
	coo_time first_sent, next_at, give_up_at, acked_at;
	uint16_t body; /* index of the text */
	uint8_t attempts, max_attempts;
	uint8_t state, result;
	bool acked, want_read, wants_ack;
	int error; /* errno of the last failed send, 0 where none failed */
} coo_rtx_entry;

typedef struct coo_rtx_body {
	uint32_t refs;
	uint32_t len;
} coo_rtx_body;

typedef struct coo_rtx {
	coo_rtx_entry *v;
	size_t cap;
	size_t waiting, done;
	size_t scan;	  /* where the current pass over the entries stands */
	size_t probe_max; /* no entry lies farther from its place than this */
	coo_rtx_body *bodies;
	uint8_t *text;
	size_t n_bodies, body_cap, last_body;
	coo_time interval;
	coo_time next_due; /* earliest next_at or give_up_at; may be early, never late */
} coo_rtx;

/* Bytes for cap messages with n_bodies different texts of at most body_cap bytes. */
size_t coo_rtx_size(size_t cap, size_t n_bodies, size_t body_cap);
void coo_rtx_init(coo_rtx *r, size_t cap, size_t n_bodies, size_t body_cap, coo_time interval,
		  void *mem);

/*
 * Queues ext (copied) to be sent at once. COO_EFULL: no place for another message or text (come
 * back when some are done); COO_EMSGSIZE: ext is longer than body_cap. e holds what the caller
 * sets: token, packet_no, command, to, max_attempts, give_up_at, want_read.
 */
COO_MUST_CHECK coo_err coo_rtx_add(coo_rtx *r, const coo_rtx_entry *e, coo_span ext, coo_time now);

/*
 * The next entry to send now, already counted as an attempt, or NULL. Also ends those whose time is
 * over. The pointer is valid until the next call.
 */
const coo_rtx_entry *coo_rtx_next_tx(coo_rtx *r, coo_time now);
coo_span coo_rtx_body_of(const coo_rtx *r, const coo_rtx_entry *e);

/* The entry with this number, or NULL. */
coo_rtx_entry *coo_rtx_find(coo_rtx *r, uint64_t packet_no);

/* The receipt came (read: READMSG). The entry ends unless it waits for being read too. */
void coo_rtx_ack(coo_rtx *r, coo_rtx_entry *e, bool read, coo_time now);

/* The system refused the last attempt for good: with no attempts left it ends as failed. */
void coo_rtx_send_failed(coo_rtx *r, uint64_t packet_no, int error);

/* Takes one finished entry out; false where there is none. */
bool coo_rtx_take_done(coo_rtx *r, coo_rtx_entry *out);

/* Gives all that wait with this token up at the time of until, where that comes sooner. */
void coo_rtx_hurry(coo_rtx *r, uint64_t token, coo_time until);

coo_time coo_rtx_deadline(const coo_rtx *r);

#endif
