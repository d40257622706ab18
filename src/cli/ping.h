/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_PING_H
#define COO_CLI_PING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/opt.h"
#include "feature/prober.h"

/* What the files of coo ping share. */

struct ping_opts {
	struct common common;
	uint64_t count, size, pps, window, ttl, source_ports;
	coo_time interval, late, duration, interval_stats;
	bool flood, df, v4, v6, timestamp, broadcast, stamp, stateful, peer, nagios, plot,
	    user_clock;
	const char *dscp, *fill, *sweep, *expect, *csv, *prometheus, *report;
	struct str_list fail_if, warn_if;
};

/* A duration that may be missing: too few samples for it. */
struct ping_value {
	bool has;
	uint64_t ns;
};

struct ping_spread {
	uint64_t n;
	struct ping_value min, avg, p50, p90, p95, p99, p999, max;
	double stddev;
};

/* Every figure of a summary, computed in one place for text, JSON, CSV and conditions alike. */
struct ping_figures {
	uint64_t sent, received, lost, pending, late, duplicate, reordered, reorder_extent;
	uint64_t corrupted, damaged, foreign, icmp[COO_ICMP_COUNT], icmp_total, send_errors;
	uint64_t clock_steps, overrun, bytes_sent, bytes_received, ip_bytes_sent;
	double loss; /* 0…1 */
	bool has_direction;
	uint64_t lost_up, lost_down;
	uint64_t missing; /* of those that --expect names */
	struct ping_spread rtt, ipdv;
	double jitter;
	coo_time elapsed; /* from the first probe to the last, plus one interval's part */
	double rate;	  /* probes sent per second */
};

struct ping_condition; /* ping_cond.c */

/* A line of --expect. */
struct ping_expected {
	char *name;
	coo_addr addr;
};

/* What happened since the last interval report, for one target. */
struct ping_interval {
	uint64_t sent_before, lost_before, received, late, duplicate, corrupted, send_errors;
	coo_hist rtt;
};

/* One target as the user wrote it, with its flows: source ports or sizes. */
struct ping_target {
	char *name;
	const coo_flow *const *flows;
	size_t n;
	struct ping_interval interval;
};

struct ping {
	const struct ping_opts *o;
	coo_prober *prober;
	coo_flow_spec *specs;
	size_t n_specs;
	struct ping_target *targets;
	size_t n_targets, per_target;
	const coo_flow **flow_list;
	const uint64_t *sweep_sizes;
	size_t n_sizes;
	struct ping_expected *expect; /* who should answer a broadcast */
	size_t n_expect;
	FILE *csv;
	struct ping_condition *fail, *warn;
	size_t n_fail, n_warn;
	bool lines;  /* one for each probe */
	bool mute;   /* no text: standard output has one line of a plugin, or a table */
	bool judged; /* it came to a verdict, which is the exit code */
	int code;    /* of an error found on the way */
};

/* ping_setup.c: targets and options that are not plain values. false: said. */
bool ping_targets(struct ping *g, int argc, char **argv);
/* The interface that probes leave by, or NULL. */
const char *ping_interface(const struct ping_opts *o);
bool ping_dscp(const char *text, int *out);
bool ping_fill(const char *text, uint8_t *bytes, size_t cap, size_t *n, bool *random);
bool ping_expect(struct ping *g);

/* ping_figures.c */
void ping_figures_of(const struct ping *g, const coo_flow *const *flows, size_t n,
		     struct ping_figures *out);
/* Why the latest probe that could not be sent was refused. */
const char *ping_send_error(const struct ping_target *t);
struct ping_spread ping_spread_of(const coo_hist *h);
/* A figure by the name it has in conditions and files; false where there is none of that name. */
bool ping_figure(const struct ping_figures *f, const char *name, double *value, bool *is_time);
/* "kernel", "kernel-rx" or "user". */
const char *ping_clock_name(enum coo_probe_clock c);

/* ping_lines.c */
void ping_event(void *ctx, const coo_flow *f, const coo_probe_event *ev);
void ping_interval_report(void *ctx);
/* What is left since the last report, at the end. */
void ping_interval_rest(struct ping *g);
void ping_print_start(const struct ping *g);
struct ping_target *ping_target_of(struct ping *g, const coo_flow *f);

/* ping_text.c */
void ping_text_summary(const struct ping *g, const struct ping_target *t);
void ping_text_state(const struct ping *g);
/* "0.123 ms"; "-" where it is missing. Static storage for eight at once. */
const char *ping_ms(struct ping_value v);

/* ping_text_tables.c */
void ping_text_flows(const struct ping *g, const struct ping_target *t);
void ping_text_sweep(const struct ping *g, const struct ping_target *t);
void ping_text_repliers(const struct ping *g, const struct ping_target *t);
/* Why a flow differs from its neighbours, or NULL. */
const char *ping_flow_fault(const struct ping_target *t, size_t i);
/* Largest size that came back with DF set; 0 where none did. */
uint64_t ping_largest_df(const struct ping *g, const struct ping_target *t);
/* Whether the host answered, if late. */
bool ping_has_replier(const coo_flow *f, const coo_addr *host);

/* ping_json.c */
void ping_json_summary(const struct ping *g, const struct ping_target *t);

/* ping_files.c */
/* Opens --csv, and sees that the other files can be written; false: said. */
bool ping_files_open(struct ping *g);
void ping_csv_event(const struct ping *g, const coo_flow *f, const coo_probe_event *ev,
		    const char *status);
bool ping_csv_close(struct ping *g); /* with a summary row for each target */
bool ping_prometheus(const struct ping *g);

/* ping_cond.c */
bool ping_conditions(struct ping *g);
void ping_conditions_free(struct ping *g);
/* Says which held; returns the exit code they ask for: 0 or EXIT_NOBODY. */
int ping_check(const struct ping *g);
/* Whether the system let no probe leave at all; said. */
bool ping_sent_nothing(const struct ping *g);
/* One line of a monitoring plugin; returns its exit code: 0, 1, 2 or 3. */
int ping_nagios(const struct ping *g);

/* ping_plot.c */
void ping_plot(const struct ping *g, const struct ping_target *t);

/* ping_report.c: false: said. */
bool ping_report(const struct ping *g);

#endif
