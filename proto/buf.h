/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_BUF_H
#define COO_PROTO_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/span.h"

/*
 * A bounded writer over the caller's memory. Failure is sticky: once something did not fit, nothing
 * more is written and coo_buf_ok() says no, so a whole packet is written first and asked about
 * once.
 */
typedef struct coo_buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	bool failed;
} coo_buf;

/* Writes into cap bytes at mem, which stays the caller's. */
void coo_buf_init(coo_buf *b, void *mem, size_t cap);

void coo_buf_put(coo_buf *b, coo_span s);
void coo_buf_put_str(coo_buf *b, const char *s);
void coo_buf_put_byte(coo_buf *b, uint8_t byte);
void coo_buf_put_u64(coo_buf *b, uint64_t v);

/* Lower-case hex, zero-padded to at least min_digits (0 or 1: no padding). */
void coo_buf_put_hex(coo_buf *b, uint64_t v, unsigned min_digits);

static inline bool coo_buf_ok(const coo_buf *b)
{
	return !b->failed;
}

/* What has been written so far; borrows the writer's memory. */
static inline coo_span coo_buf_span(const coo_buf *b)
{
	return coo_span_of(b->p, b->n);
}

#endif
