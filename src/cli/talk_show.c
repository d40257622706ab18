/* SPDX-License-Identifier: MIT */
#include "cli/talk_show.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/out.h"
#include "cli/talk_hex.h"

const char *talk_show_label(const struct talk_show *s, const coo_talk_peer *p,
			    char text[TALK_LABEL_CAP])
{
	char addr[COO_ADDR_TEXT_CAP];

	if (s->number)
		snprintf(text, TALK_LABEL_CAP, "#%llu %s", (unsigned long long)p->id,
			 coo_addr_text(&p->addr, addr));
	else
		snprintf(text, TALK_LABEL_CAP, "%s", coo_addr_text(&p->addr, addr));
	return text;
}

/* "12:34:56.789"; the calendar is asked once a second. */
static const char *stamp(struct talk_show *s)
{
	coo_time wall = coo_clock_wall();
	long second = (long)(wall / COO_SEC(1));
	time_t t = (time_t)second;
	struct tm tm;

	if (second != s->stamp_second && localtime_r(&t, &tm)) {
		s->stamp_second = second;
		coo_ignore(strftime(s->stamp, sizeof(s->stamp), "%H:%M:%S", &tm) == 0);
	}
	snprintf(s->stamp + 8, sizeof(s->stamp) - 8, ".%03u",
		 (unsigned)(wall / COO_MS(1) % 1000) % 1000u);
	return s->stamp;
}

/* Decodes bytes into s->text; what is no character shows as \xHH. */
static void decode(struct talk_show *s, coo_textstream *text, coo_span bytes, bool end)
{
	coo_textstream once;
	coo_buf w;

	if (!text) {
		coo_textstream_init(&once, s->cs);
		text = &once;
		end = true;
	}
	s->text.n = 0;
	w = strbuf_room(&s->text, coo_textstream_room(bytes.n) + 32);
	coo_ignore(coo_textstream_put(text, bytes, &w)); /* cannot fail: there is room */
	if (end)
		coo_ignore(coo_textstream_end(text, &w));
	strbuf_did(&s->text, &w);
}

static void put_safe(struct strbuf *to, coo_span text, enum coo_utf8_keep keep)
{
	coo_buf w;

	if (coo_utf8_is_plain(text, keep)) {
		strbuf_put(to, text);
		return;
	}
	w = strbuf_room(to, 4 * text.n);
	coo_utf8_escape(&w, text, keep);
	strbuf_did(to, &w);
}

/* "12:34:56.789 < 10.0.0.7:5000  " */
static void put_head(struct strbuf *to, const char *when, const char *label, bool sent, bool color)
{
	strbuf_printf(to, color ? "\033[2m%s\033[0m %s%c %s\033[0m  " : "%s %s%c %s  ", when,
		      color ? (sent ? "\033[34m" : "\033[32m") : "", sent ? '>' : '<', label);
}

/* A line for each line of text; text that ends inside a line gets one of its own. */
static void put_lines(struct strbuf *to, const char *when, const char *label, coo_span text,
		      bool sent, bool color)
{
	coo_span line;

	if (text.n == 0) {
		put_head(to, when, label, sent, color);
		strbuf_put_str(to, "(empty)\n");
	}
	while (coo_span_next(&text, '\n', &line)) {
		put_head(to, when, label, sent, color);
		put_safe(to, coo_span_trim_end(line, '\r'), COO_UTF8_KEEP_LINES);
		strbuf_put_str(to, "\n");
	}
}

static void put_dump(struct talk_show *s, struct strbuf *to, const char *when, const char *label,
		     coo_span bytes, bool sent, bool color)
{
	put_head(to, when, label, sent, color);
	strbuf_printf(to, "%zu byte%s\n", bytes.n, bytes.n == 1 ? "" : "s");
	talk_hex_dump(to, s->cs, bytes);
}

static void put_plain(struct talk_show *s, coo_span bytes, coo_textstream *text, bool whole)
{
	coo_span shown = bytes;

	if (s->hex) {
		talk_hex_dump(&s->out, s->cs, bytes);
		return;
	}
	if (s->cs) {
		decode(s, text, bytes, whole);
		shown = strbuf_span(&s->text);
	}
	if (s->escape)
		put_safe(&s->out, shown, COO_UTF8_KEEP_LINES);
	else
		strbuf_put(&s->out, shown);
	if (whole && !s->exact && (shown.n == 0 || shown.p[shown.n - 1] != '\n'))
		strbuf_put_str(&s->out, "\n");
}

static json_t *peer_json(const coo_talk_peer *p)
{
	char ip[COO_ADDR_TEXT_CAP];
	json_t *o = json_object();

	json_object_set_new(o, "addr", json_string(coo_addr_ip_text(&p->addr, ip)));
	json_object_set_new(o, "port", json_integer(p->addr.port));
	json_object_set_new(o, "id", json_integer((json_int_t)p->id));
	return o;
}

static void put_json(const struct talk_show *s, const coo_talk_peer *p, coo_span bytes, bool whole,
		     bool sent, uint64_t invalid)
{
	json_t *o = out_event(sent ? "sent" : "data");

	if (p)
		json_object_set_new(o, "peer", peer_json(p));
	json_object_set_new(o, "size", json_integer((json_int_t)bytes.n));
	json_object_set_new(o, "whole", json_boolean(whole));
	json_object_set_new(o, "text", out_json_str(strbuf_span(&s->text)));
	json_object_set_new(o, "charset", json_string(coo_charset_name(s->cs)));
	json_object_set_new(o, "invalid", json_integer((json_int_t)invalid));
	if (s->hex || invalid > 0) {
		struct strbuf hex = { NULL, 0, 0 };

		talk_hex_plain(&hex, bytes);
		json_object_set_new(o, "hex", out_json_str(strbuf_span(&hex)));
		strbuf_free(&hex);
	}
	out_json(o);
}

/* Bytes that are wrong as UTF-8 and right as GBK: said once, never guessed silently. */
static void hint_gbk(struct talk_show *s, coo_span bytes)
{
	coo_charset *gbk;
	bool fits;

	if (!s->guessed || s->hinted || coo_charset_open("gbk", &gbk) != COO_OK)
		return;
	fits = coo_charset_valid(gbk, bytes);
	coo_charset_close(gbk);
	if (!fits)
		return;
	s->hinted = true;
	talk_show_note(s, "hint", NULL,
		       "these bytes are not UTF-8, but could be GBK: --charset gbk reads them");
}

static void write_log(struct talk_show *s, const char *label, coo_span bytes, bool sent)
{
	char when[COO_RFC3339_CAP];
	struct strbuf b = { NULL, 0, 0 };

	if (!s->log)
		return;
	coo_clock_rfc3339(coo_clock_wall(), when);
	if (s->hex)
		put_dump(s, &b, when, label, bytes, sent, false);
	else if (s->text.n > 0 || bytes.n == 0)
		put_lines(&b, when, label, strbuf_span(&s->text), sent, false);
	coo_ignore(b.n && fwrite(b.p, 1, b.n, s->log) != b.n); /* told at the end by ferror */
	strbuf_free(&b);
}

static void show(struct talk_show *s, const coo_talk_peer *p, const char *label,
		 coo_textstream *text, coo_span bytes, bool whole, bool sent)
{
	uint64_t before = text ? text->invalid : 0;

	if (s->mode == TALK_RAW || (s->mode == TALK_PLAIN && !s->log)) {
		if (!sent && s->mode == TALK_RAW)
			strbuf_put(&s->out, bytes);
		else if (!sent)
			put_plain(s, bytes, text, whole);
		return;
	}
	if (s->mode == TALK_PLAIN && !sent)
		put_plain(s, bytes, text, whole);
	if (s->cs && !(s->mode == TALK_PLAIN && !sent && !s->hex))
		decode(s, text, bytes, whole);
	if (text && text->invalid > before)
		hint_gbk(s, bytes);
	if (s->mode == TALK_JSON)
		put_json(s, p, bytes, whole, sent, text ? text->invalid - before : 0);
	else if (s->mode == TALK_EYES && s->hex)
		put_dump(s, &s->out, stamp(s), label, bytes, sent, s->color);
	else if (s->mode == TALK_EYES && (s->text.n > 0 || bytes.n == 0))
		put_lines(&s->out, stamp(s), label, strbuf_span(&s->text), sent, s->color);
	write_log(s, label, bytes, sent);
}

void talk_show_bytes(struct talk_show *s, const coo_talk_peer *p, coo_textstream *text,
		     coo_span bytes, bool whole, bool sent)
{
	char label[TALK_LABEL_CAP];
	coo_textstream once;

	label[0] = '\0';
	if (s->mode == TALK_EYES || s->log)
		talk_show_label(s, p, label);
	if (!text && s->cs) {
		coo_textstream_init(&once, s->cs);
		text = &once;
	}
	show(s, p, label, text, bytes, whole, sent);
}

void talk_show_sent(struct talk_show *s, const char *label, coo_span bytes)
{
	coo_textstream once;

	if (s->cs)
		coo_textstream_init(&once, s->cs);
	show(s, NULL, label, s->cs ? &once : NULL, bytes, true, true);
}

void talk_show_end(struct talk_show *s, const coo_talk_peer *p, coo_textstream *text)
{
	if (text && text->n > 0 && !s->hex) {
		coo_span held = coo_span_of(text->held, text->n);
		coo_textstream rest;
		uint8_t bytes[sizeof(text->held)];
		bool exact = s->exact;

		s->exact = true; /* it is the end of something, not a message of its own */
		memcpy(bytes, held.p, held.n);
		text->n = 0;
		coo_textstream_init(&rest, s->cs);
		talk_show_bytes(s, p, &rest, coo_span_of(bytes, held.n), true, false);
		s->exact = exact;
	}
}

static void put_note(struct talk_show *s, char mark, const char *text)
{
	strbuf_printf(&s->out, s->color ? "\033[2m%s\033[0m %c " : "%s %c ", stamp(s), mark);
	put_safe(&s->out, coo_span_str(text), COO_UTF8_ONE_LINE);
	strbuf_put_str(&s->out, "\n");
}

static void log_note(struct talk_show *s, char mark, const char *text)
{
	char when[COO_RFC3339_CAP];

	if (s->log)
		fprintf(s->log, "%s %c %s\n", coo_clock_rfc3339(coo_clock_wall(), when), mark,
			text);
}

void talk_show_note(struct talk_show *s, const char *type, const coo_talk_peer *p, const char *fmt,
		    ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_note(s, '*', text);
	if (s->mode == TALK_JSON) {
		json_t *o = out_event(type);

		if (p)
			json_object_set_new(o, "peer", peer_json(p));
		json_object_set_new(o, "text", out_json_str(coo_span_str(text)));
		out_json(o);
	} else if (s->front) {
		put_note(s, '*', text);
	} else {
		say_info("%s", text);
	}
}

void talk_show_error(struct talk_show *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_note(s, '!', text);
	if (s->front)
		put_note(s, '!', text);
	else
		say_error("%s", text);
}

void talk_show_free(struct talk_show *s)
{
	strbuf_free(&s->out);
	strbuf_free(&s->text);
}
