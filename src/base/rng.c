/* SPDX-License-Identifier: MIT */
#include "base/rng.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/random.h>
#endif

static size_t from_kernel(unsigned char *out, size_t n)
{
#ifdef __linux__
	ssize_t got = getrandom(out, n, 0);

	return got > 0 ? (size_t)got : 0;
#else
	(void)out;
	(void)n;
	return 0;
#endif
}

static size_t from_device(unsigned char *out, size_t n)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return 0;
	got = read(fd, out, n);
	close(fd);
	return got > 0 ? (size_t)got : 0;
}

void coo_rng_bytes(void *out, size_t n)
{
	unsigned char *at = out;

	while (n > 0) {
		size_t got = from_kernel(at, n);

		if (got == 0)
			got = from_device(at, n);
		if (got == 0) {
			fputs("coo: the system gives no random numbers\n", stderr);
			abort();
		}
		at += got;
		n -= got;
	}
}

uint64_t coo_rng_u64(void)
{
	uint64_t v;

	coo_rng_bytes(&v, sizeof(v));
	return v;
}
