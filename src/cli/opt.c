/* SPDX-License-Identifier: MIT */
#include "cli/opt_impl.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config.h"
#include "cli/out.h"

static const char *const color_names[] = { "auto", "always", "never", NULL };
static const char *const compat_names[] = { "auto", "feiq", "ipmsg", "iptux", NULL };

const struct opt opt_out[] = {
	{ .name = "json",
	  .kind = OPT_FLAG,
	  .at = offsetof(struct common, json),
	  .help = "JSON Lines on stdout" },
	{ .letter = 'q',
	  .name = "quiet",
	  .kind = OPT_FLAG,
	  .at = offsetof(struct common, quiet),
	  .help = "results and errors only" },
	{ .letter = 'v',
	  .name = "verbose",
	  .kind = OPT_COUNT,
	  .at = offsetof(struct common, verbose),
	  .help = "say more; -vv for debugging" },
	{ .name = "color",
	  .kind = OPT_CHOICE,
	  .at = offsetof(struct common, color),
	  .arg = "WHEN",
	  .choices = color_names,
	  .help = "auto, always or never" },
	OPT_END,
};

const struct opt opt_sock[] = {
	{ .letter = 'p',
	  .name = "port",
	  .kind = OPT_UINT,
	  .at = offsetof(struct common, port),
	  .arg = "N",
	  .max = 65535,
	  .help = "UDP and TCP port" },
	{ .letter = 'I',
	  .name = "interface",
	  .kind = OPT_LIST,
	  .at = offsetof(struct common, interfaces),
	  .arg = "NAME",
	  .help = "use only this interface (repeatable)" },
	{ .letter = 'b',
	  .name = "bind",
	  .kind = OPT_STR,
	  .at = offsetof(struct common, bind),
	  .arg = "ADDR",
	  .help = "local address to use" },
	OPT_END,
};

const struct opt opt_ident[] = {
	{ .name = "user",
	  .kind = OPT_STR,
	  .at = offsetof(struct common, user),
	  .arg = "U",
	  .help = "log-on name to show" },
	{ .name = "host",
	  .kind = OPT_STR,
	  .at = offsetof(struct common, host),
	  .arg = "H",
	  .help = "host name to show" },
	{ .name = "nick",
	  .kind = OPT_STR,
	  .at = offsetof(struct common, nick),
	  .arg = "N",
	  .help = "nickname to show" },
	{ .name = "group",
	  .kind = OPT_STR,
	  .at = offsetof(struct common, group),
	  .arg = "G",
	  .help = "group to show" },
	{ .name = "charset",
	  .kind = OPT_STR,
	  .at = offsetof(struct common, charset),
	  .arg = "C",
	  .help = "legacy charset: auto, gbk, gb18030, cp932 …" },
	{ .name = "compat",
	  .kind = OPT_CHOICE,
	  .at = offsetof(struct common, compat),
	  .arg = "AS",
	  .choices = compat_names,
	  .help = "version field: auto, feiq, ipmsg or iptux" },
	OPT_END,
};

const struct opt_group_table opt_groups[OPT_GROUPS] = {
	{ OPT_GROUP_SOCK, opt_sock },
	{ OPT_GROUP_IDENT, opt_ident },
	{ OPT_GROUP_OUT, opt_out },
};

const struct opt *opt_each(const struct cmd *cmd, bool (*visit)(const struct opt *o, void *user),
			   void *user)
{
	for (const struct opt *o = cmd && cmd->opts ? cmd->opts : NULL; o && o->name; o++) {
		if (visit(o, user))
			return o;
	}
	for (size_t g = 0; g < OPT_GROUPS; g++) {
		if (cmd && !(cmd->groups & opt_groups[g].group))
			continue;
		for (const struct opt *o = opt_groups[g].table; o->name; o++) {
			if (visit(o, user))
				return o;
		}
	}
	return NULL;
}

static bool has_name(const struct opt *o, void *user)
{
	return strcmp(o->name, user) == 0;
}

const struct opt *opt_find(const struct cmd *cmd, const char *name)
{
	return opt_each(cmd, has_name, (void *)(uintptr_t)name);
}

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_COUNT;
}

enum { LONG_BASE = 256, LONG_HELP = 255, MAX_OPTS = 96 };

/* What getopt_long needs, built from the tables. */
struct parser {
	const struct opt *opts[MAX_OPTS];
	struct option longs[MAX_OPTS + 2];
	char letters[2 * MAX_OPTS + 4];
	size_t n, n_letters;
};

static bool add_opt(const struct opt *o, void *user)
{
	struct parser *p = user;
	struct option *l = &p->longs[p->n];

	if (p->n == MAX_OPTS)
		return false;
	l->name = o->name;
	l->has_arg = takes_value(o) ? required_argument : no_argument;
	l->val = LONG_BASE + (int)p->n;
	p->opts[p->n++] = o;
	if (o->letter) {
		p->letters[p->n_letters++] = o->letter;
		if (takes_value(o))
			p->letters[p->n_letters++] = ':';
	}
	return false;
}

static const struct opt *by_value(const struct parser *p, int c)
{
	if (c >= LONG_BASE)
		return p->opts[c - LONG_BASE];
	for (size_t i = 0; i < p->n; i++) {
		if (p->opts[i]->letter == c)
			return p->opts[i];
	}
	return NULL;
}

static void say_bad_option(const struct cmd *cmd, int c, char **argv)
{
	const char *given = argv[optind - 1];

	if (c == ':')
		say_error("the option %s of \"%s\" needs a value; see \"coo %s --help\"", given,
			  cmd->name, cmd->name);
	else if (optopt > 0 && optopt < LONG_HELP)
		say_error("\"%s\" has no option -%c; see \"coo %s --help\"", cmd->name, optopt,
			  cmd->name);
	else
		say_error("\"%s\" has no option %s, or it is ambiguous or takes no value; see "
			  "\"coo %s --help\"",
			  cmd->name, given, cmd->name);
}

/* Lists given on the command line replace those of the configuration. */
static void forget_list(const struct opt *o, void *opts, bool *seen)
{
	if (o->kind != OPT_LIST || *seen)
		return;
	((struct str_list *)(void *)((char *)opts + o->at))->n = 0;
	*seen = true;
}

static const struct opt *given[MAX_OPTS];
static size_t n_given;

static void note_given(const struct opt *o)
{
	if (!opt_given(o->name))
		given[n_given++] = o;
}

bool opt_given(const char *name)
{
	for (size_t i = 0; i < n_given; i++) {
		if (strcmp(given[i]->name, name) == 0)
			return true;
	}
	return false;
}

static int parse_args(const struct cmd *cmd, struct parser *p, void *opts, int argc, char **argv)
{
	bool seen[MAX_OPTS] = { false };
	char why[160];
	int c;

	optind = 1;
	opterr = 0;
	n_given = 0;
	while ((c = getopt_long(argc, argv, p->letters, p->longs, NULL)) != -1) {
		const struct opt *o;

		o = c == '?' || c == ':' ? NULL : by_value(p, c);
		if (!o) {
			say_bad_option(cmd, c, argv);
			return 1 + EXIT_USAGE;
		}
		for (size_t i = 0; i < p->n; i++) {
			if (p->opts[i] == o)
				forget_list(o, opts, &seen[i]);
		}
		if (!opt_set(o, opts, takes_value(o) ? optarg : NULL, why, sizeof(why))) {
			say_error("--%s cannot be \"%s\": %s", o->name, optarg, why);
			return 1 + EXIT_USAGE;
		}
		note_given(o);
	}
	return 0;
}

/* A look ahead that sets nothing: whether help is asked for, wherever it stands among the options.
 */
static bool wants_help(const struct parser *p, int argc, char **argv)
{
	bool found = false;
	int c;

	optind = 1;
	opterr = 0;
	while (!found && (c = getopt_long(argc, argv, p->letters, p->longs, NULL)) != -1)
		found = c == LONG_HELP || c == 'h';
	return found;
}

int opt_parse(const struct cmd *cmd, void *opts, int *argc, char ***argv)
{
	struct parser p;
	int stop;

	memset(&p, 0, sizeof(p));
	p.letters[p.n_letters++] = ':';
	opt_each(cmd, add_opt, &p);
	p.longs[p.n].name = "help";
	p.longs[p.n].val = LONG_HELP;
	p.letters[p.n_letters++] = 'h';
	/* --help touches no file: not even a configuration that is wrong */
	if (wants_help(&p, *argc, *argv)) {
		opt_help(cmd, stdout);
		return 1 + EXIT_DONE;
	}
	if ((cmd->groups & (OPT_GROUP_SOCK | OPT_GROUP_CONFIG)) && !config_apply(cmd, opts))
		return 1 + EXIT_USAGE;
	stop = parse_args(cmd, &p, opts, *argc, *argv);
	*argc -= optind;
	*argv += optind;
	return stop;
}

static bool free_list(const struct opt *o, void *opts)
{
	if (o->kind == OPT_LIST)
		free(((struct str_list *)(void *)((char *)opts + o->at))->v);
	return false;
}

void opt_free(const struct cmd *cmd, void *opts)
{
	opt_each(cmd, free_list, opts);
	free(opts);
}
