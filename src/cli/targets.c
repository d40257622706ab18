/* SPDX-License-Identifier: MIT */
#include "cli/targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/resolve.h"
#include "cli/out.h"
#include "cli/xalloc.h"
#include "proto/span.h"
#include "proto/utf8.h"

enum { MAX_TARGETS = 65536, LINE_CAP = 1024, FILE_DEPTH = 4 };

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

static bool add_name(struct targets *t, const char *word, uint16_t default_port)
{
	char host[256];
	const char *why = NULL;
	uint16_t port = default_port;
	coo_addr a;
	size_t n = 0;

	if (coo_span_has_high(coo_span_str(word)))
		return add_later(t, word); /* no resolver knows such a name */
	if (coo_addr_split(word, host, sizeof(host), &port) != COO_OK ||
	    coo_resolve(host, port, COO_RESOLVE_ANY, &a, 1, &n, &why) != COO_OK || n == 0) {
		if (!strpbrk(word, ".:"))
			return add_later(t, word);
		say_error("cannot find \"%s\": %s; a target is an address such as 10.0.0.7 or "
			  "10.0.0.7:2425, or a host name",
			  word, why ? why : "not an address");
		return false;
	}
	return add_addr(t, word, &a);
}

static bool add_word(struct targets *t, const char *word, uint16_t default_port, unsigned depth);

static bool add_file(struct targets *t, const char *path, uint16_t default_port, unsigned depth)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char line[LINE_CAP];
	bool ok = true;

	if (!f || depth == 0) {
		say_error("cannot read the targets in \"%s\": %s", path,
			  f ? "lists within lists" : strerror(errno));
		return false;
	}
	while (ok && fgets(line, sizeof(line), f)) {
		char *word = line + strspn(line, " \t");

		word[strcspn(word, " \t\r\n#")] = '\0';
		if (*word)
			ok = add_word(t, word, default_port, depth - 1);
	}
	if (f != stdin)
		fclose(f);
	return ok;
}

static bool add_word(struct targets *t, const char *word, uint16_t default_port, unsigned depth)
{
	coo_addr a;

	if (word[0] == '@')
		return add_file(t, word + 1, default_port, depth);
	if (coo_addr_parse(word, default_port, &a) == COO_OK) {
		if (a.port == 0)
			a.port = default_port;
		return add_addr(t, word, &a);
	}
	if (is_peer_only(word))
		return add_later(t, word);
	return add_name(t, word, default_port);
}

bool targets_add(struct targets *t, const char *word, uint16_t default_port)
{
	return add_word(t, word, default_port, FILE_DEPTH);
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
