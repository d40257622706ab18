/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/attr.h"

void coo_thread_background(void)
{
#ifdef __linux__
	static _Thread_local bool is_background;

	/* POSIX means the process, Linux the thread */
	if (!is_background)
		coo_ignore(setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19) != 0);
	is_background = true;
#endif
}
