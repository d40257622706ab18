/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_DISSECT_H
#define COO_FEATURE_DISSECT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * Takes captured frames apart: link layer, IPv4 or IPv6 with its extension headers and fragments,
 * UDP or TCP. Frames are untrusted input: everything is bounded, and what is wrong is counted.
 * Checksums are not looked at, since a capture on the sending host is taken before the card fills
 * them in.
 */
typedef struct coo_dissect coo_dissect;

typedef struct coo_segment {
	coo_addr from, to;
	coo_span payload; /* borrows the frame, or the reassembly buffer until the next call */
	bool tcp;
	bool cut; /* the capture holds less than was on the wire */
} coo_segment;

typedef struct coo_dissect_stats {
	uint64_t frames;    /* seen */
	uint64_t other;	    /* neither UDP nor TCP over IP */
	uint64_t malformed; /* a header contradicts itself or ends too early */
	uint64_t fragments; /* of datagrams, seen */
	uint64_t lost;	    /* datagrams of which fragments are missing or overlap */
} coo_dissect_stats;

COO_MUST_CHECK coo_err coo_dissect_new(coo_dissect **out); /* COO_ENOMEM; gives: coo_dissect_free */
void coo_dissect_free(coo_dissect *f);			   /* accepts NULL */

/* Whether frames of this link type (the LINKTYPE_ number of a pcap file) can be taken apart. */
bool coo_dissect_knows(uint32_t link);

/*
 * One frame. True where it carries, or completes, a datagram or a TCP segment with data. *out is
 * written only then.
 */
COO_MUST_CHECK bool coo_dissect_take(coo_dissect *f, uint32_t link, coo_span frame,
				     coo_segment *out);

/* Counts so far; datagrams still waiting for fragments count as lost. */
coo_dissect_stats coo_dissect_counts(const coo_dissect *f);

#endif
