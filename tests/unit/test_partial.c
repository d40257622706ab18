/* SPDX-License-Identifier: MIT */
#include "base/partial.h"

#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"
#include "support/tmpdir.h"

static coo_partial_id make_id(const char *peer, uint64_t size)
{
	coo_partial_id id;

	memset(&id, 0, sizeof(id));
	snprintf(id.peer, sizeof(id.peer), "%s", peer);
	snprintf(id.name, sizeof(id.name), "%s", "a.txt");
	id.packet = 1783728200;
	id.id = 5;
	id.size = size;
	id.mtime = 1783728000;
	return id;
}

static void a_complete_part_becomes_the_file(void **state)
{
	coo_partial_id id = make_id("u@h", 5);
	char made[COO_PATH_NAME_CAP], text[16];
	struct tmpdir t;
	struct stat st;
	coo_partial p;

	(void)state;
	tmpdir_make(&t);
	assert_int_equal(coo_partial_open(t.fd, &id, &p), COO_OK);
	assert_int_equal(p.have, 0);
	assert_int_equal(tmpdir_count(t.fd), 2);
	assert_int_equal(write(p.fd, "hello", 5), 5);
	assert_int_equal(coo_partial_publish(&p, t.fd, &id, made), COO_OK);
	assert_string_equal(made, "a.txt");
	assert_int_equal(tmpdir_count(t.fd), 1);
	assert_int_equal(tmpdir_read(t.fd, "a.txt", text, sizeof(text)), 5);
	assert_int_equal(fstatat(t.fd, "a.txt", &st, 0), 0);
	assert_int_equal(st.st_mtime, 1783728000);
	coo_partial_close(&p, t.fd);
	tmpdir_remove(&t);
}

static void a_part_is_found_again_by_its_identity_alone(void **state)
{
	coo_partial_id id = make_id("u@h", 100), anew = id, other = make_id("v@h", 100);
	struct tmpdir t;
	coo_partial p;

	(void)state;
	tmpdir_make(&t);
	assert_int_equal(coo_partial_open(t.fd, &id, &p), COO_OK);
	assert_int_equal(write(p.fd, "hello", 5), 5);
	coo_partial_close(&p, t.fd);
	anew.packet++;
	assert_int_equal(coo_partial_open(t.fd, &anew, &p), COO_OK);
	assert_int_equal(p.have, 5);
	coo_partial_close(&p, t.fd);
	assert_int_equal(coo_partial_open(t.fd, &other, &p), COO_OK);
	assert_int_equal(p.have, 0);
	coo_partial_close(&p, t.fd);
	other = id;
	other.size = 4;
	assert_int_equal(coo_partial_open(t.fd, &other, &p), COO_OK);
	assert_int_equal(p.have, 0);
	coo_partial_close(&p, t.fd);
	/* what holds nothing leaves nothing behind */
	assert_int_equal(tmpdir_count(t.fd), 2);
	tmpdir_remove(&t);
}

static void a_part_without_its_sidecar_starts_anew(void **state)
{
	coo_partial_id id = make_id("u@h", 100);
	struct tmpdir t;
	coo_partial p;

	(void)state;
	tmpdir_make(&t);
	assert_int_equal(coo_partial_open(t.fd, &id, &p), COO_OK);
	assert_int_equal(write(p.fd, "hello", 5), 5);
	tmpdir_write(t.fd, p.sidecar, "coo-partial 1\npeer u@h\n", 23);
	coo_partial_close(&p, t.fd);
	assert_int_equal(coo_partial_open(t.fd, &id, &p), COO_OK);
	assert_int_equal(p.have, 0);
	assert_int_equal(lseek(p.fd, 0, SEEK_END), 0);
	coo_partial_close(&p, t.fd);
	tmpdir_remove(&t);
}

static void two_attempts_at_once_are_kept_apart(void **state)
{
	coo_partial_id id = make_id("u@h", 100);
	struct tmpdir t;
	coo_partial p, q;

	(void)state;
	tmpdir_make(&t);
	assert_int_equal(coo_partial_open(t.fd, &id, &p), COO_OK);
	assert_int_equal(coo_partial_open(t.fd, &id, &q), COO_EFULL);
	assert_int_equal(q.fd, -1);
	assert_int_equal(write(p.fd, "hello", 5), 5);
	assert_int_equal(coo_partial_restart(&p), COO_OK);
	assert_int_equal(lseek(p.fd, 0, SEEK_END), 0);
	coo_partial_close(&p, t.fd);
	tmpdir_remove(&t);
}

static void a_planted_link_is_not_written_through(void **state)
{
	coo_partial_id id = make_id("u@h", 100);
	char text[16];
	struct tmpdir t;
	coo_partial p;

	(void)state;
	tmpdir_make(&t);
	assert_int_equal(coo_partial_open(t.fd, &id, &p), COO_OK);
	coo_partial_close(&p, t.fd);
	tmpdir_write(t.fd, "victim", "safe", 4);
	assert_int_equal(symlinkat("victim", t.fd, p.name), 0);
	assert_int_equal(coo_partial_open(t.fd, &id, &p), COO_EUNSAFE);
	assert_int_equal(unlinkat(t.fd, p.name, 0), 0);
	assert_int_equal(symlinkat("victim", t.fd, p.sidecar), 0);
	assert_int_equal(coo_partial_open(t.fd, &id, &p), COO_OK);
	coo_partial_close(&p, t.fd);
	assert_int_equal(tmpdir_read(t.fd, "victim", text, sizeof(text)), 4);
	tmpdir_remove(&t);
}

static void the_longest_name_has_a_part_too(void **state)
{
	coo_partial_id id = make_id("u@h", 3);
	char made[COO_PATH_NAME_CAP];
	struct tmpdir t;
	coo_partial p;

	(void)state;
	tmpdir_make(&t);
	memset(id.name, 'n', sizeof(id.name) - 1);
	assert_int_equal(coo_partial_open(t.fd, &id, &p), COO_OK);
	assert_int_equal(write(p.fd, "abc", 3), 3);
	assert_int_equal(coo_partial_publish(&p, t.fd, &id, made), COO_OK);
	assert_string_equal(made, id.name);
	tmpdir_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_complete_part_becomes_the_file),
		cmocka_unit_test(a_part_is_found_again_by_its_identity_alone),
		cmocka_unit_test(a_part_without_its_sidecar_starts_anew),
		cmocka_unit_test(two_attempts_at_once_are_kept_apart),
		cmocka_unit_test(a_planted_link_is_not_written_through),
		cmocka_unit_test(the_longest_name_has_a_part_too),
	};

	return cmocka_run_group_tests_name("partial", tests, NULL, NULL);
}
