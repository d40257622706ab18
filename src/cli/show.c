/* SPDX-License-Identifier: MIT */
#include "cli/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/out.h"
#include "cli/xalloc.h"
#include "proto/buf.h"
#include "proto/hash.h"

static void set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new_nocheck(o, key, value);
}

static void set_span(json_t *o, const char *key, coo_span s)
{
	set(o, key, out_json_str(s));
}

static void set_str(json_t *o, const char *key, const char *s)
{
	set(o, key, s ? json_string_nocheck(s) : json_null());
}

static bool was_heard(const coo_peer_view *p, coo_time now)
{
	return p->last_heard && now >= p->last_heard;
}

static const char *heard_text(const coo_peer_view *p, coo_time now, char stamp[COO_RFC3339_CAP])
{
	return coo_clock_rfc3339(coo_clock_wall() - (now - p->last_heard), stamp);
}

json_t *show_peer_json(const coo_peer_view *p, coo_time now)
{
	char text[COO_ADDR_TEXT_CAP], stamp[COO_RFC3339_CAP];
	json_t *o = json_object();

	set_str(o, "addr", coo_addr_ip_text(&p->addr, text));
	set(o, "port", json_integer(p->addr.port));
	set_span(o, "user", p->user);
	set_span(o, "host", p->host);
	set_span(o, "nick", p->nick);
	set_span(o, "group", p->group);
	set_str(o, "client", coo_client_name(p->client));
	set_span(o, "version", p->version);
	set_str(o, "charset", p->charset);
	set(o, "absent", json_boolean(p->absent));
	set_str(o, "last_heard", was_heard(p, now) ? heard_text(p, now, stamp) : NULL);
	return o;
}

static json_t *flags_json(uint32_t command)
{
	enum coo_cmd_class cls = coo_cmd_class(command);
	json_t *a = json_array();

	for (uint32_t bit = 0x100; bit; bit <<= 1) {
		const char *name = command & bit ? coo_flag_name(cls, bit) : NULL;
		char hex[16];

		if (!(command & bit))
			continue;
		snprintf(hex, sizeof(hex), "0x%08" PRIx32, bit);
		json_array_append_new(a, json_string_nocheck(name ? name : hex));
	}
	return a;
}

/* A message of any shape, built anew. */
static json_t *message_json(const coo_message *m, coo_time now)
{
	json_t *o = out_event("message");
	char no[24];

	snprintf(no, sizeof(no), "%" PRIu64, m->packet_no);
	set_str(o, "packet_no", no);
	set(o, "peer", show_peer_json(&m->from, now));
	if (m->encrypted)
		set(o, "text", json_null());
	else
		set_span(o, "text", m->text);
	set_str(o, "charset", m->charset);
	set(o, "replacements", json_integer((json_int_t)m->replaced));
	set(o, "command", json_integer(m->command));
	set(o, "flags", flags_json(m->command));
	set(o, "broadcast", json_boolean(m->broadcast));
	set(o, "sealed", json_boolean(m->sealed));
	set(o, "encrypted", json_boolean(m->encrypted));
	if (m->font.n)
		set_span(o, "font", m->font);
	set(o, "files", json_array());
	return o;
}

/*
 * Nearly all messages have the same keys, and building thirty pairs anew costs as much as all the
 * rest that is done for a message. So one object is kept and its values are written over: only
 * those that differ from the message before, which are few where one peer writes several. What is
 * not a string or a number is part of the shape.
 */
struct shape {
	uint32_t options; /* its flags */
	bool broadcast, sealed, absent, heard;
};

static bool same_shape(const struct shape *a, const struct shape *b)
{
	return a->options == b->options && a->broadcast == b->broadcast && a->sealed == b->sealed &&
	       a->absent == b->absent && a->heard == b->heard;
}

static struct {
	json_t *message;
	struct shape shape;
	json_t *time, *packet_no, *text, *charset, *replacements, *command;
	json_t *addr, *port, *user, *host, *nick, *group, *client, *version, *peer_charset;
	json_t *last_heard;
	coo_addr at; /* what addr says */
} kept;

static void keep(json_t *message, const struct shape *shape)
{
	const json_t *p = json_object_get(message, "peer");

	json_decref(kept.message);
	memset(&kept, 0, sizeof(kept));
	kept.message = message;
	kept.shape = *shape;
	kept.time = json_object_get(message, "time");
	kept.packet_no = json_object_get(message, "packet_no");
	kept.text = json_object_get(message, "text");
	kept.charset = json_object_get(message, "charset");
	kept.replacements = json_object_get(message, "replacements");
	kept.command = json_object_get(message, "command");
	kept.addr = json_object_get(p, "addr");
	kept.port = json_object_get(p, "port");
	kept.user = json_object_get(p, "user");
	kept.host = json_object_get(p, "host");
	kept.nick = json_object_get(p, "nick");
	kept.group = json_object_get(p, "group");
	kept.client = json_object_get(p, "client");
	kept.version = json_object_get(p, "version");
	kept.peer_charset = json_object_get(p, "charset");
	kept.last_heard = json_object_get(p, "last_heard");
}

static void write_over(json_t *string, coo_span s)
{
	if (coo_span_eq(coo_span_of(json_string_value(string), json_string_length(string)), s))
		return;
	if (json_string_setn(string, s.n ? (const char *)s.p : "", s.n) != 0) {
		json_t *repaired = out_json_str(s); /* it was not UTF-8 */

		json_string_setn_nocheck(string, json_string_value(repaired),
					 json_string_length(repaired));
		json_decref(repaired);
	}
}

static void write_over_peer(const coo_peer_view *p, coo_time now)
{
	char text[COO_RFC3339_CAP > COO_ADDR_TEXT_CAP ? COO_RFC3339_CAP : COO_ADDR_TEXT_CAP];

	if (!coo_addr_eq_ip(&kept.at, &p->addr))
		write_over(kept.addr, coo_span_str(coo_addr_ip_text(&p->addr, text)));
	kept.at = p->addr;
	json_integer_set(kept.port, p->addr.port);
	write_over(kept.user, p->user);
	write_over(kept.host, p->host);
	write_over(kept.nick, p->nick);
	write_over(kept.group, p->group);
	write_over(kept.client, coo_span_str(coo_client_name(p->client)));
	write_over(kept.version, p->version);
	write_over(kept.peer_charset, coo_span_str(p->charset));
	if (kept.shape.heard)
		write_over(kept.last_heard, coo_span_str(heard_text(p, now, text)));
}

json_t *show_message_json(const coo_message *m, coo_time now)
{
	const struct shape shape = { m->command & COO_OPT_MASK, m->broadcast, m->sealed,
				     m->from.absent, was_heard(&m->from, now) };
	char text[COO_RFC3339_CAP];
	coo_buf no;

	/* the caller puts files in */
	if (m->encrypted || m->font.n || (m->command & COO_OPT_FILEATTACH) || !m->charset ||
	    !m->from.charset)
		return message_json(m, now);
	if (!kept.message || !same_shape(&shape, &kept.shape)) {
		keep(message_json(m, now), &shape);
		return json_incref(kept.message);
	}
	write_over(kept.time, coo_span_str(coo_clock_rfc3339(coo_clock_wall(), text)));
	coo_buf_init(&no, text, sizeof(text));
	coo_buf_put_u64(&no, m->packet_no);
	write_over(kept.packet_no, coo_buf_span(&no));
	write_over_peer(&m->from, now);
	write_over(kept.text, m->text);
	write_over(kept.charset, coo_span_str(m->charset));
	json_integer_set(kept.replacements, (json_int_t)m->replaced);
	json_integer_set(kept.command, m->command);
	return json_incref(kept.message);
}

char *show_peer_name(const coo_peer_view *p)
{
	coo_span nick = p->nick.n ? p->nick : p->user;
	char addr[COO_ADDR_TEXT_CAP], *n = out_safe_dup(nick, COO_UTF8_ONE_LINE),
				      *u = out_safe_dup(p->user, COO_UTF8_ONE_LINE),
				      *h = out_safe_dup(p->host, COO_UTF8_ONE_LINE);
	size_t cap = strlen(n) + strlen(u) + strlen(h) + COO_ADDR_TEXT_CAP + 16;
	char *s = xcalloc(cap, 1);

	coo_addr_ip_text(&p->addr, addr);
	snprintf(s, cap, "%s (%s@%s, %s)", n, u, h, addr);
	free(n);
	free(u);
	free(h);
	return s;
}

static void print_clock(void)
{
	time_t now = time(NULL);
	char text[16];
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	out_text("[%s] ", text);
}

/* Lines after the first are indented, so that no text can look like the head of another message. */
static void print_lines(coo_span text)
{
	coo_span line;
	bool first = true;

	while (coo_span_next(&text, '\n', &line)) {
		out_text(first ? "" : "\n    ");
		out_safe(line, COO_UTF8_KEEP_LINES);
		first = false;
	}
}

void show_message_text(const coo_message *m)
{
	char *name = show_peer_name(&m->from);

	print_clock();
	out_text("%s%s%s", out_has_color() ? "\033[1m" : "", name,
		 out_has_color() ? "\033[0m" : "");
	out_text("%s%s%s: ", m->broadcast ? " to all" : "", m->sealed ? ", sealed" : "",
		 m->automatic ? ", automatic" : "");
	if (m->encrypted)
		out_text("(an encrypted message; coo cannot read it and has not acknowledged it)");
	else
		print_lines(m->text);
	out_text("\n");
	free(name);
}

uint64_t show_peer_hash(const coo_peer_view *v)
{
	const coo_span words[] = { v->user,  v->host,	 v->nick,
				   v->group, v->version, coo_span_str(v->charset) };
	uint64_t h = coo_hash_ip(v->absent, &v->addr);

	h = coo_hash_mix(h, v->addr.port ^ (uint64_t)v->client << 32);
	for (size_t i = 0; i < COO_ARRAY_LEN(words); i++)
		h = coo_hash_span(h, words[i]);
	return h;
}
