/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/state.h"
#include "support/test.h"

static char base[64], deep[128];

/* A fresh directory for each test; the state directory is three levels below it. */
static int set_up(void **state)
{
	(void)state;
	snprintf(base, sizeof(base), "%s", "/tmp/coo-state-XXXXXX");
	if (!mkdtemp(base))
		return -1;
	snprintf(deep, sizeof(deep), "%s/a/b/coo", base);
	return setenv("COO_STATE_DIR", deep, 1);
}

static void remove_in(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

static int tear_down(void **state)
{
	static const char *const below[] = { "/a/b/coo", "/a/b", "/a", "" };

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(below); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", base, below[i]);
		chmod(path, 0700);
		remove_in(path);
		rmdir(path);
	}
	return unsetenv("COO_STATE_DIR");
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		fail_msg("no %s", path);
	return st.st_mode & 07777;
}

static void the_directory_follows_the_environment(void **state)
{
	static const struct {
		const char *own, *xdg, *home, *want;
	} rows[] = {
		{ "/own", "/xdg", "/home/u", "/own" },
		{ "relative", NULL, NULL, "relative" },
		{ "", "/xdg", "/home/u", "/xdg/coo" },
		{ NULL, "/xdg", "/home/u", "/xdg/coo" },
		{ NULL, "not/absolute", "/home/u", "/home/u/.local/state/coo" },
		{ NULL, NULL, "/home/u", "/home/u/.local/state/coo" },
		{ NULL, NULL, "", NULL },
		{ NULL, NULL, NULL, NULL },
	};
	static const char *const names[] = { "COO_STATE_DIR", "XDG_STATE_HOME", "HOME" };
	char dir[COO_STATE_DIR_CAP];
	uint32_t first = 0;
	const char *old = getenv("HOME");
	char *home = old ? strdup(old) : NULL;

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		const char *const values[] = { rows[i].own, rows[i].xdg, rows[i].home };

		for (size_t k = 0; k < 3; k++)
			assert_int_equal(
			    values[k] ? setenv(names[k], values[k], 1) : unsetenv(names[k]), 0);
		assert_int_equal(coo_state_dir(dir), rows[i].want ? COO_OK : COO_ENOENT);
		if (rows[i].want)
			assert_string_equal(dir, rows[i].want);
	}
	errno = 0;
	assert_int_equal(coo_state_packet_no(&first), COO_ENOENT); /* as in the last row */
	assert_int_equal(errno, ENOENT);
	assert_int_not_equal(first, 0);
	if (home)
		setenv("HOME", home, 1);
	free(home);
}

static void what_is_written_is_read(void **state)
{
	char path[256];
	uint8_t mem[64];
	size_t n = 99;

	(void)state;
	assert_int_equal(coo_state_read("file", mem, sizeof(mem), &n), COO_ENOENT);
	assert_int_equal(coo_state_write("file", LIT("one\0two")), COO_OK);
	assert_int_equal(coo_state_read("file", mem, sizeof(mem), &n), COO_OK);
	assert_span(coo_span_of(mem, n), LIT("one\0two"), NULL);
	assert_int_equal(coo_state_write("file", LIT("3")), COO_OK);
	assert_int_equal(coo_state_read("file", mem, sizeof(mem), &n), COO_OK);
	assert_span(coo_span_of(mem, n), LIT("3"), NULL);
	assert_int_equal(coo_state_write("file", coo_span_none()), COO_OK);
	assert_int_equal(coo_state_read("file", mem, sizeof(mem), &n), COO_OK);
	assert_int_equal(n, 0);
	assert_int_equal(mode_of(deep), 0700);
	snprintf(path, sizeof(path), "%s/file", deep);
	assert_int_equal(mode_of(path), 0600);
}

static void no_temporary_file_stays(void **state)
{
	struct dirent *e;
	size_t files = 0;
	DIR *d;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(coo_state_write("file", LIT("x")), COO_OK);
	d = opendir(deep);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		files += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	assert_int_equal(files, 1);
}

static void reading_is_bounded(void **state)
{
	uint8_t mem[4] = { 0 };
	size_t n = 99;

	(void)state;
	assert_int_equal(coo_state_write("file", LIT("1234")), COO_OK);
	assert_int_equal(coo_state_read("file", mem, 4, &n), COO_OK);
	assert_int_equal(n, 4);
	n = 99;
	assert_int_equal(coo_state_read("file", mem, 3, &n), COO_ELIMIT);
	assert_int_equal(n, 99);
}

static void unsafe_names_are_refused(void **state)
{
	static const char *const names[] = {
		"",	".",
		"..",	".hidden",
		"a/b",	"/etc/passwd",
		"../x", "0123456789012345678901234567890123456789012345678901234567890123456789"
	};
	uint8_t mem[4];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(names); i++) {
		assert_int_equal(coo_state_write(names[i], LIT("x")), COO_EUNSAFE);
		assert_int_equal(coo_state_read(names[i], mem, sizeof(mem), &n), COO_EUNSAFE);
	}
}

static void a_link_is_not_followed(void **state)
{
	char path[256];
	uint8_t mem[4];
	size_t n;

	(void)state;
	assert_int_equal(coo_state_write("file", LIT("x")), COO_OK);
	snprintf(path, sizeof(path), "%s/link", deep);
	assert_int_equal(symlink("file", path), 0);
	assert_int_equal(coo_state_read("link", mem, sizeof(mem), &n), COO_ESYS);
	assert_int_equal(coo_state_write("link", LIT("y")), COO_OK); /* replaces the link itself */
	assert_int_equal(coo_state_read("file", mem, sizeof(mem), &n), COO_OK);
	assert_int_equal(mem[0], 'x');
}

static void blocks_begin_at_the_clock_or_behind_the_last(void **state)
{
	static const struct {
		const char *name;
		uint64_t now;
		uint32_t next, first, n;
	} rows[] = {
		{ "the first ever", 1795000000, 0, 1795000000, 4096 },
		{ "the clock is ahead", 1795000000, 1794999999, 1795000000, 4096 },
		{ "both the same", 1795000000, 1795000000, 1795000000, 4096 },
		{ "ahead of the clock", 1795000000, 1795004096, 1795004096, 4096 },
		{ "a day ahead", 1795000000, 1795086400, 1795086400, 4096 },
		{ "more", 1795000000, 1795086401, 1795086401, 256 },
		{ "a month ahead", 1795000000, 1797592001, 1797592001, 16 },
		{ "a year ahead", 1795000000, 1826536001, 1826536001, 1 },
		{ "a clock at zero", 0, 1795000000, 1795000000, 1 },
		{ "nothing known at all", 0, 0, 1, 4096 },
		{ "the last one", 1795000000, 0x7fffffff, 0x7fffffff, 1 },
		{ "the end: over from the clock", 1795000000, 0x80000000, 1795000000, 4096 },
		{ "2038, the last second", 0x7fffffff, 0, 1, 4096 },
		{ "2038, a second later", 0x80000000, 0, 1, 4096 },
		{ "2039", 0x80000000 + 31536000u, 7, 31536000, 4096 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_state_block b = coo_state_next_block(rows[i].now, rows[i].next);

		if (b.first != rows[i].first || b.n != rows[i].n)
			fail_msg("row \"%s\": %u, %u", rows[i].name, b.first, b.n);
	}
}

/* Three years of a run each second, none of which gives anything back: 2^31 stays far. */
static void frequent_runs_do_not_run_away(void **state)
{
	const uint64_t start = 1795000000;
	uint32_t next = 0;

	(void)state;
	for (uint64_t second = 0; second < UINT64_C(3) * 365 * 86400; second++) {
		coo_state_block b = coo_state_next_block(start + second, next);

		if (b.first < next || b.n == 0 ||
		    b.first - (start + second) > UINT64_C(366) * 86400)
			fail_msg("second %u: %u", (unsigned)second, b.first);
		next = b.first + b.n;
	}
}

static void restarts_never_see_a_number_twice(void **state)
{
	uint32_t last = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		coo_state_block b;

		assert_int_equal(coo_state_reserve(&b), COO_OK);
		assert_true(b.first > last && b.n > 0);
		assert_true(b.first + b.n <= UINT32_C(0x80000000));
		last = b.first + b.n - 1;
	}
}

static void what_is_given_back_is_used_next(void **state)
{
	coo_state_block a, b, c;

	(void)state;
	assert_int_equal(coo_state_reserve(&a), COO_OK);
	coo_state_give_back(&a, 3000);
	assert_int_equal(coo_state_reserve(&b), COO_OK);
	assert_int_equal(b.first, a.first + 3000);
	coo_state_give_back(&b, b.n); /* nothing is left of it */
	assert_int_equal(coo_state_reserve(&c), COO_OK);
	assert_int_equal(c.first, b.first + b.n);
	coo_state_give_back(&b, 0); /* too late: c stands behind it */
	assert_int_equal(coo_state_reserve(&a), COO_OK);
	assert_int_equal(a.first, c.first + c.n);
}

enum { CHILDREN = 8, RUNS = 25 };

static void reserve_and_report(int pipe_fd)
{
	for (unsigned i = 0; i < RUNS; i++) {
		coo_state_block b;

		if (coo_state_reserve(&b) || write(pipe_fd, &b, sizeof(b)) != sizeof(b))
			_exit(1);
	}
	_exit(0);
}

static int by_first(const void *a, const void *b)
{
	const coo_state_block *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static void processes_at_once_never_share_numbers(void **state)
{
	coo_state_block all[CHILDREN * RUNS];
	size_t n = 0;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	for (unsigned i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			reserve_and_report(fds[1]);
	}
	close(fds[1]);
	while (n < COO_ARRAY_LEN(all) && read(fds[0], &all[n], sizeof(all[n])) == sizeof(all[n]))
		n++;
	close(fds[0]);
	for (unsigned i = 0; i < CHILDREN; i++) {
		int status = 1;

		wait(&status);
		assert_int_equal(status, 0);
	}
	assert_int_equal(n, COO_ARRAY_LEN(all));
	qsort(all, n, sizeof(all[0]), by_first);
	for (size_t i = 1; i < n; i++)
		assert_true(all[i - 1].first + all[i - 1].n <= all[i].first);
}

static void a_damaged_file_means_the_clock(void **state)
{
	static const char *const texts[] = { "",
					     "x",
					     "99999999999",
					     "-1",
					     "12 34",
					     "\n",
					     "00000000000000000000000000000000000001" };
	uint64_t now = coo_clock_wall() / COO_SEC(1);

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(texts); i++) {
		uint32_t first = 0;

		assert_int_equal(coo_state_write("packet-no", coo_span_str(texts[i])), COO_OK);
		assert_int_equal(coo_state_packet_no(&first), COO_OK);
		assert_true(first >= now % UINT32_C(0x80000000) && first < now + 3600);
	}
}

static void without_a_directory_the_clock_serves(void **state)
{
	uint64_t now = coo_clock_wall() / COO_SEC(1);
	char file[128];
	uint32_t first = 0;
	int fd;

	(void)state;
	snprintf(file, sizeof(file), "%s/file", base);
	fd = open(file, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	snprintf(file, sizeof(file), "%s/file/coo",
		 base); /* a file stands in the way, for root too */
	setenv("COO_STATE_DIR", file, 1);
	assert_int_equal(coo_state_packet_no(&first), COO_ESYS);
	assert_int_equal(errno, ENOTDIR);
	assert_true(first >= now && first < now + 60);
	assert_int_equal(coo_state_write("x", LIT("y")), COO_ESYS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_directory_follows_the_environment),
		TEST(what_is_written_is_read),
		TEST(no_temporary_file_stays),
		TEST(reading_is_bounded),
		TEST(unsafe_names_are_refused),
		TEST(a_link_is_not_followed),
		TEST(blocks_begin_at_the_clock_or_behind_the_last),
		TEST(frequent_runs_do_not_run_away),
		TEST(restarts_never_see_a_number_twice),
		TEST(what_is_given_back_is_used_next),
		TEST(processes_at_once_never_share_numbers),
		TEST(a_damaged_file_means_the_clock),
		TEST(without_a_directory_the_clock_serves),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
