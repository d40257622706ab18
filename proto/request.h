/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_REQUEST_H
#define COO_PROTO_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * The body of the one packet that a receiver sends over TCP to fetch an offered file
 * (PROTOCOL.md 8.2):
 *
 *   GETFILEDATA  packet:id:offset:      GETDIRFILES  packet:id:
 *
 * All numbers are hex, though some clients echo the decimal text of the offer, so a
 * number is kept in both readings: the server takes the hex one first, then the decimal one, and
 * chooses what exists.
 */
typedef struct coo_request_num {
	bool is_hex, is_dec; /* which readings there are; hex always where decimal is */
	uint64_t hex, dec;
} coo_request_num;

typedef struct coo_request {
	coo_request_num packet, id;
	uint64_t offset; /* bytes to skip; 0 for directories */
} coo_request;

enum coo_request_kind { COO_REQUEST_FILE, COO_REQUEST_DIR };

/*
 * Decodes what stands behind the fifth colon of a request packet. The body ends at its NUL; FeiQ
 * and others send none, so where it does not end by itself the result is COO_EMORE until at_end
 * says that nothing more will come (end of the stream, or silence). COO_EFORMAT where it can never
 * become a request. *out is written only on COO_OK.
 */
COO_MUST_CHECK coo_err coo_request_decode(coo_span body, enum coo_request_kind kind, bool at_end,
					  coo_request *out);

/*
 * Appends the canonical body, with the colon behind the last number that feiqlib needs; the
 * packet's NUL is the caller's.
 */
void coo_request_put(coo_buf *b, enum coo_request_kind kind, uint64_t packet, uint64_t id,
		     uint64_t offset);

#endif
