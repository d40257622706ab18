/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/opt.h"
#include "cli/out.h"
#include "cli/ping.h"
#include "cli/xalloc.h"

/* METRIC OP VALUE: loss>1%, p99>=5ms, received<10. */
struct ping_condition {
	const char *text; /* as given; borrowed */
	char name[16];
	char op[3];
	double value;
};

enum { NAGIOS_OK = 0, NAGIOS_WARNING = 1, NAGIOS_CRITICAL = 2, NAGIOS_UNKNOWN = 3 };

/* NULL, or what is wrong with the value. */
static const char *parse_value(const char *text, const char *name, double *out)
{
	static const struct ping_figures none;
	uint64_t duration;
	double ignored;
	bool is_time = false;

	if (!ping_figure(&none, name, &ignored, &is_time))
		return "there is no figure of that name";
	if (is_time) {
		if (!opt_parse_duration(text, &duration))
			return "a time has a unit, such as 5ms or 200us";
		*out = (double)duration;
		return NULL;
	}
	if (!opt_parse_real(text, out))
		return "the value is no number";
	if (strcmp(name, "loss") != 0)
		return strchr(text, '%') ? "only loss is a share of something" : NULL;
	/* 1 would be everything, and whoever writes loss>1 means one percent */
	if (*out > 1 || (*out >= 1 && !strchr(text, '%')))
		return "loss is from 0% to 100%, such as 1% or 0.01";
	return NULL;
}

static const char *parse(const char *text, struct ping_condition *c)
{
	static const char form[] = "it is a figure, < > <= >= or =, and a value";
	size_t n = strcspn(text, "<>=! "), ops;
	const char *at = text + n;

	memset(c, 0, sizeof(*c));
	c->text = text;
	if (n == 0 || n >= sizeof(c->name))
		return form;
	memcpy(c->name, text, n);
	at += strspn(at, " ");
	ops = strspn(at, "<>=");
	if (ops == 0 || ops >= sizeof(c->op))
		return form;
	memcpy(c->op, at, ops);
	at += ops;
	at += strspn(at, " ");
	if (strcmp(c->op, ">") != 0 && strcmp(c->op, ">=") != 0 && strcmp(c->op, "<") != 0 &&
	    strcmp(c->op, "<=") != 0 && strcmp(c->op, "=") != 0 && strcmp(c->op, "==") != 0)
		return form;
	return parse_value(at, c->name, &c->value);
}

static bool parse_list(const struct str_list *list, const char *option, struct ping_condition **out,
		       size_t *n)
{
	*out = xcalloc(list->n + 1, sizeof(**out));
	for (*n = 0; *n < list->n; (*n)++) {
		const char *why = parse(list->v[*n], &(*out)[*n]);

		if (!why)
			continue;
		say_error("--%s cannot be \"%s\": %s; examples are loss>1%% and p99>5ms, figures "
			  "sent received lost loss late duplicate reordered corrupted foreign icmp "
			  "send-errors missing min avg median p50 p90 p95 p99 p99.9 max stddev "
			  "ipdv ipdv-p99 ipdv-max jitter",
			  option, list->v[*n], why);
		return false;
	}
	return true;
}

bool ping_conditions(struct ping *g)
{
	return parse_list(&g->o->fail_if, "fail-if", &g->fail, &g->n_fail) &&
	       parse_list(&g->o->warn_if, "warn-if", &g->warn, &g->n_warn);
}

void ping_conditions_free(struct ping *g)
{
	free(g->fail);
	free(g->warn);
}

/* A figure that is missing (no answers, too few of them) holds nothing; loss says what is wrong. */
static bool holds(const struct ping_condition *c, const struct ping_figures *f)
{
	double v = 0;
	bool is_time;

	if (!ping_figure(f, c->name, &v, &is_time) || (is_time && v < 0))
		return false;
	if (is_time && f->received == 0)
		return false;
	switch (c->op[0]) {
	case '>':
		return c->op[1] ? v >= c->value : v > c->value;
	case '<':
		return c->op[1] ? v <= c->value : v < c->value;
	default:
		return v >= c->value && v <= c->value;
	}
}

static const struct ping_condition *first_that_holds(const struct ping_condition *list, size_t n,
						     const struct ping_figures *f)
{
	for (size_t i = 0; i < n; i++) {
		if (holds(&list[i], f))
			return &list[i];
	}
	return NULL;
}

static bool is_named(const struct ping_condition *list, size_t n, const char *figure)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, figure) == 0)
			return true;
	}
	return false;
}

/*
 * A probe that this host could not send is not lost, and still the test was not the one that is
 * judged: that fails, unless a condition says how many are bearable. In a sweep sizes that are too
 * long for the interface are what is looked for.
 */
static bool was_hindered(const struct ping *g, const struct ping_figures *f)
{
	return f->send_errors > 0 && !g->n_sizes && !is_named(g->fail, g->n_fail, "send-errors") &&
	       !is_named(g->warn, g->n_warn, "send-errors");
}

bool ping_sent_nothing(const struct ping *g)
{
	for (size_t t = 0; t < g->n_targets; t++) {
		struct ping_figures f;

		ping_figures_of(g, g->targets[t].flows, g->targets[t].n, &f);
		if (f.sent > 0 || f.send_errors == 0)
			return false;
	}
	for (size_t t = 0; t < g->n_targets; t++)
		say_error("nothing could be sent to %s: %s", g->targets[t].name,
			  ping_send_error(&g->targets[t]));
	return true;
}

int ping_check(const struct ping *g)
{
	int code = EXIT_DONE;

	for (size_t t = 0; t < g->n_targets; t++) {
		struct ping_figures f;

		ping_figures_of(g, g->targets[t].flows, g->targets[t].n, &f);
		if (g->n_fail && was_hindered(g, &f)) {
			say_error("%s: %" PRIu64 " probes could not be sent: %s",
				  g->targets[t].name, f.send_errors,
				  ping_send_error(&g->targets[t]));
			code = EXIT_NOBODY;
		}
		for (size_t i = 0; i < g->n_fail; i++) {
			if (!holds(&g->fail[i], &f))
				continue;
			say_error("%s: %s holds", g->targets[t].name, g->fail[i].text);
			code = EXIT_NOBODY;
		}
	}
	return code;
}

static int nagios_state(const struct ping *g, const struct ping_figures *f, const char **why)
{
	const struct ping_condition *c;

	*why = NULL;
	if (f->received == 0) {
		*why = f->sent || !f->send_errors ? "no answer" : "nothing could be sent";
		return NAGIOS_CRITICAL;
	}
	if (was_hindered(g, f)) {
		*why = "probes could not be sent";
		return NAGIOS_CRITICAL;
	}
	if (f->missing && !is_named(g->fail, g->n_fail, "missing") &&
	    !is_named(g->warn, g->n_warn, "missing")) {
		*why = "expected hosts are missing";
		return NAGIOS_CRITICAL;
	}
	c = first_that_holds(g->fail, g->n_fail, f);
	if (c) {
		*why = c->text;
		return NAGIOS_CRITICAL;
	}
	c = first_that_holds(g->warn, g->n_warn, f);
	*why = c ? c->text : NULL;
	return c ? NAGIOS_WARNING : NAGIOS_OK;
}

/* 'label'=value[UOM];warn;crit as the Monitoring Plugins' guidelines have it; limits only where a
 * "greater than" condition names the figure. */
static void put_limit(const struct ping_condition *list, size_t n, const char *name, double factor)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, name) == 0 && list[i].op[0] == '>') {
			out_text("%.9g", list[i].value * factor);
			return;
		}
	}
}

static void put_perf(const struct ping *g, const char *label, const char *figure,
		     const struct ping_figures *f, const char *unit, double factor)
{
	double v = -1;
	bool is_time = false;

	if (!ping_figure(f, figure, &v, &is_time) || v < 0)
		return;
	out_text(" %s=%.9g%s;", label, v * factor, unit);
	put_limit(g->warn, g->n_warn, figure, factor);
	out_text(";");
	put_limit(g->fail, g->n_fail, figure, factor);
}

static void put_perfdata(const struct ping *g, const struct ping_figures *f)
{
	put_perf(g, "loss", "loss", f, "%", 100);
	put_perf(g, "sent", "sent", f, "", 1);
	put_perf(g, "received", "received", f, "", 1);
	put_perf(g, "rtt_avg", "avg", f, "s", 1e-9);
	put_perf(g, "rtt_p99", "p99", f, "s", 1e-9);
	put_perf(g, "rtt_max", "max", f, "s", 1e-9);
	put_perf(g, "jitter", "jitter", f, "s", 1e-9);
	put_perf(g, "duplicate", "duplicate", f, "", 1);
	put_perf(g, "reordered", "reordered", f, "", 1);
	put_perf(g, "corrupted", "corrupted", f, "", 1);
	put_perf(g, "send_errors", "send-errors", f, "", 1);
	if (g->n_expect)
		put_perf(g, "missing", "missing", f, "", 1);
}

int ping_nagios(const struct ping *g)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
	int worst = NAGIOS_OK;
	const char *why = NULL;
	size_t which = 0;
	struct ping_figures f;

	for (size_t t = 0; t < g->n_targets; t++) {
		const char *reason;
		int state;

		ping_figures_of(g, g->targets[t].flows, g->targets[t].n, &f);
		state = nagios_state(g, &f, &reason);
		if (t == 0 || state > worst) {
			worst = state;
			why = reason;
			which = t;
		}
	}
	ping_figures_of(g, g->targets[which].flows, g->targets[which].n, &f);
	out_text("UDP ECHO %s - %s: ", names[worst], g->targets[which].name);
	if (why)
		out_text("%s: ", why);
	out_text("%" PRIu64 " of %" PRIu64 " answered, %.3g %% lost, ", f.received, f.sent,
		 f.loss * 100);
	if (f.send_errors)
		out_text("%" PRIu64 " not sent (%s), ", f.send_errors,
			 ping_send_error(&g->targets[which]));
	out_text("rtt avg %s |", ping_ms(f.rtt.avg));
	put_perfdata(g, &f);
	out_text("\n");
	return worst;
}
