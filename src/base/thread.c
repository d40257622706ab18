/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#ifdef __linux__
#include <sched.h>
#include <string.h>

#include "proto/attr.h"

void coo_thread_background(void)
{
	struct sched_param none;

	/* not nice(2): whoever wakes up takes the processor from SCHED_IDLE at once */
	memset(&none, 0, sizeof(none));
	coo_ignore(sched_setscheduler(0, SCHED_IDLE, &none) != 0);
}
#else
void coo_thread_background(void)
{
}
#endif
