/* SPDX-License-Identifier: MIT */
#include "cli/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/resolve.h"
#include "cli/out.h"

enum { LINE_CAP = 1024, FILE_DEPTH = 4 };

struct reading {
	const char *what;
	bool (*take)(void *user, const char *word);
	void *user;
};

static bool read_word(const struct reading *r, const char *word, unsigned depth);

/* A line without its end is a long one, or the last. */
static bool is_too_long(const char *line, FILE *f)
{
	return !strchr(line, '\n') && strlen(line) == LINE_CAP - 1 && !feof(f);
}

static bool read_line(const struct reading *r, char *line, FILE *f, unsigned depth)
{
	char *word = line + strspn(line, " \t");

	if (is_too_long(line, f)) {
		say_error("a line of %s is longer than %d bytes", r->what, LINE_CAP - 2);
		return false;
	}
	word[strcspn(word, " \t\r\n#")] = '\0';
	return !*word || read_word(r, word, depth - 1);
}

static bool read_lines(const struct reading *r, const char *path, FILE *f, unsigned depth)
{
	char line[LINE_CAP];

	for (unsigned n = 1; fgets(line, sizeof(line), f); n++) {
		if (!read_line(r, line, f, depth)) {
			say_error("that is line %u of @%s", n, path);
			return false;
		}
	}
	if (!ferror(f))
		return true;
	say_error("cannot read %s in \"%s\": %s", r->what, path, strerror(errno));
	return false;
}

static bool read_file(const struct reading *r, const char *path, unsigned depth)
{
	FILE *f;
	bool ok;

	if (depth > 0 && strcmp(path, "-") == 0)
		return read_lines(r, path, stdin, depth);
	f = depth > 0 ? fopen(path, "re") : NULL;
	if (!f) {
		say_error("cannot read %s in \"%s\": %s", r->what, path,
			  depth > 0 ? strerror(errno) : "lists within lists");
		return false;
	}
	ok = read_lines(r, path, f, depth);
	fclose(f);
	return ok;
}

static bool read_word(const struct reading *r, const char *word, unsigned depth)
{
	return word[0] == '@' ? read_file(r, word + 1, depth) : r->take(r->user, word);
}

bool words_each(const char *word, const char *what, bool (*take)(void *user, const char *word),
		void *user)
{
	const struct reading r = { what, take, user };

	return read_word(&r, word, FILE_DEPTH);
}

/* The resolver takes 10.077.0.1 for 10.63.0.1, since a zero ahead makes a number octal; who writes
 * it means 10.77.0.1. */
bool words_is_octal(const char *host)
{
	if (host[strspn(host, "0123456789.")])
		return false;
	for (const char *at = host; *at; at += strcspn(at, "."), at += *at == '.') {
		if (at[0] == '0' && at[1] && at[1] != '.')
			return true;
	}
	return false;
}

bool words_resolve(const char *word, uint16_t default_port, enum coo_resolve_want want,
		   coo_addr *out, const char **why)
{
	char host[256];
	uint16_t port = default_port;
	size_t n = 0;

	*why = NULL;
	if (coo_addr_split(word, host, sizeof(host), &port) != COO_OK) {
		*why = "not an address";
		return false;
	}
	if (words_is_octal(host)) {
		*why = "a zero ahead of a number would make it octal, so write it without";
		return false;
	}
	if (coo_resolve(host, port, want, out, 1, &n, why) == COO_OK && n > 0)
		return true;
	if (!*why)
		*why = "not an address";
	return false;
}
