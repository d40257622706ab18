/* SPDX-License-Identifier: MIT */
#ifndef COO_TESTS_SUPPORT_TRANSFER_H
#define COO_TESTS_SUPPORT_TRANSFER_H

#include "feature/filerecv.h"
#include "feature/filesend.h"
#include "support/test.h"
#include "support/tmpdir.h"

/* A sender and a receiver on one loop, over the loopback interface. */
struct transfer {
	uv_loop_t loop;
	coo_filesend *send;
	coo_fileset *set;
	coo_addr bound;
	struct tmpdir from, to;
	coo_fetch_result result;
	bool finished;
	unsigned done, failed, refused, skipped;
	bool complete;
	uint64_t sent, offset;
	const char *why;
};

/* Number of the packet that the only offer is in. */
#define TRANSFER_PACKET 0x6a515048u

void transfer_begin(struct transfer *w);
/* The same with a sender that waits so long for a request, and for progress; 0: as it does. */
void transfer_begin_with(struct transfer *w, coo_time request, coo_time idle);
void transfer_end(struct transfer *w);

/* A file of n bytes made from a seed in the folder that is sent from. */
void transfer_make(struct transfer *w, const char *name, size_t n, uint64_t seed);

/* A folder "tree" with files, folders and links in it. */
void transfer_make_tree(struct transfer *w);

/* Adds what is there under that name to the offer; then offers all of it to me@here. */
void transfer_add(struct transfer *w, const char *name);
void transfer_offer(struct transfer *w);

/* All three for one file of n bytes. */
void transfer_offer_one(struct transfer *w, const char *name, size_t n);

/* What fetches file i of the offer. */
coo_fetch_opts transfer_ask(struct transfer *w, size_t i);

/* Runs until the fetch is over and the sender has heard of it. */
void transfer_fetch(struct transfer *w, const coo_fetch_opts *o);

/* File a as it was sent is file b as it came. */
void transfer_assert_same(struct transfer *w, const char *a, const char *b);

#endif
