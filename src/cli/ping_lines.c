/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/out.h"
#include "cli/ping.h"

static const char *const status_names[] = {
	[COO_PING_RECEIVED] = "received",   [COO_PING_LATE] = "late",
	[COO_PING_DUPLICATE] = "duplicate", [COO_PING_CORRUPTED] = "corrupted",
	[COO_PING_FOREIGN] = "foreign",	    [COO_PING_LOST] = "lost",
	[COO_PING_ICMP] = "icmp",	    [COO_PING_SEND_ERROR] = "send_error",
};

struct ping_target *ping_target_of(struct ping *g, const coo_flow *f)
{
	for (size_t i = 0; i < g->n_specs; i++) {
		if (g->flow_list[i] == f)
			return &g->targets[i / g->per_target];
	}
	return &g->targets[0];
}

static void book_interval(struct ping *g, const coo_flow *f, const coo_probe_event *ev)
{
	struct ping_interval *i = &ping_target_of(g, f)->interval;

	switch (ev->kind) {
	case COO_PING_RECEIVED:
		i->received++;
		coo_hist_add(&i->rtt, ev->rtt);
		break;
	case COO_PING_LATE:
		i->late++;
		break;
	case COO_PING_DUPLICATE:
		i->duplicate++;
		break;
	case COO_PING_CORRUPTED:
		i->corrupted++;
		break;
	case COO_PING_SEND_ERROR:
		i->send_errors++;
		break;
	case COO_PING_LOST: /* and what an ICMP error settled: from the books */
	case COO_PING_FOREIGN:
	case COO_PING_ICMP:
		break;
	}
}

static void json_times(json_t *o, const coo_probe_event *ev)
{
	if (ev->has_rtt)
		json_object_set_new(o, "rtt_ns", json_integer((json_int_t)ev->rtt));
	if (ev->has_ipdv)
		json_object_set_new(o, "ipdv_ns", json_integer((json_int_t)ev->ipdv));
	if (ev->kind == COO_PING_RECEIVED)
		json_object_set_new(o, "clock", json_string(ping_clock_name(ev->clock)));
	if (ev->has_oneway) {
		json_object_set_new(o, "up_raw_ns", json_integer((json_int_t)ev->up));
		json_object_set_new(o, "down_raw_ns", json_integer((json_int_t)ev->down));
	}
}

static void json_event(struct ping *g, const coo_flow *f, const coo_probe_event *ev)
{
	char text[COO_ADDR_TEXT_CAP];
	json_t *o = out_event("probe");

	json_object_set_new(o, "target", json_string(f->spec.name));
	if (g->per_target > 1 && !g->n_sizes)
		json_object_set_new(o, "source_port", json_integer(f->local_port));
	if (g->n_sizes)
		json_object_set_new(o, "df", json_boolean(f->spec.df));
	json_object_set_new(
	    o, "seq", ev->seq == UINT64_MAX ? json_null() : json_integer((json_int_t)ev->seq));
	json_object_set_new(o, "status", json_string(status_names[ev->kind]));
	json_object_set_new(o, "size", json_integer((json_int_t)ev->size));
	json_object_set_new(o, "from", json_string(coo_addr_text(&ev->from, text)));
	json_times(o, ev);
	if (ev->ttl)
		json_object_set_new(o, "ttl", json_integer(ev->ttl));
	if (ev->reordered)
		json_object_set_new(o, "reordered", json_true());
	if (ev->kind == COO_PING_ICMP)
		json_object_set_new(o, "icmp", json_string(coo_icmp_key(ev->icmp)));
	if (ev->kind == COO_PING_SEND_ERROR)
		json_object_set_new(o, "error", json_string(strerror(ev->error)));
	out_json(o);
}

static void text_answer(const coo_flow *f, const coo_probe_event *ev)
{
	char text[COO_ADDR_TEXT_CAP];

	out_text("%zu bytes from %s: ", ev->size, coo_addr_text(&ev->from, text));
	if (ev->seq != UINT64_MAX)
		out_text("seq=%" PRIu64 " ", ev->seq);
	if (ev->ttl)
		out_text("ttl=%d ", ev->ttl);
	if (ev->has_rtt)
		out_text("rtt=%.3f ms", (double)ev->rtt / 1e6);
	if (ev->has_ipdv)
		out_text(" ipdv=%+.3f ms", (double)ev->ipdv / 1e6);
	if (ev->kind != COO_PING_RECEIVED)
		out_text("%s(%s)", ev->has_rtt ? " " : "", status_names[ev->kind]);
	if (ev->reordered)
		out_text(" (reordered)");
	(void)f;
	out_text("\n");
}

static void text_event(const coo_flow *f, const coo_probe_event *ev)
{
	char text[COO_ADDR_TEXT_CAP];

	switch (ev->kind) {
	case COO_PING_LOST:
		out_text("no answer from %s: seq=%" PRIu64 "\n", f->spec.name, ev->seq);
		return;
	case COO_PING_ICMP:
		out_text("ICMP from %s: %s", coo_addr_ip_text(&ev->from, text),
			 coo_icmp_key(ev->icmp));
		if (ev->seq != UINT64_MAX)
			out_text(" seq=%" PRIu64, ev->seq);
		out_text("\n");
		return;
	case COO_PING_SEND_ERROR:
		out_text("cannot send to %s: seq=%" PRIu64 ": %s\n", f->spec.name, ev->seq,
			 strerror(ev->error));
		return;
	case COO_PING_RECEIVED:
	case COO_PING_LATE:
	case COO_PING_DUPLICATE:
	case COO_PING_CORRUPTED:
	case COO_PING_FOREIGN:
		text_answer(f, ev);
		return;
	}
}

void ping_event(void *ctx, const coo_flow *f, const coo_probe_event *ev)
{
	struct ping *g = ctx;
	char now[COO_RFC3339_CAP];

	if (g->o->interval_stats)
		book_interval(g, f, ev);
	if (g->csv) {
		ping_csv_event(g, f, ev, status_names[ev->kind]);
		if (g->o->interval >= COO_MS(1))
			fflush(g->csv);
	}
	if (!g->lines)
		return;
	if (out_is_json()) {
		json_event(g, f, ev);
	} else {
		if (g->o->timestamp)
			out_text("[%s] ", coo_clock_rfc3339(coo_clock_wall(), now));
		text_event(f, ev);
	}
	if (g->o->interval >= COO_MS(1))
		out_flush();
}

static void json_interval(const struct ping_target *t, uint64_t sent, uint64_t lost)
{
	const struct ping_interval *i = &t->interval;
	json_t *o = out_event("interval"), *rtt = json_object();
	struct ping_spread s = ping_spread_of(&i->rtt);

	json_object_set_new(o, "target", json_string(t->name));
	json_object_set_new(o, "sent", json_integer((json_int_t)sent));
	json_object_set_new(o, "received", json_integer((json_int_t)i->received));
	json_object_set_new(o, "lost", json_integer((json_int_t)lost));
	json_object_set_new(o, "late", json_integer((json_int_t)i->late));
	json_object_set_new(o, "duplicate", json_integer((json_int_t)i->duplicate));
	json_object_set_new(o, "corrupted", json_integer((json_int_t)i->corrupted));
	json_object_set_new(o, "send_errors", json_integer((json_int_t)i->send_errors));
	json_object_set_new(rtt, "min",
			    s.min.has ? json_integer((json_int_t)s.min.ns) : json_null());
	json_object_set_new(rtt, "avg",
			    s.avg.has ? json_integer((json_int_t)s.avg.ns) : json_null());
	json_object_set_new(rtt, "p99",
			    s.p99.has ? json_integer((json_int_t)s.p99.ns) : json_null());
	json_object_set_new(rtt, "max",
			    s.max.has ? json_integer((json_int_t)s.max.ns) : json_null());
	json_object_set_new(o, "rtt_ns", rtt);
	out_json(o);
}

static void text_interval(const struct ping *g, const struct ping_target *t, uint64_t sent,
			  uint64_t lost)
{
	const struct ping_interval *i = &t->interval;
	struct ping_spread s = ping_spread_of(&i->rtt);

	out_text("%s at %.1f s: %" PRIu64 " sent, %" PRIu64 " received, %" PRIu64 " lost, %" PRIu64
		 " late, %" PRIu64 " duplicate, %" PRIu64 " corrupted",
		 t->name, (double)coo_prober_elapsed(g->prober) / 1e9, sent, i->received, lost,
		 i->late, i->duplicate, i->corrupted);
	if (i->send_errors)
		out_text(", %" PRIu64 " could not be sent", i->send_errors);
	out_text("; rtt min/avg/p99/max %s/%s/%s/%s\n", ping_ms(s.min), ping_ms(s.avg),
		 ping_ms(s.p99), ping_ms(s.max));
}

static void report_target(const struct ping *g, struct ping_target *t)
{
	uint64_t sent = 0, lost = 0;

	for (size_t i = 0; i < t->n; i++) {
		sent += t->flows[i]->account.sent;
		lost += t->flows[i]->account.lost;
	}
	if (out_is_json())
		json_interval(t, sent - t->interval.sent_before, lost - t->interval.lost_before);
	else if (!g->mute)
		text_interval(g, t, sent - t->interval.sent_before, lost - t->interval.lost_before);
	memset(&t->interval, 0, sizeof(t->interval));
	t->interval.sent_before = sent;
	t->interval.lost_before = lost;
}

void ping_interval_report(void *ctx)
{
	struct ping *g = ctx;

	for (size_t n = 0; n < g->n_targets; n++)
		report_target(g, &g->targets[n]);
	out_flush();
	if (g->o->prometheus)
		coo_ignore(ping_prometheus(g));
}

static bool has_rest(const struct ping_target *t)
{
	const struct ping_interval *i = &t->interval;
	uint64_t more = i->received + i->late + i->duplicate + i->corrupted + i->send_errors;

	for (size_t n = 0; n < t->n; n++)
		more += t->flows[n]->account.sent + t->flows[n]->account.lost;
	return more > i->sent_before + i->lost_before;
}

void ping_interval_rest(struct ping *g)
{
	if (!g->o->interval_stats)
		return;
	for (size_t n = 0; n < g->n_targets; n++) {
		if (has_rest(&g->targets[n]))
			report_target(g, &g->targets[n]);
	}
}

static void json_start(const struct ping *g)
{
	json_t *o = out_start_object("ping", NULL), *list = json_array();

	for (size_t t = 0; t < g->n_targets; t++)
		json_array_append_new(list, json_string(g->targets[t].name));
	json_object_set_new(o, "targets", list);
	json_object_set_new(o, "mode",
			    json_string(g->o->stamp  ? "stamp"
					: g->o->peer ? "peer"
						     : "echo"));
	json_object_set_new(o, "size", json_integer((json_int_t)g->o->size));
	json_object_set_new(o, "interval_ns", json_integer((json_int_t)g->o->interval));
	json_object_set_new(o, "late_after_ns", json_integer((json_int_t)g->o->late));
	out_json(o);
	out_flush();
}

void ping_print_start(const struct ping *g)
{
	const char *what = g->o->stamp ? "STAMP" : g->o->peer ? "GETINFO" : "UDP echo";
	char every[OUT_DURATION_CAP];

	if (out_is_json()) {
		json_start(g);
		return;
	}
	if (g->mute)
		return;
	for (size_t t = 0; t < g->n_targets; t++) {
		out_text("%s to %s", what, g->targets[t].name);
		if (g->n_sizes)
			out_text(", %zu sizes with and without DF", g->n_sizes);
		else if (!g->o->peer)
			out_text(", %" PRIu64 " bytes (%zu with headers)", g->o->size,
				 (size_t)g->o->size + coo_flow_overhead(g->targets[t].flows[0]));
		if (g->per_target > 1 && !g->n_sizes)
			out_text(", %zu source ports", g->per_target);
		if (g->o->flood)
			out_text(", flood with %" PRIu64 " on the way\n", g->o->window);
		else
			out_text(", every %s\n", out_duration(g->o->interval, every));
	}
	out_flush();
}
