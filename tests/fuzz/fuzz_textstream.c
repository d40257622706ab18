/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>

#include "feature/textstream.h"
#include "proto/utf8.h"

/*
 * The first byte chooses the charset, the second the size of the pieces. The text must not depend
 * on the pieces and always be UTF-8.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static coo_buf decode(coo_charset *cs, coo_span s, size_t step)
{
	size_t cap = coo_textstream_room(s.n) + 64;
	uint8_t *mem = malloc(cap);
	coo_textstream t;
	coo_buf out;

	assert(mem);
	coo_buf_init(&out, mem, cap);
	coo_textstream_init(&t, cs);
	while (s.n > 0) {
		coo_err e = coo_textstream_put(&t, coo_span_head(s, step), &out);

		assert(e == COO_OK);
		assert(t.n <= sizeof(t.held));
		s = coo_span_skip(s, step);
	}
	coo_ignore(coo_textstream_end(&t, &out));
	assert(coo_buf_ok(&out));
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "utf-8", "gbk", "gb18030", "big5", "cp932", "euc-kr" };
	static coo_charset *sets[COO_ARRAY_LEN(names)];
	size_t which;
	coo_buf whole, cut;
	coo_span s;

	if (size < 2)
		return 0;
	which = data[0] % COO_ARRAY_LEN(names);
	if (!sets[which] && coo_charset_open(names[which], &sets[which]) != COO_OK)
		return 0;
	s = coo_span_of(data + 2, size - 2);
	whole = decode(sets[which], s, size);
	cut = decode(sets[which], s, (size_t)data[1] % 8 + 1);
	assert(coo_utf8_valid(coo_buf_span(&whole)));
	assert(coo_span_eq(coo_buf_span(&whole), coo_buf_span(&cut)));
	free(whole.p);
	free(cut.p);
	return 0;
}
