/* SPDX-License-Identifier: MIT */
#include "cli/opt.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/config.h"
#include "cli/out.h"
#include "cli/xalloc.h"
#include "proto/num.h"

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

static const struct {
	unsigned group;
	const struct opt *table;
} groups[] = {
	{ OPT_GROUP_SOCK, opt_sock },
	{ OPT_GROUP_IDENT, opt_ident },
	{ OPT_GROUP_OUT, opt_out },
};

/* Calls visit for every option that cmd takes (of all groups where cmd is NULL) until it returns
 * true. */
static const struct opt *each_opt(const struct cmd *cmd,
				  bool (*visit)(const struct opt *o, void *user), void *user)
{
	for (const struct opt *o = cmd && cmd->opts ? cmd->opts : NULL; o && o->name; o++) {
		if (visit(o, user))
			return o;
	}
	for (size_t g = 0; g < COO_ARRAY_LEN(groups); g++) {
		if (cmd && !(cmd->groups & groups[g].group))
			continue;
		for (const struct opt *o = groups[g].table; o->name; o++) {
			if (visit(o, user))
				return o;
		}
	}
	return NULL;
}

bool opt_parse_uint(const char *text, uint64_t *out)
{
	return coo_num_dec(coo_span_str(text), UINT64_MAX, out);
}

/* "12.345" → whole 12, thousandths… as a double; the caller multiplies by its unit. */
static bool parse_decimal(const char **text, double *out)
{
	char *end;
	double v;

	if (**text < '0' || **text > '9')
		return false;
	v = strtod(*text, &end);
	if (end == *text || !(v >= 0) || v > 1e15)
		return false;
	/* strtod would also take 0x10 and 1e5, which nobody means here */
	for (const char *c = *text; c < end; c++) {
		if ((*c < '0' || *c > '9') && *c != '.')
			return false;
	}
	*text = end;
	*out = v;
	return true;
}

bool opt_parse_real(const char *text, double *out)
{
	double v;

	if (!parse_decimal(&text, &v))
		return false;
	if (strcmp(text, "%") == 0)
		v /= 100;
	else if (*text)
		return false;
	*out = v;
	return true;
}

struct unit {
	const char *name;
	double factor;
};

static bool take_unit(const char **text, const struct unit *units, size_t n, double *factor)
{
	size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (size_t i = 0; i < n; i++) {
		if (strlen(units[i].name) == len && strncmp(units[i].name, *text, len) == 0) {
			*text += len;
			*factor = units[i].factor;
			return true;
		}
	}
	return false;
}

bool opt_parse_duration(const char *text, coo_time *out)
{
	static const struct unit units[] = { { "ns", 1 },     { "us", 1e3 }, { "ms", 1e6 },
					     { "s", 1e9 },    { "m", 60e9 }, { "h", 3600e9 },
					     { "d", 86400e9 } };
	double sum = 0, v, factor;

	if (strcmp(text, "0") == 0) {
		*out = 0;
		return true;
	}
	do {
		if (!parse_decimal(&text, &v) ||
		    !take_unit(&text, units, COO_ARRAY_LEN(units), &factor))
			return false;
		sum += v * factor;
	} while (*text);
	if (sum > 9e18)
		return false;
	*out = (coo_time)(sum + 0.5);
	return true;
}

bool opt_parse_size(const char *text, uint64_t *out)
{
	static const struct unit units[] = { { "", 1 },
					     { "b", 1 },
					     { "B", 1 },
					     { "k", 1024 },
					     { "K", 1024 },
					     { "m", 1048576.0 },
					     { "M", 1048576.0 },
					     { "g", 1073741824.0 },
					     { "G", 1073741824.0 },
					     { "t", 1099511627776.0 },
					     { "T", 1099511627776.0 } };
	double v, factor;

	if (!parse_decimal(&text, &v) || !take_unit(&text, units, COO_ARRAY_LEN(units), &factor) ||
	    *text)
		return false;
	if (v * factor > 9e18)
		return false;
	*out = (uint64_t)(v * factor);
	return true;
}

static bool in_bounds(const struct opt *o, uint64_t v, const char *unit, double per, char *why,
		      size_t cap)
{
	if (v < o->min || (o->max && v > o->max)) {
		if (o->max)
			snprintf(why, cap, "it has to be between %.12g%s and %.12g%s",
				 (double)o->min / per, unit, (double)o->max / per, unit);
		else
			snprintf(why, cap, "it has to be at least %.12g%s", (double)o->min / per,
				 unit);
		return false;
	}
	return true;
}

static bool set_choice(const struct opt *o, int *out, const char *text, char *why, size_t cap)
{
	size_t used;

	for (int i = 0; o->choices[i]; i++) {
		if (strcmp(o->choices[i], text) == 0) {
			*out = i;
			return true;
		}
	}
	used = (size_t)snprintf(why, cap, "it has to be one of");
	for (int i = 0; o->choices[i] && used < cap; i++)
		used += (size_t)snprintf(why + used, cap - used, " %s", o->choices[i]);
	return false;
}

static bool set_flag(bool *out, const char *text, char *why, size_t cap)
{
	if (!text || strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 ||
	    strcmp(text, "1") == 0) {
		*out = true;
		return true;
	}
	if (strcmp(text, "no") == 0 || strcmp(text, "false") == 0 || strcmp(text, "0") == 0) {
		*out = false;
		return true;
	}
	snprintf(why, cap, "it has to be yes or no");
	return false;
}

static void append(struct str_list *list, const char *text)
{
	list->v = xrealloc(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = text;
}

static bool set_uint(const struct opt *o, uint64_t *out, const char *text, char *why, size_t cap)
{
	uint64_t v;

	if (!opt_parse_uint(text, &v)) {
		snprintf(why, cap, "it is not a whole number");
		return false;
	}
	if (!in_bounds(o, v, "", 1, why, cap))
		return false;
	*out = v;
	return true;
}

static bool set_duration(const struct opt *o, coo_time *out, const char *text, char *why,
			 size_t cap)
{
	coo_time v;

	if (!opt_parse_duration(text, &v)) {
		snprintf(why, cap, "a duration has a unit: 500ms, 2s, 1m30s");
		return false;
	}
	if (!in_bounds(o, v, "s", 1e9, why, cap))
		return false;
	*out = v;
	return true;
}

static bool set_size(const struct opt *o, uint64_t *out, const char *text, char *why, size_t cap)
{
	uint64_t v;

	if (!opt_parse_size(text, &v)) {
		snprintf(why, cap, "a size is a number of bytes, or has a unit: 64k, 1M, 2G");
		return false;
	}
	if (!in_bounds(o, v, " bytes", 1, why, cap))
		return false;
	*out = v;
	return true;
}

bool opt_set(const struct opt *o, void *opts, const char *text, char *why, size_t cap)
{
	void *at = (char *)opts + o->at;

	switch (o->kind) {
	case OPT_FLAG:
		return set_flag(at, text, why, cap);
	case OPT_COUNT:
		if (!text)
			*(unsigned *)at += 1;
		else if (text[0] >= '0' && text[0] <= '9' && text[1] == '\0')
			*(unsigned *)at = (unsigned)(text[0] - '0');
		return true;
	case OPT_STR:
		*(const char **)at = text;
		return true;
	case OPT_LIST:
		append(at, text);
		return true;
	case OPT_UINT:
		return set_uint(o, at, text, why, cap);
	case OPT_DURATION:
		return set_duration(o, at, text, why, cap);
	case OPT_SIZE:
		return set_size(o, at, text, why, cap);
	case OPT_REAL:
		if (opt_parse_real(text, at))
			return true;
		snprintf(why, cap, "it is a number such as 0.01 or 1%%");
		return false;
	case OPT_CHOICE:
		return set_choice(o, at, text, why, cap);
	}
	return false;
}

static bool has_name(const struct opt *o, void *user)
{
	return strcmp(o->name, user) == 0;
}

const struct opt *opt_find(const struct cmd *cmd, const char *name)
{
	return each_opt(cmd, has_name, (void *)(uintptr_t)name);
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

static int parse_args(const struct cmd *cmd, struct parser *p, void *opts, int argc, char **argv)
{
	bool seen[MAX_OPTS] = { false };
	char why[160];
	int c;

	optind = 1;
	opterr = 0;
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
	each_opt(cmd, add_opt, &p);
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
	each_opt(cmd, free_list, opts);
	free(opts);
}

static bool print_opt(const struct opt *o, void *user)
{
	char left[64], letter[8] = "    ";

	if (o->hidden)
		return false;
	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->arg ? " " : "",
		 o->arg ? o->arg : "");
	fprintf(user, "  %-26s %s\n", left, o->help);
	return false;
}

/* The shared options stand at the end of --help by name alone: they are explained in coo(1). */
static void print_groups(const struct cmd *cmd, FILE *f)
{
	size_t column = 0;

	fputs("\nShared options (see coo(1)):", f);
	for (size_t g = 0; g < COO_ARRAY_LEN(groups); g++) {
		if (!(cmd->groups & groups[g].group))
			continue;
		for (const struct opt *o = groups[g].table; o->name; o++) {
			char word[48];
			int n = o->letter
				    ? snprintf(word, sizeof(word), "-%c/--%s%s%s", o->letter,
					       o->name, o->arg ? " " : "", o->arg ? o->arg : "")
				    : snprintf(word, sizeof(word), "--%s%s%s", o->name,
					       o->arg ? " " : "", o->arg ? o->arg : "");

			if (column == 0 || column + (size_t)n > 74) {
				fputs("\n ", f);
				column = 0;
			}
			fprintf(f, " %s", word);
			column += (size_t)n + 1;
		}
	}
	fputs("\n", f);
}

void opt_help(const struct cmd *cmd, FILE *f)
{
	fprintf(f, "Usage: coo %s [OPTIONS]%s%s\n", cmd->name, *cmd->args ? " " : "", cmd->args);
	fprintf(f, "%s\n", cmd->about ? cmd->about : cmd->summary);
	if (cmd->opts) {
		fputs("\nOptions:\n", f);
		for (const struct opt *o = cmd->opts; o->name; o++)
			print_opt(o, f);
	}
	if (cmd->groups)
		print_groups(cmd, f);
	fprintf(f, "\nExamples:\n%s", cmd->examples);
}

static bool list_opt(const struct opt *o, void *user)
{
	if (o->hidden)
		return false;
	fprintf(user, "--%s\n", o->name);
	if (o->letter)
		fprintf(user, "-%c\n", o->letter);
	return false;
}

void opt_list(const struct cmd *cmd, FILE *f)
{
	each_opt(cmd, list_opt, f);
	fputs("--help\n", f);
}
