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
	if (p->last_heard && now >= p->last_heard)
		set_str(o, "last_heard",
			coo_clock_rfc3339(coo_clock_wall() - (now - p->last_heard), stamp));
	else
		set(o, "last_heard", json_null());
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

json_t *show_message_json(const coo_message *m, coo_time now)
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
