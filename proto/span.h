/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_SPAN_H
#define COO_PROTO_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A borrowed view of bytes: it owns nothing and ends with the memory it points into. Everything
 * that came from the network is handled as a span, never as a C string, since packets hold NULs by
 * protocol (PROTOCOL.md 2). An empty span may have p == NULL.
 */
typedef struct coo_span {
	const uint8_t *p;
	size_t n;
} coo_span;

static inline coo_span coo_span_of(const void *p, size_t n)
{
	coo_span s;

	s.p = (const uint8_t *)p;
	s.n = n;
	return s;
}

/* The bytes of a C string without its NUL; NULL gives the empty span. */
static inline coo_span coo_span_str(const char *s)
{
	return coo_span_of(s, s ? strlen(s) : 0);
}

static inline coo_span coo_span_none(void)
{
	return coo_span_of(NULL, 0);
}

static inline bool coo_span_eq(coo_span a, coo_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool coo_span_eq_str(coo_span a, const char *s)
{
	return coo_span_eq(a, coo_span_str(s));
}

static inline bool coo_span_has_prefix(coo_span s, coo_span prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* The first n bytes, or all of them where there are fewer. */
static inline coo_span coo_span_head(coo_span s, size_t n)
{
	return coo_span_of(s.p, n < s.n ? n : s.n);
}

/* What follows the first n bytes; empty where there are no more. */
static inline coo_span coo_span_skip(coo_span s, size_t n)
{
	return n < s.n ? coo_span_of(s.p + n, s.n - n) : coo_span_none();
}

/* Index of the first byte b, or s.n. */
static inline size_t coo_span_find(coo_span s, uint8_t b)
{
	const void *at = s.n ? memchr(s.p, b, s.n) : NULL;

	return at ? (size_t)((const uint8_t *)at - s.p) : s.n;
}

/*
 * Cuts *s at the first byte b: *head is what stands before it, *s what stands after it. Without a b
 * nothing changes and the result is false.
 */
static inline bool coo_span_cut(coo_span *s, uint8_t b, coo_span *head)
{
	size_t at = coo_span_find(*s, b);

	if (at == s->n)
		return false;
	*head = coo_span_head(*s, at);
	*s = coo_span_skip(*s, at + 1);
	return true;
}

/* As coo_span_cut, but the last piece needs no b behind it; false only when *s is empty. */
static inline bool coo_span_next(coo_span *s, uint8_t b, coo_span *piece)
{
	if (s->n == 0)
		return false;
	if (!coo_span_cut(s, b, piece)) {
		*piece = *s;
		*s = coo_span_none();
	}
	return true;
}

/* Without the bytes b at its end. */
static inline coo_span coo_span_trim_end(coo_span s, uint8_t b)
{
	while (s.n > 0 && s.p[s.n - 1] == b)
		s.n--;
	return s;
}

/* ASCII letters compared without case, other bytes exactly: names of hosts, not text. */
bool coo_span_eq_nocase(coo_span a, coo_span b);

/* Whether any byte is above 127. */
bool coo_span_has_high(coo_span s);

#endif
