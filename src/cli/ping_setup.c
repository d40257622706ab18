/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/resolve.h"
#include "cli/exit.h"
#include "cli/out.h"
#include "cli/ping.h"
#include "cli/words.h"
#include "cli/xalloc.h"
#include "proto/echo.h"
#include "proto/num.h"
#include "proto/stamp.h"

enum { SIZES_MAX = 256, EXPECT_MAX = 4096 };

/* Of several the last: the command line stands behind the configuration. */
const char *ping_interface(const struct ping_opts *o)
{
	const struct str_list *list = &o->common.interfaces;

	return list->n ? list->v[list->n - 1] : NULL;
}

static bool look_up(const struct ping *g, const char *host, uint16_t port, coo_addr *out)
{
	enum coo_resolve_want want = g->o->v4	? COO_RESOLVE_V4
				     : g->o->v6 ? COO_RESOLVE_V6
						: COO_RESOLVE_ANY;
	const char *why = NULL;
	size_t n = 0;

	if (coo_resolve(host, port, want, out, 1, &n, &why) == COO_OK && n > 0)
		return true;
	say_error("cannot find the host \"%s\": %s", host, why ? why : "it has no such address");
	return false;
}

/* The answer comes from the address with its zone. */
static bool take_zone(const struct ping *g, const char *text, coo_addr *out)
{
	const char *interface = ping_interface(g->o);

	if (interface)
		out->scope = if_nametoindex(interface);
	if (out->scope)
		return true;
	if (interface)
		say_error("there is no interface \"%s\": \"coo iface\" lists them", interface);
	else
		say_error("\"%s\" may be on any link: say on which, such as %s%%eth0", text, text);
	return false;
}

static bool resolve(struct ping *g, const char *text, coo_addr *out)
{
	uint16_t port = (uint16_t)g->o->common.port;
	char host[256];

	if (coo_addr_parse(text, port, out) == COO_OK) {
		if ((g->o->v4 && out->family != 4) || (g->o->v6 && out->family != 6)) {
			say_error("\"%s\" is not an %s address", text, g->o->v4 ? "IPv4" : "IPv6");
			return false;
		}
	} else if (coo_addr_split(text, host, sizeof(host), &port) != COO_OK) {
		say_error("the target \"%s\" is neither HOST nor HOST:PORT", text);
		return false;
	} else if (words_is_octal(host)) {
		say_error("the target \"%s\" has a zero ahead of a number, which would make it "
			  "octal; write it without",
			  text);
		return false;
	} else if (!look_up(g, host, port, out)) {
		g->code = EXIT_SYSTEM;
		return false;
	}
	if (out->family == 6 && coo_addr_is_link_local(out) && !out->scope &&
	    !take_zone(g, text, out))
		return false;
	if (out->port == 0) {
		say_error("the target \"%s\" has port 0, which nothing can listen on", text);
		return false;
	}
	return true;
}

static bool parse_sweep(struct ping *g)
{
	coo_span s = coo_span_str(g->o->sweep), part[3];
	uint64_t v[3] = { 0, 0, 1 }, *sizes;
	size_t n = 0, min = g->o->stamp ? COO_STAMP_SIZE : COO_ECHO_HEADER;

	while (n < 3 && coo_span_next(&s, ':', &part[n])) {
		char one[24];

		snprintf(one, sizeof(one), "%.*s", (int)part[n].n, (const char *)part[n].p);
		if (part[n].n >= sizeof(one) || !opt_parse_size(one, &v[n]) || v[n] > COO_ECHO_MAX)
			break;
		n++;
	}
	if (n < 2 || s.n || v[0] < min || v[1] < v[0] || v[2] == 0) {
		say_error("--sweep-size cannot be \"%s\": it is FROM:TO:STEP in bytes, from %zu to "
			  "%d",
			  g->o->sweep, min, COO_ECHO_MAX);
		return false;
	}
	if ((v[1] - v[0]) / v[2] >= SIZES_MAX) {
		say_error("--sweep-size %s has more than %d sizes: take a larger step", g->o->sweep,
			  SIZES_MAX);
		return false;
	}
	sizes = xcalloc(SIZES_MAX, sizeof(*sizes));
	for (uint64_t size = v[0]; size <= v[1]; size += v[2])
		sizes[g->n_sizes++] = size;
	g->sweep_sizes = sizes;
	return true;
}

/* The flows of one target: a size with and without DF, or source ports, or just one. */
static void add_flows(struct ping *g, const char *name, const coo_addr *a)
{
	for (size_t i = 0; i < g->per_target; i++) {
		coo_flow_spec *s = &g->specs[g->n_specs++];

		s->name = name;
		s->target = *a;
		s->size = g->n_sizes ? g->sweep_sizes[i / 2] : g->o->size;
		s->df = g->n_sizes ? i % 2 == 0 : g->o->df;
	}
}

/* Twice the same would be two rows of one name; --source-ports is for several flows to one. */
static bool is_new(const struct ping *g, const char *text, const coo_addr *a)
{
	for (size_t i = 0; i < g->n_specs; i++) {
		if (!coo_addr_eq(&g->specs[i].target, a))
			continue;
		say_error("\"%s\" is a target twice; --source-ports 2 tests with two flows", text);
		return false;
	}
	return true;
}

bool ping_targets(struct ping *g, int argc, char **argv)
{
	if (g->o->sweep && !parse_sweep(g))
		return false;
	g->per_target = g->n_sizes ? 2 * g->n_sizes : g->o->source_ports ? g->o->source_ports : 1;
	if ((size_t)argc * g->per_target > COO_FLOWS_MAX) {
		say_error("that is %zu flows at once, %d are the most",
			  (size_t)argc * g->per_target, COO_FLOWS_MAX);
		return false;
	}
	g->targets = xcalloc((size_t)argc, sizeof(*g->targets));
	g->specs = xcalloc((size_t)argc * g->per_target, sizeof(*g->specs));
	for (int i = 0; i < argc; i++) {
		char text[COO_ADDR_TEXT_CAP];
		coo_addr a;

		if (!resolve(g, argv[i], &a) || !is_new(g, argv[i], &a))
			return false;
		g->targets[g->n_targets].name = xstrdup(coo_addr_text(&a, text));
		add_flows(g, g->targets[g->n_targets].name, &a);
		g->n_targets++;
	}
	return true;
}

/* RFC 2474, 2597, 3246, 5865, 8622. */
bool ping_dscp(const char *text, int *out)
{
	static const struct {
		const char *name;
		int value;
	} names[] = { { "be", 0 },    { "cs0", 0 },   { "le", 1 },    { "cs1", 8 },
		      { "af11", 10 }, { "af12", 12 }, { "af13", 14 }, { "cs2", 16 },
		      { "af21", 18 }, { "af22", 20 }, { "af23", 22 }, { "cs3", 24 },
		      { "af31", 26 }, { "af32", 28 }, { "af33", 30 }, { "cs4", 32 },
		      { "af41", 34 }, { "af42", 36 }, { "af43", 38 }, { "cs5", 40 },
		      { "va", 44 },   { "ef", 46 },   { "cs6", 48 },  { "cs7", 56 } };
	uint64_t v;

	*out = -1;
	if (!text)
		return true;
	for (size_t i = 0; i < COO_ARRAY_LEN(names); i++) {
		if (coo_span_eq_nocase(coo_span_str(text), coo_span_str(names[i].name))) {
			*out = names[i].value;
			return true;
		}
	}
	if (coo_num_dec(coo_span_str(text), 63, &v)) {
		*out = (int)v;
		return true;
	}
	say_error("--dscp cannot be \"%s\": it is 0 to 63, or ef, va, be, le, cs0…cs7, af11…af43",
		  text);
	return false;
}

bool ping_fill(const char *text, uint8_t *bytes, size_t cap, size_t *n, bool *random)
{
	coo_span s = coo_span_str(text);
	uint64_t v;

	if (!text)
		return true;
	if (strcmp(text, "random") == 0) {
		*random = true;
		return true;
	}
	for (*n = 0; s.n >= 2 && *n < cap; s = coo_span_skip(s, 2)) {
		if (!coo_num_hex(coo_span_head(s, 2), 255, &v))
			break;
		bytes[(*n)++] = (uint8_t)v;
	}
	if (s.n == 0 && *n > 0)
		return true;
	say_error("--fill cannot be \"%s\": it is \"random\" or bytes in hex such as deadbeef, %zu "
		  "at most",
		  text, cap);
	return false;
}

static bool add_expected(void *user, const char *word)
{
	struct ping *g = user;
	/* of the family that is asked: a host with both would else be missing by the other one */
	enum coo_resolve_want want =
	    g->specs[0].target.family == 6 ? COO_RESOLVE_V6 : COO_RESOLVE_V4;
	struct ping_expected *e;
	const char *why;
	coo_addr a;

	if (!words_resolve(word, 0, want, &a, &why)) {
		say_error("--expect %s names \"%s\", which is no host: %s", g->o->expect, word,
			  why);
		return false;
	}
	for (size_t i = 0; i < g->n_expect; i++) {
		if (coo_addr_eq_ip(&g->expect[i].addr, &a))
			return true;
	}
	if (g->n_expect == EXPECT_MAX) {
		say_error("--expect %s names more than %d hosts", g->o->expect, EXPECT_MAX);
		return false;
	}
	g->expect = xrealloc(g->expect, g->n_expect + 1, sizeof(*g->expect));
	e = &g->expect[g->n_expect++];
	e->name = xstrdup(word);
	e->addr = a;
	return true;
}

bool ping_expect(struct ping *g)
{
	char *word;
	size_t cap;
	bool ok;

	if (!g->o->expect)
		return true;
	cap = strlen(g->o->expect) + 2;
	word = xcalloc(cap, 1);
	snprintf(word, cap, "@%s", g->o->expect);
	ok = words_each(word, "--expect", add_expected, g);
	free(word);
	if (ok && g->n_expect == 0)
		say_error("--expect %s names no host", g->o->expect);
	return ok && g->n_expect > 0;
}
