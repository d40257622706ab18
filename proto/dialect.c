/* SPDX-License-Identifier: MIT */
#include "proto/dialect.h"

#include "proto/num.h"

static bool begins(coo_span s, const char *prefix)
{
	return coo_span_has_prefix(s, coo_span_str(prefix));
}

coo_client coo_client_of(coo_span version)
{
	if (coo_span_eq_str(version, "1"))
		return COO_CLIENT_IPMSG;
	if (begins(version, "1_lbt"))
		return COO_CLIENT_FEIQ;
	if (begins(version, "1_iptux"))
		return COO_CLIENT_IPTUX;
	if (begins(version, "1_coo"))
		return COO_CLIENT_COO;
	if (begins(version, "1@shiyeline"))
		return COO_CLIENT_SHIYELINE;
	if (begins(version, "1.feige") || begins(version, "5.") || begins(version, "1.1.180210"))
		return COO_CLIENT_FEIGE;
	return COO_CLIENT_UNKNOWN;
}

const char *coo_client_name(coo_client c)
{
	switch (c) {
	case COO_CLIENT_IPMSG:
		return "ipmsg";
	case COO_CLIENT_FEIQ:
		return "feiq";
	case COO_CLIENT_IPTUX:
		return "iptux";
	case COO_CLIENT_SHIYELINE:
		return "shiyeline";
	case COO_CLIENT_FEIGE:
		return "feige";
	case COO_CLIENT_COO:
		return "coo";
	case COO_CLIENT_UNKNOWN:
		break;
	}
	return "unknown";
}

bool coo_client_is_gbk(coo_client c)
{
	return c == COO_CLIENT_FEIQ || c == COO_CLIENT_SHIYELINE || c == COO_CLIENT_FEIGE;
}

static coo_span piece(coo_span *rest)
{
	coo_span p = coo_span_none();

	coo_ignore(coo_span_next(rest, '#', &p));
	return p;
}

bool coo_feiq_version_decode(coo_span version, coo_feiq_version *out)
{
	coo_feiq_version v;
	coo_span head, rest = version;

	if (coo_client_of(version) != COO_CLIENT_FEIQ)
		return false;
	head = coo_span_skip(piece(&rest), 2);
	if (!coo_span_cut(&head, '_', &v.generation)) {
		v.generation = head;
		head = coo_span_none();
	}
	v.avatar = head;
	v.status = piece(&rest);
	v.mac = piece(&rest);
	v.avatar_size = piece(&rest);
	v.image_size = piece(&rest);
	v.cipher_size = piece(&rest);
	v.build = piece(&rest);
	v.tail = piece(&rest);
	*out = v;
	return true;
}

void coo_feiq_version_encode(coo_buf *out, const uint8_t mac[6])
{
	static const char digits[] = "0123456789ABCDEF";

	coo_buf_put_str(out, "1_lbt6_0#128#");
	for (unsigned i = 0; i < 6; i++) {
		coo_buf_put_byte(out, (uint8_t)digits[mac[i] >> 4]);
		coo_buf_put_byte(out, (uint8_t)digits[mac[i] & 15]);
	}
	coo_buf_put_str(out, "#0#0#0#4001#9");
}

/* Trailers longer than this are text (PROTOCOL.md 6.2). */
enum { FONT_MAX = 512 };

static bool is_number_char(uint8_t b)
{
	return coo_is_digit(b) || b == '-' || b == ' ';
}

/* "-11 0 0 0 134 2 0 0 0" and nothing else: at least eight numbers. */
static bool is_number_list(coo_span s)
{
	unsigned blanks = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!is_number_char(s.p[i]))
			return false;
		blanks += s.p[i] == ' ';
	}
	return s.n > 0 && blanks >= 7 && s.p[0] != ' ';
}

/* What stands between "{/font;" and ";}": thirteen numbers, a face name, a colour. */
static bool is_logfont(coo_span s)
{
	coo_span word = coo_span_none();
	unsigned numbers = 0;

	while (numbers < 13) {
		if (!coo_span_cut(&s, ' ', &word) || word.n == 0)
			return false;
		for (size_t i = 0; i < word.n; i++) {
			if (!coo_is_digit(word.p[i]) && !(i == 0 && word.p[i] == '-'))
				return false;
		}
		numbers++;
	}
	/* a brace here means that this is the trailer of a quoted text and more text follows */
	return s.n > 0 && coo_span_find(s, '{') == s.n && coo_span_find(s, '}') == s.n;
}

static bool is_font(coo_span tail)
{
	static const char *const heads[] = { "{/font;", "\\{/font;", "{\\font;" };

	for (size_t i = 0; i < COO_ARRAY_LEN(heads); i++) {
		coo_span head = coo_span_str(heads[i]);

		if (!coo_span_has_prefix(tail, head) || tail.n < head.n + 2)
			continue;
		if (tail.p[tail.n - 2] != ';' || tail.p[tail.n - 1] != '}')
			continue;
		return is_logfont(coo_span_of(tail.p + head.n, tail.n - head.n - 2));
	}
	return tail.n > 2 && tail.p[0] == '{' && tail.p[tail.n - 1] == '}' &&
	       is_number_list(coo_span_of(tail.p + 1, tail.n - 2));
}

static bool is_rich(coo_span tail)
{
	const size_t head = sizeof("[rich]") - 1, end = sizeof("[/rich]") - 1;
	coo_span hex;
	uint64_t v;

	if (!begins(tail, "[rich]") || tail.n < head + end ||
	    !coo_span_eq_str(coo_span_skip(tail, tail.n - end), "[/rich]"))
		return false;
	hex = coo_span_of(tail.p + head, tail.n - head - end);
	for (size_t i = 0; i < hex.n; i++) {
		if (!coo_num_hex(coo_span_of(hex.p + i, 1), 15, &v))
			return false;
	}
	return true;
}

static bool is_trailer(coo_span tail)
{
	if (tail.p[0] == '[')
		return is_rich(tail);
	return (tail.p[0] == '{' || tail.p[0] == '\\') && is_font(tail);
}

void coo_font_split(coo_span utf8, coo_span *text, coo_span *font)
{
	size_t start = utf8.n > FONT_MAX ? utf8.n - FONT_MAX : 0;

	*text = utf8;
	*font = coo_span_none();
	if (utf8.n == 0 || (utf8.p[utf8.n - 1] != '}' && utf8.p[utf8.n - 1] != ']'))
		return;
	for (size_t i = start; i < utf8.n; i++) {
		coo_span tail = coo_span_skip(utf8, i);

		if (!is_trailer(tail))
			continue;
		*font = tail;
		*text = coo_span_head(utf8, i > 0 && utf8.p[i - 1] == ' ' ? i - 1 : i);
		return;
	}
}
