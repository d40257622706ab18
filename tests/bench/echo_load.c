/* SPDX-License-Identifier: MIT */
#include "bench/echo_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { BATCH = 64, BIG = 65536, IN_FLIGHT = 64 };

uint64_t echo_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void echo_pin(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		fprintf(stderr, "bench: core %u is not to be had\n", core);
}

static struct sockaddr_in at_host(const char *host, uint16_t port)
{
	struct sockaddr_in a;

	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	a.sin_port = htons(port);
	inet_pton(AF_INET, host, &a.sin_addr);
	return a;
}

int echo_bound_socket(uint16_t *port)
{
	struct sockaddr_in a = at_host("0.0.0.0", *port);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
		perror("bench: bind");
		exit(1);
	}
	*port = ntohs(a.sin_port);
	return fd;
}

static uint64_t counter;

/* A number that differs each time, in the form that sockperf's server answers too. */
static void fill(uint8_t *p, size_t size)
{
	uint64_t seq = ++counter;

	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(seq >> (56 - 8 * i));
	p[8] = 0;
	p[9] = 3; /* from a client that wants an answer */
	p[10] = p[11] = 0;
	p[12] = (uint8_t)(size >> 8);
	p[13] = (uint8_t)size;
}

static int client_socket(const echo_load *l, uint16_t to)
{
	uint16_t port = 0;
	int fd = echo_bound_socket(&port);
	struct sockaddr_in a = at_host(l->host, to);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		perror("bench: connect");
	return fd;
}

static bool wait_readable(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, ms) > 0;
}

/* Whether it answers at all, within five seconds. */
bool echo_answers(const echo_load *l, uint16_t port)
{
	uint8_t p[64] = { 0 }, q[64];
	bool ok = false;

	for (int i = 0; i < 100 && !ok; i++) {
		int fd = client_socket(l, port);

		fill(p, sizeof(p));
		ok = send(fd, p, sizeof(p), 0) == sizeof(p) && wait_readable(fd, 50) &&
		     recv(fd, q, sizeof(q), MSG_DONTWAIT) == sizeof(q);
		close(fd);
		if (!ok)
			usleep(10000);
	}
	return ok;
}

/* How many datagrams' worth came back: ncat, with a pipe within, makes one of several. */
static int echoed(const struct mmsghdr *m, int n, size_t size)
{
	size_t bytes = 0;

	for (int i = 0; i < n; i++)
		bytes += m[i].msg_len;
	return (int)((bytes + size - 1) / size);
}

/* Answers a second with IN_FLIGHT on the way; what does not come within 50 ms is sent anew. */
double echo_closed_loop(const echo_load *l, uint16_t port, size_t size)
{
	static uint8_t tx[BATCH][1500], rx[BATCH][1500];
	struct mmsghdr m[BATCH] = { 0 }, w[BATCH] = { 0 };
	struct iovec in[BATCH], out[BATCH];
	uint64_t start = echo_now(), end = start + (uint64_t)l->ms * 1000000u, got = 0;
	uint64_t now, heard = start;
	int fd = client_socket(l, port), room = IN_FLIGHT;

	for (int i = 0; i < BATCH; i++) {
		in[i] = (struct iovec){ rx[i], sizeof(rx[i]) };
		out[i] = (struct iovec){ tx[i], size };
		m[i].msg_hdr.msg_iov = &in[i];
		w[i].msg_hdr.msg_iov = &out[i];
		m[i].msg_hdr.msg_iovlen = w[i].msg_hdr.msg_iovlen = 1;
	}
	while ((now = echo_now()) < end) {
		int n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);

		/* the generator has a core of its own and never sleeps: what is measured is the
		 * responder, not how fast the system wakes the two */
		if (n > 0) {
			n = echoed(m, n, size);
			got += (uint64_t)n;
			room = room + n > IN_FLIGHT ? IN_FLIGHT : room + n;
			heard = now;
		} else if (now - heard > 50000000u) {
			room = IN_FLIGHT;
			heard = now;
		}
		for (int i = 0; i < room; i++)
			fill(tx[i], size);
		n = room ? sendmmsg(fd, w, (unsigned)room, 0) : 0;
		room -= n > 0 ? n : 0;
	}
	end = echo_now();
	close(fd);
	return (double)got * 1e9 / (double)(end - start);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double echo_median(const double *v, int n)
{
	double copy[ECHO_RUNS_MAX];

	memcpy(copy, v, (size_t)n * sizeof(*v));
	qsort(copy, (size_t)n, sizeof(*copy), by_value);
	return copy[n / 2];
}

echo_rtt echo_one_at_a_time(const echo_load *l, uint16_t port, size_t size)
{
	enum { MAX = 20000 };
	static double rtt[MAX];
	uint8_t p[1500] = { 0 };
	uint64_t end = echo_now() + (uint64_t)l->ms * 1000000u;
	int fd = client_socket(l, port), n = 0;
	echo_rtt r = { 0, 0 };

	while (n < MAX && echo_now() < end) {
		uint64_t t = echo_now();

		fill(p, size);
		if (send(fd, p, size, 0) < 0 || !wait_readable(fd, 50))
			continue;
		if (recv(fd, p, sizeof(p), MSG_DONTWAIT) > 0)
			rtt[n++] = (double)(echo_now() - t) / 1000;
	}
	close(fd);
	qsort(rtt, (size_t)n, sizeof(*rtt), by_value);
	if (n) {
		r.p50 = rtt[n / 2];
		r.p99 = rtt[n * 99 / 100];
	}
	return r;
}

/* Answers a second to trains of datagrams, as many as the sender can hand over. */
double echo_trains(const echo_load *l, uint16_t port, size_t datagram)
{
	static uint8_t tx[BIG], rx[BIG];
	int fd = client_socket(l, port), on = 1, segment = (int)datagram;
	/* at most 64 datagrams, and 64 kB less the headers */
	size_t size = (datagram * 64 < 65000 ? 64 : 65000 / datagram) * datagram;
	uint64_t start = echo_now(), end = start + (uint64_t)l->ms * 1000000u, bytes = 0;

	setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	while (echo_now() < end) {
		ssize_t n;

		for (size_t at = 0; at < size; at += datagram)
			fill(tx + at, datagram);
		if (send(fd, tx, size, MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != ENOBUFS)
			break;
		while ((n = recv(fd, rx, sizeof(rx), MSG_DONTWAIT)) > 0)
			bytes += (uint64_t)n;
	}
	end = echo_now();
	/* what still waits at the responder is not the next one's load */
	while (wait_readable(fd, 20)) {
		if (recv(fd, rx, sizeof(rx), MSG_DONTWAIT) < 0)
			break;
	}
	close(fd);
	return (double)bytes / (double)datagram * 1e9 / (double)(end - start);
}
