/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_TEXTSTREAM_H
#define COO_FEATURE_TEXTSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/charset.h"
#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * Text out of a stream of bytes that was cut anywhere: a character split over two reads is put
 * together, and a byte that is no character is shown as \xHH, so that nothing is lost and nothing
 * guessed.
 */
typedef struct coo_textstream {
	coo_charset *cs; /* borrowed */
	uint8_t held[4]; /* start of a character whose end has not come */
	size_t n;
	uint64_t invalid; /* bytes shown as \xHH so far */
} coo_textstream;

void coo_textstream_init(coo_textstream *t, coo_charset *cs);

/* Appends the text of in as UTF-8. COO_ENOBUF where it does not fit: coo_textstream_room(in.n) is
 * always enough. */
COO_MUST_CHECK coo_err coo_textstream_put(coo_textstream *t, coo_span in, coo_buf *out);

/* The end of a message: what was held is no character any more. */
COO_MUST_CHECK coo_err coo_textstream_end(coo_textstream *t, coo_buf *out);

static inline size_t coo_textstream_room(size_t n)
{
	return 4 * (n + 4);
}

/*
 * Length of the character that s begins with; 0 where there is none. Then *split tells that s may
 * be the first bytes of one.
 */
size_t coo_textstream_char(coo_charset *cs, coo_span s, bool *split);

#endif
