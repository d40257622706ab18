/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_FILERECV_H
#define COO_FEATURE_FILERECV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/charset.h"
#include "base/partial.h"
#include "base/sha256.h"
#include "proto/addr.h"
#include "proto/attach.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/time.h"

/*
 * Fetches one offered file or folder over TCP into a directory. It knows nothing of messages: the
 * caller says from whom, what and where to. A file that was broken off before is taken up again:
 * its last 64 KiB are asked for once more and compared. Nothing is written but beneath the
 * directory (base/path), nothing is believed before it is counted. Single thread, on the caller's
 * loop; hashing and fsync run on the loop's worker threads.
 */
typedef struct coo_fetch coo_fetch;

typedef struct coo_fetch_limits {
	uint64_t max_file;    /* bytes of one file; 0: no limit */
	uint64_t max_total;   /* bytes of one folder; 0: no limit */
	uint64_t max_entries; /* files and folders in one folder; 0: 100,000 */
	uint64_t min_free;    /* bytes that have to stay free on the file system */
	coo_time idle;	      /* without 16 KiB of progress; 0: 120 s */
} coo_fetch_limits;

typedef struct coo_fetch_result {
	coo_err e;	 /* COO_OK: complete and published */
	int sys;	 /* errno where e is COO_ESYS */
	const char *why; /* half a sentence, static; NULL where e is COO_OK */
	char
	    name[COO_PATH_NAME_CAP]; /* beneath the directory; of the part where it failed, or "" */
	uint64_t bytes;		     /* of content, as the file or folder holds now */
	uint64_t resumed_from;	     /* kept from an earlier attempt */
	uint64_t files, folders;     /* of a folder */
	bool no_room;	 /* COO_ELIMIT for want of room, and a part is kept: another time it may be
			    there */
	bool has_sha256; /* for a file */
	char sha256[COO_SHA256_HEX_CAP];
	coo_time took;
} coo_fetch_result;

typedef struct coo_fetch_opts {
	uv_loop_t *loop;
	coo_addr peer;	/* where the offer came from; its TCP port is the UDP port */
	coo_addr local; /* source address, or family 0 */
	coo_span my_version, my_user, my_host; /* in the request; copied */
	uint64_t packet_no; /* of the request; a second one uses the next number */
	bool utf8;	    /* names in the folder are asked for, and come, in UTF-8 */
	bool names_first;   /* try the legacy charset before UTF-8 */
	coo_charset *names; /* legacy charset of names that are not UTF-8; NULL: refused */
	int dir;	    /* beneath which all happens; borrowed until on_done */
	coo_partial_id id;  /* what is offered: name accepted by coo_path_accept; size may be
			       COO_FILE_SIZE_UNKNOWN */
	enum coo_file_type type;
	coo_fetch_limits limits;
	/* At most five times a second: the counts and the time so far. May be NULL. */
	void (*on_progress)(void *user, const coo_fetch_result *so_far);
	/* Once; the fetch is gone after it. */
	void (*on_done)(void *user, const coo_fetch_result *r);
	void *user;
} coo_fetch_opts;

/* Starts; the outcome comes by on_done, never before this returns. COO_ENOMEM, COO_ESYS. */
COO_MUST_CHECK coo_err coo_fetch_start(const coo_fetch_opts *opts, coo_fetch **out);

/* Breaks off, keeping the part; on_done comes with COO_ELIMIT and "was cancelled". */
void coo_fetch_cancel(coo_fetch *f);

#endif
