/* SPDX-License-Identifier: MIT */
/*
 * How far from their schedule 100,000 probes a second leave: coo ping's own figure, and beside it
 * two bare loops on the same core: one that spins and sends, and one that only spins and looks at
 * the clock, whose lateness shows how free the core is. Interleaved; medians of BENCH_RUNS (5) runs
 * of 0.7 s, short enough for what a kernel lets real-time processes have (chrt -f 20 makes the core
 * free).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/echo_load.h"
#include "bench/echo_rivals.h"

enum { PROBES = 70000, STEP_NS = 10000, SENDER_CORE = 1 };

struct late {
	double p50, p99; /* µs */
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Port 0: nothing is sent. */
static struct late bare_pace(uint16_t port)
{
	static uint64_t late[PROBES];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	uint16_t any = 0;
	int fd = echo_bound_socket(&any);
	uint8_t p[64] = { 0 };
	uint64_t start = echo_now() + 1000000u;
	struct late l;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (uint64_t i = 0; i < PROBES; i++) {
		uint64_t due = start + i * STEP_NS, now;

		do {
			now = echo_now();
		} while (now < due);
		late[i] = now - due;
		memcpy(p, &i, sizeof(i));
		if (port && sendto(fd, p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			late[i] += STEP_NS;
	}
	close(fd);
	qsort(late, PROBES, sizeof(*late), by_value);
	l.p50 = (double)late[PROBES / 2] / 1000;
	l.p99 = (double)late[PROBES / 100 * 99] / 1000;
	return l;
}

static double number_after(const char *text, const char *key)
{
	const char *at = text ? strstr(text, key) : NULL;

	return at ? strtod(at + strlen(key), NULL) / 1000 : 0;
}

/* coo ping with its output to *out; gives its process, or -1. */
static pid_t start_ping(uint16_t port, FILE **out)
{
	const char *coo = getenv("COO");
	char target[32];
	int pipes[2];
	pid_t pid;

	snprintf(target, sizeof(target), "127.0.0.1:%u", port);
	if (pipe(pipes) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		execlp(coo ? coo : "build/coo", "coo", "ping", "--json", "-q", "-d", "700ms",
		       "--pps", "100000", target, (char *)NULL);
		_exit(127);
	}
	close(pipes[1]);
	*out = fdopen(pipes[0], "r");
	return *out ? pid : -1;
}

static struct late coo_pace(uint16_t port)
{
	char line[4096], last[4096] = "";
	struct late l = { 0, 0 };
	FILE *f = NULL;
	int status = 1;
	pid_t pid = start_ping(port, &f);

	while (pid > 0 && fgets(line, sizeof(line), f))
		memcpy(last, line, sizeof(last));
	if (f)
		fclose(f);
	if (pid <= 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return l;
	l.p50 = number_after(strstr(last, "\"timer_error_ns\""), "\"p50\":");
	l.p99 = number_after(strstr(last, "\"timer_error_ns\""), "\"p99\":");
	return l;
}

int main(void)
{
	const char *text = getenv("BENCH_RUNS");
	int runs = text ? (int)strtol(text, NULL, 10) : 5;
	double bare50[ECHO_RUNS_MAX], bare99[ECHO_RUNS_MAX], ratio[ECHO_RUNS_MAX];
	double core99[ECHO_RUNS_MAX];
	double coo50[ECHO_RUNS_MAX], coo99[ECHO_RUNS_MAX];
	echo_rival *r = &echo_rivals[0];

	if (runs < 1 || runs > ECHO_RUNS_MAX)
		runs = 5;
	if (r->start(r, "127.0.0.1") != 0) {
		fprintf(stderr, "bench: coo echo does not start; COO names the program\n");
		return 1;
	}
	echo_pin(SENDER_CORE);
	for (int i = 0; i < runs; i++) {
		struct late core = bare_pace(0), bare, coo;

		usleep(400000);
		bare = bare_pace(r->port);
		usleep(400000);
		coo = coo_pace(r->port);
		usleep(400000);
		core99[i] = core.p99;
		bare50[i] = bare.p50, bare99[i] = bare.p99;
		coo50[i] = coo.p50, coo99[i] = coo.p99;
		ratio[i] = bare.p99 > 0 ? coo.p99 / bare.p99 : 0;
	}
	echo_rival_stop(r);
	printf("pace_core_late_p99 %.1f us (nothing sent: how free the core is)\n",
	       echo_median(core99, runs));
	printf("pace_bare_late_p50 %.1f us\npace_bare_late_p99 %.1f us\n",
	       echo_median(bare50, runs), echo_median(bare99, runs));
	printf("pace_coo_late_p50 %.1f us\n", echo_median(coo50, runs));
	printf("pace_coo_late_p99 %.1f us (asked: <= 50 where the core is free)\n",
	       echo_median(coo99, runs));
	printf("ratio_pace_coo_to_bare_p99 %.3f x\n", echo_median(ratio, runs));
	return 0;
}
