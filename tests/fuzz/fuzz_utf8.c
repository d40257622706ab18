/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The table of RFC 3629 section 4, byte by byte, as a second opinion. */
static size_t well_formed(const uint8_t *p, size_t n)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t more;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	more = p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	if (more >= n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	if (p[0] == 0xed)
		high = 0x9f;
	if (p[0] == 0xf0)
		low = 0x90;
	if (p[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i <= more; i++) {
		if (p[i] < low || p[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return more + 1;
}

static bool all_well_formed(coo_span s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		n = well_formed(s.p + i, s.n - i);
		if (n == 0)
			return false;
	}
	return true;
}

static void check_cutting(coo_span s)
{
	for (size_t max = 0; max < s.n && max < 64; max++) {
		size_t n = coo_utf8_truncate(s, max);

		if (n > max || max - n > 3 || !all_well_formed(coo_span_head(s, n)))
			abort();
	}
}

/* Escaping gives plain text that escaping leaves alone, in the room that it promises. */
static void check_escaping(coo_span s, enum coo_utf8_keep keep)
{
	coo_buf b;
	uint8_t *mem = malloc(4 * s.n + 1);

	if (!mem)
		return;
	coo_buf_init(&b, mem, 4 * s.n);
	coo_utf8_escape(&b, s, keep);
	if (!coo_buf_ok(&b) || !coo_utf8_is_plain(coo_buf_span(&b), keep) ||
	    !all_well_formed(coo_buf_span(&b)))
		abort();
	if (coo_utf8_is_plain(s, keep) != coo_span_eq(s, coo_buf_span(&b)))
		abort();
	if (coo_utf8_width(coo_buf_span(&b)) > 2 * b.n)
		abort();
	free(mem);
}

static void check_characters(coo_span s)
{
	while (s.n) {
		uint32_t cp;
		uint8_t mem[4];
		size_t n = coo_utf8_next(s, &cp);
		coo_buf b;

		if (n != well_formed(s.p, s.n))
			abort();
		coo_buf_init(&b, mem, sizeof(mem));
		if (n) {
			coo_utf8_put(&b, cp);
			if (!coo_span_eq(coo_buf_span(&b), coo_span_head(s, n)))
				abort();
		}
		s = coo_span_skip(s, n ? n : 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	coo_span s = coo_span_of(data, size);
	bool valid = all_well_formed(s);

	if (coo_utf8_valid(s) != valid)
		abort();
	if (valid)
		check_cutting(s);
	check_characters(s);
	check_escaping(s, COO_UTF8_ONE_LINE);
	check_escaping(s, COO_UTF8_KEEP_LINES);
	return 0;
}
