/* SPDX-License-Identifier: MIT */
#include "proto/span.h"

static uint8_t lower(uint8_t b)
{
	return b >= 'A' && b <= 'Z' ? (uint8_t)(b + ('a' - 'A')) : b;
}

bool coo_span_eq_nocase(coo_span a, coo_span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	}
	return true;
}

bool coo_span_has_high(coo_span s)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		uint64_t w;

		memcpy(&w, s.p + i, 8);
		if (w & high)
			return true;
	}
	for (; i < s.n; i++) {
		if (s.p[i] & 0x80)
			return true;
	}
	return false;
}
