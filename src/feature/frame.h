/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_FRAME_H
#define COO_FEATURE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * Framing: how a stream of bytes is cut into messages. TCP keeps no message borders ("sticky
 * packets"), so both sides agree on a mark behind each message or on a length before it.
 */
enum coo_framing {
	COO_FRAME_NONE,	   /* no borders: bytes as they come */
	COO_FRAME_LINE,	   /* ends with LF; a CR before it belongs to the mark */
	COO_FRAME_LEN32LE, /* 4 bytes of length, least significant first: Python's struct '<i' */
	COO_FRAME_LEN32BE, /* 4 bytes of length in network order: struct '>i', '!I' */
	COO_FRAME_LEN16LE,
	COO_FRAME_LEN16BE,
	COO_FRAME_NUL, /* ends with a zero byte */
};

/* "none", "line", "len32le" … in the order of the enum, ended by NULL. */
extern const char *const coo_framing_names[];

/* Bytes of a frame, at most; a longer length is taken for nonsense. Lines are cut there. */
#define COO_FRAME_MAX ((size_t)16 << 20)

/* Takes a stream in pieces of any size and gives its frames; these do not depend on the pieces. */
typedef struct coo_frame {
	enum coo_framing framing;
	size_t max;
	uint8_t *mem; /* start of a frame whose end has not come; grows with the bytes that are
			 there, never by a length that was only announced */
	size_t n, cap;
	uint64_t absurd; /* the length that ended the framing, else 0 */
	bool raw;	 /* the framing is lost: bytes are given as they come */
	bool done;	 /* what mem holds was given by the last call */
} coo_frame;

/* max 0: COO_FRAME_MAX. Free with coo_frame_fini; a zeroed coo_frame may be freed too. */
void coo_frame_init(coo_frame *f, enum coo_framing framing, size_t max);
void coo_frame_fini(coo_frame *f);

/*
 * Takes bytes from the front of *in and gives the next frame without its mark or length. *out
 * borrows the memory of *in or of f, until the next call on f. To be called until it returns
 * COO_EMORE: then *in is used up and begins a frame at most.
 *
 * COO_ERANGE, once: a length above the maximum (a negative one too) is in f->absurd. Where the next
 * frame begins is lost with it, so from here the bytes are given as they come, the length first:
 * nothing of the stream is withheld. COO_ENOMEM: nothing was taken.
 */
COO_MUST_CHECK coo_err coo_frame_next(coo_frame *f, coo_span *in, coo_span *out);

/* The end of the stream: what was taken of a frame that never ended, its length included; borrows f
 * until the next call. */
coo_span coo_frame_rest(coo_frame *f);

/*
 * Appends one frame that holds body. COO_ERANGE where the length does not fit its field,
 * COO_EFORMAT where body holds a zero byte and NUL ends the frame, COO_ENOBUF where out is too
 * small (body plus 4 bytes are always enough). Nothing is appended then.
 */
COO_MUST_CHECK coo_err coo_frame_encode(enum coo_framing framing, coo_span body, coo_buf *out);

#endif
