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

#endif
