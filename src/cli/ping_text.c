/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "cli/out.h"
#include "cli/ping.h"

const char *ping_ms(struct ping_value v)
{
	static char text[8][24];
	static size_t next;
	char *t = text[next++ % 8];

	if (!v.has)
		return "-";
	snprintf(t, sizeof(text[0]), "%.3f ms", (double)v.ns / 1e6);
	return t;
}

static struct ping_value of_real(double ns, bool has)
{
	struct ping_value v = { has, (uint64_t)(ns + 0.5) };

	return v;
}

static void print_counts(const struct ping_figures *f)
{
	out_text("%" PRIu64 " sent, %" PRIu64 " received, %" PRIu64 " lost (%.3g %%)", f->sent,
		 f->received, f->lost, f->loss * 100);
	if (f->has_direction)
		out_text(", %" PRIu64 " on the way up, %" PRIu64 " on the way down", f->lost_up,
			 f->lost_down);
	if (f->pending)
		out_text(", %" PRIu64 " still awaited", f->pending);
	out_text("\n%" PRIu64 " late, %" PRIu64 " duplicate, %" PRIu64 " reordered, %" PRIu64
		 " corrupted, %" PRIu64 " foreign, %" PRIu64 " ICMP errors\n",
		 f->late, f->duplicate, f->reordered, f->corrupted, f->foreign, f->icmp_total);
}

static void print_oddities(const struct ping_target *t, const struct ping_figures *f)
{
	for (size_t i = 0; i < COO_ICMP_COUNT; i++) {
		if (f->icmp[i])
			out_text("  ICMP %s: %" PRIu64 "\n", coo_icmp_key((enum coo_icmp_kind)i),
				 f->icmp[i]);
	}
	if (f->reorder_extent > 1)
		out_text("  reordered by up to %" PRIu64 " probes\n", f->reorder_extent);
	if (f->damaged != f->corrupted)
		out_text("  %" PRIu64 " damaged datagrams in all\n", f->damaged);
	if (f->send_errors)
		out_text("  %" PRIu64 " probe%s could not be sent: %s\n", f->send_errors,
			 f->send_errors == 1 ? "" : "s", ping_send_error(t));
	if (f->clock_steps)
		out_text("  the system clock was set %" PRIu64
			 " times; RTT is from the monotonic clock there\n",
			 f->clock_steps);
	if (f->overrun)
		out_text("  %" PRIu64 " probes were given up early: too many on the way at once\n",
			 f->overrun);
}

static void print_rtt(const struct ping_figures *f, const char *clock)
{
	const struct ping_spread *r = &f->rtt;

	if (r->n == 0)
		return;
	out_text("rtt min/avg/max/stddev = %s/%s/%s/%s\n", ping_ms(r->min), ping_ms(r->avg),
		 ping_ms(r->max), ping_ms(of_real(r->stddev, true)));
	out_text("rtt median/p90/p95/p99/p99.9 = %s/%s/%s/%s/%s\n", ping_ms(r->p50),
		 ping_ms(r->p90), ping_ms(r->p95), ping_ms(r->p99), ping_ms(r->p999));
	if (f->ipdv.n)
		out_text("ipdv avg/p99/max = %s/%s/%s, jitter = %s\n", ping_ms(f->ipdv.avg),
			 ping_ms(f->ipdv.p99), ping_ms(f->ipdv.max),
			 ping_ms(of_real(f->jitter, true)));
	out_text("clock: %s timestamps\n", clock);
}

static void print_path(const char *way, const coo_oneway_path *p, uint64_t n, bool bounded)
{
	struct ping_spread s = ping_spread_of(&p->ipdv);

	out_text("%s: varies by %s", way, ping_ms(of_real((double)(p->max - p->min), true)));
	if (s.n)
		out_text(", ipdv avg/max = %s/%s", ping_ms(s.avg), ping_ms(s.max));
	if (bounded)
		out_text(", delay min/avg/max = %.3f/%.3f/%.3f ms", (double)p->min / 1e6,
			 p->sum / (double)n / 1e6, (double)p->max / 1e6);
	out_text("\n");
}

static void print_oneway(const coo_flow *f)
{
	const coo_oneway *o = &f->oneway;

	if (o->answers == 0)
		return;
	print_path("up", &o->up, o->answers, o->bound != UINT64_MAX);
	print_path("down", &o->down, o->answers, o->bound != UINT64_MAX);
	if (o->bound == UINT64_MAX)
		out_text("one-way delays are not shown: the clocks are not known to be "
			 "synchronized\n");
	else
		out_text("one-way delays hold within +-%s of the clocks' stated error\n",
			 ping_ms(of_real((double)o->bound, true)));
}

static void print_traffic(const struct ping *g, const struct ping_figures *f)
{
	const coo_hist *timer = coo_prober_timer(g->prober);
	struct ping_spread t = ping_spread_of(timer);
	char span[OUT_DURATION_CAP];

	out_text("%" PRIu64 " bytes sent (%" PRIu64 " with headers), %" PRIu64 " received in %s",
		 f->bytes_sent, f->ip_bytes_sent, f->bytes_received,
		 out_duration(f->elapsed, span));
	if (f->rate > 0)
		out_text(", %.6g probes/s", f->rate);
	out_text("\n");
	if (t.n)
		out_text("own timer late by median/p99/max = %s/%s/%s\n", ping_ms(t.p50),
			 ping_ms(t.p99), ping_ms(t.max));
}

/* proto/PROTOCOL.md, 12: coo answers an address, port and command twice a second. */
#define PEER_PATIENCE COO_MS(500)

static void print_hints(const struct ping *g, const struct ping_target *t,
			const struct ping_figures *f)
{
	char text[COO_ADDR_TEXT_CAP];

	if (g->o->peer && f->lost && g->o->interval < PEER_PATIENCE)
		out_text("messengers bound how often they answer (coo: twice a second): with -i "
			 "500ms or more a loss is one\n");

	for (size_t i = 0; i < t->n; i++) {
		const coo_flow *flow = t->flows[i];

		if (flow->wrong_source) {
			out_text("answers come from %s instead of %s: a service that does not "
				 "answer from the address it was asked on\n",
				 coo_addr_text(&flow->wrong_addr, text), t->name);
			return;
		}
	}
}

void ping_text_summary(const struct ping *g, const struct ping_target *t)
{
	struct ping_figures f;
	const coo_flow *first = t->flows[0];

	ping_figures_of(g, t->flows, t->n, &f);
	out_text("--- %s: echo statistics ---\n", t->name);
	if (g->n_sizes)
		ping_text_sweep(g, t);
	else if (g->per_target > 1)
		ping_text_flows(g, t);
	print_counts(&f);
	print_oddities(t, &f);
	print_rtt(&f, ping_clock_name(coo_flow_clock(first)));
	if (g->o->stamp)
		print_oneway(first);
	if (first->ttl)
		out_text("answers arrive with ttl %d\n", first->ttl);
	print_traffic(g, &f);
	print_hints(g, t, &f);
	if (g->o->broadcast)
		ping_text_repliers(g, t);
}

void ping_text_state(const struct ping *g)
{
	for (size_t i = 0; i < g->n_targets; i++) {
		const struct ping_target *t = &g->targets[i];
		struct ping_figures f;

		ping_figures_of(g, t->flows, t->n, &f);
		out_flush();
		fprintf(stderr,
			"%s: %" PRIu64 " sent, %" PRIu64 " received, %" PRIu64
			" lost (%.3g %%), %" PRIu64 " awaited, rtt min/avg/p99/max %s/%s/%s/%s\n",
			t->name, f.sent, f.received, f.lost, f.loss * 100, f.pending,
			ping_ms(f.rtt.min), ping_ms(f.rtt.avg), ping_ms(f.rtt.p99),
			ping_ms(f.rtt.max));
	}
}
