/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/peer.h"
#include "support/test.h"

enum { CAP = 8, NAMES = 320, NEAR = 24 };

static coo_peers open_table(size_t cap)
{
	const coo_peers_cfg cfg = { cap, NAMES, NEAR };
	void *mem = calloc(1, coo_peers_size(&cfg));
	coo_peers t;

	assert_non_null(mem);
	coo_peers_init(&t, &cfg, 42, mem);
	return t;
}

static coo_addr at(uint8_t host, uint16_t port)
{
	return coo_addr_v4(10, 0, 0, host, port);
}

static coo_peer *add(coo_peers *t, const char *user)
{
	return coo_peers_add(t, coo_span_str(user), LIT("pc"), coo_span_none());
}

static coo_peer *find(const coo_peers *t, const char *user)
{
	return coo_peers_find(t, coo_span_str(user), LIT("pc"), coo_span_none());
}

static void identity_rows(void **state)
{
	static const struct {
		const char *name, *user, *host, *mac;
		bool same;
	} rows[] = {
		{ "the same", "Lee", "LEE-PC", "C85B76BD9F3F", true },
		{ "in other case", "lEE", "lee-pc", "c85b76bd9f3f", true },
		{ "another user", "Leo", "LEE-PC", "C85B76BD9F3F", false },
		{ "another host", "Lee", "LEE", "C85B76BD9F3F", false },
		{ "another MAC", "Lee", "LEE-PC", "C85B76BD9F30", false },
		{ "no MAC", "Lee", "LEE-PC", "", false },
		{ "run together otherwise", "LeeLEE", "-PC", "C85B76BD9F3F", false },
	};
	coo_peers t = open_table(CAP);
	coo_peer *lee = coo_peers_add(&t, LIT("Lee"), LIT("LEE-PC"), LIT("C85B76BD9F3F"));

	(void)state;
	assert_non_null(lee);
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_peer *p = coo_peers_find(&t, coo_span_str(rows[i].user),
					     coo_span_str(rows[i].host), coo_span_str(rows[i].mac));

		if ((p == lee) != rows[i].same || (p && p != lee))
			fail_msg("row \"%s\"", rows[i].name);
	}
	free(t.mem);
}

static void a_name_longer_than_kept_still_finds_its_peer(void **state)
{
	static char user[5000];
	coo_peers t = open_table(CAP);
	coo_peer *p;

	(void)state;
	memset(user, 'A', sizeof(user));
	p = coo_peers_add(&t, coo_span_of(user, sizeof(user)), LIT("pc"), coo_span_none());
	assert_int_equal(coo_peer_name(&t, p, COO_NAME_USER).n, COO_PEER_NAME_MAX);
	assert_ptr_equal(
	    coo_peers_find(&t, coo_span_of(user, sizeof(user)), LIT("pc"), coo_span_none()), p);
	free(t.mem);
}

static void names_change_one_by_one(void **state)
{
	coo_peers t = open_table(CAP);
	coo_peer *p = add(&t, "a"), *q = add(&t, "b");
	coo_span names[COO_PEER_NAMES] = { { NULL, 0 } };

	(void)state;
	assert_false(coo_peers_set_names(&t, p, names));
	names[COO_NAME_NICK] = LIT("nick");
	names[COO_NAME_VERSION] = LIT("1");
	assert_true(coo_peers_set_names(&t, p, names));
	assert_false(coo_peers_set_names(&t, p, names));
	names[COO_NAME_NICK] = coo_span_none();
	names[COO_NAME_GROUP] = LIT("group");
	assert_true(coo_peers_set_names(&t, p, names));
	assert_span(coo_peer_name(&t, p, COO_NAME_USER), LIT("a"), "user");
	assert_span(coo_peer_name(&t, p, COO_NAME_NICK), LIT("nick"), "nick");
	assert_span(coo_peer_name(&t, p, COO_NAME_GROUP), LIT("group"), "group");
	assert_span(coo_peer_name(&t, p, COO_NAME_VERSION), LIT("1"), "version");
	assert_span(coo_peer_name(&t, q, COO_NAME_USER), LIT("b"), "the neighbour");
	names[COO_NAME_NICK] = LIT("");
	assert_true(coo_peers_set_names(&t, p, names));
	assert_span(coo_peer_name(&t, p, COO_NAME_NICK), LIT(""), "no nick any more");
	free(t.mem);
}

static void all_names_at_their_longest_stay_in_their_place(void **state)
{
	static char text[100];
	coo_peers t = open_table(CAP);
	coo_peer *p = add(&t, "a"), *q = add(&t, "b");
	coo_span names[COO_PEER_NAMES];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i + 3 <= sizeof(text); i += 3)
		memcpy(text + i, "\xe9\xa3\x9e", 3);
	for (unsigned i = 0; i < COO_PEER_NAMES; i++)
		names[i] = coo_span_of(text, 99);
	assert_true(coo_peers_set_names(&t, p, names));
	for (unsigned i = 0; i < COO_PEER_NAMES; i++)
		n += coo_peer_name(&t, p, (enum coo_peer_name)i).n;
	assert_true(n <= NAMES);
	/* what is shown ends with a whole character */
	assert_int_equal(coo_peer_name(&t, p, COO_NAME_NICK).n, 63);
	assert_span(coo_peer_name(&t, q, COO_NAME_USER), LIT("b"), "the neighbour");
	free(t.mem);
}

/* Names that grow leave the record, and come back when they are short again. */
static void names_of_any_length_are_kept(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
	coo_peers t = open_table(CAP);
	coo_peer *p = add(&t, "p"), *q = add(&t, "q");
	size_t far = 0;

	(void)state;
	assert_true(t.near_cap >= NEAR);
	for (size_t n = 0; n <= 50; n++) {
		size_t len = n % 2 ? n : 50 - n; /* long and short by turns */
		coo_span names[COO_PEER_NAMES] = { { NULL, 0 } };

		names[COO_NAME_NICK] = names[COO_NAME_GROUP] = coo_span_of(letters, len);
		coo_ignore(coo_peers_set_names(&t, p, names));
		assert_span(coo_peer_name(&t, p, COO_NAME_NICK), coo_span_of(letters, len), "nick");
		assert_span(coo_peer_name(&t, p, COO_NAME_GROUP), coo_span_of(letters, len),
			    "group");
		assert_span(coo_peer_name(&t, q, COO_NAME_USER), LIT("q"), "the neighbour");
		assert_ptr_equal(find(&t, "p"), p);
		assert_int_equal(p->far_names, 3 + 2 * len > t.near_cap);
		far += p->far_names;
	}
	assert_in_range(far, 1, 50);
	free(t.mem);
}

static void the_address_last_heard_from_comes_first(void **state)
{
	coo_peers t = open_table(CAP);
	coo_peer *p = add(&t, "a");
	coo_addr a;

	(void)state;
	p->life_since = 1234;
	for (uint8_t i = 1; i <= 6; i++) {
		a = at(i, 2425);
		coo_peers_set_addr(&t, p, &a);
	}
	assert_int_equal(p->n_addrs, COO_PEER_ADDRS);
	assert_int_equal(p->life_since, 1234); /* what stands behind the addresses */
	for (uint8_t i = 0; i < COO_PEER_ADDRS; i++)
		assert_int_equal(coo_peer_addr(&t, p, i)->ip[3], 6 - i);
	a = at(4, 2425);
	coo_peers_set_addr(&t, p, &a);
	assert_int_equal(p->addr.ip[3], 4);
	assert_int_equal(p->n_addrs, COO_PEER_ADDRS);
	a = at(1, 2425);
	assert_null(coo_peers_at(&t, &a));
	assert_false(coo_peer_has_ip(&t, p, &a));
	a = at(3, 99);
	assert_true(coo_peer_has_ip(&t, p, &a));
	assert_null(coo_peers_at(&t, &a));
	a.port = 0;
	assert_ptr_equal(coo_peers_at(&t, &a), p);
	free(t.mem);
}

static void an_address_belongs_to_one_peer(void **state)
{
	coo_peers t = open_table(CAP);
	coo_peer *p = add(&t, "a"), *q = add(&t, "b");
	coo_addr a = at(1, 2425), b = at(1, 9999), zero = at(1, 0);

	(void)state;
	coo_peers_set_addr(&t, p, &a);
	coo_peers_set_addr(&t, p, &b);
	coo_peers_set_addr(&t, q, &a);
	assert_ptr_equal(coo_peers_at(&t, &a), q);
	assert_ptr_equal(coo_peers_at(&t, &b), p);
	assert_int_equal(p->n_addrs, 1);
	coo_peers_set_addr(&t, q, &zero);
	assert_int_equal(q->n_addrs, 1);
	q->last_heard = 5;
	assert_ptr_equal(coo_peers_at(&t, &zero), q);
	/* its own address, given by reference */
	coo_peers_set_addr(&t, q, &p->addr);
	assert_ptr_equal(coo_peers_at(&t, &b), q);
	assert_int_equal(p->n_addrs, 0);
	free(t.mem);
}

static void the_offline_then_the_longest_silent_give_way_partners_never(void **state)
{
	coo_peers t = open_table(4);
	coo_peer *p;
	const char *const users[] = { "talked", "old", "young", "offline" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		p = add(&t, users[i]);
		p->online = i != 3;
		p->talked = i == 0;
		p->last_heard = COO_SEC(i);
	}
	p = add(&t, "n1");
	p->online = true;
	p->last_heard = COO_SEC(10);
	assert_null(find(&t, "offline"));
	p = add(&t, "n2");
	p->online = p->talked = true;
	assert_null(find(&t, "old"));
	find(&t, "young")->talked = true;
	find(&t, "n1")->talked = true;
	assert_null(add(&t, "n3"));
	assert_int_equal(t.refused, 1);
	assert_int_equal(t.evicted, 2);
	assert_non_null(find(&t, "talked"));
	coo_peers_remove(&t, find(&t, "n2"));
	assert_non_null(add(&t, "n3"));
	assert_int_equal(t.n, 4);
	free(t.mem);
}

/* A slow table that cannot be wrong, asked the same as the fast one. */
struct model {
	char user[8];
	bool used;
};

static void check_against(const coo_peers *t, const struct model *m, size_t n)
{
	size_t used = 0, listed = 0, i = 0;

	for (size_t k = 0; k < n; k++) {
		const coo_peer *p = find(t, m[k].user[0] ? m[k].user : "?");

		used += m[k].used;
		assert_int_equal(p != NULL, m[k].used);
	}
	while (coo_peers_next(t, &i))
		listed++;
	assert_int_equal(t->n, used);
	assert_int_equal(listed, used);
}

static void adding_and_removing_at_random(void **state)
{
	struct model m[40];
	coo_peers t = open_table(40);
	uint64_t random = 9;

	(void)state;
	memset(m, 0, sizeof(m));
	for (size_t i = 0; i < COO_ARRAY_LEN(m); i++)
		snprintf(m[i].user, sizeof(m[i].user), "u%zu", i);
	for (unsigned step = 0; step < 4000; step++) {
		struct model *one = &m[test_random(&random) % COO_ARRAY_LEN(m)];
		coo_addr a = at((uint8_t)(test_random(&random) % 20),
				(uint16_t)(1 + test_random(&random) % 2));

		if (!one->used) {
			assert_non_null(add(&t, one->user));
			one->used = true;
		} else if (test_random(&random) % 3 == 0) {
			coo_peers_remove(&t, find(&t, one->user));
			one->used = false;
			continue;
		}
		coo_peers_set_addr(&t, find(&t, one->user), &a);
		assert_ptr_equal(coo_peers_at(&t, &a), find(&t, one->user));
		if (step % 50 == 0)
			check_against(&t, m, COO_ARRAY_LEN(m));
	}
	free(t.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_rows),
		cmocka_unit_test(a_name_longer_than_kept_still_finds_its_peer),
		cmocka_unit_test(names_change_one_by_one),
		cmocka_unit_test(all_names_at_their_longest_stay_in_their_place),
		cmocka_unit_test(names_of_any_length_are_kept),
		cmocka_unit_test(the_address_last_heard_from_comes_first),
		cmocka_unit_test(an_address_belongs_to_one_peer),
		cmocka_unit_test(the_offline_then_the_longest_silent_give_way_partners_never),
		cmocka_unit_test(adding_and_removing_at_random),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
