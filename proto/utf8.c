/* SPDX-License-Identifier: MIT */
#include "proto/utf8.h"

#include "proto/attr.h"

size_t coo_utf8_ascii_run(coo_span s)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	size_t i = 0;

	while (s.n - i >= 16) {
		uint64_t w[2];

		memcpy(w, s.p + i, 16);
		if ((w[0] | w[1]) & high)
			break;
		i += 16;
	}
	while (i < s.n && s.p[i] < 0x80)
		i++;
	return i;
}

static bool is_tail(uint8_t b)
{
	return (b & 0xc0) == 0x80;
}

/* Bytes of the character that lead begins, and the value bits of lead; 0 where it begins none. */
static size_t lead_length(uint8_t lead, uint32_t *bits)
{
	if (lead < 0x80) {
		*bits = lead;
		return 1;
	}
	if (lead >= 0xc2 && lead <= 0xdf) {
		*bits = lead & 0x1fu;
		return 2;
	}
	if (lead >= 0xe0 && lead <= 0xef) {
		*bits = lead & 0x0fu;
		return 3;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*bits = lead & 0x07u;
		return 4;
	}
	return 0;
}

size_t coo_utf8_next(coo_span s, uint32_t *cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t v = 0;
	size_t n = s.n ? lead_length(s.p[0], &v) : 0;

	if (n == 0 || n > s.n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (!is_tail(s.p[i]))
			return 0;
		v = (v << 6) | (s.p[i] & 0x3fu);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return n;
}

bool coo_utf8_valid(coo_span s)
{
	while (s.n > 0) {
		size_t run = coo_utf8_ascii_run(s);
		uint32_t cp;

		s = coo_span_skip(s, run);
		while (s.n > 0 && s.p[0] >= 0x80) {
			size_t n = coo_utf8_next(s, &cp);

			if (n == 0)
				return false;
			s = coo_span_skip(s, n);
		}
	}
	return true;
}

size_t coo_utf8_truncate(coo_span s, size_t max)
{
	size_t n = s.n;

	if (n <= max)
		return n;
	n = max;
	while (n > 0 && is_tail(s.p[n]))
		n--;
	return n;
}

/* In one piece, so that a buffer that is too small never ends inside a character. */
void coo_utf8_put(coo_buf *b, uint32_t cp)
{
	uint8_t bytes[4];
	size_t n = 0;

	if (cp < 0x80) {
		bytes[n++] = (uint8_t)cp;
	} else if (cp < 0x800) {
		bytes[n++] = (uint8_t)(0xc0 | (cp >> 6));
	} else if (cp < 0x10000) {
		bytes[n++] = (uint8_t)(0xe0 | (cp >> 12));
		bytes[n++] = (uint8_t)(0x80 | ((cp >> 6) & 0x3f));
	} else {
		bytes[n++] = (uint8_t)(0xf0 | (cp >> 18));
		bytes[n++] = (uint8_t)(0x80 | ((cp >> 12) & 0x3f));
		bytes[n++] = (uint8_t)(0x80 | ((cp >> 6) & 0x3f));
	}
	if (cp >= 0x80)
		bytes[n++] = (uint8_t)(0x80 | (cp & 0x3f));
	coo_buf_put(b, coo_span_of(bytes, n));
}

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t cp, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (cp < r[i].first)
			return false;
		if (cp <= r[i].last)
			return true;
	}
	return false;
}

/*
 * Characters that change how others are shown while showing nothing themselves: bidi marks,
 * embeddings, overrides and isolates, line and paragraph separator, invisible operators, BOM,
 * interlinear marks, tags. The joiners U+200C and U+200D stay: scripts and emoji need them.
 */
static const struct range invisible[] = {
	{ 0x00ad, 0x00ad }, { 0x061c, 0x061c },	  { 0x180e, 0x180e }, { 0x200b, 0x200b },
	{ 0x200e, 0x200f }, { 0x2028, 0x202e },	  { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

static bool is_unsafe(uint32_t cp, enum coo_utf8_keep keep)
{
	if (cp == '\n' || cp == '\t')
		return keep != COO_UTF8_KEEP_LINES;
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return true;
	return cp >= 0xad && in_ranges(cp, invisible, COO_ARRAY_LEN(invisible));
}

static void put_escaped_byte(coo_buf *b, uint8_t byte)
{
	coo_buf_put_str(b, "\\x");
	coo_buf_put_hex(b, byte, 2);
}

static void put_escaped_char(coo_buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		put_escaped_byte(b, (uint8_t)cp);
		return;
	}
	coo_buf_put_str(b, "\\u{");
	coo_buf_put_hex(b, cp, 2);
	coo_buf_put_byte(b, '}');
}

void coo_utf8_escape(coo_buf *b, coo_span s, enum coo_utf8_keep keep)
{
	while (s.n > 0) {
		uint32_t cp;
		size_t n = coo_utf8_next(s, &cp);

		if (n == 0) {
			put_escaped_byte(b, s.p[0]);
			n = 1;
		} else if (is_unsafe(cp, keep)) {
			put_escaped_char(b, cp);
		} else {
			coo_buf_put(b, coo_span_head(s, n));
		}
		s = coo_span_skip(s, n);
	}
}

bool coo_utf8_is_plain(coo_span s, enum coo_utf8_keep keep)
{
	while (s.n > 0) {
		uint32_t cp;
		size_t n = coo_utf8_next(s, &cp);

		if (n == 0 || is_unsafe(cp, keep))
			return false;
		s = coo_span_skip(s, n);
	}
	return true;
}

/* East Asian Width W and F, and the emoji that terminals draw two columns wide. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x23e9, 0x23ec },	  { 0x25fd, 0x25fe },
	{ 0x2614, 0x2615 },   { 0x2648, 0x2653 },   { 0x267f, 0x267f },	  { 0x2693, 0x2693 },
	{ 0x26a1, 0x26a1 },   { 0x26aa, 0x26ab },   { 0x26bd, 0x26be },	  { 0x26c4, 0x26c5 },
	{ 0x26ce, 0x26ce },   { 0x26d4, 0x26d4 },   { 0x26ea, 0x26ea },	  { 0x26f2, 0x26f5 },
	{ 0x26fa, 0x26fd },   { 0x2705, 0x2705 },   { 0x270a, 0x270b },	  { 0x2728, 0x2728 },
	{ 0x274c, 0x274e },   { 0x2753, 0x2757 },   { 0x2795, 0x2797 },	  { 0x27b0, 0x27bf },
	{ 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b55 },   { 0x2e80, 0x303e },	  { 0x3041, 0x33ff },
	{ 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },   { 0xa000, 0xa4cf },	  { 0xa960, 0xa97f },
	{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe10, 0xfe19 },	  { 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x16fe0, 0x18cff }, { 0x1b000, 0x1b2ff },
	{ 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f19a }, { 0x1f200, 0x1f320 },
	{ 0x1f32d, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f7e0, 0x1f7eb }, { 0x1f900, 0x1f9ff },
	{ 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

/* Marks that stand on the character before them, joiners and variation selectors. */
static const struct range zero[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a },
	{ 0x064b, 0x065f }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x202a, 0x202e },
	{ 0x2060, 0x2064 }, { 0x20d0, 0x20f0 }, { 0x302a, 0x302d }, { 0x3099, 0x309a },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
};

static size_t char_width(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	if (in_ranges(cp, zero, COO_ARRAY_LEN(zero)))
		return 0;
	return in_ranges(cp, wide, COO_ARRAY_LEN(wide)) ? 2 : 1;
}

size_t coo_utf8_width(coo_span s)
{
	size_t width = 0;

	while (s.n > 0) {
		uint32_t cp = 0;
		size_t n = coo_utf8_next(s, &cp);

		width += n ? char_width(cp) : 1;
		s = coo_span_skip(s, n ? n : 1);
	}
	return width;
}
