/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/out.h"
#include "cli/ping.h"
#include "cli/xalloc.h"
#include "feature/scale.h"

enum { ROWS = 8, MARGIN = 12, WIDTH_MIN = 30, WIDTH_MAX = 200, BARS = 12 };

static const char *const eighths[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const lefts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };

static size_t terminal_width(void)
{
	struct winsize ws;
	const char *columns = getenv("COLUMNS");
	uint64_t n = 80;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col)
		n = ws.ws_col;
	else if (columns && !opt_parse_uint(columns, &n))
		n = 80;
	if (n < WIDTH_MIN)
		n = WIDTH_MIN;
	return n > WIDTH_MAX ? WIDTH_MAX : (size_t)n;
}

/* The series squeezed (never stretched) into so many columns as there is room for. */
struct chart {
	coo_series_column *column;
	size_t n;
	uint64_t max;	/* of the RTT drawn */
	coo_time width; /* of one column */
	uint64_t lost, corrupted;
};

static void build_chart(const struct ping_target *t, size_t room, struct chart *c)
{
	const coo_series *first = &t->flows[0]->series;
	size_t per;

	memset(c, 0, sizeof(*c));
	c->width = first->width;
	c->column = xcalloc(room, sizeof(*c->column));
	for (size_t i = 0; i < t->n; i++) {
		if (t->flows[i]->series.used > c->n)
			c->n = t->flows[i]->series.used;
		if (t->flows[i]->series.width > c->width)
			c->width = t->flows[i]->series.width;
	}
	per = (c->n + room - 1) / room;
	if (per == 0)
		per = 1;
	c->width *= per;
	c->n = 0;
	for (size_t i = 0; i < t->n; i++) {
		const coo_series *s = &t->flows[i]->series;

		for (size_t k = 0; k < s->used; k++) {
			size_t at = (size_t)(k * s->width / c->width);

			if (at >= room)
				continue;
			coo_series_join(&c->column[at], &s->column[k]);
			if (at + 1 > c->n)
				c->n = at + 1;
		}
	}
	for (size_t i = 0; i < c->n; i++) {
		if (c->column[i].max > c->max)
			c->max = c->column[i].max;
		c->lost += c->column[i].lost;
		c->corrupted += c->column[i].corrupted;
	}
}

static void put_scale(uint64_t ns)
{
	char text[OUT_DURATION_CAP];
	int pad = MARGIN - 2 - (int)coo_utf8_width(coo_span_str(out_duration(ns, text)));

	out_text("%*s%s ", pad > 0 ? pad : 0, "", text);
}

/* How many eighths of row (0 at the bottom) a value fills. */
static size_t fill_of(uint64_t v, uint64_t max, size_t row)
{
	uint64_t whole = max ? (v * ROWS * 8 + max - 1) / max : 0;

	if (whole <= row * 8)
		return 0;
	return whole - row * 8 > 8 ? 8 : (size_t)(whole - row * 8);
}

static void draw_latency(const struct chart *c)
{
	const char *dim = out_has_color() ? "\033[36m" : "",
		   *bold = out_has_color() ? "\033[1;36m" : "";
	const char *plain = out_has_color() ? "\033[0m" : "";

	for (size_t row = ROWS; row-- > 0;) {
		if (c->max && (row == ROWS - 1 || row == ROWS / 2 - 1))
			put_scale(c->max * (row + 1) / ROWS);
		else
			out_text("%*s", MARGIN - 1, "");
		out_text("┤");
		for (size_t i = 0; i < c->n; i++) {
			const coo_series_column *k = &c->column[i];
			size_t avg = k->n ? fill_of(k->sum / k->n, c->max, row) : 0;
			size_t max = fill_of(k->max, c->max, row);

			/* up to the mean as a solid bar, from there to the maximum as a shade */
			if (avg)
				out_text("%s%s%s", bold, eighths[avg], plain);
			else
				out_text("%s%s%s", dim, max ? "░" : " ", plain);
		}
		out_text("\n");
	}
}

static const char *loss_mark(const coo_series_column *k)
{
	uint64_t all = k->n + k->lost + k->corrupted;

	if (k->lost == 0)
		return k->unsent ? "!" : k->corrupted ? "x" : k->late ? "~" : all ? "·" : " ";
	return eighths[(k->lost * 8 + all - 1) / all];
}

static bool is_bad(const coo_series_column *k)
{
	return k->lost || k->corrupted || k->unsent;
}

static void draw_loss(const struct chart *c)
{
	const char *red = out_has_color() ? "\033[31m" : "",
		   *plain = out_has_color() ? "\033[0m" : "";

	out_text("%*s┤", MARGIN - 1, "lost ");
	for (size_t i = 0; i < c->n; i++)
		out_text("%s%s%s", is_bad(&c->column[i]) ? red : "", loss_mark(&c->column[i]),
			 plain);
	out_text("\n");
}

static void draw_time(const struct chart *c)
{
	char each[OUT_DURATION_CAP], all[OUT_DURATION_CAP];

	out_text("%*s└", MARGIN - 1, "");
	for (size_t i = 0; i < c->n; i++)
		out_text("─");
	out_text("\n%*s 0 to %s, a column is %s\n", MARGIN - 1, "",
		 out_duration(c->width * c->n, all), out_duration(c->width, each));
	out_text("%*s · none lost, ~ late, x corrupted, ! not sent\n", MARGIN - 1, "");
}

/* --- histogram: BARS classes of equal ratio between minimum and maximum
 * ----------------------------- */

static uint64_t count_between(const coo_hist *h, uint64_t low, uint64_t high)
{
	uint64_t n = 0;

	for (size_t i = 0; i < COO_HIST_BUCKETS; i++) {
		uint64_t at = coo_hist_low(i);

		if (at >= low && at < high)
			n += h->bucket[i];
	}
	return n;
}

static void draw_bar(uint64_t low, uint64_t high, uint64_t n, uint64_t most, size_t room)
{
	char a[OUT_DURATION_CAP], b[OUT_DURATION_CAP];
	size_t eighth = most ? (size_t)((n * room * 8 + most - 1) / most) : 0;
	int pad;

	out_duration_fine(low, a);
	out_duration_fine(high, b);
	pad = 10 - (int)coo_utf8_width(coo_span_str(a));
	out_text("%*s%s – %s", pad > 0 ? pad : 0, "", a, b);
	pad = 10 - (int)coo_utf8_width(coo_span_str(b));
	out_text("%*s ", pad > 0 ? pad : 0, "");
	for (size_t i = 0; i < eighth / 8; i++)
		out_text("█");
	out_text("%s %" PRIu64 "\n", lefts[eighth % 8], n);
}

static void draw_histogram(const coo_hist *h, size_t width)
{
	uint64_t bound[BARS + 1], n[BARS], most = 0;
	double edge[BARS + 1];

	coo_scale_geometric((double)h->min + 1, (double)h->max + 1, BARS, edge);
	for (size_t i = 0; i <= BARS; i++)
		bound[i] = coo_hist_low(coo_hist_index((uint64_t)(edge[i] - 1)));
	bound[BARS] = coo_hist_high(coo_hist_index(h->max));
	for (size_t i = 0; i < BARS; i++) {
		n[i] = count_between(h, bound[i], bound[i + 1]);
		if (n[i] > most)
			most = n[i];
	}
	for (size_t i = 0; i < BARS; i++) {
		if (bound[i + 1] > bound[i])
			draw_bar(bound[i], bound[i + 1], n[i], most, width > 45 ? width - 35 : 10);
	}
}

void ping_plot(const struct ping *g, const struct ping_target *t)
{
	size_t width = terminal_width();
	coo_hist *h = xcalloc(1, sizeof(*h));
	struct chart c;

	(void)g;
	build_chart(t, width - MARGIN - 1, &c);
	out_text("\n%s: round-trip time (mean █, maximum ░) and loss\n", t->name);
	draw_latency(&c);
	draw_loss(&c);
	draw_time(&c);
	for (size_t i = 0; i < t->n; i++)
		coo_hist_merge(h, &t->flows[i]->account.rtt);
	if (h->n > 1) {
		out_text("\n%s: how often which round-trip time\n", t->name);
		draw_histogram(h, width);
	}
	free(c.column);
	free(h);
}
