/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_STATE_H
#define COO_BASE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * Small files that outlive the process, below $COO_STATE_DIR, else $XDG_STATE_HOME/coo, else
 * $HOME/.local/state/coo. Directories are made on demand with mode 0700, files with 0600. A name is
 * one path component without '/' that does not begin with a dot (COO_EUNSAFE).
 */

enum {
	COO_STATE_DIR_CAP = 1024,
	COO_STATE_NAME_MAX = 64,
};

/* The directory, not made yet. COO_ENOENT where none of the variables is an absolute path. */
COO_MUST_CHECK coo_err coo_state_dir(char dir[COO_STATE_DIR_CAP]);

/*
 * Reads a whole file of at most cap bytes into mem; *n is how many they are. COO_ENOENT where there
 * is none, COO_ELIMIT where it is longer, COO_ESYS.
 */
COO_MUST_CHECK coo_err coo_state_read(const char *name, void *mem, size_t cap, size_t *n);

/*
 * Replaces the file as a whole: readers see the old bytes or the new ones, also after a power
 * failure. COO_ENOENT where there is no state directory, COO_ESYS.
 */
COO_MUST_CHECK coo_err coo_state_write(const char *name, coo_span bytes);

/*
 * Packet numbers have to be below 2^31, since a larger one comes back wrong from Windows, and
 * greater than all before, since iptux takes a smaller one for a duplicate (PROTOCOL.md 2). A
 * process therefore reserves a block of them: first … first + n - 1 are its own.
 */
typedef struct coo_state_block {
	uint32_t first, n;
} coo_state_block;

/*
 * Reserves a block that lies above every block reserved before by the same user on this machine,
 * over restarts and over processes that run at once. Who uses up its block reserves another.
 * COO_ESYS or COO_ENOENT (errno is set by both) where the state directory cannot be used: *block is
 * set even then, from the clock alone: it increases over restarts that are a second apart, but
 * processes that start within the same second may share numbers.
 */
COO_MUST_CHECK coo_err coo_state_reserve(coo_state_block *block);

/*
 * Gives back what stands behind the first used numbers, where nobody has reserved since. Where more
 * were used than the block has, those are marked as used too.
 */
void coo_state_give_back(const coo_state_block *block, uint32_t used);

/* coo_state_reserve for who needs the first number only. */
COO_MUST_CHECK coo_err coo_state_packet_no(uint32_t *first);

/*
 * The arithmetic, for the tests: the block that begins at the clock (seconds since 1970) or at
 * next, whichever is greater. Every number below next has been handed out.
 *
 * Each run takes a whole block where it may need one number, so frequent runs get ahead of the
 * clock, and 2^31 is only the year 2038. So blocks shrink with the lead: 4,096 numbers up to a day
 * ahead, 256 up to 30 days, 16 up to a year, then one. At a run a second for ever, nothing given
 * back, the lead reaches a year after a month or so and stays there; ten runs a second would take
 * another year to come to the end. Given back, a run costs what it used, and one a second costs
 * nothing. At the end, and in 2038, numbers start over from the clock modulo 2^31.
 */
coo_state_block coo_state_next_block(uint64_t unix_seconds, uint32_t next);

#endif
