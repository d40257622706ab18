/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_FILERECV_INT_H
#define COO_FEATURE_FILERECV_INT_H

/* What the parts of the receiving side share: filerecv.c (the fetch), recvend.c (its end),
 * recvconn.c (connecting and asking), recvfile.c (one file), recvdir.c (a folder). */

#include "feature/filerecv.h"
#include "proto/dirstream.h"

/* What is asked for again when a file is taken up, to see that it is the same. */
#define COO_RECV_RECHECK (64u << 10)

/* What can be refused before a byte is asked for, where have bytes of it are there: why and no_room
 * of *r tell. */
COO_MUST_CHECK coo_err coo_recv_check(const coo_fetch_opts *o, uint64_t have, coo_fetch_result *r);
/* Begins to connect; gives the descriptor, or -1 with errno. */
int coo_recv_connect(const coo_fetch_opts *o);
/* Sends the request; again: with the next packet number. */
COO_MUST_CHECK coo_err coo_recv_request(int fd, const coo_fetch_opts *o, uint64_t offset,
					bool again);

/* One file on its way into its part. */
struct coo_recvfile {
	coo_partial part;
	int hash_fd;	/* the part again: it is hashed still when it is published and closed */
	uint64_t begin; /* offset asked for */
	uint64_t pos;	/* next byte that comes */
	uint64_t size;	/* or COO_FILE_SIZE_UNKNOWN */
	bool differs;	/* what was kept is not what is sent: ask from 0 */
	coo_sha256 hash;
	uint64_t hashed;
};

COO_MUST_CHECK coo_err coo_recvfile_open(struct coo_recvfile *r, int dir, const coo_partial_id *id);
/* COO_EMORE: go on; COO_OK: the size is reached; COO_EFORMAT: differs; COO_ESYS; COO_ELIMIT. */
COO_MUST_CHECK coo_err coo_recvfile_feed(struct coo_recvfile *r, coo_span in, uint64_t max_file);
/* Empties the part, to begin anew at offset 0. */
COO_MUST_CHECK coo_err coo_recvfile_restart(struct coo_recvfile *r);
/* Hashes what was written up to now, from the file itself. Any thread, one at a time. */
COO_MUST_CHECK coo_err coo_recvfile_hash(struct coo_recvfile *r, uint64_t until);
/* No worker may run. */
void coo_recvfile_close(struct coo_recvfile *r, int dir);

/* A folder on its way into "name.part". */
struct coo_recvdir {
	int dir; /* beneath which; borrowed */
	const coo_fetch_limits *limits;
	coo_charset *names;
	bool names_first;
	char name[COO_PATH_NAME_CAP], temp[COO_PATH_NAME_CAP];
	coo_dirstream stream;
	unsigned depth;
	struct {
		int fd;
		uint64_t mtime;
	} at[COO_DIRSTREAM_DEPTH_MAX];
	int fd; /* file being written, or -1 */
	uint64_t mtime;
	uint64_t bytes, files, folders, entries;
	int root; /* the folder itself, kept for the end */
	uint64_t root_mtime;
	const char *why;
	char why_text[COO_PATH_NAME_CAP + 64]; /* what why points to where it names something */
};

void coo_recvdir_init(struct coo_recvdir *r, int dir, const char *name,
		      const coo_fetch_limits *limits, coo_charset *names, bool names_first);
/* COO_EMORE: go on; COO_OK: the stream is complete; else broken, why tells. */
COO_MUST_CHECK coo_err coo_recvdir_feed(struct coo_recvdir *r, coo_span in);
/* Makes all durable and gives the folder its name (made). May take long: for a worker thread. */
COO_MUST_CHECK coo_err coo_recvdir_publish(struct coo_recvdir *r, char made[COO_PATH_NAME_CAP]);
void coo_recvdir_close(struct coo_recvdir *r);

/* --- the fetch ------------------------------------------------------------------------ */

#define COO_FETCH_IDENTITY_CAP 512

enum coo_fetch_state {
	COO_FETCH_CONNECTING,
	COO_FETCH_RECEIVING,
	COO_FETCH_FINISHING,
	COO_FETCH_CLOSING
};

struct coo_fetch {
	coo_fetch_opts opts;
	char identity[COO_FETCH_IDENTITY_CAP]; /* version, user, host */
	enum coo_fetch_state state;
	int fd;
	bool restarted, cancelled;
	bool hash_along; /* while it comes, not afterwards */
	bool working;	 /* a worker thread runs for it */
	bool published;	 /* all is stored, but not all of it hashed */
	uv_poll_t *poll; /* of this connection; freed when closed */
	uv_timer_t timer;
	uv_work_t work;
	uint64_t hash_until;
	coo_err work_result;
	int work_errno;
	coo_time started, connected, window_start, told;
	uint64_t window_bytes, arrived; /* on all connections */
	struct coo_recvfile file;
	struct coo_recvdir dir;
	coo_fetch_result result;
	uint8_t *block;
};

static inline bool coo_fetch_is_dir(const coo_fetch *f)
{
	return f->opts.type == COO_FILE_DIR;
}

/* The outcome is known, COO_OK or not; what a worker still does is waited for. Once: later ones
 * change nothing. */
void coo_fetch_finish(coo_fetch *f, coo_err e, const char *why);
/* Closes the connection, by a reset where the sender must not take the transfer for complete. */
void coo_fetch_disconnect(coo_fetch *f, bool abort_it);
/* Writes into the result what has come so far. */
void coo_fetch_take_counts(coo_fetch *f);
/* Keeps the hash close behind what was written, beside the loop. */
void coo_fetch_follow(coo_fetch *f);

#endif
