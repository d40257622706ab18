/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/ping.h"
#include "cli/xalloc.h"
#include "proto/echo.h"
#include "proto/stamp.h"

#define AT(field) offsetof(struct ping_opts, field)
#define UNSET UINT64_MAX

/* clang-format off */
static const struct opt opts_table[] = {
	{ .letter = 'c', .name = "count", .kind = OPT_UINT, .at = AT(count), .arg = "N", .min = 1, .help = "probes to send to each target" },
	{ .letter = 'i', .name = "interval", .kind = OPT_DURATION, .at = AT(interval), .arg = "D", .min = COO_US(1), .max = COO_SEC(86400), .help = "time between two probes (1s)" },
	{ .letter = 's', .name = "size", .kind = OPT_SIZE, .at = AT(size), .arg = "SIZE", .min = COO_ECHO_HEADER, .max = COO_ECHO_MAX, .help = "bytes of UDP payload (64)" },
	{ .letter = 'W', .name = "late", .kind = OPT_DURATION, .at = AT(late), .arg = "D", .min = COO_US(100), .max = COO_SEC(3600), .help = "an answer after this is late, its probe lost (2s)" },
	{ .letter = 'd', .name = "duration", .kind = OPT_DURATION, .at = AT(duration), .arg = "D", .min = COO_US(1), .help = "send for so long" },
	{ .name = "pps", .kind = OPT_UINT, .at = AT(pps), .arg = "N", .min = 1, .max = 1000000, .help = "probes a second instead of --interval" },
	{ .name = "flood", .kind = OPT_FLAG, .at = AT(flood), .help = "as fast as answers come back" },
	{ .name = "window", .kind = OPT_UINT, .at = AT(window), .arg = "N", .min = 1, .max = 65536, .help = "unanswered probes at once in a flood (16)" },
	{ .letter = 'Q', .name = "dscp", .kind = OPT_STR, .at = AT(dscp), .arg = "NAME|N", .help = "DSCP: ef, af11, cs1, be … or 0 to 63" },
	{ .letter = 'M', .name = "df", .kind = OPT_FLAG, .at = AT(df), .help = "forbid fragmentation" },
	{ .name = "ttl", .kind = OPT_UINT, .at = AT(ttl), .arg = "N", .min = 1, .max = 255, .help = "TTL or hop limit" },
	{ .name = "fill", .kind = OPT_STR, .at = AT(fill), .arg = "HEX|random", .help = "pattern of the payload behind the header" },
	{ .letter = '4', .name = "ipv4", .kind = OPT_FLAG, .at = AT(v4), .help = "IPv4 only" },
	{ .letter = '6', .name = "ipv6", .kind = OPT_FLAG, .at = AT(v6), .help = "IPv6 only" },
	{ .letter = 'D', .name = "timestamp", .kind = OPT_FLAG, .at = AT(timestamp), .help = "time of day before each line" },
	{ .name = "stamp", .kind = OPT_FLAG, .at = AT(stamp), .help = "measure against a STAMP reflector (RFC 8762, port 862)" },
	{ .name = "stateful", .kind = OPT_FLAG, .at = AT(stateful), .help = "the reflector numbers its answers itself" },
	{ .name = "peer", .kind = OPT_FLAG, .at = AT(peer), .help = "measure a messenger by GETINFO (port 2425)" },
	{ .name = "sweep-size", .kind = OPT_STR, .at = AT(sweep), .arg = "A:B:STEP", .help = "loss and RTT by size, with and without DF" },
	{ .name = "source-ports", .kind = OPT_UINT, .at = AT(source_ports), .arg = "N", .min = 1, .max = 512, .help = "N flows, each compared with the others" },
	{ .name = "broadcast", .kind = OPT_FLAG, .at = AT(broadcast), .help = "one probe, every host that answers" },
	{ .name = "expect", .kind = OPT_STR, .at = AT(expect), .arg = "FILE", .help = "who should answer a broadcast, one a line" },
	{ .name = "interval-stats", .kind = OPT_DURATION, .at = AT(interval_stats), .arg = "D", .min = COO_MS(10), .help = "print what happened every D" },
	{ .name = "csv", .kind = OPT_STR, .at = AT(csv), .arg = "FILE", .help = "a row for each probe and each summary" },
	{ .name = "prometheus", .kind = OPT_STR, .at = AT(prometheus), .arg = "FILE", .help = "figures for the node exporter's textfile collector" },
	{ .name = "report", .kind = OPT_STR, .at = AT(report), .arg = "FILE", .help = "one HTML page with plots" },
	{ .name = "plot", .kind = OPT_FLAG, .at = AT(plot), .help = "draw loss and latency in the terminal" },
	{ .name = "fail-if", .kind = OPT_LIST, .at = AT(fail_if), .arg = "COND", .help = "exit 1 if it holds: 'loss>1%', 'p99>5ms' (repeatable)" },
	{ .name = "warn-if", .kind = OPT_LIST, .at = AT(warn_if), .arg = "COND", .help = "the same for --nagios' WARNING" },
	{ .name = "nagios", .kind = OPT_FLAG, .at = AT(nagios), .help = "one plugin line with perfdata; exit 0, 1, 2 or 3" },
	{ .name = "user-clock", .kind = OPT_FLAG, .at = AT(user_clock), .help = "no kernel timestamps", .hidden = true },
	OPT_END,
};
/* clang-format on */

static const struct ping_opts defaults = {
	.common.port = UNSET, .late = COO_SEC(2), .window = 16, .size = 64,
	/* interval 0: not given, so a sweep has one of its own */
};

/* Signals only leave a note; the prober asks for it several times a second. */
static volatile sig_atomic_t interrupts, shows;

static void on_signal(int number)
{
	if (number == SIGQUIT)
		shows = 1;
	else
		interrupts++;
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGQUIT };
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	for (size_t i = 0; i < COO_ARRAY_LEN(numbers); i++)
		coo_ignore(sigaction(numbers[i], &sa, NULL));
}

static int ask(void *ctx)
{
	const struct ping *g = ctx;

	if (shows) {
		shows = 0;
		ping_text_state(g);
	}
	if (interrupts)
		return interrupts > 1 ? 3 : 2;
	return 0;
}

static const char *contradiction_of_ways(const struct ping_opts *o)
{
	if (o->v4 && o->v6)
		return "-4 and -6 exclude each other";
	if (o->stamp && o->peer)
		return "--stamp and --peer are two ways to measure: take one";
	if (o->stamp && o->size < COO_STAMP_SIZE)
		return "a STAMP packet has 44 bytes at least";
	if (o->broadcast && (o->stamp || o->peer || o->flood || o->sweep || o->source_ports))
		return "--broadcast goes with plain probes alone";
	if (o->broadcast && o->count > COO_BROADCASTS_MAX)
		return "--broadcast sends 64 probes at most";
	if (o->peer && (o->flood || o->sweep || o->pps))
		return "--peer asks a messenger: it is neither flooded nor swept";
	if (o->flood && o->pps)
		return "--flood and --pps exclude each other: one follows the answers, the other "
		       "the clock";
	if (o->sweep && (o->source_ports || o->flood))
		return "--sweep-size goes with neither --source-ports nor --flood";
	return NULL;
}

static bool is_stdout(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

static const char *contradiction_of_outputs(const struct ping_opts *o, int targets)
{
	if (o->expect && !o->broadcast)
		return "--expect is a list for --broadcast";
	if (o->expect && targets > 1)
		return "--expect is a list for one broadcast address";
	if (o->nagios && (o->common.json || o->plot))
		return "--nagios prints its one line alone, without --json and --plot";
	if (is_stdout(o->csv) && (o->common.json || o->nagios || o->plot))
		return "--csv - prints its table alone, without --json, --nagios and --plot";
	if (is_stdout(o->prometheus) || is_stdout(o->report))
		return "--prometheus and --report write files: - is none";
	return NULL;
}

/* What has no effect in this run; the configuration may hold it for others. */
static const char *useless(const struct ping_opts *o)
{
	if (opt_given("interval") && o->flood)
		return "--flood follows the answers: it goes without --interval";
	if (opt_given("interval") && o->pps)
		return "--pps and --interval are two ways to say one thing: take one";
	if (opt_given("window") && !o->flood)
		return "--window goes with --flood";
	if (opt_given("stateful") && !o->stamp)
		return "--stateful says something about a reflector: it goes with --stamp";
	if (opt_given("plot") && o->common.json)
		return "--plot draws for people, --json is for programs: take one";
	if (opt_given("warn-if") && !o->nagios)
		return "--warn-if is for --nagios; without it --fail-if decides the exit code";
	return NULL;
}

static bool is_contradiction(const struct ping_opts *o, int targets)
{
	const char *why = contradiction_of_ways(o);

	if (!why)
		why = contradiction_of_outputs(o, targets);
	if (!why)
		why = useless(o);
	if (why)
		say_error("%s", why);
	return why != NULL;
}

/* Fills in what depends on other options. */
static void complete(struct ping_opts *o)
{
	if (o->pps)
		o->interval = COO_SEC(1) / o->pps;
	if (!o->interval)
		o->interval = o->sweep ? COO_MS(500) : COO_SEC(1);
	if (o->common.port == UNSET)
		o->common.port = o->stamp ? COO_STAMP_PORT : o->peer ? 2425 : 7;
	if (o->peer)
		o->size = 512; /* room for the packet; what is sent is as long as it is */
	if (o->broadcast && o->count == 0)
		o->count = o->duration ? COO_BROADCASTS_MAX : 1;
	if (o->sweep && o->count == 0)
		o->count = 3;
}

/* More than 1,000 a second only to who answers, to loopback, or as a flood. */
static bool must_prove(const struct ping *g)
{
	double rate = 1e9 / (double)g->o->interval * (double)g->per_target;

	if (g->o->flood || rate <= 1000)
		return false;
	for (size_t i = 0; i < g->n_specs; i++) {
		if (!coo_addr_is_loopback(&g->specs[i].target))
			return true;
	}
	return false;
}

static bool bind_to(const struct ping *g, coo_addr *out)
{
	const char *text = g->o->common.bind;

	if (!text)
		return true;
	if (coo_addr_parse(text, 0, out) != COO_OK) {
		say_error("--bind cannot be \"%s\": it is an address of this host", text);
		return false;
	}
	for (size_t i = 0; i < g->n_specs; i++) {
		if (g->specs[i].target.family == out->family)
			continue;
		say_error("--bind %s is IPv%d and cannot reach %s", text, out->family,
			  g->specs[i].name);
		return false;
	}
	return true;
}

static bool configure(struct ping *g, coo_prober_cfg *cfg, uint8_t *fill, size_t fill_cap)
{
	const struct ping_opts *o = g->o;
	const char *login = getenv("USER");

	cfg->mode = o->stamp ? COO_PROBE_STAMP : o->peer ? COO_PROBE_PEER : COO_PROBE_ECHO;
	cfg->interval = o->interval;
	cfg->late_after = o->late;
	cfg->count = o->count;
	cfg->duration = o->duration;
	cfg->window = o->flood ? o->window : 0;
	cfg->broadcast = o->broadcast;
	cfg->ttl = (int)o->ttl;
	cfg->device = ping_interface(o);
	cfg->fill = fill;
	cfg->user_clock = o->user_clock;
	cfg->stateful = o->stateful;
	cfg->must_prove = must_prove(g);
	cfg->report_every = o->interval_stats;
	cfg->user = o->common.user ? o->common.user : login && *login ? login : "coo";
	cfg->host = o->common.host ? o->common.host : "coo";
	cfg->on_event = ping_event;
	cfg->on_report = ping_interval_report;
	cfg->poll = ask;
	cfg->ctx = g;
	if (!bind_to(g, &cfg->bind))
		return false;
	return ping_dscp(o->dscp, &cfg->dscp) &&
	       ping_fill(o->fill, fill, fill_cap, &cfg->fill_n, &cfg->fill_random);
}

static void link_flows(struct ping *g)
{
	g->flow_list = xcalloc(g->n_specs, sizeof(const coo_flow *));
	for (size_t i = 0; i < g->n_specs; i++)
		g->flow_list[i] = coo_prober_flow(g->prober, i);
	for (size_t t = 0; t < g->n_targets; t++) {
		g->targets[t].flows = g->flow_list + t * g->per_target;
		g->targets[t].n = g->per_target;
	}
}

static int say_open_failed(const struct ping *g, coo_err e, size_t bad)
{
	const char *interface = ping_interface(g->o);
	char text[COO_ADDR_TEXT_CAP];

	if (e == COO_ESYS && errno == ENODEV && interface)
		say_error("there is no interface \"%s\": \"coo iface\" lists them", interface);
	else if (e == COO_ESYS && errno == EADDRNOTAVAIL && g->o->common.bind)
		say_error("--bind cannot be \"%s\": it is no address of this host",
			  g->o->common.bind);
	else if (e == COO_ESYS)
		say_error("cannot open a socket towards %s: %s",
			  coo_addr_text(&g->specs[bad].target, text), strerror(errno));
	else
		say_error("cannot test %zu flows: %s", g->n_specs, coo_err_text(e));
	return EXIT_SYSTEM;
}

static void print_summaries(const struct ping *g)
{
	for (size_t t = 0; t < g->n_targets; t++) {
		if (out_is_json())
			ping_json_summary(g, &g->targets[t]);
		else if (!g->mute)
			ping_text_summary(g, &g->targets[t]);
		if (g->o->plot && !out_is_json())
			ping_plot(g, &g->targets[t]);
	}
}

static int verdict(const struct ping *g)
{
	size_t silent = 0;
	uint64_t missing = 0;

	for (size_t t = 0; t < g->n_targets; t++) {
		struct ping_figures f;

		ping_figures_of(g, g->targets[t].flows, g->targets[t].n, &f);
		silent += f.received == 0;
		missing += f.missing;
	}
	if (g->o->nagios)
		return ping_nagios(g);
	if (ping_sent_nothing(g))
		return EXIT_SYSTEM;
	if (ping_check(g) != 0 || silent == g->n_targets)
		return EXIT_NOBODY;
	return silent || missing ? EXIT_PARTIAL : EXIT_DONE;
}

static bool write_files(struct ping *g)
{
	bool ok = ping_csv_close(g);

	if (g->o->prometheus && !ping_prometheus(g))
		ok = false;
	if (g->o->report && !ping_report(g))
		ok = false;
	return ok;
}

/* The first that has a flow without an answer. */
static const char *silent_target(const struct ping *g)
{
	for (size_t i = 0; i < g->n_specs; i++) {
		if (!g->flow_list[i]->proved)
			return g->targets[i / g->per_target].name;
	}
	return g->targets[0].name;
}

static int measure(struct ping *g)
{
	coo_err e;

	catch_signals();
	ping_print_start(g);
	e = coo_prober_run(g->prober);
	if (e == COO_ELIMIT) {
		say_error("%s does not answer: more than 1,000 probes a second go only to a target "
			  "that does",
			  silent_target(g));
		return EXIT_REFUSED;
	}
	ping_interval_rest(g);
	print_summaries(g);
	if (!write_files(g))
		return EXIT_SYSTEM;
	g->judged = true;
	return verdict(g);
}

static int prepare(struct ping *g, int argc, char **argv)
{
	static uint8_t fill[256];
	coo_prober_cfg cfg = { 0 };
	size_t bad = 0;
	coo_err e;

	if (!ping_targets(g, argc, argv))
		return g->code ? g->code : EXIT_USAGE;
	if (!configure(g, &cfg, fill, sizeof(fill)) || !ping_conditions(g) || !ping_expect(g))
		return EXIT_USAGE;
	e = coo_prober_open(&cfg, g->specs, g->n_specs, &g->prober, &bad);
	if (e != COO_OK)
		return say_open_failed(g, e, bad);
	link_flows(g);
	g->mute = g->o->nagios || is_stdout(g->o->csv);
	g->lines =
	    !out_is_quiet() && !g->o->flood && !g->mute && (!g->o->sweep || out_verbosity() > 0);
	return ping_files_open(g) ? 0 : EXIT_SYSTEM;
}

static void release(struct ping *g)
{
	coo_prober_close(g->prober);
	ping_conditions_free(g);
	for (size_t t = 0; t < g->n_targets; t++)
		free(g->targets[t].name);
	for (size_t i = 0; i < g->n_expect; i++)
		free(g->expect[i].name);
	free(g->expect);
	free(g->targets);
	free(g->specs);
	free(g->flow_list);
	free((void *)(uintptr_t)g->sweep_sizes);
	if (g->csv && g->csv != stdout)
		fclose(g->csv);
}

static int run(void *opts, int argc, char **argv)
{
	struct ping_opts *o = opts;
	struct ping g = { .o = o };
	int code = EXIT_USAGE;

	if (argc == 0) {
		say_error("ping needs a target: coo ping HOST[:PORT]");
	} else if (!is_contradiction(o, argc)) {
		complete(o);
		code = prepare(&g, argc, argv);
		if (code == 0)
			code = measure(&g);
	}
	if (o->nagios && !g.judged) {
		out_text("UDP ECHO UNKNOWN - the test could not be run\n");
		code = 3;
	}
	release(&g);
	return code;
}

extern const struct cmd cmd_ping;
const struct cmd cmd_ping = {
	.name = "ping",
	.args = "HOST[:PORT]…",
	.summary = "measure a path by UDP echo: loss, latency, order, damage",
	.about = "Sends probes to any UDP echo service (port 7), STAMP reflector or messenger.",
	.examples =
	    "  coo ping 10.0.0.7                       one probe a second, Ctrl-C ends\n"
	    "  coo ping -c 1000 -i 10ms --plot HOST    ten seconds, drawn\n"
	    "  coo ping -c 100 -i 50ms --fail-if 'loss>1%' --fail-if 'p99>5ms' HOST\n"
	    "  coo ping --sweep-size 1400:1500:4 HOST  where fragmentation begins\n"
	    "  coo ping --source-ports 16 -c 100 HOST  which of the parallel links is bad\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct ping_opts),
	.groups = OPT_GROUP_SOCK | OPT_GROUP_IDENT | OPT_GROUP_OUT,
	.run = run,
};
