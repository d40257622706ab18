/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/addr.h"
#include "cli/out.h"
#include "cli/ping.h"

static void add(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void add_value(json_t *o, const char *key, struct ping_value v)
{
	json_object_set_new(o, key, v.has ? json_integer((json_int_t)v.ns) : json_null());
}

static json_t *spread(const struct ping_spread *s)
{
	json_t *o = json_object();

	add_value(o, "min", s->min);
	add_value(o, "avg", s->avg);
	add_value(o, "p50", s->p50);
	add_value(o, "p90", s->p90);
	add_value(o, "p95", s->p95);
	add_value(o, "p99", s->p99);
	add_value(o, "p999", s->p999);
	add_value(o, "max", s->max);
	add_value(o, "stddev", (struct ping_value){ s->n > 0, (uint64_t)(s->stddev + 0.5) });
	return o;
}

static void add_counts(json_t *o, const struct ping_figures *f)
{
	json_t *icmp = json_object();

	add(o, "sent", f->sent);
	add(o, "received", f->received);
	add(o, "lost", f->lost);
	json_object_set_new(o, "loss", json_real(f->loss));
	json_object_set_new(o, "lost_up",
			    f->has_direction ? json_integer((json_int_t)f->lost_up) : json_null());
	json_object_set_new(o, "lost_down",
			    f->has_direction ? json_integer((json_int_t)f->lost_down)
					     : json_null());
	add(o, "pending", f->pending);
	add(o, "late", f->late);
	add(o, "duplicate", f->duplicate);
	add(o, "reordered", f->reordered);
	add(o, "reorder_extent", f->reorder_extent);
	add(o, "corrupted", f->corrupted);
	add(o, "damaged_datagrams", f->damaged);
	add(o, "foreign", f->foreign);
	for (size_t i = 0; i < COO_ICMP_COUNT; i++)
		add(icmp, coo_icmp_key((enum coo_icmp_kind)i), f->icmp[i]);
	json_object_set_new(o, "icmp", icmp);
	add(o, "send_errors", f->send_errors);
}

static json_t *path(const coo_oneway_path *p, uint64_t n, bool bounded)
{
	json_t *o = json_object();
	struct ping_spread s = ping_spread_of(&p->ipdv);

	add(o, "range", (uint64_t)(p->max - p->min));
	json_object_set_new(o, "ipdv", spread(&s));
	if (bounded) {
		json_object_set_new(o, "min", json_integer((json_int_t)p->min));
		json_object_set_new(o, "avg", json_integer((json_int_t)(p->sum / (double)n)));
		json_object_set_new(o, "max", json_integer((json_int_t)p->max));
	}
	return o;
}

static void add_oneway(json_t *o, const coo_flow *f)
{
	const coo_oneway *w = &f->oneway;
	bool bounded = w->bound != UINT64_MAX;

	if (w->answers == 0)
		return;
	json_object_set_new(o, "clock_bound_ns",
			    bounded ? json_integer((json_int_t)w->bound) : json_null());
	json_object_set_new(o, "up_ns", path(&w->up, w->answers, bounded));
	json_object_set_new(o, "down_ns", path(&w->down, w->answers, bounded));
}

static void add_timer(json_t *o, const struct ping *g)
{
	struct ping_spread s = ping_spread_of(coo_prober_timer(g->prober));
	json_t *t = json_object();

	add_value(t, "p50", s.p50);
	add_value(t, "p99", s.p99);
	add_value(t, "max", s.max);
	json_object_set_new(o, "timer_error_ns", t);
}

static json_t *part(const char *type, const struct ping *g, const struct ping_target *t, size_t i)
{
	json_t *o = out_event(type);
	struct ping_figures f;

	ping_figures_of(g, &t->flows[i], 1, &f);
	json_object_set_new(o, "target", json_string(t->name));
	if (g->n_sizes) {
		add(o, "size", t->flows[i]->spec.size);
		json_object_set_new(o, "df", json_boolean(t->flows[i]->spec.df));
	} else {
		add(o, "source_port", t->flows[i]->local_port);
	}
	add_counts(o, &f);
	json_object_set_new(o, "rtt_ns", spread(&f.rtt));
	return o;
}

static void print_parts(const struct ping *g, const struct ping_target *t)
{
	for (size_t i = 0; i < t->n; i++) {
		json_t *o = part(g->n_sizes ? "size" : "flow", g, t, i);
		const char *fault = g->n_sizes ? NULL : ping_flow_fault(t, i);

		if (!g->n_sizes)
			json_object_set_new(o, "fault", fault ? json_string(fault) : json_null());
		out_json(o);
	}
}

static void add_repliers(json_t *o, const struct ping *g, const coo_flow *f)
{
	json_t *list = json_array(), *missing = json_array();
	char text[COO_ADDR_TEXT_CAP];

	for (size_t i = 0; i < f->n_repliers; i++) {
		const coo_replier *r = &f->repliers[i];
		json_t *j = json_object();

		json_object_set_new(j, "addr", json_string(coo_addr_ip_text(&r->addr, text)));
		add(j, "port", r->addr.port);
		add(j, "received", r->received);
		add(j, "duplicate", r->duplicate);
		add(j, "late", r->late);
		add_value(j, "rtt_min_ns", (struct ping_value){ r->received > 0, r->rtt_min });
		add_value(j, "rtt_avg_ns",
			  (struct ping_value){ r->received > 0,
					       r->received ? r->rtt_sum / r->received : 0 });
		add_value(j, "rtt_max_ns", (struct ping_value){ r->received > 0, r->rtt_max });
		json_array_append_new(list, j);
	}
	for (size_t i = 0; i < g->n_expect; i++) {
		if (!ping_has_replier(f, &g->expect[i].addr))
			json_array_append_new(missing,
					      out_json_str(coo_span_str(g->expect[i].name)));
	}
	json_object_set_new(o, "repliers", list);
	json_object_set_new(o, "missing", missing);
}

void ping_json_summary(const struct ping *g, const struct ping_target *t)
{
	const coo_flow *first = t->flows[0];
	struct ping_figures f;
	json_t *o;

	if (t->n > 1)
		print_parts(g, t);
	ping_figures_of(g, t->flows, t->n, &f);
	o = out_event("summary");
	json_object_set_new(o, "target", json_string(t->name));
	add_counts(o, &f);
	json_object_set_new(o, "rtt_ns", spread(&f.rtt));
	json_object_set_new(o, "ipdv_ns", spread(&f.ipdv));
	json_object_set_new(o, "jitter_ns",
			    f.received > 1 ? json_integer((json_int_t)(f.jitter + 0.5))
					   : json_null());
	json_object_set_new(o, "clock", json_string(ping_clock_name(coo_flow_clock(first))));
	if (g->o->stamp)
		add_oneway(o, first);
	if (g->n_sizes)
		add(o, "largest_df_size", ping_largest_df(g, t));
	if (g->o->broadcast)
		add_repliers(o, g, first);
	json_object_set_new(o, "ttl", first->ttl ? json_integer(first->ttl) : json_null());
	add(o, "clock_steps", f.clock_steps);
	add(o, "bytes_sent", f.bytes_sent);
	add(o, "ip_bytes_sent", f.ip_bytes_sent);
	add(o, "bytes_received", f.bytes_received);
	add(o, "duration_ns", f.elapsed);
	json_object_set_new(o, "probes_per_second", json_real(f.rate));
	add_timer(o, g);
	out_json(o);
}
