/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every span of a packet lies within its datagram. */
static void check_inside(coo_span part, coo_span whole)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

static void check_same(const coo_packet *a, const coo_packet *b)
{
	if (!coo_span_eq(a->version, b->version) || a->packet_no != b->packet_no ||
	    !coo_span_eq(a->user, b->user) || !coo_span_eq(a->host, b->host) ||
	    a->command != b->command || !coo_span_eq(a->ext, b->ext))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t mem[COO_PACKET_MAX + 64];
	coo_span dgram = coo_span_of(data, size);
	coo_packet p, back;
	uint64_t ref;
	coo_buf b;

	if (coo_packet_decode(dgram, &p) != COO_OK)
		return 0;
	check_inside(p.version, dgram);
	check_inside(p.number, dgram);
	check_inside(p.user, dgram);
	check_inside(p.host, dgram);
	check_inside(p.ext, dgram);
	for (unsigned i = 0; i < 5; i++)
		check_inside(coo_packet_section(&p, i), dgram);
	coo_ignore(coo_packet_ref(&p, &ref));
	coo_buf_init(&b, mem, sizeof(mem));
	if (coo_packet_encode(&b, &p) != COO_OK)
		return 0;
	if (coo_packet_decode(coo_buf_span(&b), &back) != COO_OK)
		abort();
	check_same(&p, &back);
	return 0;
}
