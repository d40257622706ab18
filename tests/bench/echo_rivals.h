/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ECHO_RIVALS_H
#define BENCH_ECHO_RIVALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/echo_load.h"

/* The echo responders that are compared, each a process of its own on core 0. */
typedef struct echo_rival {
	const char *name;
	int (*start)(struct echo_rival *r, const char *host); /* 0, or not available */
	const char *asked;     /* what coo's rate at 64 B has to be of this one's, or "-" */
	const char *asked_cpu; /* the same of CPU per datagram */
	bool trains;	       /* measured with trains, too */
	pid_t pid;	       /* 0: does not run */
	uint16_t port;
	double rate[2][ECHO_RUNS_MAX], cpu[2][ECHO_RUNS_MAX], train[2][ECHO_RUNS_MAX];
	double p50[2][ECHO_RUNS_MAX], p99[2][ECHO_RUNS_MAX];
} echo_rival;

enum { ECHO_RIVALS = 9 };
extern echo_rival echo_rivals[ECHO_RIVALS]; /* coo first, then plain and bare */

/* Ends it with all that it forked. */
void echo_rival_stop(echo_rival *r);

/* Nanoseconds of CPU that it and all that it forked have used. */
double echo_rival_cpu(const echo_rival *r);

#endif
