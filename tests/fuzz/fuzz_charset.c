/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "proto/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IN_MAX = 512, TEXT_MAX = 4 * IN_MAX, BYTES_MAX = 4 * TEXT_MAX };

static const char *const names[] = {
	"gbk", "gb18030", "cp932", "big5", "euc-kr", "cp949", "utf-8"
};

static coo_charset *set(unsigned i)
{
	static coo_charset *open[COO_ARRAY_LEN(names)];

	i %= COO_ARRAY_LEN(names);
	if (!open[i] && coo_charset_open(names[i], &open[i]) != COO_OK)
		abort();
	return open[i];
}

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Whatever the room, what comes out is valid and a beginning of the whole. */
static void check_short(coo_charset *cs, coo_span in, coo_span text, size_t cap)
{
	uint8_t mem[TEXT_MAX];
	coo_buf out;

	cap %= text.n + 1;
	coo_buf_init(&out, mem, cap);
	must((coo_charset_decode(cs, in, &out, NULL) == COO_OK) == (cap == text.n));
	must(coo_utf8_valid(coo_buf_span(&out)));
	must(coo_span_has_prefix(text, coo_buf_span(&out)));
}

/* What was encoded without loss reads back as the same text. */
static void check_back(coo_charset *cs, coo_span text)
{
	uint8_t bytes[BYTES_MAX], again[BYTES_MAX];
	size_t lost = 0, bad = 0;
	coo_buf b, t;

	coo_buf_init(&b, bytes, sizeof(bytes));
	coo_buf_init(&t, again, sizeof(again));
	must(coo_charset_encode(cs, text, &b, &lost) == COO_OK);
	must(coo_charset_decode(cs, coo_buf_span(&b), &t, &bad) == COO_OK);
	must(bad == 0);
	must(lost > 0 || coo_span_eq(coo_buf_span(&t), text));
}

/* The first byte chooses the set, the second the room of a short buffer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t mem[TEXT_MAX];
	size_t bad = 0;
	coo_charset *cs;
	coo_span in;
	coo_buf out;

	if (size < 2)
		return 0;
	cs = set(data[0]);
	in = coo_span_head(coo_span_of(data + 2, size - 2), IN_MAX);
	coo_buf_init(&out, mem, 4 * in.n);
	must(coo_charset_decode(cs, in, &out, &bad) == COO_OK);
	must(coo_utf8_valid(coo_buf_span(&out)));
	must(coo_charset_valid(cs, in) == (bad == 0));
	check_short(cs, in, coo_buf_span(&out), data[1]);
	check_back(cs, coo_buf_span(&out));
	return 0;
}
