/* SPDX-License-Identifier: MIT */
#include "cli/decode.h"
#include "proto/num.h"
#include "proto/utf8.h"

#define TEXT_MAX 1024 /* bytes; a longer value is shown as hex */

/* Takes length ":" value off *s. */
static bool take_value(coo_span *s, coo_span *value)
{
	coo_span digits;
	uint64_t n;

	if (!coo_span_cut(s, ':', &digits) || !coo_num_hex(digits, s->n, &n))
		return false;
	*value = coo_span_head(*s, (size_t)n);
	*s = coo_span_skip(*s, (size_t)n);
	return true;
}

/* Takes the next entry; each but the last has a colon behind it. False where the rest is none. */
static bool take_entry(coo_span *s, coo_span *key, coo_span *value)
{
	if (!coo_span_cut(s, ':', key) || key->n == 0 || !take_value(s, value))
		return false;
	if (s->n == 0)
		return true;
	if (s->p[0] != ':' || s->n == 1)
		return false;
	*s = coo_span_skip(*s, 1);
	return true;
}

static bool content_of(coo_span bytes, coo_span *content)
{
	coo_span rest = coo_span_skip(bytes, 4), key, value;

	if (!coo_span_has_prefix(bytes, coo_span_str("IP2:")) || !take_value(&rest, content) ||
	    !coo_span_eq_str(rest, ":Z"))
		return false;
	rest = *content;
	while (rest.n > 0) {
		if (!take_entry(&rest, &key, &value))
			return false;
	}
	return true;
}

bool decode_is_dict(coo_span bytes)
{
	coo_span content;

	return content_of(bytes, &content);
}

static void show_value(struct view *v, coo_span key, coo_span value)
{
	struct view e = view_item(v);

	view_text(&e, "key", key);
	if (value.n <= TEXT_MAX && coo_utf8_is_plain(value, COO_UTF8_KEEP_LINES))
		view_text(&e, "value", value);
	else
		view_hex(&e, "value_hex", value);
}

void decode_show_dict(struct view *v, coo_span bytes)
{
	coo_span content, key, value;
	struct view list;

	view_str(v, "form", "ipdict");
	view_uint(v, "size", bytes.n);
	list = view_list(v, "entries");
	if (!content_of(bytes, &content))
		return;
	while (content.n > 0 && take_entry(&content, &key, &value))
		show_value(&list, key, value);
}
