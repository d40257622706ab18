/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "cli/xalloc.h"
#include "proto/utf8.h"

void table_init(struct table *t, const struct table_column *columns, size_t n_columns)
{
	memset(t, 0, sizeof(*t));
	t->columns = columns;
	t->n_columns = n_columns;
}

void table_take(struct table *t, char *cell)
{
	if ((t->n_cells & (t->n_cells - 1)) == 0) /* full at each power of two */
		t->cells = xrealloc(t->cells, t->n_cells ? t->n_cells * 2 : 1, sizeof(*t->cells));
	t->cells[t->n_cells++] = cell;
}

void table_put(struct table *t, const char *cell)
{
	table_take(t, xstrdup(cell));
}

static size_t width_of(const char *cell)
{
	return coo_utf8_width(coo_span_str(cell));
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = width_of(t->columns[column].title);

	for (size_t i = column; i < t->n_cells; i += t->n_columns) {
		size_t w = width_of(t->cells[i]);

		width = w > width ? w : width;
	}
	return width;
}

/* No blanks at the end of a line. */
static void print_cell(const struct table *t, size_t column, const char *cell, size_t width)
{
	int pad = (int)(width - width_of(cell));
	bool last = column + 1 == t->n_columns;

	if (t->columns[column].right)
		out_text("%*s%s%s", pad, "", cell, last ? "" : "  ");
	else
		out_text("%s%*s", cell, last ? 0 : pad + 2, "");
}

void table_print(const struct table *t)
{
	size_t *widths;

	if (t->n_cells == 0 || t->n_columns == 0)
		return;
	widths = xcalloc(t->n_columns, sizeof(*widths));
	for (size_t c = 0; c < t->n_columns; c++)
		widths[c] = column_width(t, c);
	for (size_t c = 0; c < t->n_columns; c++)
		print_cell(t, c, t->columns[c].title, widths[c]);
	out_text("\n");
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t c = i % t->n_columns;

		print_cell(t, c, t->cells[i], widths[c]);
		if (c + 1 == t->n_columns)
			out_text("\n");
	}
	free(widths);
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
}
