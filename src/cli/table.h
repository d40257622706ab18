/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TABLE_H
#define COO_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* A table on stdout, aligned by what the cells take on a terminal: a Chinese character has two
 * columns. */
struct table_column {
	const char *title;
	bool right; /* numbers */
};

struct table {
	const struct table_column *columns;
	size_t n_columns;
	char **cells; /* row by row */
	size_t n_cells;
};

/* columns: borrowed until table_free. */
void table_init(struct table *t, const struct table_column *columns, size_t n_columns);

/* Adds the next cell, copied; it has to be safe for a terminal (out_safe_dup). */
void table_put(struct table *t, const char *cell);

/* As table_put; takes cell, which free() can free. */
void table_take(struct table *t, char *cell);

/* Prints what is there, titles first, unless there is no row. */
void table_print(const struct table *t);

void table_free(struct table *t);

#endif
