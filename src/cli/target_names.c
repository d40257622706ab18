/* SPDX-License-Identifier: MIT */
/* Targets by name: who of those on the network is meant. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/exit.h"
#include "cli/find.h"
#include "cli/out.h"
#include "cli/show.h"
#include "cli/targets.h"
#include "cli/xalloc.h"

enum { SHOW_MATCHES = 20 };

/* Two rounds of questions, and the second the official client takes to answer. */
#define FIRST_MOMENTS COO_MS(2200)

enum what { WHAT_ANY, WHAT_NICK, WHAT_USER, WHAT_HOST, WHAT_GROUP };

/* Cuts the prefix off a name. */
static enum what what_of(coo_span *name)
{
	static const char *const prefixes[] = {
		[WHAT_NICK] = "nick:",
		[WHAT_USER] = "user:",
		[WHAT_HOST] = "host:",
		[WHAT_GROUP] = "group:",
	};

	for (size_t i = WHAT_NICK; i < COO_ARRAY_LEN(prefixes); i++) {
		coo_span prefix = coo_span_str(prefixes[i]);

		if (coo_span_has_prefix(*name, prefix)) {
			*name = coo_span_skip(*name, prefix.n);
			return (enum what)i;
		}
	}
	return WHAT_ANY;
}

/* Users and hosts are compared without case, as the protocol does (PROTOCOL.md 5.4). */
static bool is_meant(const coo_peer_view *p, enum what what, coo_span name)
{
	bool nick = coo_span_eq(p->nick, name), user = coo_span_eq_nocase(p->user, name),
	     host = coo_span_eq_nocase(p->host, name);

	switch (what) {
	case WHAT_ANY:
		return nick || user || host;
	case WHAT_NICK:
		return nick;
	case WHAT_USER:
		return user;
	case WHAT_HOST:
		return host;
	case WHAT_GROUP:
		return coo_span_eq(p->group, name);
	}
	return false;
}

static size_t count_matches(const struct found *f, enum what what, coo_span name)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += is_meant(&f->v[i].view, what, name);
	return n;
}

static int say_many(const struct found *f, const char *word, enum what what, coo_span name)
{
	size_t said = 0;

	say_error("\"%s\" may be any of these; give the address of the one you mean:", word);
	for (size_t i = 0; i < f->n && said < SHOW_MATCHES; i++) {
		char *text;

		if (!is_meant(&f->v[i].view, what, name))
			continue;
		text = show_peer_name(&f->v[i].view);
		say_error("  %s", text);
		free(text);
		said++;
	}
	return EXIT_REFUSED;
}

static int say_none(const struct found *f, const char *word, enum what what)
{
	if (what == WHAT_GROUP)
		say_error("nobody of the %zu found on the network is in \"%s\"; \"coo peers\" "
			  "lists them",
			  f->n, word);
	else
		say_error("cannot find \"%s\": it is no host name, and nobody of the %zu found on "
			  "the network is called that; \"coo peers\" lists them",
			  word, f->n);
	return EXIT_NOBODY;
}

static int add_matches(struct targets *t, const struct found *f, const char *word)
{
	coo_span name = coo_span_str(word);
	enum what what = what_of(&name);
	size_t n = count_matches(f, what, name);
	bool ok = true;

	if (n == 0)
		return say_none(f, word, what);
	if (n > 1 && what != WHAT_GROUP)
		return say_many(f, word, what, name);
	for (size_t i = 0; ok && i < f->n; i++) {
		const struct found_peer *p = &f->v[i];
		char *shown;

		if (!is_meant(&p->view, what, name))
			continue;
		shown = show_peer_name(&p->view);
		ok = targets_add_addr(t, n > 1 ? shown : word, &p->view.addr, p->entry);
		free(shown);
	}
	return ok ? 0 : EXIT_REFUSED;
}

int targets_find(struct targets *t, const struct common *c)
{
	const struct find_wish wish = { .wait = FIRST_MOMENTS };
	struct found found;
	int code;

	if (t->n_names == 0)
		return 0;
	for (size_t i = 0; i < t->n_names; i++) {
		coo_span name = coo_span_str(t->names[i]);

		coo_ignore(what_of(&name));
		if (name.n > 0)
			continue;
		/* who has no group is in none, and not in one without a name */
		say_error("\"%s\" has no name behind it", t->names[i]);
		return EXIT_USAGE;
	}
	code = find_peers(c, &wish, &found);
	if (code == 0 && found.interrupted)
		code = EXIT_NOBODY;
	for (size_t i = 0; code == 0 && i < t->n_names; i++)
		code = add_matches(t, &found, t->names[i]);
	found_free(&found);
	return code;
}

static void take_entry(struct targets *t, const struct found_peer *p)
{
	for (size_t i = 0; i < t->n; i++) {
		struct target *to = &t->v[i];

		if (to->entry || !coo_addr_eq(&to->addr, &p->view.addr) || p->entry.n == 0)
			continue;
		to->entry = xcalloc(p->entry.n, 1);
		to->entry_len = p->entry.n;
		memcpy(to->entry, p->entry.p, p->entry.n);
	}
}

int targets_ask(struct targets *t, const struct common *c)
{
	struct find_nets nets = { NULL, 0 };
	struct find_wish wish = { .nets = &nets, .wait = FIRST_MOMENTS, .passes = 1 };
	struct found found;
	int code;

	for (size_t i = 0; i < t->n; i++) {
		if (!t->v[i].entry)
			find_nets_add_addr(&nets, &t->v[i].addr, t->v[i].addr.port);
	}
	wish.enough = nets.n;
	if (nets.n == 0)
		return 0;
	code = find_peers(c, &wish, &found);
	if (code == 0 && found.interrupted)
		code = EXIT_NOBODY;
	for (size_t i = 0; code == 0 && i < found.n; i++)
		take_entry(t, &found.v[i]);
	found_free(&found);
	find_nets_free(&nets);
	return code;
}

void targets_teach(const struct targets *t, struct net *n)
{
	for (size_t i = 0; i < t->n; i++)
		find_teach(n, &t->v[i].addr, coo_span_of(t->v[i].entry, t->v[i].entry_len));
}
