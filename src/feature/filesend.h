/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_FILESEND_H
#define COO_FEATURE_FILESEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/charset.h"
#include "feature/fileset.h"
#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"
#include "proto/time.h"

/*
 * Serves offered files over TCP (PROTOCOL.md 8.2–8.4). It knows nothing of messages: the caller
 * sends the offer and tells this table to whom and under which packet number; a request is served
 * only where packet number, file, identity and address all match an open offer, everything else is
 * closed at once. Single thread, on the caller's loop; every turn of the loop moves a bounded slice
 * of each transfer, so that messages are not starved.
 */
typedef struct coo_filesend coo_filesend;

enum coo_filesend_what {
	COO_FILESEND_STARTED,
	COO_FILESEND_PROGRESS, /* at most five times a second and transfer */
	COO_FILESEND_DONE,     /* every byte has been taken */
	COO_FILESEND_FAILED,   /* why tells; the offer stays open */
	COO_FILESEND_SKIPPED,  /* name, inside the folder, is passed over: why */
	COO_FILESEND_ALTERED,  /* name, inside the folder, was written to while it was sent */
	COO_FILESEND_REFUSED,  /* a request that matches no offer, or one connection too many */
};

/* Everything is borrowed for the call. */
typedef struct coo_filesend_event {
	enum coo_filesend_what what;
	coo_addr
	    peer; /* to whom the offer went; where there is none, where the connection is from */
	uint64_t packet;	      /* 0 where the request did not get that far */
	const coo_fileset_file *file; /* NULL likewise */
	uint64_t offset;	      /* where the peer asked to begin */
	uint64_t sent, total;	      /* bytes of content; total 0 for a folder: not known */
	uint64_t files;		      /* of a folder, so far */
	coo_time took;		      /* since the request */
	const char *name;
	const char *why;
	bool complete; /* DONE: this offer has been fetched whole by its recipient */
} coo_filesend_event;

typedef struct coo_filesend_opts {
	uv_loop_t *loop;
	unsigned max_conns;	  /* 0: 64 */
	unsigned max_per_peer;	  /* 0: 8 */
	coo_time request_timeout; /* 0: 10 s, as Windows */
	coo_time idle_timeout;	  /* without progress; 0: 120 s */
	void (*on_event)(void *user, const coo_filesend_event *ev);
	void *user;
} coo_filesend_opts;

/* Gives: coo_filesend_close. */
COO_MUST_CHECK coo_err coo_filesend_open(const coo_filesend_opts *opts, coo_filesend **out);

/* Stops at once: transfers under way are cut. Memory goes when the loop has run once more. */
void coo_filesend_close(coo_filesend *s); /* accepts NULL */

/*
 * Listens on one address (port 0: the kernel chooses; *bound tells). Up to four of them. COO_ESYS
 * with errno (EADDRINUSE …).
 */
COO_MUST_CHECK coo_err coo_filesend_listen(coo_filesend *s, const coo_addr *at, coo_addr *bound);

/* To whom an offer goes. Empty user and host: whoever asks from the address. All copied, cs
 * borrowed as long as the service lives. */
typedef struct coo_filesend_to {
	coo_addr addr;	     /* the port does not count */
	coo_span user, host; /* as they stand in the peer's packets */
	coo_charset *names;  /* of names in folders; NULL: UTF-8 */
	coo_time expires;    /* coo_clock_now() time, or COO_NEVER */
} coo_filesend_to;

/* Opens an offer of the whole set (referenced). COO_ENOMEM; COO_EFULL: 16,384 are open. */
COO_MUST_CHECK coo_err coo_filesend_offer(coo_filesend *s, uint64_t packet, coo_fileset *set,
					  const coo_filesend_to *to);

/* RELEASEFILES: the recipient does not want it (any more). Returns whether there was such an offer;
 * *complete tells whether all of it had been fetched before. */
bool coo_filesend_release(coo_filesend *s, uint64_t packet, const coo_addr *from, bool *complete);

/* Offers that are open and not fetched whole, and transfers under way. */
size_t coo_filesend_pending(const coo_filesend *s);
size_t coo_filesend_active(const coo_filesend *s);

#endif
