/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_CONFIG_H
#define COO_CLI_CONFIG_H

#include <stdbool.h>

struct cmd;

/*
 * Applies $XDG_CONFIG_HOME/coo/config (INI; COO_CONFIG names another file) and then the environment
 * (COO_PORT, COO_NICK …) to the options of cmd. Keys are long option names: before the first
 * section those of the shared options, in a section [listen] those of that command. A key or a
 * value that is wrong is an error, said on stderr with file and line; then the result is false. A
 * missing file is none.
 */
bool config_apply(const struct cmd *cmd, void *opts);

#endif
