/* SPDX-License-Identifier: MIT */
/* What a command takes, for people (--help) and for completion. */
#include "cli/opt_impl.h"

#include <string.h>

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
	for (size_t g = 0; g < OPT_GROUPS; g++) {
		if (!(cmd->groups & opt_groups[g].group))
			continue;
		for (const struct opt *o = opt_groups[g].table; o->name; o++) {
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
	opt_each(cmd, list_opt, f);
	fputs("--help\n", f);
}
