/* SPDX-License-Identifier: MIT */
#include "proto/request.h"

#include "proto/attach.h"
#include "proto/num.h"

/* Three numbers of at most 20 digits and their colons are 63 bytes; more is no request. */
#define BODY_MAX 128

static bool take_num(coo_span text, coo_request_num *out)
{
	out->is_hex = coo_num_hex(text, UINT64_MAX, &out->hex);
	out->is_dec = coo_num_dec(text, UINT64_MAX, &out->dec);
	return out->is_hex || out->is_dec;
}

static size_t count_colons(coo_span s)
{
	coo_span piece;
	size_t n = 0;

	while (coo_span_cut(&s, ':', &piece))
		n++;
	return n;
}

coo_err coo_request_decode(coo_span body, enum coo_request_kind kind, bool at_end, coo_request *out)
{
	size_t end = coo_span_find(body, '\0');
	bool ended = at_end || end < body.n;
	coo_request r;
	coo_span text;

	memset(&r, 0, sizeof(r));
	body = coo_span_head(body, end);
	if (body.n > BODY_MAX)
		return COO_EFORMAT;
	if (!ended && count_colons(body) < (kind == COO_REQUEST_FILE ? 3u : 2u))
		return COO_EMORE;
	if (!coo_span_next(&body, ':', &text) || !take_num(text, &r.packet))
		return COO_EFORMAT;
	if (!coo_span_next(&body, ':', &text) || !take_num(text, &r.id))
		return COO_EFORMAT;
	/* FeiQ leaves the offset of a directory empty, mattn leaves it out */
	if (kind == COO_REQUEST_FILE && coo_span_next(&body, ':', &text) && text.n > 0 &&
	    !coo_num_hex(text, COO_FILE_SIZE_MAX, &r.offset))
		return COO_EFORMAT;
	*out = r;
	return COO_OK;
}

void coo_request_put(coo_buf *b, enum coo_request_kind kind, uint64_t packet, uint64_t id,
		     uint64_t offset)
{
	coo_buf_put_hex(b, packet, 0);
	coo_buf_put_byte(b, ':');
	coo_buf_put_hex(b, id, 0);
	coo_buf_put_byte(b, ':');
	if (kind == COO_REQUEST_FILE) {
		coo_buf_put_hex(b, offset, 0);
		coo_buf_put_byte(b, ':');
	}
}
