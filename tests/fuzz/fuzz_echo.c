/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "proto/echo.h"
#include "proto/stamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is called intact is what encoding its fields gives. */
static void check_probe(coo_span in)
{
	uint8_t copy[256];
	coo_probe probe, other;

	if (in.n < COO_ECHO_HEADER || in.n > sizeof(copy))
		return;
	if (coo_probe_decode(in, coo_be64(in.p + 4), 0, &probe) != COO_PROBE_INTACT)
		return;
	memcpy(copy, in.p, in.n);
	if (coo_probe_encode(&probe, copy, in.n) != COO_OK || memcmp(copy, in.p, in.n) != 0)
		abort();
	if (coo_probe_decode(in, probe.session + 1, in.n, &other) != COO_PROBE_FOREIGN)
		abort();
}

static void check_stamp(coo_span in)
{
	uint8_t mem[COO_STAMP_SIZE];
	coo_stamp_request q, q2;
	coo_stamp_reply r, r2;
	coo_buf b;

	if (coo_stamp_get_request(in, &q) != COO_OK || coo_stamp_get_reply(in, &r) != COO_OK) {
		if (in.n >= COO_STAMP_SIZE)
			abort();
		return;
	}
	coo_buf_init(&b, mem, sizeof(mem));
	coo_stamp_put_request(&b, &q);
	if (coo_stamp_get_request(coo_buf_span(&b), &q2) != COO_OK || q2.seq != q.seq ||
	    q2.time != q.time || q2.ssid != q.ssid || memcmp(mem, in.p, 16) != 0)
		abort();
	coo_buf_init(&b, mem, sizeof(mem));
	coo_stamp_put_reply(&b, &r);
	if (coo_stamp_get_reply(coo_buf_span(&b), &r2) != COO_OK || memcmp(mem, in.p, 38) != 0 ||
	    r2.sender_ttl != r.sender_ttl)
		abort();
	coo_ignore(coo_ntp_to_unix(q.time, r.received) == coo_stamp_error_ns(q.error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_probe(coo_span_of(data, size));
	check_stamp(coo_span_of(data, size));
	return 0;
}
