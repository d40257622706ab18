/* SPDX-License-Identifier: MIT */
#include "feature/textstream.h"

#include "proto/utf8.h"

/* No character set that coo takes needs more bytes for a character. */
enum { LONGEST = 4 };

void coo_textstream_init(coo_textstream *t, coo_charset *cs)
{
	memset(t, 0, sizeof(*t));
	t->cs = cs;
}

/* Whether s can be completed to a character of UTF-8: tried with the smallest and the largest tail,
 * since only the first byte behind a lead is restricted. */
static bool begins_utf8(coo_span s)
{
	static const uint8_t tails[] = { 0x80, 0x90, 0xa0, 0xbf };
	uint8_t whole[LONGEST];
	uint32_t cp;

	if (s.n >= LONGEST)
		return false;
	for (size_t i = 0; i < sizeof(tails); i++) {
		memset(whole, 0x80, sizeof(whole));
		whole[s.n] = tails[i];
		memcpy(whole, s.p, s.n);
		if (coo_utf8_next(coo_span_of(whole, LONGEST), &cp) > s.n)
			return true;
	}
	return false;
}

size_t coo_textstream_char(coo_charset *cs, coo_span s, bool *split)
{
	uint32_t cp;
	size_t n;

	*split = false;
	if (s.n > 0 && s.p[0] < 0x80)
		return 1;
	if (coo_charset_is_utf8(cs)) {
		n = coo_utf8_next(s, &cp);
		*split = n == 0 && begins_utf8(s);
		return n;
	}
	for (n = 1; n <= LONGEST && n <= s.n; n++) {
		if (coo_charset_valid(cs, coo_span_head(s, n)))
			return n;
	}
	/* 0xff leads nothing in any of them; of other bytes only iconv's tables know */
	*split = s.n < LONGEST && s.n > 0 && s.p[0] != 0xff;
	return 0;
}

static void put_byte(coo_textstream *t, uint8_t byte, coo_buf *out)
{
	coo_buf_put_str(out, "\\x");
	coo_buf_put_hex(out, byte, 2);
	t->invalid++;
}

/* One character or one byte that is none, from the front of s; 0 where s is only the start of one.
 */
static size_t step(coo_textstream *t, coo_span s, coo_buf *out)
{
	bool split;
	size_t n = coo_textstream_char(t->cs, s, &split);

	if (n > 0) {
		if (coo_charset_decode(t->cs, coo_span_head(s, n), out, NULL) != COO_OK)
			out->failed = true;
		return n;
	}
	if (split)
		return 0;
	put_byte(t, s.p[0], out);
	return 1;
}

/* The held bytes with as many of in as they need; leaves in where it goes on. */
static coo_span finish_held(coo_textstream *t, coo_span in, coo_buf *out)
{
	while (t->n > 0 && in.n > 0) {
		uint8_t mem[LONGEST];
		size_t room = LONGEST - t->n, add = in.n < room ? in.n : room, n;

		memcpy(mem, t->held, t->n);
		memcpy(mem + t->n, in.p, add);
		n = step(t, coo_span_of(mem, t->n + add), out);
		if (n == 0) { /* all of in went into it and it is not complete yet */
			memcpy(t->held, mem, t->n + add);
			t->n += add;
			return coo_span_none();
		}
		if (n >= t->n) {
			in = coo_span_skip(in, n - t->n);
			t->n = 0;
		} else { /* the first held byte alone was no character */
			t->n -= n;
			memmove(t->held, t->held + n, t->n);
		}
	}
	return in;
}

/* How much of in is valid when a split character at its end is left out; in.n where more than that
 * is wrong. *n is written only on true. */
static bool valid_part(coo_charset *cs, coo_span in, size_t *n)
{
	for (size_t tail = 0; tail < LONGEST && tail <= in.n; tail++) {
		bool split = true;

		if (!coo_charset_valid(cs, coo_span_head(in, in.n - tail)))
			continue;
		if (tail > 0 &&
		    (coo_textstream_char(cs, coo_span_skip(in, in.n - tail), &split) > 0 || !split))
			return false;
		*n = in.n - tail;
		return true;
	}
	return false;
}

static coo_err put_all(coo_textstream *t, coo_span in, coo_buf *out)
{
	size_t n = 0;

	while (in.n > 0) {
		/* the usual case, all valid, costs one pass */
		size_t piece = in.n < 4096 ? in.n : 4096;

		if (valid_part(t->cs, coo_span_head(in, piece), &n) && n > 0) {
			if (coo_charset_decode(t->cs, coo_span_head(in, n), out, NULL) != COO_OK)
				return COO_ENOBUF;
			in = coo_span_skip(in, n);
			continue;
		}
		for (size_t done = 0; done < piece && in.n > 0; done += n) {
			n = step(t, in, out);
			if (n == 0) {
				memcpy(t->held, in.p, in.n);
				t->n = in.n;
				return COO_OK;
			}
			in = coo_span_skip(in, n);
		}
	}
	return COO_OK;
}

coo_err coo_textstream_put(coo_textstream *t, coo_span in, coo_buf *out)
{
	coo_err e;

	in = finish_held(t, in, out);
	e = put_all(t, in, out);
	return e == COO_OK && !coo_buf_ok(out) ? COO_ENOBUF : e;
}

coo_err coo_textstream_end(coo_textstream *t, coo_buf *out)
{
	coo_span rest = coo_span_of(t->held, t->n);

	t->n = 0;
	while (rest.n > 0) {
		bool split;
		size_t n = coo_textstream_char(t->cs, rest, &split);

		if (n > 0 && coo_charset_decode(t->cs, coo_span_head(rest, n), out, NULL) != COO_OK)
			return COO_ENOBUF;
		if (n == 0)
			put_byte(t, rest.p[0], out);
		rest = coo_span_skip(rest, n ? n : 1);
	}
	return coo_buf_ok(out) ? COO_OK : COO_ENOBUF;
}
