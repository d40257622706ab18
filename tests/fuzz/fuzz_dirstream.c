/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/dirstream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A running hash over what the parser says, in which data bytes count alike however they are cut.
 */
struct story {
	uint64_t hash;
	uint64_t events;
	coo_err end;
};

static void mix(struct story *s, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++)
		s->hash = (s->hash ^ p[i]) * UINT64_C(0x100000001b3);
}

static void mix_event(struct story *s, const coo_dirstream_event *ev)
{
	if (ev->what == COO_DIRSTREAM_DATA) {
		mix(s, ev->data.p, ev->data.n);
		return;
	}
	s->events++;
	mix(s, &ev->what, sizeof(ev->what));
	mix(s, ev->name.p, ev->name.n);
	mix(s, &ev->size, sizeof(ev->size));
	mix(s, &ev->mtime, sizeof(ev->mtime));
}

static void feed(coo_dirstream *d, struct story *s, coo_span part)
{
	coo_dirstream_event ev;

	while ((s->end = coo_dirstream_next(d, &part, &ev)) == COO_OK) {
		if (d->depth > COO_DIRSTREAM_DEPTH_MAX)
			abort();
		mix_event(s, &ev);
	}
	if (s->end == COO_EMORE && part.n > 0)
		abort();
}

static void begin(coo_dirstream *d, struct story *s)
{
	coo_dirstream_init(d);
	memset(s, 0, sizeof(*s));
}

/* The first byte seeds the cuts; any cutting tells the same story as the whole. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static coo_dirstream d;
	struct story whole, cut;
	uint32_t seed;
	coo_span in;

	if (size == 0)
		return 0;
	seed = data[0];
	in = coo_span_of(data + 1, size - 1);
	begin(&d, &whole);
	feed(&d, &whole, in);
	begin(&d, &cut);
	while (in.n > 0) {
		size_t n;

		seed = seed * 1103515245u + 12345u;
		n = 1 + (seed >> 16) % 17;
		feed(&d, &cut, coo_span_head(in, n));
		in = coo_span_skip(in, n);
	}
	if (whole.events && (whole.hash != cut.hash || whole.events != cut.events))
		abort();
	if (size > 1 && whole.end != cut.end)
		abort();
	return 0;
}
