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

static bool read_lines(const struct reading *r, FILE *f, unsigned depth)
{
	char line[LINE_CAP];
	bool ok = true;

	while (ok && fgets(line, sizeof(line), f)) {
		char *word = line + strspn(line, " \t");

		word[strcspn(word, " \t\r\n#")] = '\0';
		if (*word)
			ok = read_word(r, word, depth - 1);
	}
	return ok;
}

static bool read_file(const struct reading *r, const char *path, unsigned depth)
{
	FILE *f;
	bool ok;

	if (depth > 0 && strcmp(path, "-") == 0)
		return read_lines(r, stdin, depth);
	f = depth > 0 ? fopen(path, "re") : NULL;
	if (!f) {
		say_error("cannot read %s in \"%s\": %s", r->what, path,
			  depth > 0 ? strerror(errno) : "lists within lists");
		return false;
	}
	ok = read_lines(r, f, depth);
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

bool words_resolve(const char *word, uint16_t default_port, coo_addr *out, const char **why)
{
	char host[256];
	uint16_t port = default_port;
	size_t n = 0;

	*why = NULL;
	if (coo_addr_split(word, host, sizeof(host), &port) == COO_OK &&
	    coo_resolve(host, port, COO_RESOLVE_ANY, out, 1, &n, why) == COO_OK && n > 0)
		return true;
	if (!*why)
		*why = "not an address";
	return false;
}
