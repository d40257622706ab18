/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_EXIT_H
#define COO_CLI_EXIT_H

/* The exit codes of every command, documented in coo(1) and never changed. */
enum exit_code {
	EXIT_DONE = 0,	  /* done; where something was sent, every target acknowledged it */
	EXIT_NOBODY = 1,  /* nobody acknowledged, nothing answered, a --fail-if condition held */
	EXIT_USAGE = 2,	  /* the command line or the configuration is wrong */
	EXIT_PARTIAL = 3, /* some targets acknowledged, some not */
	EXIT_SYSTEM = 4,  /* the system refused: bind, permission, no route, disk */
	EXIT_REFUSED = 5, /* refused by coo: unsafe name, limit exceeded, not confirmed */
};

#endif
