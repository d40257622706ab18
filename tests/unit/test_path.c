/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"
#include "support/tmpdir.h"

static void names_are_accepted_or_refused(void **state)
{
	static const struct {
		const char *name, *offered, *member; /* NULL: refused */
	} rows[] = {
		{ "a.txt", "a.txt", "a.txt" },
		{ "报告 2026.pdf", "报告 2026.pdf", "报告 2026.pdf" },
		{ "a:b::c", "a:b::c", "a:b::c" },
		{ "😀.png", "😀.png", "😀.png" },
		{ ".bashrc", ".bashrc", ".bashrc" },
		{ "..hidden", "..hidden", "..hidden" },
		{ "-rf", "-rf", "-rf" },
		{ "../../.bashrc", ".bashrc", NULL },
		{ "/etc/passwd", "passwd", NULL },
		{ "C:\\windows\\x.exe", "x.exe", NULL },
		{ "a/../../b", "b", NULL },
		{ "", NULL, NULL },
		{ ".", NULL, NULL },
		{ "..", NULL, NULL },
		{ "a/..", NULL, NULL },
		{ "a/", NULL, NULL },
		{ "/", NULL, NULL },
		{ "\\", NULL, NULL },
		{ "a.", NULL, NULL },
		{ "a ", NULL, NULL },
		{ "...", NULL, NULL },
		{ "a\nb", NULL, NULL },
		{ "a\x7f", NULL, NULL },
		{ "a\x1b[2J", NULL, NULL },
		{ "a\xc2\x85", NULL, NULL },
		{ "con", NULL, NULL },
		{ "NUL.txt", NULL, NULL },
		{ "com1", NULL, NULL },
		{ "Lpt9.tar.gz", NULL, NULL },
		{ "aux .c", NULL, NULL },
		{ "com0", "com0", "com0" },
		{ "console", "console", "console" },
		{ "com10", "com10", "com10" },
		{ "a\xff", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		for (int kind = COO_PATH_OFFERED; kind <= COO_PATH_MEMBER; kind++) {
			const char *want =
			    kind == COO_PATH_OFFERED ? rows[i].offered : rows[i].member;
			char out[COO_PATH_NAME_CAP] = "untouched";
			coo_err e = coo_path_accept(coo_span_str(rows[i].name),
						    (enum coo_path_kind)kind, out);

			if ((e == COO_OK) != (want != NULL))
				fail_msg("row %zu \"%s\" kind %d: %s", i, rows[i].name, kind,
					 coo_err_name(e));
			assert_string_equal(out, want ? want : "untouched");
		}
	}
}

static void a_nul_inside_is_refused(void **state)
{
	char out[COO_PATH_NAME_CAP];

	(void)state;
	assert_int_equal(coo_path_accept(LIT("a\0b"), COO_PATH_OFFERED, out), COO_EUNSAFE);
}

static void long_names_keep_their_extension_and_characters(void **state)
{
	char name[800], out[COO_PATH_NAME_CAP];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_int_equal(coo_path_accept(coo_span_of(name, 255), COO_PATH_OFFERED, out), COO_OK);
	assert_int_equal(strlen(out), 255);
	assert_int_equal(coo_path_accept(coo_span_of(name, 766), COO_PATH_OFFERED, out),
			 COO_EUNSAFE);
	for (size_t i = 0; i + 3 <= 300; i += 3)
		memcpy(name + i, "中", 3);
	memcpy(name + 300, ".docx", 5);
	assert_int_equal(coo_path_accept(coo_span_of(name, 305), COO_PATH_MEMBER, out), COO_OK);
	assert_int_equal(strlen(out), 254);
	assert_string_equal(out + 249, ".docx");
	coo_path_numbered(out, 2, name);
	assert_string_equal(name + strlen(name) - 9, " (2).docx");
	assert_true(strlen(name) <= 255);
}

static void numbers_stand_before_the_extension(void **state)
{
	static const struct {
		const char *name;
		unsigned n;
		const char *want;
	} rows[] = {
		{ "a.txt", 1, "a.txt" },
		{ "a.txt", 2, "a (2).txt" },
		{ "a", 9999, "a (9999)" },
		{ ".bashrc", 2, ".bashrc (2)" },
		{ "a.tar.gz", 3, "a.tar (3).gz" },
		{ "v1.with a long tail behind it", 2, "v1.with a long tail behind it (2)" },
	};
	char out[COO_PATH_NAME_CAP];

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_path_numbered(rows[i].name, rows[i].n, out);
		assert_string_equal(out, rows[i].want);
	}
}

static void what_exists_is_never_opened_nor_replaced(void **state)
{
	char made[COO_PATH_NAME_CAP], text[16];
	struct tmpdir t;
	struct stat st;
	int fd;

	(void)state;
	tmpdir_make(&t);
	tmpdir_write(t.fd, "a.txt", "old", 3);
	assert_int_equal(symlinkat("a.txt", t.fd, "a (2).txt"), 0);
	assert_int_equal(coo_path_make_file(t.fd, "a.txt", made, &fd), COO_OK);
	assert_string_equal(made, "a (3).txt");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0111, 0);
	close(fd);
	assert_int_equal(coo_path_make_dir(t.fd, "a.txt", made, &fd), COO_OK);
	assert_string_equal(made, "a (4).txt");
	close(fd);
	assert_int_equal(symlinkat("/nowhere", t.fd, "dangling"), 0);
	assert_int_equal(coo_path_make_file(t.fd, "dangling", made, &fd), COO_OK);
	assert_string_equal(made, "dangling (2)");
	close(fd);
	tmpdir_write(t.fd, "new", "new", 3);
	assert_int_equal(coo_path_publish(t.fd, "new", "a.txt", made), COO_OK);
	assert_string_equal(made, "a (5).txt");
	assert_int_equal(tmpdir_read(t.fd, "a.txt", text, sizeof(text)), 3);
	assert_memory_equal(text, "old", 3);
	assert_int_equal(tmpdir_read(t.fd, made, text, sizeof(text)), 3);
	assert_memory_equal(text, "new", 3);
	tmpdir_remove(&t);
}

/* A hostile folder: each gets the next number, up to a limit, without trying all before it. */
static void one_name_ten_thousand_times(void **state)
{
	char made[COO_PATH_NAME_CAP], want[COO_PATH_NAME_CAP];
	struct tmpdir t;
	int fd;

	(void)state;
	tmpdir_make(&t);
	for (unsigned i = 1; i <= 9999; i++) {
		assert_int_equal(coo_path_make_dir(t.fd, "d", made, &fd), COO_OK);
		close(fd);
		coo_path_numbered("d", i, want);
		assert_string_equal(made, want);
	}
	assert_int_equal(coo_path_make_dir(t.fd, "d", made, &fd), COO_EFULL);
	assert_int_equal(unlinkat(t.fd, "d", AT_REMOVEDIR), 0);
	assert_int_equal(coo_path_make_dir(t.fd, "d", made, &fd), COO_OK);
	close(fd);
	assert_string_equal(made, "d");
	assert_int_equal(tmpdir_count(t.fd), 9999);
	tmpdir_remove(&t);
}

static void directories_are_published_too(void **state)
{
	char made[COO_PATH_NAME_CAP];
	struct tmpdir t;
	int fd;

	(void)state;
	tmpdir_make(&t);
	assert_int_equal(coo_path_make_dir(t.fd, "photos", made, &fd), COO_OK);
	close(fd);
	assert_int_equal(coo_path_make_dir(t.fd, "photos.part", made, &fd), COO_OK);
	close(fd);
	assert_int_equal(coo_path_publish(t.fd, "photos.part", "photos", made), COO_OK);
	assert_string_equal(made, "photos (2)");
	tmpdir_remove(&t);
}

static void only_our_own_plain_files_are_opened_again(void **state)
{
	struct tmpdir t;
	int fd;

	(void)state;
	tmpdir_make(&t);
	tmpdir_write(t.fd, "plain", "x", 1);
	tmpdir_write(t.fd, "two names", "x", 1);
	assert_int_equal(linkat(t.fd, "two names", t.fd, "second", 0), 0);
	assert_int_equal(symlinkat("plain", t.fd, "link"), 0);
	assert_int_equal(mkfifoat(t.fd, "pipe", 0600), 0);
	assert_int_equal(coo_path_reopen(t.fd, "plain", &fd), COO_OK);
	close(fd);
	assert_int_equal(coo_path_reopen(t.fd, "two names", &fd), COO_EUNSAFE);
	assert_int_equal(coo_path_reopen(t.fd, "link", &fd), COO_EUNSAFE);
	assert_int_equal(coo_path_reopen(t.fd, "pipe", &fd), COO_EUNSAFE);
	assert_int_equal(coo_path_reopen(t.fd, "none", &fd), COO_ENOENT);
	tmpdir_remove(&t);
}

static void times_are_set(void **state)
{
	char made[COO_PATH_NAME_CAP];
	struct tmpdir t;
	struct stat st;
	int fd;

	(void)state;
	tmpdir_make(&t);
	assert_int_equal(coo_path_make_file(t.fd, "a", made, &fd), COO_OK);
	coo_path_set_mtime(fd, 1783728200);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mtime, 1783728200);
	coo_path_set_mtime(fd, 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mtime, 1783728200);
	assert_int_equal(coo_path_sync(fd), COO_OK);
	close(fd);
	assert_int_equal(coo_path_open_root("/nonexistent/dir", &fd), COO_ESYS);
	assert_true(coo_path_free_bytes(t.fd) > 0);
	tmpdir_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_accepted_or_refused),
		cmocka_unit_test(a_nul_inside_is_refused),
		cmocka_unit_test(long_names_keep_their_extension_and_characters),
		cmocka_unit_test(numbers_stand_before_the_extension),
		cmocka_unit_test(what_exists_is_never_opened_nor_replaced),
		cmocka_unit_test(one_name_ten_thousand_times),
		cmocka_unit_test(directories_are_published_too),
		cmocka_unit_test(only_our_own_plain_files_are_opened_again),
		cmocka_unit_test(times_are_set),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
