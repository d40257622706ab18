/* SPDX-License-Identifier: MIT */
#include "cli/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/exit.h"
#include "cli/out.h"
#include "cli/xalloc.h"
#include "proto/buf.h"

#define KEY_WIDTH 14
#define HEX_LINE 32  /* bytes */
#define HEX_SHOWN 96 /* of a field in text mode */

static void put_json(struct view *v, const char *key, json_t *value)
{
	if (json_object_set_new(v->o, key, value) != 0) {
		fputs("coo: out of memory\n", stderr);
		exit(EXIT_SYSTEM);
	}
}

/* "  key           ", to where the value begins; the first key of an item of a list has a dash. */
static void put_key(struct view *v, const char *key)
{
	char label[64];
	size_t n = 0;

	for (; key[n] && n < sizeof(label) - 1; n++)
		label[n] = key[n] == '_' ? ' ' : key[n];
	label[n] = '\0';
	out_text("%*s%-*s", (int)v->depth * 2, v->is_new_item ? "- " : "", KEY_WIDTH, label);
	v->is_new_item = false;
}

static void next_line(const struct view *v)
{
	out_text("\n%*s", (int)v->depth * 2 + KEY_WIDTH, "");
}

void view_text(struct view *v, const char *key, coo_span utf8)
{
	coo_span line;
	bool first = true;

	if (v->o) {
		put_json(v, key, out_json_str(utf8));
		return;
	}
	if (utf8.n == 0)
		utf8 = coo_span_str("(empty)");
	put_key(v, key);
	while (coo_span_next(&utf8, '\n', &line)) {
		if (!first)
			next_line(v);
		first = false;
		out_safe(line, COO_UTF8_KEEP_LINES);
	}
	out_text("\n");
}

void view_str(struct view *v, const char *key, const char *s)
{
	view_text(v, key, coo_span_str(s));
}

void view_uint(struct view *v, const char *key, uint64_t n)
{
	if (v->o && n <= INT64_MAX)
		put_json(v, key, json_integer((json_int_t)n));
	else
		view_digits(v, key, n);
}

void view_digits(struct view *v, const char *key, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	view_str(v, key, text);
}

void view_bits(struct view *v, const char *key, uint32_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%08" PRIx32, n);
	view_str(v, key, text);
}

void view_flag(struct view *v, const char *key)
{
	if (v->o)
		put_json(v, key, json_true());
	else
		view_str(v, key, "yes");
}

static void put_hex_lines(const struct view *v, coo_span bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		if (i == HEX_SHOWN) {
			next_line(v);
			out_text("… %zu more bytes", bytes.n - i);
			break;
		}
		if (i > 0 && i % HEX_LINE == 0)
			next_line(v);
		out_text("%02x", bytes.p[i]);
	}
}

void view_hex(struct view *v, const char *key, coo_span bytes)
{
	char *mem;
	coo_buf b;

	if (!v->o) {
		put_key(v, key);
		put_hex_lines(v, out_verbosity() ? coo_span_none() : bytes);
		for (size_t i = 0; out_verbosity() && i < bytes.n; i++)
			out_text("%02x", bytes.p[i]);
		out_text("\n");
		return;
	}
	mem = xcalloc(bytes.n + 1, 2);
	coo_buf_init(&b, mem, bytes.n * 2);
	for (size_t i = 0; i < bytes.n; i++)
		coo_buf_put_hex(&b, bytes.p[i], 2);
	put_json(v, key, out_json_str(coo_buf_span(&b)));
	free(mem);
}

void view_words(struct view *v, const char *key, const char *const *words, size_t n)
{
	json_t *list;

	if (!v->o) {
		put_key(v, key);
		for (size_t i = 0; i < n; i++)
			out_text("%s%s", i ? " " : "", words[i]);
		out_text("%s\n", n ? "" : "none");
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(words[i]));
	put_json(v, key, list);
}

struct view view_object(struct view *v, const char *key)
{
	struct view inner = { NULL, v->depth + 1, false };

	if (v->o) {
		inner.o = json_object();
		put_json(v, key, inner.o);
	} else {
		out_text("%*s%s\n", (int)v->depth * 2, "", key);
	}
	return inner;
}

struct view view_list(struct view *v, const char *key)
{
	struct view list = { NULL, v->depth, false };

	if (!v->o)
		return view_object(v, key);
	list.o = json_array();
	put_json(v, key, list.o);
	return list;
}

struct view view_item(struct view *list)
{
	struct view item = *list;

	item.is_new_item = true;
	item.depth++;
	if (list->o) {
		item.o = json_object();
		json_array_append_new(list->o, item.o);
	}
	return item;
}
