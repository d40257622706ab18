/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/utf8.h"

static struct {
	coo_log_fn *fn;
	void *user;
	enum coo_log_level up_to;
} sink;

void coo_log_set(coo_log_fn *fn, void *user, enum coo_log_level up_to)
{
	sink.fn = fn;
	sink.user = user;
	sink.up_to = up_to;
}

void coo_log(enum coo_log_level level, const char *fmt, ...)
{
	char raw[1024], safe[sizeof(raw) * 4 + 1];
	va_list ap;
	coo_buf b;
	int n;

	if (!sink.fn || level > sink.up_to)
		return;
	va_start(ap, fmt);
	n = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	coo_buf_init(&b, safe, sizeof(safe) - 1);
	coo_utf8_escape(&b, coo_span_str(raw), COO_UTF8_ONE_LINE);
	safe[b.n] = '\0';
	sink.fn(sink.user, level, safe);
}

void coo_log_format(char *text, size_t cap, const char *fmt, va_list ap)
{
	int n = vsnprintf(text, cap, fmt, ap);

	if (n < 0 && cap > 0)
		text[0] = '\0';
}
