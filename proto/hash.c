/* SPDX-License-Identifier: MIT */
#include "proto/hash.h"

uint64_t coo_hash_nocase(uint64_t h, coo_span s)
{
	uint8_t folded[64];

	while (s.n > 0) {
		coo_span part = coo_span_head(s, sizeof(folded));

		for (size_t i = 0; i < part.n; i++) {
			uint8_t b = part.p[i];

			folded[i] = b >= 'A' && b <= 'Z' ? (uint8_t)(b + ('a' - 'A')) : b;
		}
		h = coo_hash_span(h, coo_span_of(folded, part.n));
		s = coo_span_skip(s, part.n);
	}
	return coo_hash_mix(h, 0x5f);
}
