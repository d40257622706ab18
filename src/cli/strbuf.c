/* SPDX-License-Identifier: MIT */
#include "cli/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/xalloc.h"

static void reserve(struct strbuf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;

	if (n <= b->cap - b->n)
		return;
	while (cap - b->n < n)
		cap *= 2;
	b->p = xrealloc(b->p, cap, 1);
	b->cap = cap;
}

void strbuf_put(struct strbuf *b, coo_span s)
{
	if (s.n == 0)
		return;
	reserve(b, s.n);
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void strbuf_put_str(struct strbuf *b, const char *s)
{
	strbuf_put(b, coo_span_str(s));
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		reserve(b, (size_t)n + 1);
		vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

coo_buf strbuf_room(struct strbuf *b, size_t n)
{
	coo_buf w;

	reserve(b, n);
	coo_buf_init(&w, b->p + b->n, n);
	return w;
}

void strbuf_did(struct strbuf *b, const coo_buf *wrote)
{
	b->n += wrote->n;
}

void strbuf_drop(struct strbuf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

void strbuf_free(struct strbuf *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}
