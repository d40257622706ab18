/* SPDX-License-Identifier: MIT */
#include "cli/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "proto/attr.h"

static bool start(char *const argv[], int to, pid_t *pid)
{
	static char locale[] = "LC_ALL=C", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = { locale, path, NULL };
	posix_spawn_file_actions_t fa;
	bool ok;

	if (posix_spawn_file_actions_init(&fa) != 0)
		return false;
	ok = posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0) == 0 &&
	     posix_spawn_file_actions_adddup2(&fa, to, 1) == 0 &&
	     posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0) == 0 &&
	     posix_spawn(pid, argv[0], &fa, NULL, argv, env) == 0;
	posix_spawn_file_actions_destroy(&fa);
	return ok;
}

/* Until the end of the output; false where it is too long or too slow. */
static bool read_all(int fd, coo_time deadline, struct strbuf *out)
{
	uint8_t bytes[16384];

	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };
		coo_time now = coo_clock_now();
		ssize_t n;

		if (now >= deadline || poll(&p, 1, (int)((deadline - now) / COO_MS(1)) + 1) < 0)
			return false;
		if (!p.revents)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		if (n <= 0)
			return n == 0;
		if (out->n + (size_t)n > CAPTURE_MAX)
			return false;
		strbuf_put(out, coo_span_of(bytes, (size_t)n));
	}
}

static bool ended_well(pid_t pid, bool complete)
{
	int status;
	pid_t got;

	if (!complete)
		kill(pid, SIGKILL);
	do {
		got = waitpid(pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	return complete && got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool capture_is_there(const char *path)
{
	return access(path, X_OK) == 0;
}

bool capture(char *const argv[], coo_time timeout, struct strbuf *out)
{
	int ends[2];
	pid_t pid;
	bool ok;

	if (pipe(ends) != 0)
		return false;
	coo_ignore(fcntl(ends[0], F_SETFD, FD_CLOEXEC));
	coo_ignore(fcntl(ends[1], F_SETFD, FD_CLOEXEC));
	ok = start(argv, ends[1], &pid);
	close(ends[1]);
	if (ok)
		ok =
		    ended_well(pid, read_all(ends[0], coo_time_add(coo_clock_now(), timeout), out));
	close(ends[0]);
	return ok;
}
