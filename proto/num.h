/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_NUM_H
#define COO_PROTO_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/span.h"

/*
 * The only number parsers. The whole span has to be digits (no sign, no space, no prefix; at least
 * one, any count of leading zeros) and the value at most max. *out is written only on success.
 */
COO_MUST_CHECK bool coo_num_dec(coo_span s, uint64_t max, uint64_t *out);
COO_MUST_CHECK bool coo_num_hex(coo_span s, uint64_t max, uint64_t *out);

/* As coo_num_dec over the digits that s begins with; *used tells how many they were. */
COO_MUST_CHECK bool coo_num_dec_prefix(coo_span s, uint64_t max, uint64_t *out, size_t *used);

static inline bool coo_is_digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

/*
 * coo_num_dec for spans of 1 to 18 digits, which cannot overflow: the usual case of a header,
 * inline because it is the hottest of all. False for anything else, also for longer numbers that
 * coo_num_dec would take.
 */
COO_MUST_CHECK static inline bool coo_num_dec_short(coo_span s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 18)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)s.p[i] - '0';

		if (digit > 9)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

#endif
