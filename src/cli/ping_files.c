/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/out.h"
#include "cli/ping.h"
#include "cli/xalloc.h"

/*
 * One header for both kinds of rows: type "probe" has the columns up to clock, type "summary" those
 * after it. What does not belong to a row is empty.
 */
static const char csv_header[] =
    "type,time,target,source_port,size,df,seq,status,from,ttl,rtt_ns,ipdv_ns,reordered,clock,"
    "sent,received,lost,loss,lost_up,lost_down,pending,late,duplicate,reordered_total,corrupted,"
    "foreign,icmp,rtt_min_ns,rtt_avg_ns,rtt_p50_ns,rtt_p90_ns,rtt_p95_ns,rtt_p99_ns,rtt_p999_ns,"
    "rtt_max_ns,rtt_stddev_ns,ipdv_avg_ns,ipdv_p99_ns,ipdv_max_ns,jitter_ns,send_errors\n";

/* Whether a file can be made in the folder of path. */
static bool has_writable_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? xstrdup(path) : NULL;
	int e;

	if (folder)
		folder[slash == path ? 1 : slash - path] = '\0';
	e = access(folder ? folder : ".", W_OK | X_OK);
	free(folder);
	return e == 0;
}

/* The file itself where path is a link to one, which stays a link. NULL: not to be replaced, since
 * it is a device, a FIFO or the like. Gives: free. */
static char *file_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return xstrdup(path);
	return S_ISREG(st.st_mode) ? realpath(path, NULL) : NULL;
}

/* Told before the test, not after hours of it. Nothing is made or changed yet. */
static bool can_write(const char *path, bool is_replaced, const char *option)
{
	char *file = is_replaced ? file_of(path) : NULL;
	struct stat st;
	bool ok, exists = stat(path, &st) == 0;

	errno = 0;
	if (!*path)
		errno = ENOENT;
	else if (exists && S_ISDIR(st.st_mode))
		errno = EISDIR;
	ok = !errno && (file	 ? has_writable_folder(file)
			: exists ? access(path, W_OK) == 0
				 : has_writable_folder(path));
	free(file);
	if (!ok)
		say_error("cannot write %s %s: %s", option, path, strerror(errno));
	return ok;
}

static bool csv_open(struct ping *g)
{
	if (!g->o->csv)
		return true;
	g->csv = strcmp(g->o->csv, "-") == 0 ? stdout : fopen(g->o->csv, "we");
	if (!g->csv) {
		say_error("cannot write --csv %s: %s", g->o->csv, strerror(errno));
		return false;
	}
	fputs(csv_header, g->csv);
	return true;
}

bool ping_files_open(struct ping *g)
{
	const struct ping_opts *o = g->o;

	return (!o->prometheus || can_write(o->prometheus, true, "--prometheus")) &&
	       (!o->report || can_write(o->report, false, "--report")) && csv_open(g);
}

void ping_csv_event(const struct ping *g, const coo_flow *f, const coo_probe_event *ev,
		    const char *status)
{
	char now[COO_RFC3339_CAP], from[COO_ADDR_TEXT_CAP];

	fprintf(g->csv, "probe,%s,%s,%u,%zu,%d,", coo_clock_rfc3339(coo_clock_wall(), now),
		f->spec.name, (unsigned)f->local_port, ev->size, f->spec.df);
	if (ev->seq != UINT64_MAX)
		fprintf(g->csv, "%" PRIu64, ev->seq);
	fprintf(g->csv, ",%s,%s,", status, coo_addr_text(&ev->from, from));
	if (ev->ttl)
		fprintf(g->csv, "%d", ev->ttl);
	fputc(',', g->csv);
	if (ev->has_rtt)
		fprintf(g->csv, "%" PRIu64, ev->rtt);
	fputc(',', g->csv);
	if (ev->has_ipdv)
		fprintf(g->csv, "%" PRId64, ev->ipdv);
	fprintf(g->csv, ",%d,%s,,,,,,,,,,,,,,,,,,,,,,,,,,,\n", ev->reordered,
		ev->kind == COO_PING_RECEIVED ? ping_clock_name(ev->clock) : "");
}

static void put_value(FILE *f, struct ping_value v)
{
	if (v.has)
		fprintf(f, ",%" PRIu64, v.ns);
	else
		fputc(',', f);
}

static void put_real(FILE *f, bool has, double v)
{
	put_value(f, (struct ping_value){ has, (uint64_t)(v + 0.5) });
}

static void csv_summary(const struct ping *g, const struct ping_target *t)
{
	char now[COO_RFC3339_CAP];
	struct ping_figures f;
	FILE *c = g->csv;

	ping_figures_of(g, t->flows, t->n, &f);
	fprintf(c, "summary,%s,%s,,,,,,,,,,,,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.9g",
		coo_clock_rfc3339(coo_clock_wall(), now), t->name, f.sent, f.received, f.lost,
		f.loss);
	put_value(c, (struct ping_value){ f.has_direction, f.lost_up });
	put_value(c, (struct ping_value){ f.has_direction, f.lost_down });
	fprintf(c,
		",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
		f.pending, f.late, f.duplicate, f.reordered, f.corrupted, f.foreign, f.icmp_total);
	put_value(c, f.rtt.min);
	put_value(c, f.rtt.avg);
	put_value(c, f.rtt.p50);
	put_value(c, f.rtt.p90);
	put_value(c, f.rtt.p95);
	put_value(c, f.rtt.p99);
	put_value(c, f.rtt.p999);
	put_value(c, f.rtt.max);
	put_real(c, f.rtt.n > 0, f.rtt.stddev);
	put_value(c, f.ipdv.avg);
	put_value(c, f.ipdv.p99);
	put_value(c, f.ipdv.max);
	put_real(c, f.received > 1, f.jitter);
	fprintf(c, ",%" PRIu64 "\n", f.send_errors);
}

bool ping_csv_close(struct ping *g)
{
	bool ok;

	if (!g->csv)
		return true;
	for (size_t t = 0; t < g->n_targets; t++)
		csv_summary(g, &g->targets[t]);
	ok = !ferror(g->csv);
	ok = (g->csv == stdout ? fflush(g->csv) : fclose(g->csv)) == 0 && ok;
	g->csv = NULL;
	if (!ok)
		say_error("cannot write --csv %s: %s", g->o->csv, strerror(errno));
	return ok;
}

/* --- Prometheus' text format, for the node exporter's textfile collector
 * --------------------------- */

static const struct {
	const char *name, *kind, *help, *figure;
	double factor;
} metrics[] = {
	{ "coo_ping_sent_total", "counter", "Probes sent.", "sent", 1 },
	{ "coo_ping_received_total", "counter", "Probes answered intact in time.", "received", 1 },
	{ "coo_ping_lost_total", "counter", "Probes not answered in time.", "lost", 1 },
	{ "coo_ping_late_total", "counter", "Answers that came too late.", "late", 1 },
	{ "coo_ping_duplicate_total", "counter", "Further answers of a probe.", "duplicate", 1 },
	{ "coo_ping_reordered_total", "counter", "Answers out of order (RFC 4737).", "reordered",
	  1 },
	{ "coo_ping_corrupted_total", "counter", "Probes that came back changed.", "corrupted", 1 },
	{ "coo_ping_foreign_total", "counter", "Datagrams that were none of ours.", "foreign", 1 },
	{ "coo_ping_send_errors_total", "counter", "Probes that could not be sent.", "send-errors",
	  1 },
	{ "coo_ping_loss_ratio", "gauge", "Lost of settled probes.", "loss", 1 },
	{ "coo_ping_jitter_seconds", "gauge", "Smoothed jitter (RFC 3550).", "jitter", 1e-9 },
};

static void prometheus_metric(FILE *f, const struct ping *g, size_t m)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", metrics[m].name, metrics[m].help,
		metrics[m].name, metrics[m].kind);
	for (size_t t = 0; t < g->n_targets; t++) {
		struct ping_figures s;
		double v = 0;
		bool is_time;

		ping_figures_of(g, g->targets[t].flows, g->targets[t].n, &s);
		if (ping_figure(&s, metrics[m].figure, &v, &is_time))
			fprintf(f, "%s{target=\"%s\"} %.15g\n", metrics[m].name, g->targets[t].name,
				v * metrics[m].factor);
	}
}

static void prometheus_icmp(FILE *f, const struct ping *g)
{
	fputs("# HELP coo_ping_icmp_errors_total ICMP errors by kind.\n"
	      "# TYPE coo_ping_icmp_errors_total counter\n",
	      f);
	for (size_t t = 0; t < g->n_targets; t++) {
		struct ping_figures s;

		ping_figures_of(g, g->targets[t].flows, g->targets[t].n, &s);
		for (size_t i = 0; i < COO_ICMP_COUNT; i++)
			fprintf(f,
				"coo_ping_icmp_errors_total{target=\"%s\",kind=\"%s\"} %" PRIu64
				"\n",
				g->targets[t].name, coo_icmp_key((enum coo_icmp_kind)i), s.icmp[i]);
	}
}

/* Of the targets whose losses have a known direction. */
static void prometheus_direction(FILE *f, const struct ping *g)
{
	bool known = false;

	for (size_t t = 0; t < g->n_targets; t++) {
		struct ping_figures s;

		ping_figures_of(g, g->targets[t].flows, g->targets[t].n, &s);
		if (!s.has_direction)
			continue;
		if (!known)
			fputs("# HELP coo_ping_lost_direction_total Lost by direction.\n"
			      "# TYPE coo_ping_lost_direction_total counter\n",
			      f);
		known = true;
		fprintf(f,
			"coo_ping_lost_direction_total{target=\"%s\",direction=\"up\"} %" PRIu64
			"\ncoo_ping_lost_direction_total{target=\"%s\",direction=\"down\"} %" PRIu64
			"\n",
			g->targets[t].name, s.lost_up, g->targets[t].name, s.lost_down);
	}
}

static void prometheus_rtt(FILE *f, const struct ping *g)
{
	fputs("# HELP coo_ping_rtt_seconds Round-trip time.\n# TYPE coo_ping_rtt_seconds summary\n",
	      f);
	for (size_t t = 0; t < g->n_targets; t++) {
		const char *name = g->targets[t].name;
		struct ping_figures s;
		const struct ping_spread *r = &s.rtt;

		ping_figures_of(g, g->targets[t].flows, g->targets[t].n, &s);
		const struct {
			const char *q;
			struct ping_value v;
		} rows[] = { { "0", r->min },	 { "0.5", r->p50 },  { "0.9", r->p90 },
			     { "0.95", r->p95 }, { "0.99", r->p99 }, { "0.999", r->p999 },
			     { "1", r->max } };
		for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
			if (rows[i].v.has)
				fprintf(
				    f, "coo_ping_rtt_seconds{target=\"%s\",quantile=\"%s\"} %.9f\n",
				    name, rows[i].q, (double)rows[i].v.ns / 1e9);
		}
		fprintf(f, "coo_ping_rtt_seconds_sum{target=\"%s\"} %.9f\n", name,
			(double)r->avg.ns * (double)r->n / 1e9);
		fprintf(f, "coo_ping_rtt_seconds_count{target=\"%s\"} %" PRIu64 "\n", name, r->n);
	}
}

static bool prometheus_write(const struct ping *g, const char *path)
{
	FILE *f = fopen(path, "we");
	bool ok;

	if (!f)
		return false;
	for (size_t m = 0; m < COO_ARRAY_LEN(metrics); m++)
		prometheus_metric(f, g, m);
	prometheus_icmp(f, g);
	prometheus_direction(f, g);
	prometheus_rtt(f, g);
	ok = !ferror(f);
	return fclose(f) == 0 && ok;
}

/* Written beside its place and renamed, so that a collector never reads half a file. */
static bool prometheus_replace(const struct ping *g, const char *file)
{
	size_t cap = strlen(file) + 8;
	char *part = xcalloc(cap, 1);
	bool ok;

	snprintf(part, cap, "%s.part", file);
	ok = prometheus_write(g, part) && rename(part, file) == 0;
	if (!ok) {
		int saved = errno;

		coo_ignore(unlink(part));
		errno = saved;
	}
	free(part);
	return ok;
}

bool ping_prometheus(const struct ping *g)
{
	char *file = file_of(g->o->prometheus);
	bool ok = file ? prometheus_replace(g, file) : prometheus_write(g, g->o->prometheus);

	if (!ok)
		say_error("cannot write --prometheus %s: %s", g->o->prometheus, strerror(errno));
	free(file);
	return ok;
}
