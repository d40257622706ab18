/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_INPUT_H
#define COO_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Reads stdin to its end, at most cap bytes, without the line feed at its end. False, said on
 * stderr, on failure. Gives *text (NUL-terminated, *n without it): free(). */
bool input_read_all(char **text, size_t *n, size_t cap);

/* Whether stdin is a pipe or a file that holds something unread. */
bool input_is_waiting(void);

#endif
