/* SPDX-License-Identifier: MIT */
#include "cli/input.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/out.h"
#include "cli/xalloc.h"

bool input_read_all(char **text, size_t *n, size_t cap)
{
	char *buf = xcalloc(cap + 2, 1);
	size_t used = 0;
	ssize_t got = 0;

	if (isatty(STDIN_FILENO))
		say_info("type the text; Ctrl-D on an empty line ends it");
	while (used <= cap && (got = read(STDIN_FILENO, buf + used, cap + 1 - used)) > 0)
		used += (size_t)got;
	if (got < 0 || used > cap) {
		say_error("cannot read the text from stdin: %s",
			  got < 0 ? strerror(errno) : "it is too long");
		free(buf);
		return false;
	}
	if (used > 0 && buf[used - 1] == '\n')
		used--;
	if (used > 0 && buf[used - 1] == '\r')
		used--;
	buf[used] = '\0';
	*text = buf;
	*n = used;
	return true;
}

bool input_is_waiting(void)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	struct stat st;

	if (fstat(STDIN_FILENO, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode))
		return lseek(STDIN_FILENO, 0, SEEK_CUR) < st.st_size;
	return S_ISFIFO(st.st_mode) && poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}
