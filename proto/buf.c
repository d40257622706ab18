/* SPDX-License-Identifier: MIT */
#include "proto/buf.h"

#include <string.h>

void coo_buf_init(coo_buf *b, void *mem, size_t cap)
{
	b->p = mem;
	b->n = 0;
	b->cap = cap;
	b->failed = false;
}

void coo_buf_put(coo_buf *b, coo_span s)
{
	if (b->failed || s.n > b->cap - b->n) {
		b->failed = true;
		return;
	}
	if (s.n > 0)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void coo_buf_put_str(coo_buf *b, const char *s)
{
	coo_buf_put(b, coo_span_str(s));
}

void coo_buf_put_byte(coo_buf *b, uint8_t byte)
{
	coo_buf_put(b, coo_span_of(&byte, 1));
}

static void put_digits(coo_buf *b, uint64_t v, unsigned base, unsigned min_digits)
{
	uint8_t digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (uint8_t) "0123456789abcdef"[v % base];
		v /= base;
	} while (v > 0);
	while (i > 0 && sizeof(digits) - i < min_digits)
		digits[--i] = '0';
	coo_buf_put(b, coo_span_of(digits + i, sizeof(digits) - i));
}

void coo_buf_put_u64(coo_buf *b, uint64_t v)
{
	put_digits(b, v, 10, 0);
}

void coo_buf_put_hex(coo_buf *b, uint64_t v, unsigned min_digits)
{
	put_digits(b, v, 16, min_digits);
}
