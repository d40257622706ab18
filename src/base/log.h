/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_LOG_H
#define COO_BASE_LOG_H

#include <stdarg.h>
#include <stddef.h>

#include "proto/attr.h"

/* One sink for talk about what happens (never for results): the embedding program sets it once,
 * before anything else of the library runs. Without one, nothing is written. */
enum coo_log_level {
	COO_LOG_ERROR,
	COO_LOG_WARN,
	COO_LOG_INFO,  /* coo -v */
	COO_LOG_DEBUG, /* coo -vv */
};

/* text is one line without its line feed, borrowed for the call; already safe for a terminal. */
typedef void coo_log_fn(void *user, enum coo_log_level level, const char *text);

void coo_log_set(coo_log_fn *fn, void *user, enum coo_log_level up_to);

/* Writes one line where level is wanted. What came from the network is escaped here: C0, C1, bidi
 * controls. */
COO_PRINTF(2, 3) void coo_log(enum coo_log_level level, const char *fmt, ...);

/* Formats a sentence for people into cap bytes, cut where it does not fit. Nothing is escaped. */
COO_PRINTF(3, 0) void coo_log_format(char *text, size_t cap, const char *fmt, va_list ap);

#endif
