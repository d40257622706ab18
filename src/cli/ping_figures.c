/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/ping.h"
#include "cli/xalloc.h"

static struct ping_value quantile(const coo_hist *h, double q)
{
	struct ping_value v = { coo_hist_supports(h, q), coo_hist_quantile(h, q) };

	return v;
}

struct ping_spread ping_spread_of(const coo_hist *h)
{
	struct ping_spread s = { .n = h->n };

	s.min = (struct ping_value){ h->n > 0, h->min };
	s.max = (struct ping_value){ h->n > 0, h->max };
	s.avg = (struct ping_value){ h->n > 0, coo_hist_mean(h) };
	s.p50 = quantile(h, 0.5);
	s.p90 = quantile(h, 0.9);
	s.p95 = quantile(h, 0.95);
	s.p99 = quantile(h, 0.99);
	s.p999 = quantile(h, 0.999);
	s.stddev = coo_hist_stddev(h);
	return s;
}

static void add_direction(const coo_flow *f, struct ping_figures *out, bool first)
{
	uint64_t up, down;
	bool known = coo_oneway_loss(&f->oneway, &up, &down);

	out->has_direction = known && (first || out->has_direction);
	if (known) {
		out->lost_up += up;
		out->lost_down += down;
	}
}

static void add_flow(const coo_flow *f, struct ping_figures *out)
{
	const coo_account *a = &f->account;

	out->sent += a->sent;
	out->received += a->received;
	out->lost += a->lost;
	out->pending += coo_account_pending(a);
	out->late += a->late;
	out->duplicate += a->duplicate;
	out->reordered += a->reordered;
	if (a->reorder_extent > out->reorder_extent)
		out->reorder_extent = a->reorder_extent;
	out->corrupted += a->corrupted;
	out->damaged += a->damaged;
	out->foreign += a->foreign;
	out->send_errors += f->send_errors;
	out->clock_steps += a->clock_steps;
	out->overrun += a->overrun;
	out->bytes_sent += a->bytes_sent;
	out->bytes_received += a->bytes_received;
	out->ip_bytes_sent += a->bytes_sent + a->sent * coo_flow_overhead(f);
	out->jitter += a->jitter * (double)a->received;
	for (size_t i = 0; i < COO_ICMP_COUNT; i++) {
		out->icmp[i] += f->icmp[i];
		out->icmp_total += f->icmp[i];
	}
}

static void set_rates(const struct ping *g, const coo_flow *const *flows, size_t n,
		      struct ping_figures *out)
{
	coo_time first = COO_NEVER, last = 0;

	for (size_t i = 0; i < n; i++) {
		const coo_account *a = &flows[i]->account;

		if (a->sent && a->first_sent < first)
			first = a->first_sent;
		if (a->last_sent > last)
			last = a->last_sent;
	}
	out->elapsed = coo_prober_elapsed(g->prober);
	if (out->sent > 1 && last > first)
		out->rate = (double)(out->sent - 1) * 1e9 / (double)(last - first);
}

bool ping_has_replier(const coo_flow *f, const coo_addr *host)
{
	for (size_t i = 0; i < f->n_repliers; i++) {
		if (coo_addr_eq_ip(&f->repliers[i].addr, host))
			return true;
	}
	return false;
}

static uint64_t missing(const struct ping *g, const coo_flow *f)
{
	uint64_t n = 0;

	for (size_t i = 0; i < g->n_expect; i++)
		n += !ping_has_replier(f, &g->expect[i].addr);
	return n;
}

void ping_figures_of(const struct ping *g, const coo_flow *const *flows, size_t n,
		     struct ping_figures *out)
{
	coo_hist *rtt = xcalloc(1, sizeof(*rtt)), *ipdv = xcalloc(1, sizeof(*ipdv));
	uint64_t settled;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		add_flow(flows[i], out);
		add_direction(flows[i], out, i == 0);
		coo_hist_merge(rtt, &flows[i]->account.rtt);
		coo_hist_merge(ipdv, &flows[i]->account.ipdv);
	}
	out->missing = missing(g, flows[0]);
	settled = out->sent - out->pending;
	out->loss = settled ? (double)out->lost / (double)settled : 0;
	out->jitter = out->received ? out->jitter / (double)out->received : 0;
	out->rtt = ping_spread_of(rtt);
	out->ipdv = ping_spread_of(ipdv);
	set_rates(g, flows, n, out);
	free(rtt);
	free(ipdv);
}

const char *ping_send_error(const struct ping_target *t)
{
	int e = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->flows[i]->last_errno)
			e = t->flows[i]->last_errno;
	}
	switch (e) {
	case EACCES:
		return "Permission denied; a broadcast address needs --broadcast";
	case EPERM:
		return "Operation not permitted; a firewall of this host may refuse it";
	case EMSGSIZE:
		return "longer than the interface lets pass unfragmented";
	default:
		return strerror(e);
	}
}

enum kind { COUNT, PART, TIME, REAL_TIME };

/* clang-format off */
static const struct {
	const char *name;
	enum kind kind;
	size_t at;
} figures[] = {
#define FIGURE(name, kind, field) { name, kind, offsetof(struct ping_figures, field) }
	FIGURE("sent", COUNT, sent), FIGURE("received", COUNT, received), FIGURE("lost", COUNT, lost),
	FIGURE("late", COUNT, late), FIGURE("duplicate", COUNT, duplicate),
	FIGURE("reordered", COUNT, reordered), FIGURE("corrupted", COUNT, corrupted),
	FIGURE("foreign", COUNT, foreign), FIGURE("icmp", COUNT, icmp_total),
	FIGURE("send-errors", COUNT, send_errors), FIGURE("missing", COUNT, missing),
	FIGURE("loss", PART, loss),
	FIGURE("min", TIME, rtt.min), FIGURE("avg", TIME, rtt.avg), FIGURE("median", TIME, rtt.p50),
	FIGURE("p50", TIME, rtt.p50), FIGURE("p90", TIME, rtt.p90), FIGURE("p95", TIME, rtt.p95),
	FIGURE("p99", TIME, rtt.p99), FIGURE("p99.9", TIME, rtt.p999), FIGURE("p999", TIME, rtt.p999),
	FIGURE("max", TIME, rtt.max), FIGURE("stddev", REAL_TIME, rtt.stddev),
	FIGURE("ipdv", TIME, ipdv.avg), FIGURE("ipdv-p99", TIME, ipdv.p99),
	FIGURE("ipdv-max", TIME, ipdv.max), FIGURE("jitter", REAL_TIME, jitter),
#undef FIGURE
};
/* clang-format on */

static bool read_figure(const void *at, enum kind kind, double *value)
{
	struct ping_value v;
	uint64_t count;

	switch (kind) {
	case COUNT:
		memcpy(&count, at, sizeof(count));
		*value = (double)count;
		return true;
	case PART:
	case REAL_TIME:
		memcpy(value, at, sizeof(*value));
		return true;
	case TIME:
		memcpy(&v, at, sizeof(v));
		*value = v.has ? (double)v.ns : -1;
		return true;
	}
	return false;
}

bool ping_figure(const struct ping_figures *f, const char *name, double *value, bool *is_time)
{
	for (size_t i = 0; i < COO_ARRAY_LEN(figures); i++) {
		if (strcmp(figures[i].name, name) != 0)
			continue;
		*is_time = figures[i].kind == TIME || figures[i].kind == REAL_TIME;
		return read_figure((const char *)f + figures[i].at, figures[i].kind, value);
	}
	return false;
}

const char *ping_clock_name(enum coo_probe_clock c)
{
	switch (c) {
	case COO_CLOCK_KERNEL:
		return "kernel";
	case COO_CLOCK_KERNEL_RX:
		return "kernel-rx";
	case COO_CLOCK_USER:
		break;
	}
	return "user";
}
