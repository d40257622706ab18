/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_ECHO_OUT_H
#define COO_CLI_ECHO_OUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The standard output of a command that has more to do than to be read: a reader that has stopped
 * (a pager, a terminal after Ctrl-S) is waited for once, for ECHO_OUT_PATIENCE, and from then on
 * only what it has room for is written. One call at a time, but echo_out_hurry.
 */
struct echo_out {
	int fd;	    /* standard output, or the same terminal or pipe that does not block */
	char *rest; /* said, and not yet taken by the reader: from at to n */
	size_t at, n;
	bool stalled; /* the reader was waited for in vain */
	bool hurry;   /* nobody is waited for any more */
	int broken;   /* errno, or 0 */
};

/* ms */
enum { ECHO_OUT_PATIENCE = 100, ECHO_OUT_LAST_PATIENCE = 500 };

void echo_out_open(struct echo_out *o); /* of zeroed memory */

/* Whether the reader has room; what is said where it has none waits in memory. */
bool echo_out_ready(struct echo_out *o);

/* Writes all of text or keeps the rest for the next call; false with errno where stdout is broken.
 * For out_divert: o is a struct echo_out. */
bool echo_out_write(void *o, const char *text, size_t n);

/* The run ends: whoever waits, and who would, goes on. Any thread. */
void echo_out_hurry(struct echo_out *o);

/* Before the last words: waits for room once more. */
bool echo_out_last(struct echo_out *o);

/* After them. false where some of them were not taken. */
bool echo_out_end(struct echo_out *o);

/* Whether there is a reader for a sentence on standard error, though the one of stdout stopped. */
bool echo_out_may_say(void);

#endif
