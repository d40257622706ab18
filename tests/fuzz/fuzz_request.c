/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const coo_request *r, enum coo_request_kind kind)
{
	uint8_t mem[64];
	coo_request back;
	coo_buf b;

	if (!r->packet.is_hex || !r->id.is_hex)
		return;
	coo_buf_init(&b, mem, sizeof(mem));
	coo_request_put(&b, kind, r->packet.hex, r->id.hex, r->offset);
	if (!coo_buf_ok(&b) || coo_request_decode(coo_buf_span(&b), kind, false, &back) != COO_OK ||
	    back.packet.hex != r->packet.hex || back.id.hex != r->id.hex ||
	    back.offset != r->offset)
		abort();
}

/* The first byte chooses the kind. What is complete stays what it is, whatever comes behind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum coo_request_kind kind;
	coo_request whole, part;
	coo_span body;

	if (size == 0)
		return 0;
	kind = data[0] & 1 ? COO_REQUEST_DIR : COO_REQUEST_FILE;
	body = coo_span_of(data + 1, size - 1);
	if (coo_request_decode(body, kind, true, &whole) != COO_OK)
		return 0;
	check_round_trip(&whole, kind);
	for (size_t n = 0; n < body.n && n < 140; n++) {
		if (coo_request_decode(coo_span_head(body, n), kind, false, &part) == COO_OK &&
		    (part.packet.hex != whole.packet.hex || part.id.hex != whole.id.hex ||
		     part.offset != whole.offset))
			abort();
	}
	return 0;
}
