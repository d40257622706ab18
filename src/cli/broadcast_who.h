/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_BROADCAST_WHO_H
#define COO_CLI_BROADCAST_WHO_H

#include "cli/delivery.h"
#include "cli/opt.h"
#include "cli/targets.h"

struct broadcast_opts {
	struct common common;
	struct delivery_opts delivery;
	struct str_list groups, match;
	coo_time find;
	uint64_t max;
	bool each, yes, dry_run;
};

struct broadcast_who {
	struct targets targets; /* of --each */
	bool looked;		/* for everybody, which began the JSON stream */
	size_t found;
};

/* Finds them where it matters who they are, and puts them into w->targets where each gets a
 * message. 0, or the exit code to end with, said why. */
int broadcast_find(const struct broadcast_opts *o, struct broadcast_who *w);

/* Asks on a terminal, where there is one and it was not answered by --yes; n: how many get it. 0,
 * or the exit code. */
int broadcast_confirm(const struct broadcast_opts *o, size_t n);

#endif
