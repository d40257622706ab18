/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>

#include "feature/frame.h"

/*
 * The first byte chooses the framing, the second the size of the pieces. The frames of the stream
 * must not depend on the pieces, and no byte may get lost once the framing is.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FRAME = 300 };

static uint64_t hash(uint64_t h, coo_span s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* A hash over all frames and what stands between them. */
static uint64_t digest(enum coo_framing framing, coo_span s, size_t step)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	coo_frame f;

	coo_frame_init(&f, framing, MAX_FRAME);
	while (s.n > 0) {
		coo_span in = coo_span_head(s, step), out;
		coo_err e;

		s = coo_span_skip(s, step);
		while ((e = coo_frame_next(&f, &in, &out)) != COO_EMORE) {
			assert(e == COO_OK || e == COO_ERANGE);
			if (e == COO_ERANGE) {
				assert(f.absurd > MAX_FRAME);
				continue;
			}
			assert(f.raw || framing == COO_FRAME_NONE || out.n <= MAX_FRAME);
			h = hash(h, out);
			if (!f.raw && framing != COO_FRAME_NONE)
				h = hash(h, coo_span_of("|", 1));
		}
		assert(in.n == 0);
	}
	h = hash(h, coo_frame_rest(&f));
	coo_frame_fini(&f);
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum coo_framing framing;
	coo_span s;

	if (size < 2)
		return 0;
	framing = (enum coo_framing)(data[0] % (COO_FRAME_NUL + 1));
	s = coo_span_of(data + 2, size - 2);
	assert(digest(framing, s, size) == digest(framing, s, (size_t)data[1] % 16 + 1));
	return 0;
}
