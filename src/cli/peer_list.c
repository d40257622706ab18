/* SPDX-License-Identifier: MIT */
#include "cli/peer_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/out.h"
#include "cli/show.h"
#include "cli/table.h"

enum field {
	FIELD_NAME,
	FIELD_GROUP,
	FIELD_HOST,
	FIELD_ADDRESS,
	FIELD_CLIENT,
	FIELD_CHARSET,
	FIELD_RTT,
	FIELD_STATE,
	FIELD_FOUND,
};

const char *const peer_list_fields[] = {
	[FIELD_NAME] = "name",	   [FIELD_GROUP] = "group",
	[FIELD_HOST] = "host",	   [FIELD_ADDRESS] = "address",
	[FIELD_CLIENT] = "client", [FIELD_CHARSET] = "charset",
	[FIELD_RTT] = "rtt",	   [FIELD_STATE] = "state",
	[FIELD_FOUND] = "found",   NULL,
};

static const char *state_of(const struct found_peer *p)
{
	return p->view.absent ? "absent" : "online";
}

static coo_span name_of(const struct found_peer *p)
{
	return p->view.nick.n ? p->view.nick : p->view.user;
}

/* --- order ------------------------------------------------------------------------------------ */

static int compare_spans(coo_span a, coo_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int compare_addr(const coo_addr *a, const coo_addr *b)
{
	int c = (a->family > b->family) - (a->family < b->family);

	if (c == 0)
		c = memcmp(a->ip, b->ip, sizeof(a->ip));
	return c ? c : (a->port > b->port) - (a->port < b->port);
}

static int compare_by(const struct found_peer *a, const struct found_peer *b, enum field field)
{
	switch (field) {
	case FIELD_NAME:
		return compare_spans(name_of(a), name_of(b));
	case FIELD_GROUP:
		return compare_spans(a->view.group, b->view.group);
	case FIELD_HOST:
		return compare_spans(a->view.host, b->view.host);
	case FIELD_ADDRESS:
		return compare_addr(&a->view.addr, &b->view.addr);
	case FIELD_CLIENT:
		return strcmp(coo_client_name(a->view.client), coo_client_name(b->view.client));
	case FIELD_CHARSET:
		return strcmp(a->view.charset, b->view.charset);
	case FIELD_RTT:
		return (a->rtt > b->rtt) - (a->rtt < b->rtt);
	case FIELD_STATE:
		return strcmp(state_of(b), state_of(a)); /* online first */
	case FIELD_FOUND:
		return (int)b->by - (int)a->by;
	}
	return 0;
}

/* qsort() has no argument for its comparison; lists are sorted one at a time. */
static enum field sort_field;

static int compare(const void *x, const void *y)
{
	const struct found_peer *a = x, *b = y;
	int c = compare_by(a, b, sort_field);

	return c ? c : compare_addr(&a->view.addr, &b->view.addr);
}

void peer_list_sort(struct found *f, int field)
{
	sort_field = (enum field)field;
	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), compare);
}

/* --- forms ------------------------------------------------------------------------------------ */

static json_t *peer_json(const struct found_peer *p, const char *type)
{
	json_t *o = out_event(type);
	coo_time now = coo_clock_now();
	coo_peer_view v = p->view;

	v.last_heard = v.last_heard && now > p->age ? now - p->age : 0;
	json_object_set_new(o, "peer", show_peer_json(&v, now));
	json_object_set_new(o, "rtt_ns", p->rtt ? json_integer((json_int_t)p->rtt) : json_null());
	json_object_set_new(o, "found", json_string(coo_found_by_name(p->by)));
	return o;
}

static void put_span(struct table *t, coo_span s)
{
	table_take(t, out_safe_dup(s, COO_UTF8_ONE_LINE));
}

static void put_peer(struct table *t, const struct found_peer *p)
{
	char addr[COO_ADDR_TEXT_CAP], rtt[OUT_DURATION_CAP];
	coo_addr a = p->view.addr;

	if (a.port == 2425)
		a.port = 0; /* said only where it is another */
	put_span(t, name_of(p));
	put_span(t, p->view.group);
	put_span(t, p->view.host);
	table_put(t, coo_addr_text(&a, addr));
	table_put(t, coo_client_name(p->view.client));
	table_put(t, p->view.charset);
	table_put(t, p->rtt ? out_duration(p->rtt, rtt) : "-");
	table_put(t, state_of(p));
	table_put(t, coo_found_by_name(p->by));
}

static void print_table(const struct found *f)
{
	static const struct table_column columns[] = {
		{ "NAME", false },    { "GROUP", false },  { "HOST", false },
		{ "ADDRESS", false }, { "CLIENT", false }, { "CHARSET", false },
		{ "RTT", true },      { "STATE", false },  { "FOUND BY", false },
	};
	struct table t;

	table_init(&t, columns, COO_ARRAY_LEN(columns));
	for (size_t i = 0; i < f->n; i++)
		put_peer(&t, &f->v[i]);
	table_print(&t);
	table_free(&t);
}

static void print_tsv(const struct found_peer *p)
{
	const coo_span names[] = { name_of(p), p->view.group, p->view.user, p->view.host };
	char addr[COO_ADDR_TEXT_CAP];

	for (size_t i = 0; i < COO_ARRAY_LEN(names); i++) {
		out_safe(names[i], COO_UTF8_ONE_LINE); /* a tab in a name is escaped */
		out_text("\t");
	}
	out_text("%s\t%u\t%s\t%s\t", coo_addr_ip_text(&p->view.addr, addr),
		 (unsigned)p->view.addr.port, coo_client_name(p->view.client), p->view.charset);
	if (p->rtt)
		out_text("%" PRIu64, p->rtt);
	out_text("\t%s\t%s\n", state_of(p), coo_found_by_name(p->by));
}

void peer_list_print(const struct found *f, enum peer_list_form form)
{
	if (out_is_json()) {
		for (size_t i = 0; i < f->n; i++)
			out_json(peer_json(&f->v[i], "peer"));
	} else if (form == PEER_LIST_TSV) {
		for (size_t i = 0; i < f->n; i++)
			print_tsv(&f->v[i]);
	} else {
		print_table(f);
	}
}

void peer_list_line(char sign, const struct found_peer *p)
{
	char *name = show_peer_name(&p->view);

	out_text("%c %s, %s", sign, name, coo_client_name(p->view.client));
	if (p->view.group.n) {
		out_text(", ");
		out_safe(p->view.group, COO_UTF8_ONE_LINE);
	}
	out_text("%s\n", p->view.absent ? ", absent" : "");
	free(name);
}

void peer_list_event(char sign, const struct found_peer *p)
{
	out_json(peer_json(p, sign == '+' ? "peer_up" : sign == '~' ? "peer_change" : "peer_down"));
}
