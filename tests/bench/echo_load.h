/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ECHO_LOAD_H
#define BENCH_ECHO_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The load that a bench puts on an echo responder, and what comes back. */
enum { ECHO_RUNS_MAX = 21 };

/* Where the responders are, and for how long each load lasts. */
typedef struct echo_load {
	const char *host;
	int ms;
} echo_load;

/* Median and 99th percentile of round trips, in µs; 0 where nothing came back. */
typedef struct echo_rtt {
	double p50, p99;
} echo_rtt;

uint64_t echo_now(void);
void echo_pin(unsigned core);

/* A UDP socket with large buffers, bound to *port (0: any, and it is filled in). */
int echo_bound_socket(uint16_t *port);

/* Whether it answers at all, within five seconds. */
bool echo_answers(const echo_load *l, uint16_t port);

/* Answers a second with 64 datagrams of size bytes on the way. */
double echo_closed_loop(const echo_load *l, uint16_t port, size_t size);

/* One datagram at a time. */
echo_rtt echo_one_at_a_time(const echo_load *l, uint16_t port, size_t size);

/* Answers a second to trains of datagrams (UDP_SEGMENT), as many as can be handed over. */
double echo_trains(const echo_load *l, uint16_t port, size_t size);

double echo_median(const double *v, int n);

#endif
