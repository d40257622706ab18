/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_CAPTURE_H
#define COO_CLI_CAPTURE_H

#include <stdbool.h>

#include "cli/strbuf.h"
#include "proto/time.h"

enum { CAPTURE_MAX = 8 << 20 };

/*
 * Runs a program without a shell and takes what it prints: argv[0] is its full name. No input, no
 * stderr. False where it is not there, ends with another code than 0, prints more than CAPTURE_MAX
 * bytes or takes longer than timeout; then it is killed.
 */
bool capture(char *const argv[], coo_time timeout, struct strbuf *out);

/* Whether there is such a program that we may run. */
bool capture_is_there(const char *path);

#endif
