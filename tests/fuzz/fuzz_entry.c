/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_line_feed(const coo_entry *e)
{
	return e->nick.n + e->group.n > 0 &&
	       ((e->group.n && e->group.p[0] == '\n') || (e->nick.n && e->nick.p[0] == '\n'));
}

/* What was read once is written and read again: it has to be the same. */
static void check_round_trip(const coo_packet *p, const coo_entry *e)
{
	static uint8_t mem[1 << 17];
	coo_packet q = *p;
	coo_entry back;
	coo_buf b;

	/* a block without lines, or an icon that begins like one, has no other form */
	if (has_line_feed(e) || (e->icon.n && e->icon.p[0] == '\n'))
		return;
	coo_buf_init(&b, mem, sizeof(mem));
	coo_entry_encode(&b, e);
	if (!coo_buf_ok(&b))
		abort();
	q.ext = coo_buf_span(&b);
	coo_entry_decode(&q, &back);
	if (!coo_span_eq(back.nick, e->nick) || !coo_span_eq(back.group, e->group) ||
	    !coo_span_eq(back.un, e->un) || !coo_span_eq(back.hn, e->hn) ||
	    !coo_span_eq(back.nn, e->nn) || !coo_span_eq(back.gn, e->gn) ||
	    !coo_span_eq(back.vs, e->vs))
		abort();
	if (!e->has_block && e->encoding.n &&
	    (!coo_span_eq(back.icon, e->icon) || !coo_span_eq(back.encoding, e->encoding)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	coo_packet p;
	coo_entry e;

	if (size > 60000 || coo_packet_decode(coo_span_of(data, size), &p) != COO_OK)
		return 0;
	coo_entry_decode(&p, &e);
	check_round_trip(&p, &e);
	return 0;
}
