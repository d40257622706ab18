/* SPDX-License-Identifier: MIT */
#include "feature/frame.h"

#include <stdlib.h>

const char *const coo_framing_names[] = { "none",    "line",	"len32le", "len32be",
					  "len16le", "len16be", "nul",	   NULL };

/* A buffer that a long frame needed is not kept for the short ones behind it. */
enum { KEEP = 4096 };

void coo_frame_init(coo_frame *f, enum coo_framing framing, size_t max)
{
	memset(f, 0, sizeof(*f));
	f->framing = framing;
	f->max = max ? max : COO_FRAME_MAX;
}

void coo_frame_fini(coo_frame *f)
{
	free(f->mem);
	memset(f, 0, sizeof(*f));
}

/* Bytes of the length before a frame; 0 where a mark ends it. */
static size_t header_size(enum coo_framing framing)
{
	switch (framing) {
	case COO_FRAME_LEN32LE:
	case COO_FRAME_LEN32BE:
		return 4;
	case COO_FRAME_LEN16LE:
	case COO_FRAME_LEN16BE:
		return 2;
	case COO_FRAME_NONE:
	case COO_FRAME_LINE:
	case COO_FRAME_NUL:
		break;
	}
	return 0;
}

static bool is_little(enum coo_framing framing)
{
	return framing == COO_FRAME_LEN32LE || framing == COO_FRAME_LEN16LE;
}

static uint64_t get_length(enum coo_framing framing, const uint8_t *p)
{
	size_t n = header_size(framing);
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = (v << 8) | p[is_little(framing) ? n - 1 - i : i];
	return v;
}

static bool reserve(coo_frame *f, size_t n)
{
	size_t cap = f->cap ? f->cap : 64;
	uint8_t *mem;

	if (n <= f->cap)
		return true;
	while (cap < n)
		cap *= 2; /* n is at most max + 4 */
	mem = realloc(f->mem, cap);
	if (!mem)
		return false;
	f->mem = mem;
	f->cap = cap;
	return true;
}

/* Moves the first n bytes of *in behind what is kept. */
static coo_err keep(coo_frame *f, coo_span *in, size_t n)
{
	if (n > in->n)
		n = in->n;
	if (!reserve(f, f->n + n))
		return COO_ENOMEM;
	if (n)
		memcpy(f->mem + f->n, in->p, n);
	f->n += n;
	*in = coo_span_skip(*in, n);
	return COO_OK;
}

/* Forgets what the last call gave. */
static void forget(coo_frame *f)
{
	if (!f->done)
		return;
	f->done = false;
	f->n = 0;
	if (f->cap > KEEP) {
		free(f->mem);
		f->mem = NULL;
		f->cap = 0;
	}
}

static coo_span give_kept(coo_frame *f)
{
	f->done = true;
	return coo_span_of(f->mem, f->n);
}

/* Bytes as they come, those kept first. */
static coo_err next_raw(coo_frame *f, coo_span *in, coo_span *out)
{
	if (f->n > 0) {
		*out = give_kept(f);
		return COO_OK;
	}
	if (in->n == 0)
		return COO_EMORE;
	*out = *in;
	*in = coo_span_none();
	return COO_OK;
}

static coo_err lose_framing(coo_frame *f, uint64_t length)
{
	f->absurd = length;
	f->raw = true;
	return COO_ERANGE;
}

/* The whole frame stands in *in: it is given where it lies. */
static bool next_in_place(const coo_frame *f, size_t head, coo_span *in, coo_span *out)
{
	uint64_t length;

	if (f->n > 0 || in->n < head)
		return false;
	length = get_length(f->framing, in->p);
	if (length > f->max || length > in->n - head)
		return false;
	*out = coo_span_head(coo_span_skip(*in, head), (size_t)length);
	*in = coo_span_skip(*in, head + (size_t)length);
	return true;
}

static coo_err next_counted(coo_frame *f, coo_span *in, coo_span *out)
{
	size_t head = header_size(f->framing);
	uint64_t length;
	coo_err e;

	if (next_in_place(f, head, in, out))
		return COO_OK;
	if (f->n < head) {
		e = keep(f, in, head - f->n);
		if (e != COO_OK)
			return e;
		if (f->n < head)
			return COO_EMORE;
	}
	length = get_length(f->framing, f->mem);
	if (length > f->max)
		return lose_framing(f, length);
	e = keep(f, in, head + (size_t)length - f->n);
	if (e != COO_OK)
		return e;
	if (f->n < head + length)
		return COO_EMORE;
	*out = coo_span_skip(give_kept(f), head);
	return COO_OK;
}

/* A line ends with CR LF as well as with LF. */
static coo_span without_cr(const coo_frame *f, coo_span s)
{
	if (f->framing == COO_FRAME_LINE && s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static coo_err next_marked(coo_frame *f, uint8_t mark, coo_span *in, coo_span *out)
{
	size_t at = coo_span_find(*in, mark), room = f->max - f->n;
	bool whole = at < in->n && at <= room;
	bool too_long = !whole && in->n > room;
	coo_err e;

	if (f->n == 0 && whole) {
		*out = without_cr(f, coo_span_head(*in, at));
		*in = coo_span_skip(*in, at + 1);
		return COO_OK;
	}
	e = keep(f, in, at < room ? at : room);
	if (e != COO_OK)
		return e;
	if (!whole && !too_long)
		return COO_EMORE;
	*out = give_kept(f);
	if (whole) {
		*in = coo_span_skip(*in, 1);
		*out = without_cr(f, *out);
	}
	return COO_OK;
}

coo_err coo_frame_next(coo_frame *f, coo_span *in, coo_span *out)
{
	forget(f);
	if (f->raw || f->framing == COO_FRAME_NONE)
		return next_raw(f, in, out);
	if (in->n == 0)
		return COO_EMORE;
	if (f->framing == COO_FRAME_LINE)
		return next_marked(f, '\n', in, out);
	if (f->framing == COO_FRAME_NUL)
		return next_marked(f, 0, in, out);
	return next_counted(f, in, out);
}

coo_span coo_frame_rest(coo_frame *f)
{
	forget(f);
	return f->n ? give_kept(f) : coo_span_none();
}

static void put_length(coo_buf *out, enum coo_framing framing, size_t length)
{
	size_t n = header_size(framing);

	for (size_t i = 0; i < n; i++)
		coo_buf_put_byte(out,
				 (uint8_t)(length >> 8 * (is_little(framing) ? i : n - 1 - i)));
}

coo_err coo_frame_encode(enum coo_framing framing, coo_span body, coo_buf *out)
{
	size_t head = header_size(framing), n = out->n;
	size_t max = head == 2 ? UINT16_MAX : INT32_MAX;

	if (head && body.n > max)
		return COO_ERANGE;
	if (framing == COO_FRAME_NUL && coo_span_find(body, 0) < body.n)
		return COO_EFORMAT;
	put_length(out, framing, body.n);
	coo_buf_put(out, body);
	if (framing == COO_FRAME_LINE)
		coo_buf_put_byte(out, '\n');
	else if (framing == COO_FRAME_NUL)
		coo_buf_put_byte(out, 0);
	if (coo_buf_ok(out))
		return COO_OK;
	out->n = n;
	return COO_ENOBUF;
}
