/* SPDX-License-Identifier: MIT */
#include "cli/transfer_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/xalloc.h"
#include "proto/utf8.h"

/* How often the terminal is written, and how often a transfer has a line elsewhere. */
#define DRAW_EVERY COO_MS(100)
#define PLAIN_EVERY COO_SEC(5)

enum { LINES_MAX = 64, TEXT_CAP = 400, ROWS_USUAL = 24, COLUMNS_USUAL = 80 };

struct line {
	bool sending;
	coo_addr peer;
	uint64_t packet_no, file_id;
	coo_time said;
	char text[TEXT_CAP];
};

static struct line *lines[LINES_MAX]; /* in the order they came */
static size_t n_lines, drawn;
static coo_time drawn_at;

static size_t find(const struct transfer *t)
{
	size_t i = 0;

	while (i < n_lines &&
	       (lines[i]->sending != t->sending || lines[i]->file_id != t->file_id ||
		lines[i]->packet_no != t->packet_no || !coo_addr_eq(&lines[i]->peer, &t->peer)))
		i++;
	return i;
}

/* NULL: there are too many already, and this one goes without. */
static struct line *find_or_add(const struct transfer *t)
{
	size_t i = find(t);
	struct line *l;

	if (i < n_lines)
		return lines[i];
	if (n_lines == LINES_MAX)
		return NULL;
	l = xcalloc(1, sizeof(*l));
	l->sending = t->sending;
	l->peer = t->peer;
	l->packet_no = t->packet_no;
	l->file_id = t->file_id;
	l->said = coo_clock_now() - (t->took < PLAIN_EVERY ? t->took : PLAIN_EVERY);
	lines[n_lines++] = l;
	return l;
}

static void get_size(size_t *rows, size_t *columns)
{
	struct winsize w;

	*rows = ROWS_USUAL;
	*columns = COLUMNS_USUAL;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) != 0)
		return;
	if (w.ws_row > 1)
		*rows = w.ws_row;
	if (w.ws_col > 1)
		*columns = w.ws_col;
}

/* What fits into a row: a line that wraps could not be written over. */
static size_t fit(const char *text, size_t columns)
{
	size_t n = strlen(text);

	while (n > 0 && coo_utf8_width(coo_span_of(text, n)) >= columns)
		n = coo_utf8_truncate(coo_span_str(text), n - 1);
	return n;
}

void transfer_lines_clear(void)
{
	if (drawn > 1)
		fprintf(stderr, "\033[%zuA", drawn - 1);
	if (drawn > 0)
		fputs("\r\033[J", stderr);
	drawn = 0;
	drawn_at = 0;
}

static void draw(void)
{
	coo_time now = coo_clock_now();
	size_t rows, columns, shown;

	if (drawn > 0 && now - drawn_at < DRAW_EVERY)
		return;
	transfer_lines_clear();
	drawn_at = now;
	get_size(&rows, &columns);
	shown = n_lines < rows ? n_lines : rows - 1;
	for (size_t i = 0; i < shown; i++)
		fprintf(stderr, "%s%.*s", i ? "\n" : "", (int)fit(lines[i]->text, columns),
			lines[i]->text);
	fflush(stderr);
	drawn = shown;
}

void transfer_lines_set(const struct transfer *t, const char *text)
{
	struct line *l = find_or_add(t);
	coo_time now = coo_clock_now();
	size_t n = coo_utf8_truncate(coo_span_str(text), TEXT_CAP - 1);

	if (!l)
		return;
	memcpy(l->text, text, n);
	l->text[n] = '\0';
	if (isatty(STDERR_FILENO)) {
		draw();
	} else if (now - l->said >= PLAIN_EVERY) {
		l->said = now;
		fprintf(stderr, "%s\n", l->text);
	}
}

void transfer_lines_drop(const struct transfer *t)
{
	size_t i = find(t);

	transfer_lines_clear();
	if (i == n_lines)
		return;
	free(lines[i]);
	n_lines--;
	memmove(lines + i, lines + i + 1, (n_lines - i) * sizeof(lines[0]));
}
