/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "feature/text.h"
#include "proto/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is written again, to the peer it came from or to nobody known. */
static void send_back(coo_text *t, coo_span utf8, const coo_text_hint *peer, bool has_utf8)
{
	size_t cap = utf8.n * 4 + 1, lost = 0;
	uint8_t *mem = malloc(cap);
	const char *charset = NULL;
	bool flag = false;
	coo_buf out;

	if (!mem)
		return;
	coo_buf_init(&out, mem, cap);
	if (coo_text_encode(t, utf8, peer, has_utf8, NULL, &out, &flag, &lost, &charset) != COO_OK)
		abort();
	if (coo_span_find(coo_buf_span(&out), '\r') < out.n || lost > utf8.n || !charset)
		abort();
	if (flag && (lost || !coo_span_eq(coo_buf_span(&out), utf8)))
		abort();
	if (flag && peer && coo_client_is_gbk(peer->client))
		abort();
	free(mem);
}

/* The first byte tells client and flags, then the announced encoding up to a NUL, then the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static coo_text *t;
	coo_span in = coo_span_of(data, size), encoding = coo_span_none();
	uint8_t first = size ? data[0] : 0, *mem;
	coo_text_hint hint = { (coo_client)(first % 7), (first & 0x80) != 0, { NULL, 0 } };
	coo_text_result r;
	coo_buf out;

	if (!t && coo_text_open("auto", &t) != COO_OK)
		abort();
	in = coo_span_skip(in, 1);
	if (coo_span_cut(&in, 0, &encoding))
		hint.encoding = encoding;
	mem = malloc(in.n * 4 + 1);
	if (!mem)
		return 0;
	coo_buf_init(&out, mem, in.n * 4);
	if (coo_text_decode(t, in, &hint, &out, &r) != COO_OK || r.replaced > in.n || !r.charset)
		abort();
	if (!coo_utf8_valid(coo_buf_span(&out)) || coo_span_find(coo_buf_span(&out), '\r') < out.n)
		abort();
	send_back(t, coo_buf_span(&out), first & 0x40 ? NULL : &hint, (first & 0x20) != 0);
	free(mem);
	return 0;
}
