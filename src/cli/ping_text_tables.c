/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "cli/out.h"
#include "cli/ping.h"

/* The median of the flows' own value, over an array of at most COO_FLOWS_MAX. */
static double middle(double *v, size_t n)
{
	for (size_t i = 1; i < n; i++) { /* insertion: a few hundred at most */
		double x = v[i];
		size_t k = i;

		for (; k > 0 && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
	return n ? v[n / 2] : 0;
}

static double typical(const struct ping_target *t, double (*value)(const coo_flow *))
{
	double v[COO_FLOWS_MAX];

	for (size_t i = 0; i < t->n; i++)
		v[i] = value(t->flows[i]);
	return middle(v, t->n);
}

static double loss_of(const coo_flow *f)
{
	return coo_account_loss(&f->account);
}

static double median_of(const coo_flow *f)
{
	return (double)coo_hist_quantile(&f->account.rtt, 0.5);
}

static double fast_of(const coo_flow *f)
{
	return (double)coo_hist_quantile(&f->account.rtt, 0.1);
}

static double slow_of(const coo_flow *f)
{
	return (double)coo_hist_quantile(&f->account.rtt, 0.75);
}

/* Its median is twice what is usual here and more, and that is no scatter: nine of ten of its
 * answers take longer than three of four of a typical flow's. */
static bool is_slow(const struct ping_target *t, const coo_flow *f)
{
	return f->account.rtt.n >= 5 && median_of(f) > 2 * typical(t, median_of) + 100000 &&
	       fast_of(f) > typical(t, slow_of) + 100000;
}

const char *ping_flow_fault(const struct ping_target *t, size_t i)
{
	const coo_flow *f = t->flows[i];
	double loss = typical(t, loss_of);

	if (t->n < 3 || f->account.sent == 0)
		return NULL;
	if (f->account.received == 0 && loss < 1)
		return "dead";
	/* twice and one probe more than what is usual here */
	if (loss_of(f) > 2 * loss + 1.0 / (double)f->account.sent)
		return "loses more than the others";
	if (is_slow(t, f))
		return "slower than the others";
	return NULL;
}

void ping_text_flows(const struct ping *g, const struct ping_target *t)
{
	out_text("%8s %8s %9s %8s %12s %12s %12s\n", "port", "sent", "received", "loss", "rtt min",
		 "median", "max");
	for (size_t i = 0; i < t->n; i++) {
		const coo_flow *f = t->flows[i];
		const char *fault = ping_flow_fault(t, i);
		struct ping_figures s;

		ping_figures_of(g, &t->flows[i], 1, &s);
		out_text("%8u %8" PRIu64 " %9" PRIu64 " %6.3g %% %12s %12s %12s%s%s\n",
			 (unsigned)f->local_port, s.sent, s.received, s.loss * 100,
			 ping_ms(s.rtt.min), ping_ms(s.rtt.p50), ping_ms(s.rtt.max),
			 fault ? "  <- " : "", fault ? fault : "");
	}
}

uint64_t ping_largest_df(const struct ping *g, const struct ping_target *t)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < g->n_sizes; i++) {
		if (t->flows[2 * i]->account.received && g->sweep_sizes[i] > largest)
			largest = g->sweep_sizes[i];
	}
	return largest;
}

static void print_cell(const struct ping *g, const coo_flow *const *f)
{
	struct ping_figures s;
	char outcome[40];

	ping_figures_of(g, f, 1, &s);
	if (s.sent == 0)
		snprintf(outcome, sizeof(outcome), "%s",
			 (*f)->too_big ? "too big here" : "not sent");
	else
		snprintf(outcome, sizeof(outcome), "%" PRIu64 "/%" PRIu64, s.received, s.sent);
	out_text(" %14s %11s", outcome, ping_ms(s.rtt.p50));
}

void ping_text_sweep(const struct ping *g, const struct ping_target *t)
{
	uint64_t largest = ping_largest_df(g, t);
	size_t overhead = coo_flow_overhead(t->flows[0]);
	bool beyond = false;

	out_text("%7s %7s %14s %11s %14s %11s\n", "size", "IP", "with DF", "median", "without DF",
		 "median");
	for (size_t i = 0; i < g->n_sizes; i++) {
		out_text("%7" PRIu64 " %7" PRIu64, g->sweep_sizes[i], g->sweep_sizes[i] + overhead);
		print_cell(g, &t->flows[2 * i]);
		print_cell(g, &t->flows[2 * i + 1]);
		out_text("\n");
		if (g->sweep_sizes[i] > largest && t->flows[2 * i + 1]->account.received)
			beyond = true;
	}
	if (largest == 0)
		out_text("no size came back with DF set\n");
	else if (largest == g->sweep_sizes[g->n_sizes - 1])
		out_text("every size up to %" PRIu64 " (%" PRIu64
			 " with headers) passes unfragmented\n",
			 largest, largest + overhead);
	else
		out_text("largest that passes unfragmented: %" PRIu64 " (%" PRIu64
			 " with headers); longer ones %s\n",
			 largest, largest + overhead,
			 beyond ? "are fragmented" : "do not come back at all");
}

static void print_replier(const coo_replier *r, uint64_t sent)
{
	char text[COO_ADDR_TEXT_CAP];

	out_text("  %-24s %" PRIu64 " of %" PRIu64, coo_addr_text(&r->addr, text), r->received,
		 sent);
	if (r->received)
		out_text(", rtt min/avg/max %.3f/%.3f/%.3f ms", (double)r->rtt_min / 1e6,
			 (double)r->rtt_sum / (double)r->received / 1e6, (double)r->rtt_max / 1e6);
	if (r->duplicate)
		out_text(", %" PRIu64 " duplicate", r->duplicate);
	if (r->late)
		out_text(", %" PRIu64 " late", r->late);
	out_text("\n");
}

void ping_text_repliers(const struct ping *g, const struct ping_target *t)
{
	const coo_flow *f = t->flows[0];
	struct ping_figures s;

	ping_figures_of(g, t->flows, t->n, &s);
	out_text("%zu host%s answered\n", f->n_repliers, f->n_repliers == 1 ? "" : "s");
	for (size_t i = 0; i < f->n_repliers; i++)
		print_replier(&f->repliers[i], s.sent);
	for (size_t i = 0; i < g->n_expect; i++) {
		if (ping_has_replier(f, &g->expect[i].addr))
			continue;
		out_text("  missing: ");
		out_safe(coo_span_str(g->expect[i].name), COO_UTF8_ONE_LINE);
		out_text("\n");
	}
	if (g->n_expect)
		out_text("%" PRIu64 " of %zu expected host%s missing\n", s.missing, g->n_expect,
			 g->n_expect == 1 ? " is" : "s are");
}
