/* SPDX-License-Identifier: MIT */
#include "proto/dirstream.h"

#include "proto/attach.h"
#include "proto/num.h"

enum state { SYNC, LENGTH, HEADER, DATA, SKIP, FILE_END, END, DONE };

/* "xxxx:" stands before every header; "000b:.:0:3:" is the shortest one. */
#define PREFIX 5
#define SHORTEST 9

void coo_dirstream_init(coo_dirstream *d)
{
	memset(d, 0, sizeof(*d));
	d->state = SYNC;
	d->need = PREFIX;
}

bool coo_dirstream_done(const coo_dirstream *d)
{
	return d->state == DONE || d->state == END;
}

static coo_err fail(coo_dirstream *d, coo_err e)
{
	d->failed = e;
	return e;
}

/* Moves bytes from *in to the header buffer; true when it holds need bytes. */
static bool fill(coo_dirstream *d, coo_span *in)
{
	coo_span part = coo_span_head(*in, d->need - d->have);

	if (part.n > 0)
		memcpy(d->header + d->have, part.p, part.n);
	d->have += part.n;
	*in = coo_span_skip(*in, part.n);
	return d->have == d->need;
}

static void expect_record(coo_dirstream *d)
{
	d->state = LENGTH;
	d->have = 0;
	d->need = PREFIX;
}

static bool is_prefix(coo_span s, uint64_t *length)
{
	coo_span digits;

	return coo_span_cut(&s, ':', &digits) && digits.n == PREFIX - 1 && s.n == 0 &&
	       coo_num_hex(digits, 0xffff, length);
}

/* Before the first record: slide over rubbish until "xxxx:" stands there. */
static coo_err take_sync(coo_dirstream *d, coo_span *in)
{
	uint64_t length;

	while (fill(d, in)) {
		if (is_prefix(coo_span_of(d->header, PREFIX), &length)) {
			d->state = LENGTH;
			return COO_OK;
		}
		if (++d->skipped > COO_DIRSTREAM_PREAMBLE_MAX)
			return fail(d, COO_EFORMAT);
		memmove(d->header, d->header + 1, PREFIX - 1);
		d->have = PREFIX - 1;
	}
	return COO_EMORE;
}

static coo_err take_length(coo_dirstream *d, coo_span *in)
{
	uint64_t length;

	if (!fill(d, in))
		return COO_EMORE;
	/* seen once from feiq-cli: the RETPARENT that ends all, without its length */
	if (d->depth == 1 && d->header[0] == '.' && d->header[1] == ':') {
		d->cut_tail = true;
		d->state = END;
		return COO_OK;
	}
	if (!is_prefix(coo_span_of(d->header, PREFIX), &length) || length < SHORTEST)
		return fail(d, COO_EFORMAT);
	if (length > COO_DIRSTREAM_HEADER_MAX)
		return fail(d, COO_ELIMIT);
	d->need = (size_t)length;
	d->state = HEADER;
	return COO_OK;
}

static void take_keys(coo_span fields, coo_dirstream_event *ev)
{
	coo_span field, key;

	while (coo_span_next(&fields, ':', &field)) {
		if (coo_span_cut(&field, '=', &key) && coo_span_eq_str(key, "14"))
			ev->mtime = coo_attach_mtime(field);
	}
}

static coo_err parse_header(coo_dirstream *d, coo_dirstream_event *ev)
{
	coo_span h = coo_span_of(d->header, d->need), text, name;
	uint64_t attr;
	coo_buf plain;

	if (h.p[h.n - 1] != ':' || !coo_span_cut(&h, ':', &text) || !coo_attach_cut_name(&h, &name))
		return COO_EFORMAT;
	if (!coo_span_cut(&h, ':', &text))
		return COO_EFORMAT;
	if (!coo_num_hex(text, COO_FILE_SIZE_MAX, &ev->size))
		return COO_ERANGE;
	if (!coo_span_cut(&h, ':', &text) || !coo_num_hex(text, UINT32_MAX, &attr))
		return COO_EFORMAT;
	ev->attr = (uint32_t)attr;
	take_keys(h, ev);
	/* single colons need no more room than double ones: the name is rewritten where it stands
	 */
	coo_buf_init(&plain, d->header + (name.p - d->header), name.n);
	coo_attach_name(name, &plain);
	ev->name = coo_buf_span(&plain);
	return COO_OK;
}

static coo_err enter(coo_dirstream *d, coo_dirstream_event *ev)
{
	if (d->depth >= COO_DIRSTREAM_DEPTH_MAX)
		return fail(d, COO_ELIMIT);
	d->depth++;
	ev->what = COO_DIRSTREAM_DIR;
	ev->size = 0;
	expect_record(d);
	return COO_OK;
}

static coo_err leave(coo_dirstream *d, coo_dirstream_event *ev)
{
	if (d->depth == 0)
		return fail(d, COO_EFORMAT);
	ev->what = COO_DIRSTREAM_UP;
	ev->size = 0;
	expect_record(d);
	if (--d->depth == 0)
		d->state = END;
	return COO_OK;
}

static coo_err take_header(coo_dirstream *d, coo_span *in, coo_dirstream_event *ev)
{
	coo_err e;

	if (!fill(d, in))
		return COO_EMORE;
	e = parse_header(d, ev);
	if (e != COO_OK)
		return fail(d, e);
	d->records++;
	switch (ev->attr & 0xff) {
	case COO_FILE_DIR:
		return ev->name.n ? enter(d, ev) : fail(d, COO_EFORMAT);
	case COO_FILE_RETPARENT:
		return leave(d, ev);
	case COO_FILE_REGULAR:
		if (ev->name.n == 0)
			return fail(d, COO_EFORMAT);
		ev->what = COO_DIRSTREAM_FILE;
		d->left = ev->size;
		d->state = d->left ? DATA : FILE_END;
		return COO_OK;
	default:
		/* a transfer cannot begin with what will not be made */
		if (d->depth == 0)
			return fail(d, COO_EFORMAT);
		ev->what = COO_DIRSTREAM_OTHER;
		d->left = ev->size;
		d->state = SKIP;
		return COO_OK;
	}
}

static coo_err take_data(coo_dirstream *d, coo_span *in, coo_dirstream_event *ev)
{
	if (in->n == 0)
		return COO_EMORE;
	ev->what = COO_DIRSTREAM_DATA;
	ev->data = d->left < in->n ? coo_span_head(*in, (size_t)d->left) : *in;
	d->left -= ev->data.n;
	*in = coo_span_skip(*in, ev->data.n);
	if (d->left == 0)
		d->state = FILE_END;
	return COO_OK;
}

static coo_err skip_data(coo_dirstream *d, coo_span *in)
{
	size_t n = d->left < in->n ? (size_t)d->left : in->n;

	*in = coo_span_skip(*in, n);
	d->left -= n;
	if (d->left > 0)
		return COO_EMORE;
	expect_record(d);
	return COO_OK;
}

static coo_err end_file(coo_dirstream *d, coo_dirstream_event *ev)
{
	ev->what = COO_DIRSTREAM_FILE_END;
	expect_record(d);
	if (d->depth == 0)
		d->state = END;
	return COO_OK;
}

/* One step; *event tells whether *ev holds something to hand out. */
static coo_err step(coo_dirstream *d, coo_span *in, coo_dirstream_event *ev, bool *event)
{
	*event = true;
	switch ((enum state)d->state) {
	case SYNC:
		*event = false;
		return take_sync(d, in);
	case LENGTH:
		*event = false;
		return take_length(d, in);
	case HEADER:
		return take_header(d, in, ev);
	case DATA:
		return take_data(d, in, ev);
	case SKIP:
		*event = false;
		return skip_data(d, in);
	case FILE_END:
		return end_file(d, ev);
	case END:
		ev->what = COO_DIRSTREAM_END;
		d->state = DONE;
		return COO_OK;
	case DONE:
		break;
	}
	return COO_ENOENT;
}

coo_err coo_dirstream_next(coo_dirstream *d, coo_span *in, coo_dirstream_event *ev)
{
	bool event = false;
	coo_err e = d->failed;

	memset(ev, 0, sizeof(*ev));
	while (e == COO_OK && !event)
		e = step(d, in, ev, &event);
	return e;
}

static coo_err put_record(coo_buf *b, coo_span name, uint64_t size, unsigned size_digits,
			  unsigned type, uint64_t mtime)
{
	uint8_t mem[COO_DIRSTREAM_HEADER_MAX];
	coo_buf rest;

	coo_buf_init(&rest, mem, sizeof(mem) - PREFIX);
	coo_buf_put_byte(&rest, ':');
	coo_attach_put_name(&rest, name);
	coo_buf_put_byte(&rest, ':');
	coo_buf_put_hex(&rest, size, size_digits);
	coo_buf_put_byte(&rest, ':');
	coo_buf_put_hex(&rest, type, 0);
	coo_buf_put_str(&rest, ":14=");
	coo_buf_put_hex(&rest, mtime, 0);
	coo_buf_put_str(&rest, ":16=");
	coo_buf_put_hex(&rest, mtime, 0);
	coo_buf_put_byte(&rest, ':');
	if (!coo_buf_ok(&rest) || b->failed || rest.n + PREFIX - 1 > b->cap - b->n)
		return COO_ENOBUF;
	coo_buf_put_hex(b, rest.n + PREFIX - 1, PREFIX - 1);
	coo_buf_put(b, coo_buf_span(&rest));
	return COO_OK;
}

coo_err coo_dirstream_put_dir(coo_buf *b, coo_span name, uint64_t mtime)
{
	if (!coo_attach_name_ok(name))
		return COO_EFORMAT;
	return put_record(b, name, 0, 9, COO_FILE_DIR, mtime);
}

coo_err coo_dirstream_put_file(coo_buf *b, coo_span name, uint64_t size, uint64_t mtime)
{
	if (!coo_attach_name_ok(name) || size > COO_FILE_SIZE_MAX)
		return COO_EFORMAT;
	return put_record(b, name, size, 9, COO_FILE_REGULAR, mtime);
}

coo_err coo_dirstream_put_up(coo_buf *b, uint64_t mtime)
{
	return put_record(b, coo_span_str("."), 0, 0, COO_FILE_RETPARENT, mtime);
}
