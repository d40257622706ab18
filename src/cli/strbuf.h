/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_STRBUF_H
#define COO_CLI_STRBUF_H

#include <stddef.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/span.h"

/* Growing bytes of the program; zeroed is empty. Ends the process where memory does, as xalloc. */
struct strbuf {
	uint8_t *p;
	size_t n, cap;
};

void strbuf_put(struct strbuf *b, coo_span s);
void strbuf_put_str(struct strbuf *b, const char *s);
COO_PRINTF(2, 3) void strbuf_printf(struct strbuf *b, const char *fmt, ...);

/* A writer for up to n more bytes behind what is there; strbuf_did takes over what it wrote. */
coo_buf strbuf_room(struct strbuf *b, size_t n);
void strbuf_did(struct strbuf *b, const coo_buf *wrote);

/* Forgets the first n bytes. */
void strbuf_drop(struct strbuf *b, size_t n);
void strbuf_free(struct strbuf *b);

static inline coo_span strbuf_span(const struct strbuf *b)
{
	return coo_span_of(b->p, b->n);
}

#endif
