/* SPDX-License-Identifier: MIT */
#include "proto/attach.h"

#include "proto/num.h"

#define BEL 0x07
#define BACKSPACE 0x08

/* 2500-01-01: .NET sends ticks (15 hex digits), FeiGe decimal digits (PROTOCOL.md 8.1). */
#define LATEST_MTIME UINT64_C(16725225600)

uint64_t coo_attach_mtime(coo_span hex)
{
	uint64_t v;

	return coo_num_hex(hex, LATEST_MTIME, &v) ? v : 0;
}

bool coo_attach_cut_name(coo_span *s, coo_span *name)
{
	coo_span rest = *s, before;

	while (coo_span_cut(&rest, ':', &before)) {
		if (rest.n > 0 && rest.p[0] == ':') {
			rest = coo_span_skip(rest, 1);
			continue;
		}
		*name = coo_span_head(*s, (size_t)(before.p + before.n - s->p));
		*s = rest;
		return true;
	}
	return false;
}

void coo_attach_name(coo_span name, coo_buf *out)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t byte = name.p[i];

		if (byte == ':' && i + 1 < name.n && name.p[i + 1] == ':')
			i++;
		coo_buf_put_byte(out, byte == BACKSPACE ? ':' : byte);
	}
}

/* Decimal; hex where it has letters (feiq-cli reads and may write it so). */
static bool take_id(coo_span *entry, uint64_t *id)
{
	coo_span text;

	if (!coo_span_cut(entry, ':', &text))
		return false;
	return coo_num_dec(text, UINT64_MAX, id) || coo_num_hex(text, UINT64_MAX, id);
}

static coo_err take_size(coo_span *entry, uint64_t *size)
{
	coo_span text;

	if (!coo_span_next(entry, ':', &text) || !coo_num_hex(text, UINT64_MAX, size))
		return COO_EFORMAT;
	if (*size > COO_FILE_SIZE_MAX && *size != COO_FILE_SIZE_UNKNOWN)
		return COO_ERANGE;
	return COO_OK;
}

/* key=value fields behind attr; only the position of a picture is of use in an offer. */
static void take_extended(coo_span entry, coo_attach *a)
{
	coo_span field, key;

	while (coo_span_next(&entry, ':', &field)) {
		uint64_t v;

		if (coo_span_cut(&field, '=', &key) && coo_span_eq_str(key, "8") &&
		    coo_num_hex(field, UINT32_MAX, &v)) {
			a->has_position = true;
			a->position = (uint32_t)v;
		}
	}
}

static coo_err decode_entry(coo_span entry, coo_attach *out)
{
	coo_attach a;
	coo_span text;
	uint64_t attr = COO_FILE_REGULAR;
	coo_err e;

	memset(&a, 0, sizeof(a));
	if (!take_id(&entry, &a.id) || !coo_attach_cut_name(&entry, &a.name))
		return COO_EFORMAT;
	if (a.name.n == 0 || a.name.n > COO_ATTACH_NAME_MAX)
		return COO_EFORMAT;
	e = take_size(&entry, &a.size);
	if (e != COO_OK)
		return e;
	if (coo_span_next(&entry, ':', &text))
		a.mtime = coo_attach_mtime(text);
	/* an absent attr means a regular file, as Windows reads it */
	if (coo_span_next(&entry, ':', &text) && text.n > 0 &&
	    !coo_num_hex(text, UINT32_MAX, &attr))
		return COO_EFORMAT;
	a.attr = (uint32_t)attr;
	take_extended(entry, &a);
	*out = a;
	return COO_OK;
}

coo_err coo_attach_next(coo_span *list, coo_attach *out)
{
	coo_span entry;

	*list = coo_span_head(*list, coo_span_find(*list, '\0'));
	while (list->n > 0 && (list->p[0] == ':' || list->p[0] == BEL))
		*list = coo_span_skip(*list, 1);
	if (!coo_span_next(list, BEL, &entry))
		return COO_ENOENT;
	return decode_entry(entry, out);
}

bool coo_attach_name_ok(coo_span name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] < 0x20 || name.p[i] == 0x7f || name.p[i] == '/')
			return false;
	}
	return name.n > 0 && name.n <= COO_ATTACH_NAME_MAX / 2;
}

void coo_attach_put_name(coo_buf *b, coo_span name)
{
	coo_span piece;

	while (coo_span_cut(&name, ':', &piece)) {
		coo_buf_put(b, piece);
		coo_buf_put_str(b, "::");
	}
	coo_buf_put(b, name);
}

coo_err coo_attach_put(coo_buf *b, const coo_attach *a)
{
	coo_buf undo = *b;

	if (!coo_attach_name_ok(a->name))
		return COO_EFORMAT;
	coo_buf_put_u64(b, a->id);
	coo_buf_put_byte(b, ':');
	coo_attach_put_name(b, a->name);
	coo_buf_put_byte(b, ':');
	coo_buf_put_hex(b, a->size, 0);
	coo_buf_put_byte(b, ':');
	coo_buf_put_hex(b, a->mtime, 0);
	coo_buf_put_byte(b, ':');
	coo_buf_put_hex(b, coo_attach_type(a), 0);
	coo_buf_put_byte(b, ':');
	if (a->has_position) {
		coo_buf_put_str(b, "8=");
		coo_buf_put_hex(b, a->position, 0);
		coo_buf_put_byte(b, ':');
	}
	coo_buf_put_byte(b, BEL);
	if (coo_buf_ok(b))
		return COO_OK;
	*b = undo;
	return COO_ENOBUF;
}
