/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TALK_RUN_H
#define COO_CLI_TALK_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/opt.h"
#include "cli/talk_show.h"
#include "feature/talk.h"

enum talk_eol { TALK_EOL_UNSET = -1, TALK_EOL_NONE, TALK_EOL_LF, TALK_EOL_CRLF };

/* What the command line asked for, ready to run. */
struct talk_plan {
	const char *target; /* as given, for the history and the first line */
	coo_talk_cfg cfg;
	coo_charset *cs; /* of the text both ways */
	bool send_hex;
	int eol;
	const char *text; /* operands: sent instead of standard input; or NULL */
	const char *file; /* its bytes are sent instead; or NULL */
	bool repeats;
	uint64_t repeat; /* 0: until the end */
	coo_time interval;
	bool has_wait;
	coo_time wait;
	uint64_t count; /* 0: no end */
	const char *log;
	bool hex, named_charset;
};

/* Runs until the end; returns the exit code. Takes nothing. */
int talk_run(const struct talk_plan *plan);

#endif
