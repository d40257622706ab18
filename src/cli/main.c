/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/xalloc.h"

static int run_cmd(const struct cmd *cmd, int argc, char **argv)
{
	void *opts = xcalloc(1, cmd->opts_size);
	int stop, code;

	if (cmd->defaults)
		memcpy(opts, cmd->defaults, cmd->opts_size);
	stop = opt_parse(cmd, opts, &argc, &argv);
	if (stop) {
		code = stop - 1;
	} else {
		out_init(opts);
		code = cmd->run(opts, argc, argv);
	}
	if (!out_finish() && code == EXIT_DONE)
		code = EXIT_SYSTEM;
	opt_free(cmd, opts);
	return code;
}

static void ignore_sigpipe(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	coo_ignore(sigaction(SIGPIPE, &sa, NULL));
}

/*
 * Where descriptor 0, 1 or 2 is closed, the next file or socket gets its number, and what is said
 * on it. For reading alone: a write fails as one to the closed descriptor would, and is told.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const struct cmd *cmd = cmd_find("help");
	int code;

	fill_standard_descriptors();
	ignore_sigpipe();
	if (argc < 2) {
		code = run_cmd(cmd, 1, argv);
		return code == EXIT_DONE ? EXIT_USAGE : code;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		cmd = cmd_find("version");
	else if (strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0)
		cmd = cmd_find(argv[1]);
	if (!cmd) {
		say_error("there is no command \"%s\"; \"coo help\" lists them", argv[1]);
		return EXIT_USAGE;
	}
	return run_cmd(cmd, argc - 1, argv + 1);
}
