/* SPDX-License-Identifier: MIT */
#include "cli/json_line.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cli/xalloc.h"
#include "proto/utf8.h"

static struct {
	char *p;
	size_t n, cap;
} buf;

static void grow(size_t n)
{
	buf.cap = (buf.cap + n) * 2 + 1024;
	buf.p = xrealloc(buf.p, buf.cap, 1);
}

static inline void need(size_t n)
{
	if (n > buf.cap - buf.n)
		grow(n);
}

static void put(const char *s, size_t n)
{
	need(n);
	memcpy(buf.p + buf.n, s, n);
	buf.n += n;
}

static void put_char(char c)
{
	need(1);
	buf.p[buf.n++] = c;
}

/* Six bytes at most; gives where the next goes. */
static char *put_escaped(char *at, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *known = memchr(from, c, sizeof(from) - 1);
	char text[6] = { '\\', 'u', '0', '0', digits[(unsigned char)c >> 4], digits[c & 15] };

	if (known)
		text[1] = to[known - from];
	memcpy(at, text, sizeof(text));
	return at + (known ? 2 : 6);
}

static char *put_unit(char *at, uint32_t unit)
{
	static const char digits[] = "0123456789ABCDEF";

	*at++ = '\\';
	*at++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*at++ = digits[unit >> shift & 15];
	return at;
}

/* In UTF-16, as JSON wants it. */
static char *put_code_point(char *at, uint32_t cp)
{
	if (cp < 0x10000)
		return put_unit(at, cp);
	cp -= 0x10000;
	return put_unit(put_unit(at, 0xd800 | cp >> 10), 0xdc00 | (cp & 0x3ff));
}

/* Whether c begins a character that proto/utf8.h may want escaped. */
static bool is_suspect(unsigned char c)
{
	switch (c) {
	case 0x7f:
	case 0xc2:
	case 0xd8:
	case 0xe1:
	case 0xe2:
	case 0xef:
	case 0xf3:
		return true;
	}
	return false;
}

/*
 * The length of the character at s where a terminal would obey or hide it, else 0: JSON allows it
 * in a string, but a line is read by eyes as well, and must not move their cursor.
 */
static size_t hostile_length(const char *s, size_t n, uint32_t *cp)
{
	coo_span c = coo_span_of(s, n);

	c = coo_span_head(c, coo_utf8_next(c, cp));
	return coo_utf8_is_plain(c, COO_UTF8_ONE_LINE) ? 0 : c.n;
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

/* Copies while it looks: strings here are short, and escapes in them rare. */
static void put_string(const char *s, size_t n)
{
	size_t hostile;
	uint32_t cp;
	char *to;

	need(6 * n + 2);
	to = buf.p + buf.n;
	*to++ = '"';
	for (size_t i = 0; i < n; i++) {
		if (is_suspect((unsigned char)s[i]) &&
		    (hostile = hostile_length(s + i, n - i, &cp)) > 0) {
			to = put_code_point(to, cp);
			i += hostile - 1;
		} else if (is_plain(s[i])) {
			*to++ = s[i];
		} else {
			to = put_escaped(to, s[i]);
		}
	}
	*to++ = '"';
	buf.n = (size_t)(to - buf.p);
}

static void put_integer(json_int_t v)
{
	char text[24], *at = text + sizeof(text);
	unsigned long long rest = v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v;

	do
		*--at = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (v < 0)
		*--at = '-';
	put(at, (size_t)(text + sizeof(text) - at));
}

/* Beyond these a number says how it is stored: 0.1 and not 0.10000000000000001. */
enum { DIGITS = 12 };

static void put_real(const json_t *j)
{
	char text[64];

	put(text, json_dumpb(j, text, sizeof(text), JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS)));
}

static void put_value(const json_t *j);

static void put_object(const json_t *j)
{
	json_t *o = (json_t *)(uintptr_t)j; /* the iterator asks for it, and changes nothing */
	char before = '{';

	for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i)) {
		const char *key = json_object_iter_key(i);

		put_char(before);
		put_string(key, strlen(key));
		put_char(':');
		put_value(json_object_iter_value(i));
		before = ',';
	}
	if (before == '{')
		put_char('{');
	put_char('}');
}

static void put_array(const json_t *j)
{
	put_char('[');
	for (size_t i = 0; i < json_array_size(j); i++) {
		if (i > 0)
			put_char(',');
		put_value(json_array_get(j, i));
	}
	put_char(']');
}

static void put_value(const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		put_object(j);
		break;
	case JSON_ARRAY:
		put_array(j);
		break;
	case JSON_STRING:
		put_string(json_string_value(j), json_string_length(j));
		break;
	case JSON_INTEGER:
		put_integer(json_integer_value(j));
		break;
	case JSON_REAL:
		put_real(j);
		break;
	case JSON_TRUE:
		put("true", 4);
		break;
	case JSON_FALSE:
		put("false", 5);
		break;
	case JSON_NULL:
		put("null", 4);
		break;
	}
}

size_t json_line(const json_t *object, const char **line)
{
	buf.n = 0;
	put_value(object);
	put_char('\n');
	*line = buf.p;
	return buf.n;
}
