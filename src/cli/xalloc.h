/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_XALLOC_H
#define COO_CLI_XALLOC_H

#include <stddef.h>

/* Allocation for the program (never for the library): these do not return NULL, they end the
 * process with a message and exit code 4. Give: free(). */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);

#endif
