/* SPDX-License-Identifier: MIT */
#ifndef COO_TESTS_SUPPORT_TMPDIR_H
#define COO_TESTS_SUPPORT_TMPDIR_H

#include <stddef.h>

/* A fresh directory under TMPDIR (or /tmp) with an open descriptor; it and all beneath it is
 * removed by tmpdir_remove. */
struct tmpdir {
	char path[128];
	int fd;
};

void tmpdir_make(struct tmpdir *t);
void tmpdir_remove(struct tmpdir *t);

/* Writes a whole file; reads one into buf (cap bytes) and returns its length, or -1. */
void tmpdir_write(int at, const char *name, const void *bytes, size_t n);
long tmpdir_read(int at, const char *name, void *buf, size_t cap);

/* How many entries the directory has, "." and ".." not counted. */
size_t tmpdir_count(int at);

#endif
