/* SPDX-License-Identifier: MIT */
/*
 * coo echo against other echo responders, in one interleaved run on loopback: closed loop with 64
 * datagrams in flight, one at a time, and trains (UDP_SEGMENT); then, but for the trains, over veth
 * between two namespaces. Responder and generator have a core each. Prints "name value unit" lines:
 * medians, then the ratios that are asked for. Everything runs in a network namespace of its own
 * where the kernel allows one; without it there is no veth.
 *
 * BENCH_RUNS (5) and BENCH_MS (300) bound it; COO names the program.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { BATCH = 64, BIG = 65536, RUNS_MAX = 21, IN_FLIGHT = 64 };
static const unsigned responder_core = 0, generator_core = 1;

typedef struct responder {
	const char *name;
	int (*start)(struct responder *r); /* 0, or not available */
	pid_t pid;
	uint16_t port;
	bool trains;
	double rate[2][RUNS_MAX], cpu[2][RUNS_MAX], rtt[RUNS_MAX], train[2][RUNS_MAX];
} responder;

static int runs = 5, span_ms = 300;
static const size_t sizes[2] = { 64, 1400 };

/* Where the responders are: on this host, or at the other end of a veth. */
static const char *host = "127.0.0.1", *path_name = "";
static int near_ns = -1, far_ns = -1;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void pin(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		fprintf(stderr, "bench: core %u is not to be had\n", core);
}

static void raise_lo(void)
{
	struct ifreq lo;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(&lo, 0, sizeof(lo));
	memcpy(lo.ifr_name, "lo", 3);
	lo.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
		perror("lo");
	close(fd);
}

/* A namespace with nothing but lo, so that fixed ports (inetd's) meet nobody. */
static bool isolate(void)
{
	uid_t uid = getuid();
	char map[64];
	int fd, n;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	fd = open("/proc/self/setgroups", O_WRONLY);
	if (fd >= 0 && write(fd, "deny", 4) < 0)
		perror("setgroups");
	if (fd >= 0)
		close(fd);
	n = snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
	fd = open("/proc/self/uid_map", O_WRONLY);
	if (fd >= 0 && write(fd, map, (size_t)n) < 0)
		perror("uid_map");
	if (fd >= 0)
		close(fd);
	raise_lo();
	return true;
}

static bool run_ip(const char *const *argv)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execvp("ip", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool enter(int ns)
{
	return ns < 0 || setns(ns, CLONE_NEWNET) == 0;
}

static bool set_up(const char *dev, const char *address)
{
	const char *add[] = { "ip", "address", "add", address, "dev", dev, NULL };
	const char *up[] = { "ip", "link", "set", dev, "up", NULL };

	return run_ip(add) && run_ip(up);
}

/* A second namespace at the other end of a veth; the caller stays in the first. */
static bool add_veth(void)
{
	char pid[16];
	const char *pair[] = { "ip",   "link", "add",  "far",	"type", "veth",
			       "peer", "name", "near", "netns", pid,	NULL };
	pid_t holder;
	bool ok;

	near_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	holder = fork(); /* stays in the first namespace, so that it has a name for ip */
	if (holder == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	if (near_ns < 0 || holder < 0 || unshare(CLONE_NEWNET) != 0)
		return false;
	far_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	raise_lo();
	snprintf(pid, sizeof(pid), "%d", (int)holder);
	ok = far_ns >= 0 && run_ip(pair) && set_up("far", "10.99.0.1/24");
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	return enter(near_ns) && ok && set_up("near", "10.99.0.2/24");
}

static struct sockaddr_in at_host(uint16_t port)
{
	struct sockaddr_in a;

	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	a.sin_port = htons(port);
	inet_pton(AF_INET, host, &a.sin_addr);
	return a;
}

static int bound_socket(uint16_t *port)
{
	struct sockaddr_in a = at_host(*port);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;

	a.sin_addr.s_addr = htonl(INADDR_ANY);
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

/* --- responders
 * --------------------------------------------------------------------------------------- */

static pid_t fork_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0); /* some fork: all of a responder ends together */
		pin(responder_core);
	} else if (pid > 0) {
		setpgid(pid, pid);
	}
	return pid;
}

static void plain_loop(int fd)
{
	static uint8_t buf[BIG];
	struct sockaddr_in from;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n >= 0 && sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len) < 0)
			continue;
	}
}

static uint16_t segment_size(struct msghdr *m)
{
	int size = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(c), sizeof(size));
	}
	return (uint16_t)size;
}

/* What the kernel can do when nobody asks who is answered: batches, trains, no check at all. */
static void bare_loop(int fd)
{
	static uint8_t buf[BATCH][BIG];
	static struct mmsghdr m[BATCH];
	static struct iovec iov[BATCH];
	static struct sockaddr_in name[BATCH];
	static _Alignas(struct cmsghdr) uint8_t ctrl[BATCH][64];
	int on = 1;

	setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buf[i], BIG };
		m[i].msg_hdr = (struct msghdr){ &name[i], sizeof(name[i]), &iov[i], 1,
						ctrl[i],  sizeof(ctrl[i]), 0 };
	}
	for (;;) {
		int n, sent = 0;

		n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			uint16_t size = segment_size(&m[i].msg_hdr);
			struct cmsghdr *c = (struct cmsghdr *)(void *)ctrl[i];

			iov[i].iov_len = m[i].msg_len;
			m[i].msg_hdr.msg_controllen = 0;
			if (size && size < m[i].msg_len) {
				m[i].msg_hdr.msg_controllen = CMSG_SPACE(sizeof(size));
				c->cmsg_level = SOL_UDP;
				c->cmsg_type = UDP_SEGMENT;
				c->cmsg_len = CMSG_LEN(sizeof(size));
				memcpy(CMSG_DATA(c), &size, sizeof(size));
			}
		}
		while (sent < n) {
			int done = sendmmsg(fd, m + sent, (unsigned)(n - sent), 0);

			sent += done > 0 ? done : 1;
		}
		for (int i = 0; i < n; i++) {
			iov[i].iov_len = BIG;
			m[i].msg_hdr.msg_namelen = sizeof(name[i]);
			m[i].msg_hdr.msg_controllen = sizeof(ctrl[i]);
		}
	}
}

static int start_loop(responder *r, void (*loop)(int))
{
	int fd = bound_socket(&r->port);

	r->pid = fork_child();
	if (r->pid == 0)
		loop(fd);
	close(fd);
	return 0;
}

static int start_plain(responder *r)
{
	return start_loop(r, plain_loop);
}

static int start_bare(responder *r)
{
	return start_loop(r, bare_loop);
}

static bool is_installed(const char *name, char *path, size_t cap)
{
	const char *at = getenv("PATH");

	for (; at && *at; at += *at == ':') {
		size_t n = strcspn(at, ":");

		snprintf(path, cap, "%.*s/%s", (int)n, at, name);
		if (access(path, X_OK) == 0)
			return true;
		at += n;
	}
	snprintf(path, cap, "/usr/sbin/%s", name);
	return access(path, X_OK) == 0;
}

/* Runs argv with its output to out (-1: nowhere). */
static void run_program(responder *r, const char *const *argv, int out)
{
	r->pid = fork_child();
	if (r->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(out >= 0 ? out : null, 1);
		dup2(null, 2);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
}

static int start_coo(responder *r)
{
	const char *named = getenv("COO"), *coo = named ? named : "build/coo";
	const char *argv[] = { coo, "echo", "-p", "0", "-b", host, "--json", NULL };
	char text[4096];
	const char *at;
	ssize_t n;
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0)
		return -1;
	run_program(r, argv, p[1]);
	close(p[1]);
	n = read(p[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "\"port\":");
	if (!at)
		return -1;
	r->port = (uint16_t)strtoul(at + 7, NULL, 10);
	return 0;
}

static uint16_t free_port(void)
{
	uint16_t port = 0;

	close(bound_socket(&port));
	return port;
}

static int start_socat(responder *r)
{
	char path[256], address[64];
	const char *argv[] = { path, address, "PIPE", NULL };

	if (!is_installed("socat", path, sizeof(path)))
		return -1;
	r->port = free_port();
	snprintf(address, sizeof(address), "UDP4-RECVFROM:%u,bind=%s,fork", r->port, host);
	run_program(r, argv, -1);
	return 0;
}

static int start_python(responder *r)
{
	char path[256], code[256];
	const char *argv[] = { path, "-c", code, NULL };

	if (!is_installed("python3", path, sizeof(path)))
		return -1;
	r->port = free_port();
	snprintf(code, sizeof(code),
		 "import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
		 "s.bind(('%s',%u))\nwhile 1: s.sendto(*s.recvfrom(65536))",
		 host, r->port);
	run_program(r, argv, -1);
	return 0;
}

static int start_sockperf(responder *r)
{
	char path[256], port[16];
	const char *argv[] = { path, "server", "-i", host, "-p", port, NULL };

	if (!is_installed("sockperf", path, sizeof(path)))
		return -1;
	r->port = free_port();
	snprintf(port, sizeof(port), "%u", r->port);
	run_program(r, argv, -1);
	return 0;
}

static int start_ncat(responder *r)
{
	char path[256], port[16];
	const char *argv[] = { path, "-u", "-l", "-k", "-e", "/bin/cat", host, port, NULL };

	if (!is_installed("ncat", path, sizeof(path)))
		return -1;
	r->port = free_port();
	snprintf(port, sizeof(port), "%u", r->port);
	run_program(r, argv, -1);
	return 0;
}

static int start_xinetd(responder *r)
{
	char path[256], text[400], conf[] = "/tmp/bench-xinetd-XXXXXX";
	const char *argv[] = { path, "-dontfork", "-f", conf, NULL };
	int fd, n;

	if (!is_installed("xinetd", path, sizeof(path)))
		return -1;
	r->port = free_port();
	n = snprintf(text, sizeof(text),
		     "service echo\n{\n type = INTERNAL UNLISTED\n id = echo-dgram\n"
		     " socket_type = dgram\n protocol = udp\n wait = yes\n user = root\n"
		     " port = %u\n bind = %s\n disable = no\n}\n",
		     r->port, host);
	fd = mkstemp(conf);
	if (fd < 0 || write(fd, text, (size_t)n) < 0)
		return -1;
	close(fd);
	run_program(r, argv, -1);
	usleep(300000); /* like inetd */
	unlink(conf);
	return 0;
}

static int start_inetd(responder *r)
{
	char path[256], conf[] = "/tmp/bench-inetd-XXXXXX";
	char line[80];
	const char *argv[] = { path, "-d", conf, NULL };
	int fd, n;

	if (!is_installed("inetutils-inetd", path, sizeof(path)))
		return -1;
	n = snprintf(line, sizeof(line), "%s:echo dgram udp wait root internal\n", host);
	fd = mkstemp(conf);
	if (fd < 0 || write(fd, line, (size_t)n) < 0)
		return -1;
	close(fd);
	r->port = 7;
	run_program(r, argv, -1);
	usleep(300000); /* it has no word for "ready"; the exchange below asks again and again */
	unlink(conf);
	return 0;
}

/* --- generator
 * ---------------------------------------------------------------------------------------- */

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

static int client_socket(uint16_t to)
{
	uint16_t port = 0;
	int fd = bound_socket(&port);
	struct sockaddr_in a = at_host(to);

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
static bool answers(uint16_t port)
{
	uint8_t p[64] = { 0 }, q[64];
	bool ok = false;

	for (int i = 0; i < 100 && !ok; i++) {
		int fd = client_socket(port);

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
static double closed_loop(uint16_t port, size_t size)
{
	static uint8_t tx[BATCH][1500], rx[BATCH][1500];
	struct mmsghdr m[BATCH] = { 0 }, w[BATCH] = { 0 };
	struct iovec in[BATCH], out[BATCH];
	uint64_t start = now_ns(), end = start + (uint64_t)span_ms * 1000000u, got = 0;
	uint64_t now, heard = start;
	int fd = client_socket(port), room = IN_FLIGHT;

	for (int i = 0; i < BATCH; i++) {
		in[i] = (struct iovec){ rx[i], sizeof(rx[i]) };
		out[i] = (struct iovec){ tx[i], size };
		m[i].msg_hdr.msg_iov = &in[i];
		w[i].msg_hdr.msg_iov = &out[i];
		m[i].msg_hdr.msg_iovlen = w[i].msg_hdr.msg_iovlen = 1;
	}
	while ((now = now_ns()) < end) {
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
	end = now_ns();
	close(fd);
	return (double)got * 1e9 / (double)(end - start);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *v, int n)
{
	double copy[RUNS_MAX];

	memcpy(copy, v, (size_t)n * sizeof(*v));
	qsort(copy, (size_t)n, sizeof(*copy), by_value);
	return copy[n / 2];
}

/* Median round trip in µs, one datagram at a time. */
static double one_at_a_time(uint16_t port)
{
	enum { MAX = 20000 };
	static double rtt[MAX];
	uint8_t p[64] = { 0 };
	uint64_t end = now_ns() + (uint64_t)span_ms * 1000000u;
	int fd = client_socket(port), n = 0;

	while (n < MAX && now_ns() < end) {
		uint64_t t = now_ns();

		fill(p, sizeof(p));
		if (send(fd, p, sizeof(p), 0) < 0 || !wait_readable(fd, 50))
			continue;
		if (recv(fd, p, sizeof(p), MSG_DONTWAIT) > 0)
			rtt[n++] = (double)(now_ns() - t) / 1000;
	}
	close(fd);
	qsort(rtt, (size_t)n, sizeof(*rtt), by_value);
	return n ? rtt[n / 2] : 0;
}

/* Answers a second to trains of datagrams, as many as the sender can hand over. */
static double trains(uint16_t port, size_t datagram)
{
	static uint8_t tx[BIG], rx[BIG];
	int fd = client_socket(port), on = 1, segment = (int)datagram;
	/* at most 64 datagrams, and 64 kB less the headers */
	size_t size = (datagram * 64 < 65000 ? 64 : 65000 / datagram) * datagram;
	uint64_t start = now_ns(), end = start + (uint64_t)span_ms * 1000000u, bytes = 0;

	setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	while (now_ns() < end) {
		ssize_t n;

		for (size_t at = 0; at < size; at += datagram)
			fill(tx + at, datagram);
		if (send(fd, tx, size, MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != ENOBUFS)
			break;
		while ((n = recv(fd, rx, sizeof(rx), MSG_DONTWAIT)) > 0)
			bytes += (uint64_t)n;
	}
	end = now_ns();
	/* what still waits at the responder is not the next one's load */
	while (wait_readable(fd, 20)) {
		if (recv(fd, rx, sizeof(rx), MSG_DONTWAIT) < 0)
			break;
	}
	close(fd);
	return (double)bytes / (double)datagram * 1e9 / (double)(end - start);
}

/* Nanoseconds of CPU that a process and its threads have used. */
static double cpu_of(pid_t pid)
{
	char path[300], text[128];
	double sum = 0;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.40s/schedstat", (int)pid, e->d_name);
		f = fopen(path, "r");
		if (f && fgets(text, sizeof(text), f))
			sum += strtod(text, NULL);
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return sum;
}

static void measure(responder *r, int run)
{
	for (int s = 0; s < 2; s++) {
		double before = cpu_of(r->pid), rate = closed_loop(r->port, sizes[s]);
		double answered = rate * span_ms / 1000;

		r->rate[s][run] = rate;
		r->cpu[s][run] = answered > 0 ? (cpu_of(r->pid) - before) / answered : 0;
	}
	r->rtt[run] = one_at_a_time(r->port);
	for (int s = 0; s < 2 && r->trains && !*path_name; s++)
		r->train[s][run] = trains(r->port, sizes[s]);
}

static responder all[] = {
	{ .name = "coo", .start = start_coo, .trains = true },
	{ .name = "plain", .start = start_plain, .trains = true },
	{ .name = "bare", .start = start_bare, .trains = true },
	{ .name = "python", .start = start_python },
	{ .name = "socat", .start = start_socat },
	{ .name = "sockperf", .start = start_sockperf },
	{ .name = "ncat", .start = start_ncat },
	{ .name = "inetd", .start = start_inetd },
	{ .name = "xinetd", .start = start_xinetd },
};
enum { N = sizeof(all) / sizeof(all[0]) };

static void print_medians(const responder *r)
{
	printf("echo_%s%s_64B %.0f datagrams/s\n", path_name, r->name, median(r->rate[0], runs));
	printf("echo_%s%s_1400B %.0f datagrams/s\n", path_name, r->name, median(r->rate[1], runs));
	printf("echo_%s%s_cpu_64B %.0f ns/datagram\n", path_name, r->name, median(r->cpu[0], runs));
	printf("echo_%s%s_rtt_median %.2f us\n", path_name, r->name, median(r->rtt, runs));
	for (int s = 0; s < 2 && r->trains && !*path_name; s++)
		printf("echo_%s_trains_%zuB %.0f datagrams/s\n", r->name, sizes[s],
		       median(r->train[s], runs));
}

/* The median of the ratios within each run, so that drift between runs cancels. */
static void print_ratio(const char *what, const double *a, const double *b, const char *asked)
{
	double v[RUNS_MAX];

	for (int i = 0; i < runs; i++)
		v[i] = b[i] > 0 ? a[i] / b[i] : 0;
	printf("ratio_%s%s %.3f x (asked: %s)\n", path_name, what, median(v, runs), asked);
}

static const responder *find(const char *name)
{
	for (int i = 0; i < N; i++) {
		if (strcmp(all[i].name, name) == 0 && all[i].pid > 0)
			return &all[i];
	}
	return NULL;
}

static void print_ratios(void)
{
	static const struct {
		const char *name, *asked;
	} others[] = { { "plain", ">= 1.2" }, { "bare", ">= 0.9" },	{ "inetd", ">= 1.5" },
		       { "socat", ">= 100" }, { "sockperf", ">= 1.1" }, { "python", "-" },
		       { "ncat", "-" },	      { "xinetd", "-" } };
	const responder *coo = find("coo"), *plain = find("plain"), *bare = find("bare");
	char what[64];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const responder *o = find(others[i].name);

		if (!o) {
			printf("# %s: without %s: not installed, or no answer\n",
			       *path_name ? "veth" : "loopback", others[i].name);
			continue;
		}
		snprintf(what, sizeof(what), "coo_to_%s_64B", o->name);
		print_ratio(what, coo->rate[0], o->rate[0], others[i].asked);
		snprintf(what, sizeof(what), "coo_to_%s_1400B", o->name);
		print_ratio(what, coo->rate[1], o->rate[1], "-");
	}
	print_ratio("bare_to_plain_64B", bare->rate[0], plain->rate[0], "for the scale");
	if (!*path_name) {
		print_ratio("coo_to_plain_trains_64B", coo->train[0], plain->train[0], ">= 20");
		print_ratio("coo_to_bare_trains_64B", coo->train[0], bare->train[0], ">= 0.9");
		print_ratio("coo_to_plain_trains_1400B", coo->train[1], plain->train[1], "-");
		print_ratio("coo_to_bare_trains_1400B", coo->train[1], bare->train[1], "-");
	}
	print_ratio("coo_to_plain_rtt", coo->rtt, plain->rtt, "<= 1.1");
	print_ratio("coo_to_plain_cpu_64B", coo->cpu[0], plain->cpu[0], "<= 0.8");
}

static void print_memory(pid_t pid)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			printf("echo_%scoo_rss %ld kB (asked: <= 3072)\n", path_name,
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
	for (int i = 0; i < N; i++) {
		bool started = enter(far_ns) && all[i].start(&all[i]) == 0;

		if (enter(near_ns) && started && answers(all[i].port))
			continue;
		if (all[i].pid > 0)
			kill(-all[i].pid, SIGKILL);
		all[i].pid = 0;
	}
}

static void stop_all(void)
{
	for (int i = 0; i < N; i++) {
		if (all[i].pid <= 0)
			continue;
		kill(-all[i].pid, SIGKILL);
		waitpid(all[i].pid, NULL, 0);
		all[i].pid = 0;
	}
}

static bool compare(void)
{
	start_all();
	if (!find("coo")) {
		fprintf(stderr, "bench: coo echo does not start; COO names the program\n");
		return false;
	}
	print_memory(find("coo")->pid);
	for (int run = 0; run < runs; run++) {
		for (int i = 0; i < N; i++) {
			if (all[i].pid > 0)
				measure(&all[i], run);
		}
	}
	for (int i = 0; i < N; i++) {
		if (all[i].pid > 0)
			print_medians(&all[i]);
	}
	print_ratios();
	print_memory(find("coo")->pid);
	stop_all();
	return true;
}

int main(void)
{
	bool alone;

	setvbuf(stdout, NULL, _IOLBF, 0);
	runs = number("BENCH_RUNS", runs, RUNS_MAX);
	span_ms = number("BENCH_MS", span_ms, 10000);
	alone = isolate();
	pin(generator_core);
	if (!compare())
		return 1;
	if (!alone || !add_veth()) {
		printf("# without veth: no namespaces, or no ip\n");
		return 0;
	}
	host = "10.99.0.1";
	path_name = "veth_";
	return compare() ? 0 : 1;
}
