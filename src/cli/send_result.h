/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_SEND_RESULT_H
#define COO_CLI_SEND_RESULT_H

#include <jansson.h>
#include <stddef.h>

#include "cli/table.h"
#include "feature/outbox.h"

/* What became of messages, counted for the summary and the exit code. */
struct send_tally {
	size_t
	    reached; /* acknowledged; opened where that was asked for; sent where no receipt was */
	size_t missed; /* no receipt in time */
	size_t failed; /* the system refused */
	size_t unread;
	bool has_files;
	size_t fetched; /* have all files that were offered */
};

/* One line, or one JSON object, for one target. */
void send_print_result(const char *name, const coo_outbox_result *r, struct send_tally *tally);

/* The same as a row of a table, for eyes; the table is the caller's to print and to free. */
void send_table_init(struct table *t);
void send_tabulate(struct table *t, const char *name, const coo_outbox_result *r,
		   struct send_tally *tally);

/* The summary, for a command that adds to it before out_json. Never NULL. */
json_t *send_summary_json(const struct send_tally *t, size_t targets);

/* The summary line where there were several targets. */
void send_print_summary(const struct send_tally *t, size_t targets);

/* 0 all reached, 1 none, 3 some; 4 where none was because the system refused each. */
int send_exit_code(const struct send_tally *t, size_t targets);

#endif
