/* SPDX-License-Identifier: MIT */
#include "bench/echo_rivals.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/echo_loops.h"

enum { CORE = 0 };

static pid_t fork_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0); /* some fork: all of a responder ends together */
		echo_pin(CORE);
	} else if (pid > 0) {
		setpgid(pid, pid);
	}
	return pid;
}

static int start_loop(echo_rival *r, void (*loop)(int))
{
	int fd = echo_bound_socket(&r->port);

	r->pid = fork_child();
	if (r->pid == 0)
		loop(fd);
	close(fd);
	return 0;
}

static int start_plain(echo_rival *r, const char *host)
{
	(void)host;
	return start_loop(r, echo_plain_loop);
}

static int start_bare(echo_rival *r, const char *host)
{
	(void)host;
	return start_loop(r, echo_bare_loop);
}

/* On the PATH, where daemons are, and where scripts/install-deps.sh unpacks a second inetd. */
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
	if (access(path, X_OK) == 0)
		return true;
	snprintf(path, cap, "build/rivals/usr/sbin/%s", name);
	return access(path, X_OK) == 0;
}

/* Runs argv with its output to out (-1: nowhere). */
static void run_program(echo_rival *r, const char *const *argv, int out)
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

static int start_coo(echo_rival *r, const char *host)
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

	close(echo_bound_socket(&port));
	return port;
}

static int start_socat(echo_rival *r, const char *host)
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

static int start_python(echo_rival *r, const char *host)
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

static int start_sockperf(echo_rival *r, const char *host)
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

static int start_ncat(echo_rival *r, const char *host)
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

static int start_xinetd(echo_rival *r, const char *host)
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
		     " port = %u\n bind = %s\n disable = no\n cps = 1000000 1\n"
		     " instances = UNLIMITED\n per_source = UNLIMITED\n}\n",
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

static int start_inetd(echo_rival *r, const char *host)
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

void echo_rival_stop(echo_rival *r)
{
	if (r->pid <= 0)
		return;
	kill(-r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	r->pid = 0;
}

/* What the threads of a process have used, in ns. */
static double threads_cpu(const char *pid)
{
	char path[300], text[128];
	double sum = 0;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/schedstat", pid, e->d_name);
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

/* The n-th number behind the name in a line of /proc/PID/stat, counted as proc(5) does: the state
 * is the third field. */
static long field_of(const char *behind_name, unsigned n)
{
	for (unsigned i = 2; i < n && behind_name; i++)
		behind_name = strchr(behind_name + 1, ' ');
	return behind_name ? strtol(behind_name, NULL, 10) : 0;
}

/* The group of a process, and what children that it has waited for have used, in ns. */
static bool read_stat(const char *pid, long *group, double *children)
{
	char path[64], text[512];
	const char *p = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	f = fopen(path, "r");
	if (f && fgets(text, sizeof(text), f))
		p = strrchr(text, ')');
	if (f)
		fclose(f);
	if (!p)
		return false;
	*group = field_of(p, 5);
	*children =
	    (double)(field_of(p, 16) + field_of(p, 17)) * 1e9 / (double)sysconf(_SC_CLK_TCK);
	return true;
}

double echo_rival_cpu(const echo_rival *r)
{
	DIR *d = opendir("/proc");
	double sum = 0, children;
	struct dirent *e;
	long group;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		if (read_stat(e->d_name, &group, &children) && group == r->pid)
			sum += threads_cpu(e->d_name) + children;
	}
	if (d)
		closedir(d);
	return sum;
}

echo_rival echo_rivals[ECHO_RIVALS] = {
	{ .name = "coo", .start = start_coo, .asked = "-", .asked_cpu = "-", .trains = true },
	{ .name = "plain",
	  .start = start_plain,
	  .asked = ">= 1.2",
	  .asked_cpu = "<= 0.8",
	  .trains = true },
	{ .name = "bare",
	  .start = start_bare,
	  .asked = ">= 0.9",
	  .asked_cpu = "-",
	  .trains = true },
	{ .name = "python",
	  .start = start_python,
	  .asked = "-",
	  .asked_cpu = "-",
	  .trains = false },
	{ .name = "socat",
	  .start = start_socat,
	  .asked = ">= 100",
	  .asked_cpu = "-",
	  .trains = false },
	{ .name = "sockperf",
	  .start = start_sockperf,
	  .asked = ">= 1.1",
	  .asked_cpu = "-",
	  .trains = false },
	{ .name = "ncat", .start = start_ncat, .asked = "-", .asked_cpu = "-", .trains = false },
	{ .name = "inetd",
	  .start = start_inetd,
	  .asked = ">= 1.5",
	  .asked_cpu = "-",
	  .trains = false },
	{ .name = "xinetd",
	  .start = start_xinetd,
	  .asked = "-",
	  .asked_cpu = "-",
	  .trains = false },
};
