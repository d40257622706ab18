/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/version.h"
#include "cli/out.h"
#include "cli/ping.h"
#include "cli/xalloc.h"
#include "feature/scale.h"

/* One page without anything from elsewhere: it opens from a mail or a ticket, offline. */

enum { W = 960, H = 260, LEFT = 70, RIGHT = 10, TOP = 12, BOTTOM = 34, LOSS_H = 40, CLASSES = 60 };

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n<style>\n"
    ":root{--fg:#1c2430;--mut:#667;--bg:#fff;--grid:#dde2e8;--rtt:#1667b7;--band:#9cc4ea;"
    "--bad:#c62828;--warn:#e08a00}\n"
    "@media(prefers-color-scheme:dark){:root{--fg:#e6e9ee;--mut:#99a;--bg:#14181e;--grid:#2c333c;"
    "--rtt:#6db3f2;--band:#2a5580;--bad:#ff6b6b;--warn:#ffb74d}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--fg);background:var(--bg);"
    "max-width:1000px;margin:2em auto;padding:0 1em}\n"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .9em;text-align:right;"
    "border-bottom:1px solid var(--grid);font-variant-numeric:tabular-nums}"
    "th{color:var(--mut);font-weight:500}td:first-child,th:first-child{text-align:left}\n"
    "svg{width:100%;height:auto;display:block;margin-top:1em}text{fill:var(--mut);font:12px "
    "system-ui,sans-serif}"
    ".cards{display:flex;flex-wrap:wrap;gap:.8em}.card{border:1px solid var(--grid);"
    "border-radius:8px;padding:.6em 1em;min-width:7em}.card b{display:block;font-size:1.5em}"
    ".card span{color:var(--mut)}.bad b{color:var(--bad)}.note{color:var(--mut)}\n"
    "</style>\n";

static void put_escaped(FILE *f, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '&':
			fputs("&amp;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*s, f);
		}
	}
}

static void card(FILE *f, bool bad, const char *label, const char *value)
{
	fprintf(f, "<div class=\"card%s\"><b>%s</b><span>%s</span></div>\n", bad ? " bad" : "",
		value, label);
}

static void card_count(FILE *f, bool bad, const char *label, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	card(f, bad && n, label, text);
}

static void put_cards(FILE *f, const struct ping_figures *s)
{
	char loss[32];

	fputs("<div class=\"cards\">\n", f);
	snprintf(loss, sizeof(loss), "%.3g %%", s->loss * 100);
	card(f, s->lost > 0, "lost", loss);
	card(f, false, "median RTT", ping_ms(s->rtt.p50));
	card(f, false, "99th percentile", ping_ms(s->rtt.p99));
	card(f, false, "maximum", ping_ms(s->rtt.max));
	card_count(f, false, "sent", s->sent);
	card_count(f, false, "received", s->received);
	card_count(f, true, "late", s->late);
	card_count(f, true, "duplicate", s->duplicate);
	card_count(f, true, "reordered", s->reordered);
	card_count(f, true, "corrupted", s->corrupted);
	card_count(f, true, "ICMP errors", s->icmp_total);
	card_count(f, true, "not sent", s->send_errors);
	fputs("</div>\n", f);
}

static double x_of(const coo_series *s, double column)
{
	double n = s->used ? (double)s->used : 1;

	return LEFT + column / n * (W - LEFT - RIGHT);
}

static double y_of(double ns, double top)
{
	return TOP + (1 - ns / top) * (H - TOP - BOTTOM - LOSS_H);
}

static void put_grid(FILE *f, double top)
{
	for (int i = 0; i <= 4; i++) {
		double v = top * i / 4, y = y_of(v, top);
		char text[OUT_DURATION_CAP];

		fprintf(f,
			"<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"var(--grid)\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			LEFT, W - RIGHT, y, y, LEFT - 6, y + 4,
			i ? out_duration_fine((coo_time)v, text) : "0");
	}
}

/* The range from minimum to maximum as a band, the mean as a line that breaks where nothing came.
 */
static void put_latency(FILE *f, const coo_series *s, double top)
{
	double width = x_of(s, 1) - x_of(s, 0);
	bool drawing = false;

	for (size_t i = 0; i < s->used; i++) {
		const coo_series_column *c = &s->column[i];
		double high = y_of((double)c->max, top), low = y_of((double)c->min, top);

		if (c->n)
			fprintf(f,
				"<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
				"fill=\"var(--band)\"/>\n",
				x_of(s, (double)i), high, width > 1 ? width : 1,
				low - high > 1 ? low - high : 1);
	}
	fputs("<path fill=\"none\" stroke=\"var(--rtt)\" stroke-width=\"1.5\" d=\"", f);
	for (size_t i = 0; i < s->used; i++) {
		const coo_series_column *c = &s->column[i];

		if (c->n)
			fprintf(f, "%s%.2f %.2f", drawing ? "L" : "M", x_of(s, (double)i + 0.5),
				y_of((double)c->sum / (double)c->n, top));
		drawing = c->n > 0;
	}
	fputs("\"/>\n", f);
}

static void put_loss(FILE *f, const coo_series *s)
{
	double base = H - BOTTOM, width = x_of(s, 1) - x_of(s, 0);

	fprintf(f, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">loss</text>\n", LEFT - 6,
		base - 8);
	for (size_t i = 0; i < s->used; i++) {
		const coo_series_column *c = &s->column[i];
		uint64_t bad = c->lost + c->corrupted + c->unsent, all = c->n + bad;
		double h = all ? (LOSS_H - 8) * (double)bad / (double)all : 0;

		if (!bad)
			continue;
		if (h < 3)
			h = 3;
		fprintf(
		    f,
		    "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"var(--%s)\">"
		    "<title>%" PRIu64 " of %" PRIu64 " lost, %" PRIu64 " corrupted, %" PRIu64
		    " not sent</title></rect>\n",
		    x_of(s, (double)i), base - h, width > 2 ? width : 2, h,
		    c->lost ? "bad" : "warn", c->lost, all, c->corrupted, c->unsent);
	}
	fprintf(f, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"var(--mut)\"/>\n",
		LEFT, W - RIGHT, base, base);
}

static void put_time_axis(FILE *f, const coo_series *s)
{
	for (int i = 0; i <= 4; i++) {
		coo_time t = s->width * s->used * (coo_time)i / 4;
		double x = x_of(s, (double)s->used * i / 4);
		char text[OUT_DURATION_CAP];

		fprintf(f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", x, H - 12,
			i == 0	 ? "start"
			: i == 4 ? "end"
				 : "middle",
			i ? out_duration_fine(t, text) : "0");
	}
}

static void put_series(FILE *f, const coo_flow *flow)
{
	const coo_series *s = &flow->series;
	double top = coo_scale_nice((double)flow->account.rtt.max);

	fprintf(f,
		"<svg class=\"series\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"round-trip time and loss over time\">\n",
		W, H);
	put_grid(f, top);
	put_latency(f, s, top);
	put_loss(f, s);
	put_time_axis(f, s);
	fputs("</svg>\n", f);
}

/* Counts of the classes between the edges; returns the largest. */
static uint64_t classify(const coo_hist *h, const double *edge, uint64_t *n)
{
	uint64_t most = 1;
	size_t class = 0;

	for (size_t i = 0; i < COO_HIST_BUCKETS; i++) {
		while (class + 1 < CLASSES && (double)coo_hist_low(i) + 1 >= edge[class + 1])
			class ++;
		n[class] += h->bucket[i];
		if (n[class] > most)
			most = n[class];
	}
	return most;
}

static void put_bars(FILE *f, const uint64_t *n, uint64_t most)
{
	double width = (double)(W - LEFT - RIGHT) / CLASSES;

	for (size_t i = 0; i < CLASSES; i++) {
		double tall = 150.0 * (double)n[i] / (double)most;

		if (n[i])
			fprintf(f,
				"<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
				"fill=\"var(--rtt)\"><title>%" PRIu64 "</title></rect>\n",
				LEFT + width * (double)i, 165 - (tall > 1 ? tall : 1), width - 1,
				tall > 1 ? tall : 1, n[i]);
	}
}

static void put_histogram(FILE *f, const coo_hist *h)
{
	static const char *const anchors[] = { "start", "middle", "middle", "middle", "end" };
	uint64_t n[CLASSES] = { 0 }, most;
	double edge[CLASSES + 1];
	char text[OUT_DURATION_CAP];

	/* a round trip of no time at all has a place on the scale too */
	coo_scale_geometric((double)h->min + 1, (double)h->max + 2, CLASSES, edge);
	most = classify(h, edge, n);
	fprintf(f,
		"<svg class=\"histogram\" viewBox=\"0 0 %d 200\" role=\"img\" "
		"aria-label=\"histogram of the round-trip time\">\n",
		W);
	put_bars(f, n, most);
	for (size_t i = 0; i <= 4; i++)
		fprintf(f, "<text x=\"%.1f\" y=\"185\" text-anchor=\"%s\">%s</text>\n",
			LEFT + (W - LEFT - RIGHT) * (double)i / 4, anchors[i],
			out_duration_fine((coo_time)edge[CLASSES * i / 4], text));
	fprintf(f, "<text x=\"%d\" y=\"20\" text-anchor=\"end\">%" PRIu64 "</text>\n</svg>\n",
		LEFT - 6, most);
}

static void put_row(FILE *f, const char *name, const struct ping_spread *s)
{
	const struct ping_value v[] = { s->min, s->avg, s->p50,	 s->p90,
					s->p95, s->p99, s->p999, s->max };

	fprintf(f, "<tr><td>%s</td>", name);
	for (size_t i = 0; i < COO_ARRAY_LEN(v); i++)
		fprintf(f, "<td>%s</td>", ping_ms(v[i]));
	fputs("</tr>\n", f);
}

static void put_target(FILE *f, const struct ping *g, const struct ping_target *t)
{
	struct ping_spread timer = ping_spread_of(coo_prober_timer(g->prober));
	struct ping_figures s;
	coo_hist *h = xcalloc(1, sizeof(*h));

	ping_figures_of(g, t->flows, t->n, &s);
	fputs("<section>\n<h2>", f);
	put_escaped(f, t->name);
	fputs("</h2>\n", f);
	put_cards(f, &s);
	for (size_t i = 0; i < t->n && i < 16; i++) {
		if (t->n > 1)
			fprintf(f, "<p class=\"note\">source port %u, %zu bytes%s</p>\n",
				(unsigned)t->flows[i]->local_port, t->flows[i]->spec.size,
				t->flows[i]->spec.df ? ", DF" : "");
		put_series(f, t->flows[i]);
	}
	for (size_t i = 0; i < t->n; i++)
		coo_hist_merge(h, &t->flows[i]->account.rtt);
	if (h->n)
		put_histogram(f, h);
	fputs("<table><tr><th></th><th>min</th><th>mean</th><th>median</th><th>p90</th><th>p95</th>"
	      "<th>p99</th><th>p99.9</th><th>max</th></tr>\n",
	      f);
	put_row(f, "round trip", &s.rtt);
	put_row(f, "IPDV", &s.ipdv);
	fprintf(f, "</table>\n<p class=\"note\">%s timestamps; jitter %.3f ms. ",
		ping_clock_name(coo_flow_clock(t->flows[0])), s.jitter / 1e6);
	if (timer.n)
		fprintf(f,
			"Own timer late by median %s, p99 %s, max %s: no probe left where the line "
			"has a gap without loss.",
			ping_ms(timer.p50), ping_ms(timer.p99), ping_ms(timer.max));
	fputs("</p>\n</section>\n", f);
	free(h);
}

bool ping_report(const struct ping *g)
{
	FILE *f = fopen(g->o->report, "we");
	char now[COO_RFC3339_CAP];
	bool ok;

	if (!f) {
		say_error("cannot write --report %s: %s", g->o->report, strerror(errno));
		return false;
	}
	fputs(head, f);
	fputs("<title>coo ping: ", f);
	put_escaped(f, g->targets[0].name);
	fprintf(f,
		"</title>\n</head>\n<body>\n<h1>UDP echo report</h1>\n<p class=\"note\">%s, coo "
		"%s. Band: smallest to largest round trip; line: mean; red: lost; orange: "
		"corrupted or not sent.</p>\n",
		coo_clock_rfc3339(coo_clock_wall(), now), COO_VERSION);
	for (size_t t = 0; t < g->n_targets; t++)
		put_target(f, g, &g->targets[t]);
	fputs("</body>\n</html>\n", f);
	ok = !ferror(f);
	ok = fclose(f) == 0 && ok;
	if (!ok)
		say_error("cannot write --report %s: %s", g->o->report, strerror(errno));
	return ok;
}
