/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "engine/netif.h"
#include "feature/ipcalc.h"
#include "proto/utf8.h"

struct iface_opts {
	struct common common;
	bool v4, v6;
	struct str_list names;
};

#define AT(field) offsetof(struct iface_opts, field)

static const struct opt opts_table[] = {
	{ .letter = '4', .name = "ipv4", .kind = OPT_FLAG, .at = AT(v4), .help = "IPv4 alone" },
	{ .letter = '6', .name = "ipv6", .kind = OPT_FLAG, .at = AT(v6), .help = "IPv6 alone" },
	{ .letter = 'I',
	  .name = "interface",
	  .kind = OPT_LIST,
	  .at = AT(names),
	  .arg = "NAME",
	  .help = "show what -I NAME of other commands would use (repeatable)" },
	OPT_END,
};

static const struct iface_opts defaults = { .v4 = false };

enum column { NAME, ADDRESS, MASK, NETWORK, BROADCAST, HOSTS, KIND, MTU, STATE, USE, COLUMNS };

static const char *const titles[COLUMNS] = { "NAME",  "ADDRESS", "MASK", "NETWORK", "BROADCAST",
					     "HOSTS", "KIND",	 "MTU",	 "STATE",   "USED BY COO" };

struct row {
	char cell[COLUMNS][COO_ADDR_TEXT_CAP + 8];
};

static const char *state_text(const coo_netif *i)
{
	if (!i->up)
		return "down";
	return i->running ? "up" : "no carrier";
}

static bool is_used(const coo_netif *i)
{
	return i->use == COO_NETIF_USED && i->running;
}

static const char *use_text(const coo_netif *i)
{
	if (is_used(i))
		return "yes";
	return i->use == COO_NETIF_USED ? "has no carrier" : coo_netif_use_text(i->use);
}

static void count_text(uint64_t hosts, char *text, size_t cap)
{
	if (hosts == UINT64_MAX)
		snprintf(text, cap, "2^64");
	else
		snprintf(text, cap, "%" PRIu64, hosts);
}

/* In parentheses, (snprintf) is the function where <stdio.h> has a macro too, which would take the
 * two arguments for one. */
#define CELL(r, c) (r)->cell[c], sizeof((r)->cell[c])

static void kind_text(const coo_addr *a, char *text, size_t cap)
{
	const char *kind = coo_ip_kind_text(coo_ip_kind_of(a));

	if (coo_ip_class(a))
		snprintf(text, cap, "%s, class %c", kind, coo_ip_class(a));
	else
		snprintf(text, cap, "%s", kind);
}

static void fill_row(const coo_netif *i, struct row *r)
{
	coo_addr mask = coo_ip_mask(i->addr.family, i->prefix);
	coo_addr net = coo_ip_network(&i->addr, i->prefix);
	char text[COO_ADDR_TEXT_CAP];

	(snprintf)(CELL(r, NAME), "%s", i->name);
	(snprintf)(CELL(r, ADDRESS), "%s/%u", coo_addr_ip_text(&i->addr, text), i->prefix);
	(snprintf)(CELL(r, MASK), "%s", i->addr.family == 4 ? coo_addr_ip_text(&mask, text) : "-");
	net.scope = 0;
	(snprintf)(CELL(r, NETWORK), "%s", coo_addr_ip_text(&net, text));
	(snprintf)(CELL(r, BROADCAST), "%s",
		   i->broadcast.family ? coo_addr_ip_text(&i->broadcast, text) : "-");
	count_text(coo_ip_hosts(i->addr.family, i->prefix), CELL(r, HOSTS));
	kind_text(&i->addr, CELL(r, KIND));
	(snprintf)(CELL(r, MTU), "%" PRIu32, i->mtu);
	(snprintf)(CELL(r, STATE), "%s", state_text(i));
	(snprintf)(CELL(r, USE), "%s", is_used(i) ? "yes" : use_text(i));
}

static bool is_number(enum column c)
{
	return c == HOSTS || c == MTU;
}

static void put_cell(coo_span text, size_t width, enum column c)
{
	size_t have = coo_utf8_width(text), pad = width > have ? width - have : 0;

	if (is_number(c))
		out_text("%*s", (int)pad, "");
	out_safe(text, COO_UTF8_ONE_LINE);
	if (c + 1 < COLUMNS)
		out_text("%*s  ", is_number(c) ? 0 : (int)pad, "");
}

static size_t column_width(const struct row *rows, size_t n, int c)
{
	size_t width = strlen(titles[c]);

	for (size_t i = 0; i < n; i++) {
		size_t w = coo_utf8_width(coo_span_str(rows[i].cell[c]));

		width = w > width ? w : width;
	}
	return width;
}

static void show_table(const struct row *rows, size_t n)
{
	size_t width[COLUMNS];

	for (int c = 0; c < COLUMNS; c++)
		width[c] = column_width(rows, n, c);
	for (int c = 0; c < COLUMNS; c++)
		put_cell(coo_span_str(titles[c]), width[c], (enum column)c);
	out_text("\n");
	for (size_t i = 0; i < n; i++) {
		for (int c = 0; c < COLUMNS; c++)
			put_cell(coo_span_str(rows[i].cell[c]), width[c], (enum column)c);
		out_text("\n");
	}
}

static void set_addr(json_t *o, const char *key, const coo_addr *a)
{
	char text[COO_ADDR_TEXT_CAP];

	json_object_set_new(o, key,
			    a->family ? json_string(coo_addr_ip_text(a, text)) : json_null());
}

static void set_mac(json_t *o, const coo_netif *i)
{
	char text[18];

	if (!i->has_mac)
		return;
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", i->mac[0], i->mac[1],
		 i->mac[2], i->mac[3], i->mac[4], i->mac[5]);
	json_object_set_new(o, "mac", json_string(text));
}

static void set_class(json_t *o, const coo_addr *a)
{
	char class[2] = { coo_ip_class(a), '\0' };

	if (class[0])
		json_object_set_new(o, "class", json_string(class));
}

/* A count that JSON cannot hold is left out. */
static void set_hosts(json_t *o, const coo_netif *i)
{
	uint64_t hosts = coo_ip_hosts(i->addr.family, i->prefix);

	if (hosts <= INT64_MAX)
		json_object_set_new(o, "hosts", json_integer((json_int_t)hosts));
}

static void show_json(const coo_netif *i)
{
	coo_addr mask = coo_ip_mask(i->addr.family, i->prefix);
	coo_addr net = coo_ip_network(&i->addr, i->prefix);
	json_t *o = out_event("interface");

	json_object_set_new(o, "name", out_json_str(coo_span_str(i->name)));
	json_object_set_new(o, "index", json_integer(i->index));
	json_object_set_new(o, "family", json_integer(i->addr.family));
	set_addr(o, "addr", &i->addr);
	json_object_set_new(o, "prefix", json_integer(i->prefix));
	set_addr(o, "mask", &mask);
	set_addr(o, "network", &net);
	set_addr(o, "broadcast", &i->broadcast);
	set_hosts(o, i);
	json_object_set_new(o, "kind", json_string(coo_ip_kind_text(coo_ip_kind_of(&i->addr))));
	set_class(o, &i->addr);
	json_object_set_new(o, "mtu", json_integer(i->mtu));
	set_mac(o, i);
	json_object_set_new(o, "up", json_boolean(i->up));
	json_object_set_new(o, "carrier", json_boolean(i->running));
	json_object_set_new(o, "used", json_boolean(is_used(i)));
	json_object_set_new(o, "why", is_used(i) ? json_null() : json_string(use_text(i)));
	out_json(o);
}

static bool is_shown(const struct iface_opts *o, const coo_netif *i)
{
	return o->v4 == o->v6 || (o->v4 ? i->addr.family == 4 : i->addr.family == 6);
}

static size_t show(const struct iface_opts *o, const coo_netifs *ifs)
{
	struct row *rows = calloc(ifs->n ? ifs->n : 1, sizeof(*rows));
	size_t n = 0;

	for (size_t i = 0; i < ifs->n && rows; i++) {
		if (!is_shown(o, &ifs->v[i]))
			continue;
		if (out_is_json())
			show_json(&ifs->v[i]);
		else
			fill_row(&ifs->v[i], &rows[n]);
		n++;
	}
	if (n && !out_is_json())
		show_table(rows, n);
	free(rows);
	return n;
}

static int run(void *opts, int argc, char **argv)
{
	const struct iface_opts *o = opts;
	const char *bad = NULL;
	coo_netifs ifs;
	coo_err e;
	size_t n;

	if (argc > 0) {
		say_error("\"iface\" takes no argument such as \"%s\"; -I NAME picks an interface",
			  argv[0]);
		return EXIT_USAGE;
	}
	e = coo_netifs_read(o->names.v, o->names.n, &ifs, &bad);
	if (e == COO_ENOENT) {
		say_error("there is no interface \"%s\"; \"coo iface\" lists them", bad);
		return EXIT_USAGE;
	}
	if (e != COO_OK) {
		say_error("cannot read the interfaces: %s", coo_err_text(e));
		return EXIT_SYSTEM;
	}
	out_start("iface", NULL);
	n = show(o, &ifs);
	coo_netifs_free(&ifs);
	if (n == 0)
		say_warn("no interface has such an address");
	return n ? EXIT_DONE : EXIT_NOBODY;
}

extern const struct cmd cmd_iface;
const struct cmd cmd_iface = {
	.name = "iface",
	.args = "",
	.summary = "show the network interfaces as coo sees them",
	.about = "Addresses, networks and broadcast addresses, and which of them coo uses or why "
		 "not.",
	.examples = "  coo iface\n"
		    "  coo iface -4 --json | jq -r 'select(.used) | .broadcast'\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct iface_opts),
	.groups = OPT_GROUP_OUT,
	.run = run,
};
