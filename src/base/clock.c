/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#ifdef __linux__
#include <sys/timex.h>
#endif

static coo_time read_clock(clockid_t id)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(id, &ts);
	return COO_SEC(ts.tv_sec) + (coo_time)ts.tv_nsec;
}

coo_time coo_clock_now(void)
{
	coo_time t = read_clock(CLOCK_MONOTONIC);

	return t ? t : 1;
}

coo_time coo_clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t coo_clock_error(void)
{
#ifdef __linux__
	struct timex t;
	int state;

	memset(&t, 0, sizeof(t));
	state = adjtimex(&t);
	if (state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC))
		return (uint64_t)t.maxerror * 1000;
#endif
	return UINT64_MAX;
}

const char *coo_clock_rfc3339(coo_time wall, char text[COO_RFC3339_CAP])
{
	/* The second changes rarely and localtime_r is slow: its text is kept until it does. */
	static _Thread_local time_t kept_second = (time_t)-1;
	static _Thread_local char kept[20], kept_zone[8];
	time_t second = (time_t)(wall / COO_SEC(1));
	unsigned ms = (unsigned)(wall / COO_MS(1) % 1000);
	size_t n;

	if (second != kept_second) {
		struct tm tm;
		char zone[8];

		memset(&tm, 0, sizeof(tm));
		localtime_r(&second, &tm);
		strftime(kept, sizeof(kept), "%Y-%m-%dT%H:%M:%S", &tm);
		strftime(zone, sizeof(zone), "%z", &tm);
		snprintf(kept_zone, sizeof(kept_zone), "%.3s:%.2s", zone, zone + 3);
		kept_second = second;
	}
	n = strlen(kept);
	memcpy(text, kept, n);
	text[n++] = '.';
	text[n++] = (char)('0' + ms / 100);
	text[n++] = (char)('0' + ms / 10 % 10);
	text[n++] = (char)('0' + ms % 10);
	memcpy(text + n, kept_zone, strlen(kept_zone) + 1);
	return text;
}
