/* SPDX-License-Identifier: MIT */
#include "cli/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/xalloc.h"

struct reading {
	const struct cmd *cmd;
	void *opts;
	const char *path;
	FILE *file;
	int line, bad_line;
	char why[240];
};

/* inih's reader, which counts lines: builds of inih differ in whether they tell the handler. */
static char *next_line(char *text, int cap, void *user)
{
	struct reading *r = user;

	r->line++;
	return fgets(text, cap, r->file);
}

/* A copy that lives as long as the program: options point at it. */
static const char *kept(const char *value)
{
	static struct str_list list;

	list.v = xrealloc(list.v, list.n + 1, sizeof(*list.v));
	list.v[list.n] = xstrdup(value);
	return list.v[list.n++];
}

/* inih's handler: 0 is an error in this line. Values of other commands are checked, not kept. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	const struct cmd *cmd = *section ? cmd_find(section) : NULL;
	const struct opt *o;
	void *into = r->opts, *scratch = NULL;
	char why[160] = "";
	bool ok;

	if (r->why[0])
		return 0; /* only the first error is told */
	r->bad_line = r->line;
	if (*section && !cmd) {
		snprintf(r->why, sizeof(r->why), "there is no command \"%s\"", section);
		return 0;
	}
	o = opt_find(cmd, name);
	if (!o || o->kind == OPT_COUNT) {
		snprintf(r->why, sizeof(r->why), "unknown key \"%s\"", name);
		return 0;
	}
	/* a key of another command, or one that this command does not take, is only checked */
	if (cmd ? cmd != r->cmd : opt_find(r->cmd, name) != o)
		into = scratch = xcalloc(1, cmd ? cmd->opts_size : sizeof(struct common));
	ok = opt_set(o, into, scratch ? value : kept(value), why, sizeof(why));
	if (!ok)
		snprintf(r->why, sizeof(r->why), "%s cannot be \"%s\": %s", name, value, why);
	if (scratch && o->kind == OPT_LIST)
		free(((struct str_list *)(void *)((char *)scratch + o->at))->v);
	free(scratch);
	return ok;
}

static char *config_path(void)
{
	const char *named = getenv("COO_CONFIG");
	const char *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char *path;
	size_t cap;

	if (named && *named)
		return xstrdup(named);
	if (!(xdg && *xdg == '/') && !(home && *home))
		return NULL;
	cap = strlen(xdg && *xdg == '/' ? xdg : home) + 32;
	path = xcalloc(cap, 1);
	if (xdg && *xdg == '/')
		snprintf(path, cap, "%s/coo/config", xdg);
	else
		snprintf(path, cap, "%s/.config/coo/config", home);
	return path;
}

static bool say_unreadable(const struct reading *r)
{
	say_error("cannot read the configuration %s: %s", r->path, strerror(errno));
	return false;
}

static bool read_file(struct reading *r)
{
	FILE *f = fopen(r->path, "re");
	bool readable;
	int line;

	r->file = f;
	if (!f)
		return errno == ENOENT || errno == ENOTDIR || say_unreadable(r);
	line = ini_parse_stream(next_line, r, on_key, r);
	readable = !ferror(f) || say_unreadable(r); /* a directory is opened, but not read */
	fclose(f);
	if (!readable)
		return false;
	if (line == 0)
		return true;
	if (line < 0 || line != r->bad_line || !r->why[0])
		snprintf(r->why, sizeof(r->why), "not a \"key = value\" or \"[section]\" line");
	say_error("%s:%d: %s", r->path, line > 0 ? line : 1, r->why);
	return false;
}

/* COO_PORT for --port, COO_HOST_LIST for --host-list … */
static void env_name(const char *option, char *name, size_t cap)
{
	size_t n = (size_t)snprintf(name, cap, "COO_%s", option);

	for (size_t i = 4; i < n && i < cap; i++) {
		if (name[i] == '-')
			name[i] = '_';
		else if (name[i] >= 'a' && name[i] <= 'z')
			name[i] = (char)(name[i] - ('a' - 'A'));
	}
}

static bool apply_env(const struct cmd *cmd, void *opts, const struct opt *table)
{
	for (const struct opt *o = table; o && o->name; o++) {
		char name[64], why[160];
		const char *value;

		if (o->kind == OPT_COUNT)
			continue;
		env_name(o->name, name, sizeof(name));
		value = getenv(name);
		if (!value || !*value || opt_find(cmd, o->name) != o)
			continue;
		if (o->kind == OPT_LIST)
			((struct str_list *)(void *)((char *)opts + o->at))->n = 0;
		if (!opt_set(o, opts, value, why, sizeof(why))) {
			say_error("the environment variable %s cannot be \"%s\": %s", name, value,
				  why);
			return false;
		}
	}
	return true;
}

bool config_apply(const struct cmd *cmd, void *opts)
{
	char *path = config_path();
	struct reading r = { .cmd = cmd, .opts = opts, .path = path };
	bool ok = !path || read_file(&r);

	free(path);
	if (!ok)
		return false;
	return apply_env(cmd, opts, opt_sock) && apply_env(cmd, opts, opt_ident) &&
	       apply_env(cmd, opts, opt_out);
}
