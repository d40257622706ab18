/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "feature/pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a span to its end, so that one which reaches too far is noticed. */
static void touch(coo_span s)
{
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < s.n; i++)
		sum = (uint8_t)(sum + s.p[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	coo_pcap *p;
	coo_pcap_packet packet;
	uint64_t before = 0;
	coo_err e = coo_pcap_open(coo_span_of(data, size), &p);

	if (e == COO_OK && !coo_pcap_is(coo_span_of(data, size)))
		abort();
	if (e != COO_OK)
		return 0;
	while ((e = coo_pcap_next(p, &packet)) == COO_OK) {
		if (coo_pcap_offset(p) <= before || packet.seg.payload.n > 65535 + size)
			abort();
		before = coo_pcap_offset(p);
		touch(packet.seg.payload);
	}
	if (coo_pcap_next(p, &packet) != e || coo_pcap_stats(p).frames > size)
		abort();
	coo_pcap_close(p);
	return 0;
}
