/* SPDX-License-Identifier: MIT */
#include "cli/targets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "cli/out.h"
#include "cli/words.h"
#include "cli/xalloc.h"
#include "proto/span.h"
#include "proto/utf8.h"

enum { MAX_TARGETS = 65536 };

struct adding {
	struct targets *targets;
	uint16_t port; /* of what comes without one */
};

bool target_is_certain(const char *word)
{
	coo_addr a;

	if (word[0] ==
	    '@') /* "@张三 lunch?" is a text, "@office.txt" is a list that may be missing */
		return access(word + 1, F_OK) == 0 ||
		       (!strpbrk(word, " \t\n") && !coo_span_has_high(coo_span_str(word)));
	return coo_addr_parse(word, 0, &a) == COO_OK;
}

static bool is_known(const struct targets *t, const coo_addr *a)
{
	for (size_t i = 0; i < t->n; i++) {
		if (coo_addr_eq(&t->v[i].addr, a))
			return true;
	}
	return false;
}

bool targets_add_addr(struct targets *t, const char *text, const coo_addr *a, coo_span entry)
{
	struct target *to;

	if (is_known(t, a)) {
		say_note("%s is named twice; it gets one message", text);
		return true;
	}
	if (t->n == MAX_TARGETS) {
		say_error("more than %d targets", MAX_TARGETS);
		return false;
	}
	t->v = xrealloc(t->v, t->n + 1, sizeof(*t->v));
	to = &t->v[t->n++];
	memset(to, 0, sizeof(*to));
	to->text = xstrdup(text);
	to->addr = *a;
	if (entry.n) {
		to->entry = xcalloc(1, entry.n);
		to->entry_len = entry.n;
		memcpy(to->entry, entry.p, entry.n);
	}
	return true;
}

static bool add_addr(struct targets *t, const char *text, const coo_addr *a)
{
	char ip[COO_ADDR_TEXT_CAP];

	/* its answer would come with the interface in its address, and not be recognised */
	if (a->family == 6 && a->scope == 0 && coo_addr_is_link_local(a)) {
		say_error("%s may be on any link; say on which: %s%%eth0", text,
			  coo_addr_ip_text(a, ip));
		return false;
	}
	return targets_add_addr(t, text, a, coo_span_none());
}

static bool is_peer_only(const char *word)
{
	static const char *const prefixes[] = { "nick:", "user:", "host:", "group:" };

	for (size_t i = 0; i < COO_ARRAY_LEN(prefixes); i++) {
		if (strncmp(word, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

static bool add_later(struct targets *t, const char *word)
{
	if (!coo_utf8_valid(coo_span_str(word))) {
		say_error("a name that is not UTF-8 cannot be looked for");
		return false;
	}
	t->names = xrealloc(t->names, t->n_names + 1, sizeof(*t->names));
	t->names[t->n_names++] = xstrdup(word);
	return true;
}

/* A bare word that the resolver does not know is looked for on the network. */
static bool add_name(const struct adding *to, const char *word)
{
	const char *why;
	coo_addr a;

	if (coo_span_has_high(coo_span_str(word)))
		return add_later(to->targets, word); /* no resolver knows such a name */
	if (words_resolve(word, to->port, COO_RESOLVE_ANY, &a, &why))
		return add_addr(to->targets, word, &a);
	if (!strpbrk(word, ".:"))
		return add_later(to->targets, word);
	say_error("cannot find \"%s\": %s; a target is an address such as 10.0.0.7 or "
		  "10.0.0.7:2425, or a host name",
		  word, why);
	return false;
}

static bool add_word(void *user, const char *word)
{
	const struct adding *to = user;
	coo_addr a;

	if (coo_addr_parse(word, to->port, &a) == COO_OK) {
		if (a.port == 0)
			a.port = to->port;
		return add_addr(to->targets, word, &a);
	}
	return is_peer_only(word) ? add_later(to->targets, word) : add_name(to, word);
}

bool targets_add(struct targets *t, const char *word, uint16_t default_port)
{
	struct adding to = { t, default_port };

	return words_each(word, "the targets", add_word, &to);
}

void targets_free(struct targets *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free((void *)(uintptr_t)t->v[i].text);
		free(t->v[i].entry);
	}
	for (size_t i = 0; i < t->n_names; i++)
		free(t->names[i]);
	free(t->v);
	free(t->names);
}
