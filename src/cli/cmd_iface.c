/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/addr.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/table.h"
#include "engine/netif.h"
#include "feature/ipcalc.h"

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

static const struct table_column columns[] = {
	{ "NAME", false },	{ "ADDRESS", false },	  { "MASK", false }, { "NETWORK", false },
	{ "BROADCAST", false }, { "HOSTS", true },	  { "KIND", false }, { "MTU", true },
	{ "STATE", false },	{ "USED BY COO", false },
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

COO_PRINTF(2, 3) static void put(struct table *t, const char *fmt, ...)
{
	char text[2 * COO_ADDR_TEXT_CAP];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_take(t, out_safe_dup(coo_span_str(text), COO_UTF8_ONE_LINE));
}

static void put_hosts(struct table *t, const coo_netif *i)
{
	uint64_t hosts = coo_ip_hosts(i->addr.family, i->prefix);

	if (hosts == UINT64_MAX)
		put(t, "2^64");
	else
		put(t, "%" PRIu64, hosts);
}

static void put_kind(struct table *t, const coo_addr *a)
{
	const char *kind = coo_ip_kind_text(coo_ip_kind_of(a));

	if (coo_ip_class(a))
		put(t, "%s, class %c", kind, coo_ip_class(a));
	else
		put(t, "%s", kind);
}

static void put_row(struct table *t, const coo_netif *i)
{
	coo_addr mask = coo_ip_mask(i->addr.family, i->prefix);
	coo_addr net = coo_ip_network(&i->addr, i->prefix);
	char text[COO_ADDR_TEXT_CAP];

	net.scope = 0;
	put(t, "%s", i->name);
	put(t, "%s/%u", coo_addr_ip_text(&i->addr, text), i->prefix);
	put(t, "%s", i->addr.family == 4 ? coo_addr_ip_text(&mask, text) : "-");
	put(t, "%s", coo_addr_ip_text(&net, text));
	put(t, "%s", i->broadcast.family ? coo_addr_ip_text(&i->broadcast, text) : "-");
	put_hosts(t, i);
	put_kind(t, &i->addr);
	put(t, "%" PRIu32, i->mtu);
	put(t, "%s", state_text(i));
	put(t, "%s", is_used(i) ? "yes" : use_text(i));
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
	struct table t;
	size_t n = 0;

	table_init(&t, columns, COO_ARRAY_LEN(columns));
	for (size_t i = 0; i < ifs->n; i++) {
		if (!is_shown(o, &ifs->v[i]))
			continue;
		if (out_is_json())
			show_json(&ifs->v[i]);
		else
			put_row(&t, &ifs->v[i]);
		n++;
	}
	table_print(&t);
	table_free(&t);
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
