/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_FILERECV_INT_H
#define COO_FEATURE_FILERECV_INT_H

/* What the parts of the receiving side share: filerecv.c (the fetch), recvconn.c (its connection),
 * recvfile.c (one file), recvdir.c (a folder). */

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
};

void coo_recvdir_init(struct coo_recvdir *r, int dir, const char *name,
		      const coo_fetch_limits *limits, coo_charset *names, bool names_first);
/* COO_EMORE: go on; COO_OK: the stream is complete; else broken, why tells. */
COO_MUST_CHECK coo_err coo_recvdir_feed(struct coo_recvdir *r, coo_span in);
/* Makes all durable and gives the folder its name (made). May take long: for a worker thread. */
COO_MUST_CHECK coo_err coo_recvdir_publish(struct coo_recvdir *r, char made[COO_PATH_NAME_CAP]);
void coo_recvdir_close(struct coo_recvdir *r);

#endif
