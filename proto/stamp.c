/* SPDX-License-Identifier: MIT */
#include "proto/stamp.h"

#include "proto/echo.h"

#define NS_PER_SEC UINT64_C(1000000000)

uint16_t coo_stamp_error_encode(coo_stamp_error e)
{
	unsigned v = (e.synced ? 0x8000u : 0) | (e.ptp ? 0x4000u : 0);

	return (uint16_t)(v | (unsigned)(e.scale & 0x3f) << 8 | e.factor);
}

coo_stamp_error coo_stamp_error_decode(uint16_t v)
{
	coo_stamp_error e;

	e.synced = (v & 0x8000) != 0;
	e.ptp = (v & 0x4000) != 0;
	e.scale = (uint8_t)(v >> 8 & 0x3f);
	e.factor = (uint8_t)v;
	return e;
}

void coo_stamp_put_request(coo_buf *b, const coo_stamp_request *r)
{
	uint8_t p[COO_STAMP_SIZE];

	memset(p, 0, sizeof(p));
	coo_put_be32(p, r->seq);
	coo_put_be64(p + 4, r->time);
	coo_put_be16(p + 12, coo_stamp_error_encode(r->error));
	coo_put_be16(p + 14, r->ssid);
	coo_buf_put(b, coo_span_of(p, sizeof(p)));
}

void coo_stamp_put_reply(coo_buf *b, const coo_stamp_reply *r)
{
	uint8_t p[COO_STAMP_SIZE];

	memset(p, 0, sizeof(p));
	coo_put_be32(p, r->seq);
	coo_put_be64(p + 4, r->time);
	coo_put_be16(p + 12, coo_stamp_error_encode(r->error));
	coo_put_be16(p + 14, r->ssid);
	coo_put_be64(p + 16, r->received);
	coo_put_be32(p + 24, r->sender_seq);
	coo_put_be64(p + 28, r->sender_time);
	coo_put_be16(p + 36, r->sender_error);
	p[40] = r->sender_ttl;
	coo_buf_put(b, coo_span_of(p, sizeof(p)));
}

coo_err coo_stamp_get_request(coo_span s, coo_stamp_request *out)
{
	if (s.n < COO_STAMP_SIZE)
		return COO_EFORMAT;
	out->seq = coo_be32(s.p);
	out->time = coo_be64(s.p + 4);
	out->error = coo_stamp_error_decode(coo_be16(s.p + 12));
	out->ssid = coo_be16(s.p + 14);
	return COO_OK;
}

coo_err coo_stamp_get_reply(coo_span s, coo_stamp_reply *out)
{
	if (s.n < COO_STAMP_SIZE)
		return COO_EFORMAT;
	out->seq = coo_be32(s.p);
	out->time = coo_be64(s.p + 4);
	out->error = coo_stamp_error_decode(coo_be16(s.p + 12));
	out->ssid = coo_be16(s.p + 14);
	out->received = coo_be64(s.p + 16);
	out->sender_seq = coo_be32(s.p + 24);
	out->sender_time = coo_be64(s.p + 28);
	out->sender_error = coo_be16(s.p + 36);
	out->sender_ttl = s.p[40];
	return COO_OK;
}

/* The fraction is rounded up, so that the way back by rounding down meets the same ns. */
uint64_t coo_ntp_from_unix(uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_SEC + COO_NTP_OFFSET;
	uint64_t fraction = ((ns % NS_PER_SEC << 32) + NS_PER_SEC - 1) / NS_PER_SEC;

	return seconds << 32 | fraction;
}

uint64_t coo_ntp_to_unix(uint64_t ntp, uint64_t now)
{
	uint32_t now_ntp = (uint32_t)(now / NS_PER_SEC + COO_NTP_OFFSET);
	uint32_t seconds = (uint32_t)(ntp >> 32);
	uint64_t now_s = now / NS_PER_SEC;
	uint32_t ahead = seconds - now_ntp; /* modulo 2^32: the era does not matter */
	uint64_t unix_s = ahead < UINT32_C(0x80000000) ? now_s + ahead : now_s - (uint32_t)-ahead;

	return unix_s * NS_PER_SEC + ((ntp & 0xffffffffu) * NS_PER_SEC >> 32);
}

uint64_t coo_ptp_to_unix(uint64_t ptp)
{
	return (ptp >> 32) * NS_PER_SEC + (ptp & 0xffffffffu);
}

/* factor * 2^(scale - 32) s in ns; the product of factor and 10^9 has at most 38 bits. */
uint64_t coo_stamp_error_ns(coo_stamp_error e)
{
	uint64_t v = (uint64_t)e.factor * NS_PER_SEC;

	if (e.scale >= 32)
		return e.scale - 32 > 25 ? UINT64_MAX : v << (e.scale - 32);
	return (v + (UINT64_C(1) << (32 - e.scale)) - 1) >> (32 - e.scale);
}

coo_stamp_error coo_stamp_error_of(uint64_t ns, bool synced)
{
	coo_stamp_error e = { synced, false, 0, 1 };

	while (e.scale < 63) {
		e.factor = 255;
		if (coo_stamp_error_ns(e) >= ns)
			break;
		e.scale++;
	}
	e.factor = 1;
	while (e.factor < 255 && coo_stamp_error_ns(e) < ns)
		e.factor++;
	return e;
}
