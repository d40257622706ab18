/* SPDX-License-Identifier: MIT */
#include "proto/num.h"

static bool append_digit(uint64_t *v, unsigned base, unsigned digit, uint64_t max)
{
	if (*v > max / base || digit > max - *v * base)
		return false;
	*v = *v * base + digit;
	return true;
}

bool coo_num_dec_prefix(coo_span s, uint64_t max, uint64_t *out, size_t *used)
{
	uint64_t v = 0;
	size_t i = 0;

	/* nineteen digits are always less than 2^64 */
	for (; i < s.n && i < 19 && coo_is_digit(s.p[i]); i++)
		v = v * 10 + (unsigned)(s.p[i] - '0');
	for (; i < s.n && coo_is_digit(s.p[i]); i++) {
		if (!append_digit(&v, 10, (unsigned)(s.p[i] - '0'), max))
			return false;
	}
	if (i == 0 || v > max)
		return false;
	*out = v;
	*used = i;
	return true;
}

bool coo_num_dec(coo_span s, uint64_t max, uint64_t *out)
{
	uint64_t v;
	size_t used;

	if (!coo_num_dec_prefix(s, max, &v, &used) || used != s.n)
		return false;
	*out = v;
	return true;
}

static unsigned hex_digit(uint8_t b)
{
	if (coo_is_digit(b))
		return (unsigned)(b - '0');
	if (b >= 'a' && b <= 'f')
		return (unsigned)(b - 'a') + 10;
	if (b >= 'A' && b <= 'F')
		return (unsigned)(b - 'A') + 10;
	return 16;
}

bool coo_num_hex(coo_span s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = hex_digit(s.p[i]);

		if (digit > 15 || !append_digit(&v, 16, digit, max))
			return false;
	}
	*out = v;
	return true;
}
