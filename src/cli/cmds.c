/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/cmd.h"

extern const struct cmd cmd_echo, cmd_help, cmd_version;

const struct cmd *const cmds[] = {
	&cmd_echo,
	&cmd_help,
	&cmd_version,
	NULL,
};

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; cmds[i]; i++) {
		if (strcmp(cmds[i]->name, name) == 0)
			return cmds[i];
	}
	return NULL;
}
