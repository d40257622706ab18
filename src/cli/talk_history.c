/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/strbuf.h"
#include "cli/talk_term.h"
#include "cli/xalloc.h"

/* $XDG_STATE_HOME/coo, or its default. */
static bool put_state_dir(struct strbuf *b)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (xdg && *xdg == '/')
		strbuf_printf(b, "%s/coo", xdg);
	else if (home && *home == '/')
		strbuf_printf(b, "%s/.local/state/coo", home);
	else
		return false;
	return true;
}

/* Every directory on the way to the last '/'; what is typed is nobody else's business. */
static bool make_dirs(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdir(path, 0700) != 0 && errno != EEXIST;
		*slash = '/';
		if (failed)
			return false;
	}
	return true;
}

char *talk_term_history_path(const char *target)
{
	struct strbuf b = { NULL, 0, 0 };

	if (!put_state_dir(&b))
		return NULL;
	strbuf_put_str(&b, "/talk/");
	for (const char *c = target; *c && c < target + 200; c++) {
		const char name[2] = { *c == '/' ? '_' : *c, '\0' };

		strbuf_put_str(&b, name);
	}
	strbuf_put(&b, coo_span_of("", 1));
	if (!make_dirs((char *)b.p)) {
		strbuf_free(&b);
		return NULL;
	}
	return (char *)b.p;
}
