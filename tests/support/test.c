/* SPDX-License-Identifier: MIT */
#include "support/test.h"

#include <sys/mman.h>
#include <unistd.h>

static void print_span(const char *what, coo_span s)
{
	fprintf(stderr, "  %s (%zu bytes): ", what, s.n);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 0x20 && s.p[i] < 0x7f && s.p[i] != '\\')
			fputc(s.p[i], stderr);
		else
			fprintf(stderr, "\\x%02x", s.p[i]);
	}
	fputc('\n', stderr);
}

void test_assert_span(coo_span got, coo_span want, const char *row, const char *file, int line)
{
	if (coo_span_eq(got, want))
		return;
	fprintf(stderr, "%s:%d: row \"%s\"\n", file, line, row ? row : "");
	print_span("got ", got);
	print_span("want", want);
	_fail(file, line);
}

static size_t mapped_size(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n / page + 2) * page;
}

uint8_t *test_guard_copy(coo_span s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = mapped_size(s.n);
	uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *at;

	if (map == MAP_FAILED || mprotect(map + size - page, page, PROT_NONE) != 0)
		fail_msg("no memory for a guard page");
	at = map + size - page - s.n;
	if (s.n)
		memcpy(at, s.p, s.n);
	return at;
}

void test_guard_free(uint8_t *p, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = mapped_size(n);

	munmap(p + n - (size - page), size);
}

uint64_t test_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}
