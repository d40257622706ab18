/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_OPT_IMPL_H
#define COO_CLI_OPT_IMPL_H

/* What opt.c (the shared tables, parsing) and opt_help.c share; nobody else includes this. */

#include "cli/cmd.h"
#include "cli/opt.h"

enum { OPT_GROUPS = 3 };

/* The shared options by group, in the order of --help. */
struct opt_group_table {
	unsigned group;
	const struct opt *table;
};

extern const struct opt_group_table opt_groups[OPT_GROUPS];

/* Calls visit for every option that cmd takes (of all groups where cmd is NULL) until it returns
 * true; the option at which it did, or NULL. */
const struct opt *opt_each(const struct cmd *cmd, bool (*visit)(const struct opt *o, void *user),
			   void *user);

#endif
