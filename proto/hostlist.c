/* SPDX-License-Identifier: MIT */
#include "proto/hostlist.h"

#include "proto/num.h"

enum { BEL = 7, BS = 8 };

static coo_span trim_blanks(coo_span s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = coo_span_skip(s, 1);
	return coo_span_trim_end(s, ' ');
}

static bool take_number(coo_span *rest, uint32_t *out)
{
	coo_span field;
	uint64_t v;

	if (!coo_span_cut(rest, BEL, &field) || !coo_num_dec(trim_blanks(field), UINT32_MAX, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

coo_err coo_hostlist_decode(coo_span body, coo_hostlist *out)
{
	coo_hostlist l;

	l.rest = body;
	if (!take_number(&l.rest, &l.next) || !take_number(&l.rest, &l.count))
		return COO_EFORMAT;
	*out = l;
	return COO_OK;
}

/* --- addresses
 * --------------------------------------------------------------------------------------- */

static bool parse_v4(coo_span text, uint8_t ip[4])
{
	for (unsigned i = 0; i < 4; i++) {
		coo_span part = text;
		uint64_t v;

		if (i < 3 && !coo_span_cut(&text, '.', &part))
			return false;
		if (i == 3)
			part = text;
		if (part.n > 3 || !coo_num_dec(part, 255, &v))
			return false;
		ip[i] = (uint8_t)v;
	}
	return true;
}

/* Groups of a part of an IPv6 address without "::"; their number, or 9 where it is none. */
static unsigned parse_groups(coo_span text, uint8_t out[16])
{
	unsigned n = 0;
	coo_span group;
	uint64_t v;

	while (coo_span_next(&text, ':', &group)) {
		if (n == 8 || group.n > 4 || !coo_num_hex(group, 0xffff, &v))
			return 9;
		out[2 * n] = (uint8_t)(v >> 8);
		out[2 * n + 1] = (uint8_t)v;
		n++;
	}
	return n;
}

static size_t find_gap(coo_span text)
{
	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] == ':' && text.p[i + 1] == ':')
			return i;
	}
	return text.n;
}

static bool parse_v6(coo_span text, uint8_t ip[16])
{
	size_t gap = find_gap(text);
	uint8_t head[16], tail[16];
	unsigned nh = parse_groups(coo_span_head(text, gap), head), nt;

	if (gap == text.n) {
		if (nh != 8)
			return false;
		memcpy(ip, head, 16);
		return true;
	}
	nt = parse_groups(coo_span_skip(text, gap + 2), tail);
	if (nh + nt > 7)
		return false;
	memcpy(ip, head, 2 * nh);
	memcpy(ip + 16 - 2 * nt, tail, 2 * nt);
	return true;
}

bool coo_hostlist_parse_addr(coo_span text, coo_addr *out)
{
	coo_addr a;

	memset(&a, 0, sizeof(a));
	if (parse_v4(text, a.ip)) {
		a.family = 4;
	} else {
		memset(a.ip, 0, sizeof(a.ip));
		if (!parse_v6(text, a.ip))
			return false;
		a.family = 6;
	}
	*out = a;
	return true;
}

void coo_hostlist_put_addr(coo_buf *out, const coo_addr *a)
{
	bool v6 = a->family == 6;

	for (unsigned i = 0; i < (v6 ? 8u : 4u); i++) {
		if (i > 0)
			coo_buf_put_byte(out, v6 ? ':' : '.');
		if (v6)
			coo_buf_put_hex(out, (uint64_t)a->ip[2 * i] << 8 | a->ip[2 * i + 1], 0);
		else
			coo_buf_put_u64(out, a->ip[i]);
	}
}

/* --- entries
 * ----------------------------------------------------------------------------------------- */

static uint16_t swapped(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

static coo_span name(coo_span field)
{
	return field.n == 1 && field.p[0] == BS ? coo_span_head(field, 0) : field;
}

bool coo_hostlist_next(coo_hostlist *l, uint16_t own_port, coo_hostlist_entry *out)
{
	coo_span f[7];
	uint64_t status, port;

	for (unsigned i = 0; i < 7; i++) {
		if (!coo_span_cut(&l->rest, BEL, &f[i]))
			return false;
	}
	memset(out, 0, sizeof(*out));
	out->user = f[0];
	out->host = f[1];
	if (coo_num_dec(trim_blanks(f[2]), UINT32_MAX, &status))
		out->status = (uint32_t)status;
	if (coo_hostlist_parse_addr(f[3], &out->addr) &&
	    coo_num_dec(trim_blanks(f[4]), UINT16_MAX, &port))
		out->addr.port = port == own_port ? own_port : swapped((uint16_t)port);
	out->nick = name(f[5]);
	out->group = name(f[6]);
	return true;
}

static void put_padded(coo_buf *out, uint32_t v)
{
	uint32_t least = 10000;

	for (; least > 1 && v < least; least /= 10)
		coo_buf_put_byte(out, ' ');
	coo_buf_put_u64(out, v);
	coo_buf_put_byte(out, BEL);
}

void coo_hostlist_put_head(coo_buf *out, uint32_t next, uint32_t count)
{
	put_padded(out, next);
	put_padded(out, count);
}

static void put_name(coo_buf *out, coo_span s, bool may_be_empty)
{
	if (s.n == 0 && may_be_empty)
		coo_buf_put_byte(out, BS);
	coo_buf_put(out, s);
	coo_buf_put_byte(out, BEL);
}

static bool is_clean(coo_span s)
{
	return coo_span_find(s, BEL) == s.n && coo_span_find(s, 0) == s.n;
}

bool coo_hostlist_put(coo_buf *out, const coo_hostlist_entry *e)
{
	size_t start = out->n;

	if (e->user.n == 0 || e->host.n == 0 || !is_clean(e->user) || !is_clean(e->host) ||
	    !is_clean(e->nick) || !is_clean(e->group))
		return false;
	put_name(out, e->user, false);
	put_name(out, e->host, false);
	coo_buf_put_u64(out, e->status);
	coo_buf_put_byte(out, BEL);
	coo_hostlist_put_addr(out, &e->addr);
	coo_buf_put_byte(out, BEL);
	coo_buf_put_u64(out, swapped(e->addr.port));
	coo_buf_put_byte(out, BEL);
	put_name(out, e->nick, true);
	put_name(out, e->group, true);
	if (coo_buf_ok(out))
		return true;
	out->n = start; /* the entry waits for the next packet */
	out->failed = false;
	return false;
}
