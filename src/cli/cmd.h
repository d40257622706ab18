/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_CMD_H
#define COO_CLI_CMD_H

#include <stddef.h>

#include "cli/exit.h"
#include "cli/opt.h"

/* One command: one file cmd_<name>.c with one of these, and one row in cmds.c. */
struct cmd {
	const char *name;
	const char *args;     /* operands as in a synopsis: "TARGET… [TEXT]" */
	const char *summary;  /* half a sentence for coo help */
	const char *about;    /* one or two lines for --help, may be NULL */
	const char *examples; /* lines, each indented by two blanks */
	const struct opt *opts;
	const void *defaults; /* initial contents of the options struct */
	size_t opts_size;
	unsigned groups; /* enum opt_group */
	int (*run)(void *opts, int argc, char **argv);
};

/* NULL-terminated; in the order in which help shows them. */
extern const struct cmd *const cmds[];

/* NULL where there is no such command. */
const struct cmd *cmd_find(const char *name);

#endif
