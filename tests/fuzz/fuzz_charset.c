/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/charset.h"
#include "proto/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "utf-8", "gbk", "gb18030", "cp932", "big5", "euc-kr" };

static coo_charset *open_once(size_t i)
{
	static coo_charset *sets[COO_ARRAY_LEN(names)];

	if (!sets[i] && coo_charset_open(names[i], &sets[i]) != COO_OK)
		abort();
	return sets[i];
}

/* Bytes that are valid decode without loss. Text encodes and decodes to itself unless it was lost.
 */
static void check(coo_charset *cs, coo_span in, uint8_t *mem, size_t cap)
{
	static uint8_t encoded[1 << 16], again[1 << 18];
	size_t replaced = 0, lost = 0, bad = 0;
	coo_buf out, enc, back;

	coo_buf_init(&out, mem, cap);
	if (coo_charset_decode(cs, in, &out, &replaced) != COO_OK)
		abort();
	if (!coo_utf8_valid(coo_buf_span(&out)) || coo_charset_valid(cs, in) != (replaced == 0))
		abort();
	coo_buf_init(&enc, encoded, sizeof(encoded));
	if (coo_charset_encode(cs, coo_buf_span(&out), &enc, &lost) != COO_OK)
		return;
	coo_buf_init(&back, again, sizeof(again));
	if (coo_charset_decode(cs, coo_buf_span(&enc), &back, &bad) != COO_OK || bad)
		abort();
	if (lost == 0 && !coo_span_eq(coo_buf_span(&back), coo_buf_span(&out)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *mem;
	size_t cap;

	if (size < 1 || size > 4000)
		return 0;
	cap = 4 * (size - 1);
	mem = malloc(cap + 1);
	if (!mem)
		return 0;
	check(open_once(data[0] % COO_ARRAY_LEN(names)), coo_span_of(data + 1, size - 1), mem, cap);
	free(mem);
	return 0;
}
