/* SPDX-License-Identifier: MIT */
#include "base/charset.h"

#include <errno.h>
#include <string.h>

#include "base/charset_impl.h"
#include "proto/utf8.h"

#define EURO "\xe2\x82\xac"
#define REPLACEMENT "\xef\xbf\xbd"

/*
 * A reset, one call of iconv over in, and another one that fetches what a composing set (CP1258,
 * TCVN, BIG5-HKSCS) still holds back. The cast drops const only because iconv's prototype does.
 */
coo_charset_turn coo_charset_convert(iconv_t cd, coo_span in, uint8_t *out, size_t cap)
{
	char *from = (char *)(uintptr_t)in.p, *to = (char *)out;
	size_t in_left = in.n, out_left = cap, r;
	coo_charset_turn t;

	(void)iconv(cd, NULL, NULL, NULL, NULL);
	r = iconv(cd, &from, &in_left, &to, &out_left);
	t.err = r == (size_t)-1 ? errno : 0;
	t.changed = t.err == 0 && r > 0;
	if (t.err != E2BIG && iconv(cd, NULL, NULL, &to, &out_left) == (size_t)-1)
		t.err = errno;
	t.used = in.n - in_left;
	t.made = cap - out_left;
	return t;
}

/* --- to UTF-8 -------------------------------------------------------------------------------- */

/* One byte that begins no character of cs; returns whether it is replaced. */
static bool put_bad_byte(const coo_charset *cs, uint8_t byte, coo_buf *out)
{
	bool euro = cs->family == COO_CHARSET_GBK && byte == 0x80;

	coo_buf_put_str(out, euro ? EURO : REPLACEMENT);
	return !euro;
}

/* iconv's output is no more trusted than its input: what is not UTF-8 becomes '?'. */
static size_t mend(uint8_t *p, size_t n)
{
	size_t bad = 0, i = 0;

	if (coo_utf8_valid(coo_span_of(p, n)))
		return 0;
	while (i < n) {
		uint32_t cp;
		size_t len = coo_utf8_next(coo_span_of(p + i, n - i), &cp);

		if (len == 0) {
			p[i] = '?';
			bad++;
		}
		i += len ? len : 1;
	}
	return bad;
}

/* Converts in up to its end or its first bad byte, that included; returns the bytes dealt with. */
static size_t decode_some(coo_charset *cs, coo_span in, coo_buf *out, size_t *bad)
{
	coo_charset_turn t;

	t = coo_charset_convert(cs->dec, in, out->p + out->n, out->cap - out->n);
	*bad += mend(out->p + out->n, t.made);
	out->n += t.made;
	if (t.err == E2BIG)
		out->failed = true;
	else if (t.err && t.used < in.n) {
		*bad += put_bad_byte(cs, in.p[t.used], out);
		t.used++;
	}
	return t.used;
}

static size_t decode_utf8(coo_span in, coo_buf *out, size_t *bad)
{
	size_t i = 0, n;
	uint32_t cp;

	while ((n = coo_utf8_next(coo_span_skip(in, i), &cp)) > 0)
		i += n;
	coo_buf_put(out, coo_span_head(in, i));
	if (i == in.n)
		return i;
	coo_buf_put_str(out, REPLACEMENT);
	*bad += 1;
	return i + 1;
}

static size_t copy_ascii(coo_span in, coo_buf *out)
{
	size_t n = coo_utf8_ascii_run(in), room = out->cap - out->n;

	coo_buf_put(out, coo_span_head(in, n < room ? n : room));
	if (n > room)
		out->failed = true;
	return n;
}

coo_err coo_charset_decode(coo_charset *cs, coo_span in, coo_buf *out, size_t *replaced)
{
	size_t bad = 0;

	if (cs->family == COO_CHARSET_UTF8 && coo_utf8_valid(in) && in.n <= out->cap - out->n) {
		coo_buf_put(out, in);
		in = coo_span_none();
	}
	while (in.n > 0 && coo_buf_ok(out)) {
		in = coo_span_skip(in, copy_ascii(in, out));
		if (in.n == 0 || !coo_buf_ok(out))
			break;
		if (cs->family == COO_CHARSET_UTF8)
			in = coo_span_skip(in, decode_utf8(in, out, &bad));
		else
			in = coo_span_skip(in, decode_some(cs, in, out, &bad));
	}
	if (replaced)
		*replaced += bad;
	return coo_buf_ok(out) ? COO_OK : COO_ENOBUF;
}

bool coo_charset_valid(coo_charset *cs, coo_span in)
{
	uint8_t scratch[2048];

	if (cs->family == COO_CHARSET_UTF8)
		return coo_utf8_valid(in);
	for (;;) {
		coo_buf out;
		size_t bad = 0;

		in = coo_span_skip(in, coo_utf8_ascii_run(in));
		if (in.n == 0)
			return true;
		coo_buf_init(&out, scratch, sizeof(scratch));
		in = coo_span_skip(in, decode_some(cs, in, &out, &bad));
		if (bad > 0)
			return false;
	}
}

/* --- from UTF-8 ------------------------------------------------------------------------------ */

/* Length of the run without ASCII that s begins with; in UTF-8 it ends between two characters. */
static size_t high_run(coo_span s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] >= 0x80)
		i++;
	return i;
}

/*
 * The whole run in one call, which is kept only where nothing at all was odd about it. A run with a
 * byte 0xf3 is never tried: iconv drops tag characters (U+E0000…U+E007F) without a word.
 */
static bool encode_bulk(coo_charset *cs, coo_span in, coo_buf *out)
{
	coo_charset_turn t;

	if (coo_span_find(in, 0xf3) < in.n)
		return false;
	t = coo_charset_convert(cs->enc, in, out->p + out->n, out->cap - out->n);
	if (t.err || t.changed || t.used < in.n)
		return false;
	out->n += t.made;
	return true;
}

/* One character; returns whether it was lost. */
static bool encode_char(coo_charset *cs, coo_span in, uint32_t cp, coo_buf *out)
{
	uint8_t bytes[16];
	coo_charset_turn t;

	if (cs->family == COO_CHARSET_GBK && cp == 0x20ac) {
		coo_buf_put_byte(out, 0x80);
		return false;
	}
	t = coo_charset_convert(cs->enc, in, bytes, sizeof(bytes));
	if (t.err || t.changed || t.made == 0) {
		coo_buf_put_byte(out, '?');
		return true;
	}
	coo_buf_put(out, coo_span_of(bytes, t.made));
	return false;
}

static size_t encode_each(coo_charset *cs, coo_span in, coo_buf *out)
{
	size_t lost = 0, n;
	uint32_t cp;

	while (coo_buf_ok(out) && (n = coo_utf8_next(in, &cp)) > 0) {
		bool gone = encode_char(cs, coo_span_head(in, n), cp, out);

		lost += gone && coo_buf_ok(out);
		in = coo_span_skip(in, n);
	}
	return lost;
}

static void encode_utf8(coo_span in, coo_buf *out)
{
	size_t n = coo_utf8_truncate(in, out->cap - out->n);

	coo_buf_put(out, coo_span_head(in, n));
	if (n < in.n)
		out->failed = true;
}

coo_err coo_charset_encode(coo_charset *cs, coo_span in, coo_buf *out, size_t *lost)
{
	size_t gone = 0;

	if (!coo_utf8_valid(in))
		return COO_EFORMAT;
	if (!coo_buf_ok(out))
		return COO_ENOBUF;
	if (cs->family == COO_CHARSET_UTF8) {
		encode_utf8(in, out);
		in = coo_span_none();
	}
	while (in.n > 0 && coo_buf_ok(out)) {
		coo_span run;

		in = coo_span_skip(in, copy_ascii(in, out));
		run = coo_span_head(in, high_run(in));
		if (run.n > 0 && coo_buf_ok(out) && !encode_bulk(cs, run, out))
			gone += encode_each(cs, run, out);
		in = coo_span_skip(in, run.n);
	}
	if (lost)
		*lost += gone;
	return coo_buf_ok(out) ? COO_OK : COO_ENOBUF;
}
