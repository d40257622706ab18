/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/cmd.h"

extern const struct cmd cmd_listen;
extern const struct cmd cmd_peers;
extern const struct cmd cmd_send;
extern const struct cmd cmd_broadcast;
extern const struct cmd cmd_get;
extern const struct cmd cmd_share;
extern const struct cmd cmd_fetch;
extern const struct cmd cmd_talk;
extern const struct cmd cmd_ping;
extern const struct cmd cmd_echo;
extern const struct cmd cmd_decode;
extern const struct cmd cmd_iface;
extern const struct cmd cmd_doctor;
extern const struct cmd cmd_help;
extern const struct cmd cmd_version;

/* One a line, so that a command is added without touching others. */
/* clang-format off */
const struct cmd *const cmds[] = {
	&cmd_listen,
	&cmd_peers,
	&cmd_send,
	&cmd_broadcast,
	&cmd_get,
	&cmd_share,
	&cmd_fetch,
	&cmd_talk,
	&cmd_ping,
	&cmd_echo,
	&cmd_decode,
	&cmd_iface,
	&cmd_doctor,
	&cmd_help,
	&cmd_version,
	NULL,
};
/* clang-format on */

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; cmds[i]; i++) {
		if (strcmp(cmds[i]->name, name) == 0)
			return cmds[i];
	}
	return NULL;
}
