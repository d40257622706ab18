/* SPDX-License-Identifier: MIT */
#include "iconv/iconv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "iconv/tables.h"
#include "proto/utf8.h"

#define FOUR 0x10000 /* what stands in codes for a number of four bytes, plus that number */

struct coo_iconv {
	const struct table *table;
	uint32_t *codes; /* of each character of the BMP; NULL where this one decodes */
};

/* One character found at the start of the input, or errno. */
struct found {
	uint32_t value; /* character, or code */
	size_t n;	/* bytes it takes in the input */
	int err;
};

static struct found nothing(int err)
{
	struct found f = { 0, 0, err };

	return f;
}

static struct found found(uint32_t value, size_t n)
{
	struct found f = { value, n, 0 };

	return f;
}

/* --- tables ---------------------------------------------------------------------------------- */

static const struct table *find_table(const char *name)
{
	for (const struct table *t = coo_iconv_tables; t->name; t++) {
		if (strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}

static uint32_t large_character(const struct table *t, uint32_t code)
{
	for (size_t i = 0; i < t->n_large; i++) {
		if (t->large[i].code == code)
			return t->large[i].character;
	}
	return 0;
}

static uint32_t large_code(const struct table *t, uint32_t character)
{
	for (size_t i = 0; i < t->n_large; i++) {
		if (t->large[i].character == character)
			return t->large[i].code;
	}
	return 0;
}

static uint32_t two_bytes(const struct table *t, uint8_t lead, uint8_t trail)
{
	uint32_t c;

	if (!t->two || lead < LEAD_MIN || lead > LEAD_MAX || trail < TRAIL_MIN || trail > TRAIL_MAX)
		return 0;
	c = t->two[(size_t)(lead - LEAD_MIN) * TRAILS + (size_t)(trail - TRAIL_MIN)];
	return c ? c : large_character(t, (uint32_t)lead << 8 | trail);
}

static bool is_lead(const struct table *t, uint8_t lead)
{
	if (!t->two || lead < LEAD_MIN || lead > LEAD_MAX)
		return false;
	for (unsigned trail = TRAIL_MIN; trail <= TRAIL_MAX; trail++) {
		if (two_bytes(t, lead, (uint8_t)trail))
			return true;
	}
	return t->four;
}

/* --- to UTF-8 -------------------------------------------------------------------------------- */

static bool is_digit(uint8_t b)
{
	return b >= 0x30 && b <= 0x39;
}

static struct found decode_four(const struct table *t, coo_span in)
{
	uint32_t number, c = 0;

	if (in.n < 4)
		return nothing(EINVAL);
	if (!is_digit(in.p[1]) || in.p[2] < 0x81 || in.p[2] > 0xfe || !is_digit(in.p[3]))
		return nothing(EILSEQ);
	number = ((uint32_t)(in.p[0] - 0x81) * 10 + (uint32_t)(in.p[1] - 0x30)) * 1260 +
		 (uint32_t)(in.p[2] - 0x81) * 10 + (uint32_t)(in.p[3] - 0x30);
	if (number < FOUR_BMP)
		c = t->four[number];
	else if (number >= FOUR_SUPPLEMENT && number - FOUR_SUPPLEMENT < 0x100000)
		c = number - FOUR_SUPPLEMENT + 0x10000;
	return c ? found(c, 4) : nothing(EILSEQ);
}

static struct found decode_one(const struct table *t, coo_span in)
{
	uint8_t b = in.p[0];
	uint32_t c;

	if (b < 0x80)
		return found(b, 1);
	if (t->one[b - 0x80])
		return found(t->one[b - 0x80], 1);
	c = in.n > 1 ? two_bytes(t, b, in.p[1]) : 0;
	if (c)
		return found(c, 2);
	if (!is_lead(t, b))
		return nothing(EILSEQ);
	if (in.n < 2)
		return nothing(EINVAL);
	return t->four && is_digit(in.p[1]) ? decode_four(t, in) : nothing(EILSEQ);
}

static bool put_utf8(uint32_t c, coo_buf *out)
{
	coo_utf8_put(out, c);
	return coo_buf_ok(out);
}

/* --- from UTF-8 ------------------------------------------------------------------------------ */

static uint32_t code_of(const struct coo_iconv *cd, uint32_t c)
{
	uint32_t code;

	if (c < 0x80)
		return c;
	if (c < 0x10000)
		return cd->codes[c];
	code = large_code(cd->table, c);
	return code || !cd->table->four ? code : FOUR + FOUR_SUPPLEMENT + (c - 0x10000);
}

/* Whether s, which begins with no valid character, could be the start of one. */
static bool is_start(coo_span s)
{
	static const uint8_t rest[] = { 0x80, 0x90, 0xbf };
	uint8_t tail[4];
	uint32_t c;

	if (s.n == 0 || s.n > 3)
		return false;
	for (size_t n = s.n + 1; n <= 4; n++) {
		for (size_t i = 0; i < sizeof(rest); i++) {
			memset(tail, 0x80, sizeof(tail));
			memcpy(tail, s.p, s.n);
			tail[s.n] = rest[i];
			if (coo_utf8_next(coo_span_of(tail, n), &c) == n)
				return true;
		}
	}
	return false;
}

static struct found encode_one(const struct coo_iconv *cd, coo_span in)
{
	uint32_t c, code;
	size_t n = coo_utf8_next(in, &c);

	if (n == 0)
		return nothing(is_start(in) ? EINVAL : EILSEQ);
	code = code_of(cd, c);
	return code || c == 0 ? found(code, n) : nothing(EILSEQ);
}

static bool put_code(uint32_t code, coo_buf *out)
{
	uint8_t bytes[4];
	size_t n = 0;

	if (code >= FOUR) {
		code -= FOUR;
		bytes[n++] = (uint8_t)(0x81 + code / 12600);
		bytes[n++] = (uint8_t)(0x30 + code / 1260 % 10);
		bytes[n++] = (uint8_t)(0x81 + code / 10 % 126);
		bytes[n++] = (uint8_t)(0x30 + code % 10);
	} else {
		if (code > 0xff)
			bytes[n++] = (uint8_t)(code >> 8);
		bytes[n++] = (uint8_t)code;
	}
	coo_buf_put(out, coo_span_of(bytes, n));
	return coo_buf_ok(out);
}

/* --- the three functions of iconv ------------------------------------------------------------ */

static uint32_t code_at(size_t i)
{
	if (i < 128)
		return 0x80 + (uint32_t)i;
	i -= 128;
	return (uint32_t)((i / TRAILS + LEAD_MIN) << 8 | (i % TRAILS + TRAIL_MIN));
}

/* The inverse of the tables. What is read but never written stands in the order of its codes. */
static void fill_codes(const struct table *t, uint32_t *codes)
{
	size_t skip = 0;

	for (size_t i = 0; i < 128 + (t->two ? (size_t)LEADS * TRAILS : 0); i++) {
		uint32_t code = code_at(i);

		if (skip < t->n_decode_only && t->decode_only[skip].code == code)
			skip++;
		else
			codes[i < 128 ? t->one[i] : t->two[i - 128]] = code;
	}
	for (uint32_t i = 0; t->four && i < FOUR_BMP; i++) {
		if (!codes[t->four[i]])
			codes[t->four[i]] = FOUR + i;
	}
	for (size_t i = 0; i < t->n_encode_only; i++) {
		if (t->encode_only[i].character < 0x10000)
			codes[t->encode_only[i].character] = t->encode_only[i].code;
	}
}

iconv_t iconv_open(const char *to, const char *from)
{
	bool decodes = strcmp(to, "UTF-8") == 0;
	const struct table *t = find_table(decodes ? from : to);
	struct coo_iconv *cd;

	if (!t || (!decodes && strcmp(from, "UTF-8") != 0)) {
		errno = EINVAL;
		return (iconv_t)-1;
	}
	cd = calloc(1, sizeof(*cd));
	if (cd && !decodes)
		cd->codes = calloc(0x10000, sizeof(*cd->codes));
	if (!cd || (!decodes && !cd->codes)) {
		free(cd);
		errno = ENOMEM;
		return (iconv_t)-1;
	}
	cd->table = t;
	if (cd->codes)
		fill_codes(t, cd->codes);
	return cd;
}

size_t iconv(iconv_t cd, char **in, size_t *in_left, char **out, size_t *out_left)
{
	coo_span s;
	coo_buf b;
	int err = 0;

	if (!in || !*in)
		return 0;
	s = coo_span_of(*in, *in_left);
	coo_buf_init(&b, *out, *out_left);
	while (s.n > 0 && !err) {
		struct found f = cd->codes ? encode_one(cd, s) : decode_one(cd->table, s);

		err = f.err;
		if (!err && !(cd->codes ? put_code(f.value, &b) : put_utf8(f.value, &b)))
			err = E2BIG;
		if (!err)
			s = coo_span_skip(s, f.n);
	}
	*in += *in_left - s.n;
	*in_left = s.n;
	*out += b.n;
	*out_left -= b.n;
	if (err)
		errno = err;
	return err ? (size_t)-1 : 0;
}

int iconv_close(iconv_t cd)
{
	free(cd->codes);
	free(cd);
	return 0;
}
