/* SPDX-License-Identifier: MIT */

/*
 * How many messages a second coo listen takes in, against loops that do less or the same: prints
 * "name value unit" lines. One sender on one core, the receiver on the other, on loopback. Every
 * 64th message wants a receipt and eight such batches may be under way, so nothing is lost and all
 * receivers handle the same number. Five runs of each, taking turns; the median counts. Then what
 * coo send costs as a whole process, and what memory an idle listener takes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 5, BATCH = 64, UNDER_WAY = 8, SEND_RUNS = 15, SLOT = 2048 };

static const char *coo, *helper = "tests/bench/listen_peer.py";
static unsigned messages = 100000;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_listen: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sysconf(_SC_NPROCESSORS_ONLN) > core && sched_setaffinity(0, sizeof(set), &set) != 0)
		perror("bench_listen: sched_setaffinity");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static void say(const char *name, double value, const char *unit)
{
	printf("%s %.*f %s\n", name, value < 100 ? 3 : 0, value, unit);
	fflush(stdout);
}

static int open_udp(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;
	socklen_t n = sizeof(*at);

	memset(at, 0, sizeof(*at));
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)at, sizeof(*at)) != 0 ||
	    getsockname(fd, (struct sockaddr *)at, &n) != 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

/* --- receivers ----------------------------------------------------------------------------------
 */

/* The best there is: batches from the kernel, nothing looked at. */
static void bare_recvmmsg(int fd)
{
	static char bytes[BATCH][SLOT];
	static struct sockaddr_in from[BATCH];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	unsigned seen = 0;

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < BATCH; i++) {
		v[i].iov_base = bytes[i];
		v[i].iov_len = SLOT;
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_hdr.msg_name = &from[i];
	}
	for (;;) {
		int n;

		for (unsigned i = 0; i < BATCH; i++)
			m[i].msg_hdr.msg_namelen = sizeof(from[i]);
		n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			if (++seen % BATCH == 0)
				sendto(fd, "1:1:b:b:33:0", 12, 0, (struct sockaddr *)&from[i],
				       sizeof(from[i]));
		}
	}
}

/* Starts argv (NULL: the loop above on fd) on core 0. */
static pid_t start(const char *const *argv, int fd, int out)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	pin(0);
	if (!argv)
		bare_recvmmsg(fd);
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Gives the processor time that it took, in seconds. */
static double stop(pid_t pid)
{
	struct rusage u;

	kill(pid, SIGTERM);
	if (wait4(pid, NULL, 0, &u) != pid)
		die("wait4");
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/* --- the sender ---------------------------------------------------------------------------------
 */

static unsigned next_no = 1;

static size_t put_message(char *p, unsigned no, unsigned command)
{
	/* GBK for: good morning, lunch is ready */
	return (size_t)snprintf(p, SLOT, "1_coo:%u:zhangsan:office-pc-7:%u:%s", no, command,
				"\xd4\xe7\xc9\xcf\xba\xc3\xa3\xac\xb3\xd4\xb7\xb9\xc1\xcb lunch") +
	       1;
}

static bool wait_receipt(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[256];

	return poll(&p, 1, ms) > 0 && recv(fd, bytes, sizeof(bytes), 0) > 0;
}

static void send_batch(int fd)
{
	static char bytes[BATCH][SLOT];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < BATCH; i++) {
		v[i].iov_base = bytes[i];
		v[i].iov_len = put_message(bytes[i], next_no++, i == BATCH - 1 ? 288 : 32);
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	if (sendmmsg(fd, m, BATCH, 0) != BATCH)
		die("sendmmsg");
}

/* Messages a second that the receiver on port takes; 0 where it stopped answering. */
static double rate(uint16_t port)
{
	struct sockaddr_in own, to;
	int fd = open_udp(&own);
	unsigned batches = messages / BATCH, sent = 0, done = 0;
	double start_at;

	to = own;
	to.sin_port = htons(port);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	start_at = now_s();
	while (done < batches) {
		while (sent < batches && sent - done < UNDER_WAY) {
			send_batch(fd);
			sent++;
		}
		if (!wait_receipt(fd, 5000))
			break;
		done++;
	}
	close(fd);
	return done < batches ? 0 : (double)batches * BATCH / (now_s() - start_at);
}

struct figures {
	double rate, cpu_us;
};

/* Sends until somebody answers, so that no run begins before its receiver is there. */
static void await(uint16_t port)
{
	struct sockaddr_in own, to;
	int fd = open_udp(&own);
	double end = now_s() + 10;

	to = own;
	to.sin_port = htons(port);
	while (now_s() < end) {
		for (unsigned i = 0; i < BATCH; i++) {
			char bytes[SLOT];
			size_t n = put_message(bytes, next_no++, i == BATCH - 1 ? 288 : 32);

			sendto(fd, bytes, n, 0, (struct sockaddr *)&to, sizeof(to));
		}
		if (wait_receipt(fd, 200))
			break;
	}
	while (wait_receipt(fd, 20))
		;
	close(fd);
}

static uint16_t free_port(void)
{
	struct sockaddr_in at;

	close(open_udp(&at));
	return ntohs(at.sin_port);
}

static struct figures run_program(const char *const *argv, uint16_t port, int out)
{
	pid_t pid = start(argv, -1, out);
	struct figures f;

	await(port);
	f.rate = rate(port);
	f.cpu_us = stop(pid) / messages * 1e6;
	return f;
}

static struct figures run_bare(void)
{
	struct sockaddr_in at;
	int fd = open_udp(&at);
	pid_t pid = start(NULL, fd, -1);
	struct figures f;

	f.rate = rate(ntohs(at.sin_port));
	f.cpu_us = stop(pid) / messages * 1e6;
	close(fd);
	return f;
}

enum { BARE_C, BARE_PYTHON, SAME_PYTHON, COO, WAYS };

static struct figures run_way(unsigned way, int null)
{
	char bind_to[32], port_text[8];
	uint16_t port = free_port();
	const char *listen[] = { coo, "listen", "--json", "-b", bind_to, NULL };
	const char *python[] = { "python3", helper, way == SAME_PYTHON ? "same" : "bare", port_text,
				 NULL };

	snprintf(bind_to, sizeof(bind_to), "127.0.0.1:%u", (unsigned)port);
	snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
	if (way == BARE_C)
		return run_bare();
	return run_program(way == COO ? listen : python, port, null);
}

static void bench_rates(int null)
{
	static const char *const names[WAYS] = { "listen_bare_recvmmsg_c",
						 "listen_bare_recvfrom_python",
						 "listen_same_work_python", "listen_coo_json" };
	double rates[WAYS][RUNS], times[WAYS][RUNS], r[WAYS], t[WAYS];

	for (unsigned run = 0; run < RUNS; run++) {
		for (unsigned way = 0; way < WAYS; way++) {
			struct figures f = run_way(way, null);

			rates[way][run] = f.rate;
			times[way][run] = f.cpu_us;
		}
	}
	for (unsigned way = 0; way < WAYS; way++) {
		r[way] = median(rates[way], RUNS);
		t[way] = median(times[way], RUNS);
		say(names[way], r[way], "datagrams/s");
		printf("%s_cpu %.3f us/datagram\n", names[way], t[way]);
	}
	say("listen_coo_json_vs_bare_recvmmsg", r[COO] / r[BARE_C], "ratio");
	say("listen_coo_json_vs_bare_python", r[COO] / r[BARE_PYTHON], "ratio");
	say("listen_coo_json_vs_same_work_python", r[COO] / r[SAME_PYTHON], "ratio");
	/* the sender bounds what a receiver can show: processor time does not depend on it */
	say("listen_same_work_python_cpu_vs_coo_json", t[SAME_PYTHON] / t[COO], "ratio");
}

/* --- coo send as a whole process ----------------------------------------------------------------
 */

/* Acknowledges every message, in a process of its own. */
static void acknowledge(int fd)
{
	for (;;) {
		struct sockaddr_in from;
		socklen_t n = sizeof(from);
		char in[SLOT], out[64];
		ssize_t got = recvfrom(fd, in, sizeof(in) - 1, 0, (struct sockaddr *)&from, &n);
		char *colon;
		int len;

		if (got <= 0)
			continue;
		in[got] = '\0';
		colon = strchr(in, ':');
		len = snprintf(out, sizeof(out), "1:1:b:b:33:%lu",
			       colon ? strtoul(colon + 1, NULL, 10) : 0ul);
		sendto(fd, out, (size_t)len, 0, (struct sockaddr *)&from, n);
	}
}

static double time_of(const char *const *argv, int null)
{
	double start_at = now_s();
	pid_t pid = start(argv, -1, null);
	int status = -1;

	waitpid(pid, &status, 0);
	if (status != 0)
		die("a sender failed");
	return (now_s() - start_at) * 1e3;
}

static void bench_send(int null)
{
	struct sockaddr_in at;
	int fd = open_udp(&at);
	char target[32], port_text[8];
	const char *send_argv[] = { coo, "send", target, "hello", NULL };
	const char *python[] = { "python3", helper, "send", port_text, NULL };
	double c[SEND_RUNS], p[SEND_RUNS], cm, pm;
	pid_t pid = fork();

	if (pid == 0)
		acknowledge(fd);
	snprintf(target, sizeof(target), "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
	snprintf(port_text, sizeof(port_text), "%u", (unsigned)ntohs(at.sin_port));
	for (unsigned i = 0; i < SEND_RUNS; i++) {
		c[i] = time_of(send_argv, null);
		p[i] = time_of(python, null);
	}
	stop(pid);
	close(fd);
	cm = median(c, SEND_RUNS);
	pm = median(p, SEND_RUNS);
	say("send_start_to_acked_coo", cm, "ms");
	say("send_start_to_acked_python", pm, "ms");
	say("send_coo_vs_python", cm / pm, "ratio");
}

static void bench_memory(int null)
{
	char bind_to[32], path[64], line[256];
	uint16_t port = free_port();
	const char *listen[] = { coo, "listen", "--json", "-b", bind_to, NULL };
	unsigned long kib = 0;
	pid_t pid;
	FILE *f;

	snprintf(bind_to, sizeof(bind_to), "127.0.0.1:%u", (unsigned)port);
	pid = start(listen, -1, null);
	await(port);
	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	}
	if (f)
		fclose(f);
	stop(pid);
	say("listen_idle_rss", (double)kib / 1024, "MiB");
}

int main(int argc, char **argv)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	coo = getenv("COO") ? getenv("COO") : "build/coo";
	if (argc > 1)
		messages = (unsigned)strtoul(argv[1], NULL, 10);
	pin(1);
	bench_rates(null);
	bench_send(null);
	bench_memory(null);
	return 0;
}
