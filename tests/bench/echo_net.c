/* SPDX-License-Identifier: MIT */
#include "bench/echo_net.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int near_ns = -1, far_ns = -1;

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

bool echo_net_isolate(void)
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

bool echo_net_add_veth(void)
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
	ok = far_ns >= 0 && run_ip(pair) && set_up("far", ECHO_NET_FAR "/24");
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	return enter(near_ns) && ok && set_up("near", "10.99.0.2/24");
}

bool echo_net_enter_far(void)
{
	return enter(far_ns);
}

bool echo_net_enter_near(void)
{
	return enter(near_ns);
}
