/* SPDX-License-Identifier: MIT */
#include "cli/talk_hex.h"

#include "feature/textstream.h"
#include "proto/num.h"
#include "proto/utf8.h"

enum { ROW = 16 };

/* The character that s begins with, safe for a terminal, or a dot; returns its length. */
static size_t put_char(struct strbuf *to, coo_charset *cs, coo_span s)
{
	uint8_t mem[16];
	bool split;
	size_t n = cs ? coo_textstream_char(cs, s, &split) : (size_t)(s.p[0] < 0x80);
	coo_buf b;

	coo_buf_init(&b, mem, sizeof(mem));
	if (n > 0 && cs && coo_charset_decode(cs, coo_span_head(s, n), &b, NULL) != COO_OK)
		b.n = 0;
	else if (n > 0 && !cs)
		coo_buf_put(&b, coo_span_head(s, 1));
	if (b.n > 0 && coo_utf8_is_plain(coo_buf_span(&b), COO_UTF8_ONE_LINE))
		strbuf_put(to, coo_buf_span(&b));
	else
		strbuf_put_str(to, ".");
	return n ? n : 1;
}

static void put_digits(struct strbuf *to, coo_span row)
{
	for (size_t i = 0; i < ROW; i++) {
		if (i == ROW / 2)
			strbuf_put_str(to, " ");
		if (i < row.n)
			strbuf_printf(to, " %02x", row.p[i]);
		else
			strbuf_put_str(to, "   ");
	}
}

void talk_hex_dump(struct strbuf *to, coo_charset *cs, coo_span bytes)
{
	size_t shown = 0; /* where the next character begins */

	for (size_t at = 0; at < bytes.n; at += ROW) {
		coo_span row = coo_span_head(coo_span_skip(bytes, at), ROW);

		strbuf_printf(to, "  %04zx ", at);
		put_digits(to, row);
		strbuf_put_str(to, "  ");
		while (shown < at + row.n)
			shown += put_char(to, cs, coo_span_skip(bytes, shown));
		strbuf_put_str(to, "\n");
	}
}

void talk_hex_plain(struct strbuf *to, coo_span bytes)
{
	coo_buf w = strbuf_room(to, 2 * bytes.n + 1);

	for (size_t i = 0; i < bytes.n; i++)
		coo_buf_put_hex(&w, bytes.p[i], 2);
	strbuf_did(to, &w);
}

static bool is_between(uint8_t b)
{
	return b == ' ' || b == '\t' || b == ',' || b == ':' || b == '-' || b == '\r';
}

bool talk_hex_parse(coo_span text, struct strbuf *to)
{
	size_t before = to->n;

	while (text.n > 0) {
		uint64_t v;
		uint8_t byte;

		if (is_between(text.p[0])) {
			text = coo_span_skip(text, 1);
			continue;
		}
		if (coo_span_has_prefix(text, coo_span_str("0x")) ||
		    coo_span_has_prefix(text, coo_span_str("0X")) ||
		    coo_span_has_prefix(text, coo_span_str("\\x")))
			text = coo_span_skip(text, 2);
		if (text.n < 2 || !coo_num_hex(coo_span_head(text, 2), 255, &v)) {
			to->n = before;
			return false;
		}
		byte = (uint8_t)v;
		strbuf_put(to, coo_span_of(&byte, 1));
		text = coo_span_skip(text, 2);
	}
	return true;
}
