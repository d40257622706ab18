/* SPDX-License-Identifier: MIT */

/* Files from a sender to a receiver on one loop, over the loopback interface. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "support/transfer.h"

static void files_of_any_size_arrive(void **state)
{
	static const struct {
		const char *name;
		size_t n;
	} rows[] = {
		{ "empty", 0 },
		{ "three.txt", 3 },
		{ "报告 a:b::c 😀.bin", 300000 },
		{ "large.bin", 3u << 20 },
	};
	struct transfer w;

	(void)state;
	transfer_begin(&w);
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		transfer_make(&w, rows[i].name, rows[i].n, i);
		transfer_add(&w, rows[i].name);
	}
	transfer_offer(&w);
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_fetch_opts o = transfer_ask(&w, i);
		struct stat a, b;

		assert_int_equal(coo_filesend_pending(w.send), 1);
		transfer_fetch(&w, &o);
		if (w.result.e != COO_OK)
			fail_msg("%s: %s, %s", rows[i].name, coo_err_name(w.result.e),
				 w.result.why);
		assert_string_equal(w.result.name, rows[i].name);
		assert_int_equal(w.result.bytes, rows[i].n);
		assert_true(w.result.has_sha256);
		transfer_assert_same(&w, rows[i].name, rows[i].name);
		assert_int_equal(fstatat(w.from.fd, rows[i].name, &a, 0), 0);
		assert_int_equal(fstatat(w.to.fd, rows[i].name, &b, 0), 0);
		assert_int_equal(a.st_mtime, b.st_mtime);
		assert_int_equal(w.done, i + 1);
	}
	assert_true(w.complete);
	assert_int_equal(coo_filesend_pending(w.send), 0);
	assert_int_equal(w.failed + w.refused, 0);
	transfer_end(&w);
}

static void the_hash_is_that_of_the_file(void **state)
{
	char want[COO_SHA256_HEX_CAP];
	uint8_t digest[COO_SHA256_SIZE];
	struct transfer w;
	coo_fetch_opts o;
	coo_sha256 h;

	(void)state;
	transfer_begin(&w);
	tmpdir_write(w.from.fd, "abc", "abc", 3);
	transfer_add(&w, "abc");
	transfer_offer(&w);
	o = transfer_ask(&w, 0);
	transfer_fetch(&w, &o);
	coo_sha256_init(&h);
	coo_sha256_update(&h, "abc", 3);
	coo_sha256_final(&h, digest);
	assert_string_equal(w.result.sha256, coo_sha256_hex(digest, want));
	transfer_end(&w);
}

static void folders_arrive_without_their_links(void **state)
{
	struct transfer w;
	coo_fetch_opts o;

	(void)state;
	transfer_begin(&w);
	transfer_make_tree(&w);
	transfer_add(&w, "tree");
	transfer_offer(&w);
	o = transfer_ask(&w, 0);
	transfer_fetch(&w, &o);
	if (w.result.e != COO_OK)
		fail_msg("%s, %s", coo_err_name(w.result.e), w.result.why);
	assert_string_equal(w.result.name, "tree");
	assert_int_equal(w.result.files, 302);
	assert_int_equal(w.result.folders, 2);
	assert_int_equal(w.skipped, 3);
	transfer_assert_same(&w, "tree/large", "tree/large");
	transfer_assert_same(&w, "tree/file 299", "tree/file 299");
	transfer_assert_same(&w, "tree/子目录/empty", "tree/子目录/empty");
	assert_int_equal(tmpdir_count(w.to.fd), 1);
	/* once more: what exists is not touched */
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_OK);
	assert_string_equal(w.result.name, "tree (2)");
	transfer_end(&w);
}

/* Leaves the first n bytes of the source as a part of the file that o asks for. */
static void plant_part(struct transfer *w, const coo_fetch_opts *o, const char *name, size_t n,
		       int damage_at)
{
	uint8_t *bytes = malloc(4u << 20);
	coo_partial p;

	assert_non_null(bytes);
	assert_true(tmpdir_read(w->from.fd, name, bytes, 4u << 20) >= (long)n);
	if (damage_at >= 0)
		bytes[damage_at] ^= 1;
	assert_int_equal(coo_partial_open(w->to.fd, &o->id, &p), COO_OK);
	assert_int_equal(write(p.fd, bytes, n), (ssize_t)n);
	coo_partial_close(&p, w->to.fd);
	free(bytes);
}

static void a_part_is_taken_up_again(void **state)
{
	struct transfer w;
	coo_fetch_opts o;

	(void)state;
	transfer_begin(&w);
	transfer_offer_one(&w, "big", 1u << 20);
	o = transfer_ask(&w, 0);
	plant_part(&w, &o, "big", 700000, -1);
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_OK);
	assert_int_equal(w.result.resumed_from, 700000);
	assert_int_equal(w.offset, 700000 - 65536);
	assert_int_equal(w.sent, (1u << 20) - w.offset);
	transfer_assert_same(&w, "big", "big");
	assert_int_equal(tmpdir_count(w.to.fd), 1);
	transfer_end(&w);
}

static void a_whole_part_is_checked_and_finished(void **state)
{
	struct transfer w;
	coo_fetch_opts o;

	(void)state;
	transfer_begin(&w);
	transfer_offer_one(&w, "big", 100000);
	o = transfer_ask(&w, 0);
	plant_part(&w, &o, "big", 100000, -1);
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_OK);
	transfer_assert_same(&w, "big", "big");
	transfer_end(&w);
}

static void a_part_of_another_file_is_thrown_away(void **state)
{
	struct transfer w;
	coo_fetch_opts o;

	(void)state;
	transfer_begin(&w);
	transfer_offer_one(&w, "big", 1u << 20);
	o = transfer_ask(&w, 0);
	plant_part(&w, &o, "big", 700000, 699999);
	transfer_fetch(&w, &o);
	assert_int_equal(w.result.e, COO_OK);
	assert_int_equal(w.result.resumed_from, 0);
	transfer_assert_same(&w, "big", "big");
	transfer_end(&w);
}

static void only_the_right_one_is_served(void **state)
{
	struct transfer w;
	coo_fetch_opts o;

	(void)state;
	transfer_begin(&w);
	transfer_offer_one(&w, "a", 10);
	o = transfer_ask(&w, 0);
	o.id.packet++;
	transfer_fetch(&w, &o);
	assert_int_equal(w.refused, 1);
	o = transfer_ask(&w, 0);
	o.id.id = 7;
	transfer_fetch(&w, &o);
	assert_int_equal(w.refused, 2);
	o = transfer_ask(&w, 0);
	o.my_user = LIT("mallory");
	transfer_fetch(&w, &o);
	assert_int_equal(w.refused, 3);
	o = transfer_ask(&w, 0);
	o.local = coo_addr_v4(127, 0, 0, 2, 0);
	transfer_fetch(&w, &o);
	assert_int_equal(w.refused, 4);
	assert_int_equal(w.result.e, COO_EFORMAT);
	assert_int_equal(w.done + w.failed, 0);
	assert_int_equal(tmpdir_count(w.to.fd), 0);
	transfer_end(&w);
}

static void released_offers_are_over(void **state)
{
	const coo_addr me = coo_addr_v4(127, 0, 0, 1, 9), other = coo_addr_v4(127, 0, 0, 2, 9);
	struct transfer w;
	coo_fetch_opts o;
	bool complete = true;

	(void)state;
	transfer_begin(&w);
	transfer_offer_one(&w, "a", 10);
	assert_false(coo_filesend_release(w.send, TRANSFER_PACKET, &other, &complete));
	assert_false(coo_filesend_release(w.send, TRANSFER_PACKET + 1, &me, &complete));
	assert_true(coo_filesend_release(w.send, TRANSFER_PACKET, &me, &complete));
	assert_false(complete);
	assert_int_equal(coo_filesend_pending(w.send), 0);
	o = transfer_ask(&w, 0);
	transfer_fetch(&w, &o);
	assert_int_equal(w.refused, 1);
	transfer_end(&w);
}

static void what_changed_meanwhile_is_not_sent(void **state)
{
	struct transfer w;
	coo_fetch_opts o;

	(void)state;
	transfer_begin(&w);
	transfer_make(&w, "a", 10, 1);
	transfer_make(&w, "b", 10, 1);
	transfer_add(&w, "a");
	transfer_add(&w, "b");
	transfer_offer(&w);
	transfer_make(&w, "a", 9, 1);
	assert_int_equal(unlinkat(w.from.fd, "b", 0), 0);
	for (size_t i = 0; i < 2; i++) {
		o = transfer_ask(&w, i);
		transfer_fetch(&w, &o);
		assert_int_equal(w.failed, i + 1);
		assert_int_not_equal(w.result.e, COO_OK);
	}
	assert_int_equal(tmpdir_count(w.to.fd), 0);
	transfer_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_any_size_arrive),
		cmocka_unit_test(the_hash_is_that_of_the_file),
		cmocka_unit_test(folders_arrive_without_their_links),
		cmocka_unit_test(a_part_is_taken_up_again),
		cmocka_unit_test(a_whole_part_is_checked_and_finished),
		cmocka_unit_test(a_part_of_another_file_is_thrown_away),
		cmocka_unit_test(only_the_right_one_is_served),
		cmocka_unit_test(released_offers_are_over),
		cmocka_unit_test(what_changed_meanwhile_is_not_sent),
	};

	return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
