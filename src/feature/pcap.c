/* SPDX-License-Identifier: MIT */
#include "feature/pcap.h"

#include <stdlib.h>
#include <string.h>

#define INTERFACES_MAX 64 /* of one pcapng section; packets of others are passed over */

enum { BLOCK_INTERFACE = 1, BLOCK_PACKET_OLD = 2, BLOCK_SIMPLE = 3, BLOCK_PACKET = 6 };
#define SECTION_MAGIC 0x1a2b3c4du

struct interface {
	uint32_t link;
	uint8_t resolution; /* if_tsresol: 10^-n s, with bit 7 2^-n s */
	uint64_t offset;    /* s */
};

struct coo_pcap {
	coo_span file, rest;
	coo_dissect *frames;
	bool ng, big, damaged;
	uint64_t n; /* frames so far */
	int64_t unknown_link;
	size_t n_ifs;
	struct interface ifs[INTERFACES_MAX]; /* the first one also stands for a whole pcap file */
};

/* 0 where s does not reach that far, which callers have looked at before. */
static uint32_t get16(const coo_pcap *p, coo_span s, size_t at)
{
	uint32_t a, b;

	s = coo_span_skip(s, at);
	if (s.n < 2)
		return 0;
	a = s.p[0];
	b = s.p[1];
	return p->big ? a << 8 | b : b << 8 | a;
}

static uint32_t get32(const coo_pcap *p, coo_span s, size_t at)
{
	uint32_t a = get16(p, s, at), b = get16(p, s, at + 2);

	return p->big ? a << 16 | b : b << 16 | a;
}

/* --- opening --------------------------------------------------------------------------------- */

/* Tells byte order and resolution of a pcap file by its magic number. */
static bool read_magic(coo_pcap *p)
{
	for (unsigned big = 0; big < 2; big++) {
		uint32_t magic;

		p->big = big != 0;
		magic = get32(p, p->file, 0);
		if (magic == 0xa1b2c3d4u || magic == 0xa1b23c4du) {
			p->ifs[0].resolution = magic == 0xa1b23c4du ? 9 : 6;
			return true;
		}
	}
	return false;
}

static bool is_ng(coo_span file)
{
	static const uint8_t magic[] = { 0x0a, 0x0d, 0x0d, 0x0a };

	return coo_span_has_prefix(file, coo_span_of(magic, sizeof(magic)));
}

static coo_err read_head(coo_pcap *p)
{
	if (is_ng(p->file)) {
		p->ng = true;
		p->rest = p->file;
		return p->file.n >= 28 ? COO_OK : COO_EFORMAT;
	}
	if (p->file.n < 24 || !read_magic(p) || get16(p, p->file, 4) != 2)
		return COO_EFORMAT;
	p->ifs[0].link = get32(p, p->file, 20) & 0xffff;
	p->n_ifs = 1;
	p->rest = coo_span_skip(p->file, 24);
	return COO_OK;
}

bool coo_pcap_is(coo_span file)
{
	coo_pcap probe;

	if (file.n < 4)
		return false;
	memset(&probe, 0, sizeof(probe));
	probe.file = file;
	return is_ng(file) || read_magic(&probe);
}

coo_err coo_pcap_open(coo_span file, coo_pcap **out)
{
	coo_pcap *p = calloc(1, sizeof(*p));
	coo_err e;

	if (!p)
		return COO_ENOMEM;
	p->file = file;
	p->unknown_link = -1;
	e = read_head(p);
	if (!e)
		e = coo_dissect_new(&p->frames);
	if (e) {
		coo_pcap_close(p);
		return e;
	}
	*out = p;
	return COO_OK;
}

void coo_pcap_close(coo_pcap *p)
{
	if (!p)
		return;
	coo_dissect_free(p->frames);
	free(p);
}

uint64_t coo_pcap_offset(const coo_pcap *p)
{
	return p->file.n - p->rest.n;
}

int64_t coo_pcap_unknown_link(const coo_pcap *p)
{
	return p->unknown_link;
}

coo_dissect_stats coo_pcap_stats(const coo_pcap *p)
{
	return coo_dissect_counts(p->frames);
}

/* --- frames ---------------------------------------------------------------------------------- */

/* Units of 2^-bits s. */
static coo_time binary_time(uint64_t units, unsigned bits)
{
	uint64_t part;

	if (bits > 63)
		return 0;
	part = units & ((UINT64_C(1) << bits) - 1);
	if (bits > 30) /* finer than a nanosecond: it would not fit the product */
		part >>= bits - 30;
	return COO_SEC(units >> bits) + (part * COO_SEC(1) >> (bits > 30 ? 30 : bits));
}

static coo_time to_time(const struct interface *i, uint64_t units)
{
	unsigned digits = i->resolution & 0x7f;

	if (i->resolution & 0x80)
		return binary_time(units, digits) + COO_SEC(i->offset);
	for (; digits < 9; digits++)
		units *= 10;
	for (; digits > 9 && units > 0; digits--)
		units /= 10;
	return units + COO_SEC(i->offset);
}

static bool take_frame(coo_pcap *p, const struct interface *i, coo_span bytes, coo_time time,
		       coo_pcap_packet *out)
{
	p->n++;
	if (!coo_dissect_knows(i->link)) {
		p->unknown_link = i->link;
		return false;
	}
	if (!coo_dissect_take(p->frames, i->link, bytes, &out->seg))
		return false;
	out->frame = p->n;
	out->time = time;
	return true;
}

/* One record of a pcap file: seconds, fraction, length in the file, length on the wire, bytes. */
static bool next_record(coo_pcap *p, coo_pcap_packet *out)
{
	const struct interface *i = &p->ifs[0];
	coo_span head = p->rest, bytes;
	uint32_t n;
	coo_time time;

	if (head.n < 16 || (n = get32(p, head, 8)) > head.n - 16) {
		p->damaged = true;
		return false;
	}
	time = COO_SEC(get32(p, head, 0)) + get32(p, head, 4) * COO_US(1);
	if (i->resolution == 9)
		time = COO_SEC(get32(p, head, 0)) + get32(p, head, 4);
	bytes = coo_span_head(coo_span_skip(head, 16), n);
	p->rest = coo_span_skip(head, 16 + (size_t)n);
	return take_frame(p, i, bytes, time, out);
}

/* --- pcapng ---------------------------------------------------------------------------------- */

static void read_option(const coo_pcap *p, uint32_t code, coo_span value, struct interface *i)
{
	if (code == 9 && value.n == 1)
		i->resolution = value.p[0];
	if (code == 14 && value.n == 8) {
		uint64_t low = get32(p, value, p->big ? 4 : 0);
		uint64_t high = get32(p, value, p->big ? 0 : 4);

		i->offset = high << 32 | low;
	}
}

static void add_interface(coo_pcap *p, coo_span body)
{
	struct interface i = { 0, 6, 0 };
	coo_span rest = coo_span_skip(body, 8);

	if (body.n < 8 || p->n_ifs == INTERFACES_MAX)
		return;
	i.link = get16(p, body, 0);
	while (rest.n >= 4) {
		uint32_t code = get16(p, rest, 0), n = get16(p, rest, 2);

		if (code == 0 || n > rest.n - 4)
			break;
		read_option(p, code, coo_span_head(coo_span_skip(rest, 4), n), &i);
		rest = coo_span_skip(rest, 4 + ((size_t)n + 3) / 4 * 4);
	}
	p->ifs[p->n_ifs++] = i;
}

/* The head of a packet block: interface, time, lengths; then the bytes. */
static bool take_packet(coo_pcap *p, coo_span body, uint32_t type, coo_pcap_packet *out)
{
	bool simple = type == BLOCK_SIMPLE;
	size_t head = simple ? 4 : 20;
	uint32_t which, n;
	uint64_t units = 0;

	if (body.n < head) {
		p->damaged = true;
		return false;
	}
	which = simple ? 0 : type == BLOCK_PACKET ? get32(p, body, 0) : get16(p, body, 0);
	n = get32(p, body, simple ? 0 : 12);
	if (!simple)
		units = (uint64_t)get32(p, body, 4) << 32 | get32(p, body, 8);
	if (n > body.n - head && !simple) {
		p->damaged = true;
		return false;
	}
	if (which >= p->n_ifs) {
		p->n++;
		return false;
	}
	return take_frame(p, &p->ifs[which], coo_span_head(coo_span_skip(body, head), n),
			  to_time(&p->ifs[which], units), out);
}

/* A section may change the byte order and forgets the interfaces. */
static bool begin_section(coo_pcap *p)
{
	if (p->rest.n < 28)
		return false;
	p->big = p->rest.p[8] == 0x1a;
	p->n_ifs = 0;
	return get32(p, p->rest, 8) == SECTION_MAGIC;
}

static bool next_block(coo_pcap *p, coo_pcap_packet *out)
{
	coo_span body;
	uint32_t type, n;

	if (p->rest.n < 12 || (is_ng(p->rest) && !begin_section(p))) {
		p->damaged = true;
		return false;
	}
	type = get32(p, p->rest, 0);
	n = get32(p, p->rest, 4);
	if (n < 12 || n % 4 != 0 || n > p->rest.n || get32(p, p->rest, n - 4) != n) {
		p->damaged = true;
		return false;
	}
	body = coo_span_head(coo_span_skip(p->rest, 8), n - 12);
	p->rest = coo_span_skip(p->rest, n);
	if (type == BLOCK_INTERFACE)
		add_interface(p, body);
	if (type != BLOCK_PACKET && type != BLOCK_SIMPLE && type != BLOCK_PACKET_OLD)
		return false;
	return take_packet(p, body, type, out);
}

coo_err coo_pcap_next(coo_pcap *p, coo_pcap_packet *out)
{
	while (!p->damaged && p->rest.n > 0) {
		if (p->ng ? next_block(p, out) : next_record(p, out))
			return COO_OK;
	}
	return p->damaged ? COO_EFORMAT : COO_ENOENT;
}
