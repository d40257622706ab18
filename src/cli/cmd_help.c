/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/cmd.h"
#include "cli/out.h"

struct help_opts {
	struct common common;
	bool list;
};

static const struct opt opts_table[] = {
	{ .name = "list",
	  .kind = OPT_FLAG,
	  .at = offsetof(struct help_opts, list),
	  .help = "names only, one a line: commands, or options of COMMAND",
	  .hidden = true },
	OPT_END,
};

static void list_commands(bool names_only)
{
	if (!names_only)
		out_text("coo: pigeon post for the terminal, among FeiQ, IP Messenger and iptux\n\n"
			 "Usage: coo COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n");
	for (size_t i = 0; cmds[i]; i++) {
		if (names_only)
			out_text("%s\n", cmds[i]->name);
		else
			out_text("  %-10s %s\n", cmds[i]->name, cmds[i]->summary);
	}
	if (!names_only)
		out_text("\n\"coo help COMMAND\" or \"coo COMMAND --help\" shows one of them; "
			 "the manual is coo(1).\n");
}

static int run(void *opts, int argc, char **argv)
{
	const struct help_opts *o = opts;
	const struct cmd *cmd;

	if (argc == 0) {
		list_commands(o->list);
		return EXIT_DONE;
	}
	cmd = cmd_find(argv[0]);
	if (!cmd || argc > 1) {
		say_error("there is no command \"%s\"; \"coo help\" lists them", argv[cmd ? 1 : 0]);
		return EXIT_USAGE;
	}
	if (o->list)
		opt_list(cmd, stdout);
	else
		opt_help(cmd, stdout);
	return EXIT_DONE;
}

extern const struct cmd cmd_help;
const struct cmd cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "show the commands, or one of them",
	.examples = "  coo help send\n",
	.opts = opts_table,
	.opts_size = sizeof(struct help_opts),
	.groups = 0,
	.run = run,
};
