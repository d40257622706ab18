/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_PARTIAL_H
#define COO_BASE_PARTIAL_H

#include <stdint.h>

#include "base/path.h"

/*
 * A file that is still being received: "name.<16 hex>.part", and beside it
 * "name.<16 hex>.part.id", a few lines of text that say what it is a part of. The hex digits are
 * made from peer, name, size and mtime, so that a later attempt finds it, also for the same file
 * offered anew; two attempts at once are kept apart by a lock on the part.
 */
#define COO_PARTIAL_PEER_CAP 160

typedef struct coo_partial_id {
	char peer[COO_PARTIAL_PEER_CAP]; /* who offers it, as the caller names peers */
	char name[COO_PATH_NAME_CAP];	 /* accepted by base/path */
	uint64_t packet, id;		 /* of the offer */
	uint64_t size, mtime;
} coo_partial_id;

typedef struct coo_partial {
	int fd;	       /* locked; -1: closed */
	uint64_t have; /* bytes of an earlier attempt that may be kept */
	char name[COO_PATH_NAME_CAP];
	char sidecar[COO_PATH_NAME_CAP];
} coo_partial;

/*
 * Opens the part for *id beneath at, or makes it. have is 0 where there is none yet, where its
 * sidecar tells of another file or where it is longer than the file. COO_EFULL: another attempt at
 * the same file is running. COO_EUNSAFE: something else stands under the name.
 */
COO_MUST_CHECK coo_err coo_partial_open(int at, const coo_partial_id *id, coo_partial *out);

/* Forgets what an earlier attempt left, because the sender's file is another one by now. */
COO_MUST_CHECK coo_err coo_partial_restart(coo_partial *p);

/*
 * The file is complete: sets its time, makes it durable, gives it its final name (made), removes
 * the sidecar and closes. On failure the part stays for a later attempt.
 */
COO_MUST_CHECK coo_err coo_partial_publish(coo_partial *p, int at, const coo_partial_id *id,
					   char made[COO_PATH_NAME_CAP]);

/* Closes, and leaves the part for a later attempt where it holds anything. */
void coo_partial_close(coo_partial *p, int at);

#endif
