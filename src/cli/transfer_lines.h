/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TRANSFER_LINES_H
#define COO_CLI_TRANSFER_LINES_H

#include "cli/transfer.h"

/*
 * How far transfers are, on stderr: on a terminal a line for each, which is written over and over;
 * elsewhere a line now and then.
 */
void transfer_lines_set(const struct transfer *t, const char *text);

/* It is over, for better or worse. */
void transfer_lines_drop(const struct transfer *t);

/* Takes the lines off the terminal, before something else is written; they come back by themselves.
 */
void transfer_lines_clear(void);

#endif
