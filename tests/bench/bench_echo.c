/* SPDX-License-Identifier: MIT */
/*
 * coo echo against other echo responders, in one interleaved run on loopback: closed loop with 64
 * datagrams in flight, one at a time, and trains (UDP_SEGMENT); then, but for the trains, over veth
 * between two namespaces. Responder and generator have a core each. Prints "name value unit" lines:
 * medians, then the ratios that are asked for. Everything runs in a network namespace of its own
 * where the kernel allows one; without it there is no veth. "scripts/install-deps.sh bench"
 * installs the rivals.
 *
 * BENCH_RUNS (5) and BENCH_MS (300) bound it; COO names the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/echo_load.h"
#include "bench/echo_net.h"
#include "bench/echo_rivals.h"

enum { GENERATOR_CORE = 1 };

static int runs = 5;
static echo_load load = { "127.0.0.1", 300 };
static const char *path_name = ""; /* "veth_" there */
static const size_t sizes[2] = { 64, 1400 };

static echo_rival *const coo = &echo_rivals[0], *const plain = &echo_rivals[1],
			 *const bare = &echo_rivals[2];

static bool with_trains(const echo_rival *r)
{
	return r->trains && !*path_name;
}

static void measure(echo_rival *r, int run)
{
	for (int s = 0; s < 2; s++) {
		double before, answered;
		echo_rtt rtt;

		/* one that forks may still be busy with the load before */
		if (!echo_answers(&load, r->port))
			continue;
		before = echo_rival_cpu(r);
		r->rate[s][run] = echo_closed_loop(&load, r->port, sizes[s]);
		answered = r->rate[s][run] * load.ms / 1000;
		r->cpu[s][run] = answered > 0 ? (echo_rival_cpu(r) - before) / answered : 0;
		if (!echo_answers(&load, r->port))
			continue;
		rtt = echo_one_at_a_time(&load, r->port, sizes[s]);
		r->p50[s][run] = rtt.p50;
		r->p99[s][run] = rtt.p99;
	}
	for (int s = 0; s < 2 && with_trains(r); s++)
		r->train[s][run] = echo_trains(&load, r->port, sizes[s]);
}

static void print_medians(const echo_rival *r)
{
	for (int s = 0; s < 2; s++) {
		printf("echo_%s%s_%zuB %.0f datagrams/s\n", path_name, r->name, sizes[s],
		       echo_median(r->rate[s], runs));
		printf("echo_%s%s_cpu_%zuB %.0f ns/datagram\n", path_name, r->name, sizes[s],
		       echo_median(r->cpu[s], runs));
		printf("echo_%s%s_rtt_%zuB %.2f us (p99 %.2f)\n", path_name, r->name, sizes[s],
		       echo_median(r->p50[s], runs), echo_median(r->p99[s], runs));
		if (with_trains(r))
			printf("echo_%s_trains_%zuB %.0f datagrams/s\n", r->name, sizes[s],
			       echo_median(r->train[s], runs));
	}
}

/* The median of the ratios within each run, so that drift between runs cancels. */
static void print_ratio(const char *over, const char *what, size_t size, const double *a,
			const double *b, const char *asked)
{
	double v[ECHO_RUNS_MAX];
	int n = 0;

	for (int i = 0; i < runs; i++) {
		if (a[i] > 0 && b[i] > 0)
			v[n++] = a[i] / b[i];
	}
	if (n == 0)
		printf("# %s%s%s_%zuB: no answers\n", path_name, over, what, size);
	else
		printf("ratio_%scoo_to_%s%s_%zuB %.3f x (asked: %s)\n", path_name, over, what, size,
		       echo_median(v, n), asked);
}

static void print_ratios_to(const echo_rival *o)
{
	for (int s = 0; s < 2; s++) {
		bool asked = s == 0; /* the figures asked for are of 64 B */

		print_ratio(o->name, "", sizes[s], coo->rate[s], o->rate[s],
			    asked ? o->asked : "-");
		print_ratio(o->name, "_cpu", sizes[s], coo->cpu[s], o->cpu[s],
			    asked ? o->asked_cpu : "-");
		print_ratio(o->name, "_rtt", sizes[s], coo->p50[s], o->p50[s],
			    asked && o == plain ? "<= 1.1" : "-");
		print_ratio(o->name, "_rtt_p99", sizes[s], coo->p99[s], o->p99[s], "-");
		if (with_trains(o))
			print_ratio(o->name, "_trains", sizes[s], coo->train[s], o->train[s],
				    s || o == bare ? "-" : ">= 20");
	}
}

static void print_ratios(void)
{
	for (int i = 1; i < ECHO_RIVALS; i++) {
		if (echo_rivals[i].pid > 0)
			print_ratios_to(&echo_rivals[i]);
		else
			printf("# %s: without %s: not installed, or no answer\n",
			       *path_name ? "veth" : "loopback", echo_rivals[i].name);
	}
	printf("# for the scale: bare is %.2f times plain\n",
	       echo_median(bare->rate[0], runs) / echo_median(plain->rate[0], runs));
}

static void print_memory(const char *when)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)coo->pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			printf("echo_%scoo_rss_%s %ld kB (asked: <= 3072)\n", path_name, when,
			       strtol(line + 6, NULL, 10));
	}
	if (f)
		fclose(f);
}

static int number(const char *name, int fallback, int max)
{
	const char *text = getenv(name);
	long v = text ? strtol(text, NULL, 10) : fallback;

	return v > 0 && v <= max ? (int)v : fallback;
}

static void start_all(void)
{
	for (int i = 0; i < ECHO_RIVALS; i++) {
		echo_rival *r = &echo_rivals[i];
		bool started = echo_net_enter_far() && r->start(r, load.host) == 0;

		if (!echo_net_enter_near() || !started || !echo_answers(&load, r->port))
			echo_rival_stop(r);
	}
}

static bool compare(void)
{
	start_all();
	if (coo->pid <= 0) {
		fprintf(stderr, "bench: coo echo does not start; COO names the program\n");
		return false;
	}
	print_memory("idle");
	for (int run = 0; run < runs; run++) {
		for (int i = 0; i < ECHO_RIVALS; i++) {
			if (echo_rivals[i].pid > 0)
				measure(&echo_rivals[i], run);
		}
	}
	for (int i = 0; i < ECHO_RIVALS; i++) {
		if (echo_rivals[i].pid > 0)
			print_medians(&echo_rivals[i]);
	}
	print_ratios();
	print_memory("after");
	for (int i = 0; i < ECHO_RIVALS; i++)
		echo_rival_stop(&echo_rivals[i]);
	return true;
}

int main(void)
{
	bool alone;

	setvbuf(stdout, NULL, _IOLBF, 0);
	runs = number("BENCH_RUNS", runs, ECHO_RUNS_MAX);
	load.ms = number("BENCH_MS", load.ms, 10000);
	alone = echo_net_isolate();
	echo_pin(GENERATOR_CORE);
	if (!compare())
		return 1;
	if (!alone || !echo_net_add_veth()) {
		printf("# without veth: no namespaces, or no ip\n");
		return 0;
	}
	load.host = ECHO_NET_FAR;
	path_name = "veth_";
	return compare() ? 0 : 1;
}
