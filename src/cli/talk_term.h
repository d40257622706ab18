/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TALK_TERM_H
#define COO_CLI_TALK_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "proto/span.h"

/*
 * The terminal front of coo talk: one line to type in at the bottom, traffic above it. Editing and
 * history are libedit's, in its unbuffered mode, which hands control back after every key; the
 * traffic is printed in between: the input is erased, lines are written, the input is drawn again.
 */
struct talk_term;

struct talk_term_fns {
	void (*line)(void *user, coo_span line); /* UTF-8 without its line feed; borrowed */
	void (*end)(void *user);		 /* Ctrl-D on an empty line, or the terminal went */
};

/* history: file to keep it in, or NULL. NULL with a sentence on stderr where there is no terminal.
 * The loop calls fns until talk_term_close. */
struct talk_term *talk_term_open(uv_loop_t *loop, const char *history,
				 const struct talk_term_fns *fns, void *user);

/* Prints whole lines above the input; they appear within some 30 ms. text is copied. */
void talk_term_print(struct talk_term *t, coo_span text);

/* Prints what waits, erases the input and gives the terminal back. Accepts NULL. The loop frees it.
 */
void talk_term_close(struct talk_term *t);

/* Where the history of a target is kept: a path under $XDG_STATE_HOME/coo/talk, whose directories
 * are made; gives: free(). NULL where that is not possible. */
char *talk_term_history_path(const char *target);

#endif
