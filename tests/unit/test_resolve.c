/* SPDX-License-Identifier: MIT */
#include "base/addr.h"
#include "base/resolve.h"
#include "support/test.h"

static void numeric_addresses_resolve_to_themselves(void **state)
{
	static const char *const rows[] = { "127.0.0.1", "10.77.0.2", "::1", "2001:db8::7" };

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_addr want, got[4];
		size_t n = 0;
		const char *why = "unset";

		assert_int_equal(coo_addr_parse(rows[i], 2425, &want), COO_OK);
		assert_int_equal(coo_resolve(rows[i], 2425, COO_RESOLVE_ANY, got, 4, &n, &why),
				 COO_OK);
		assert_int_equal(n, 1);
		assert_true(coo_addr_eq(&got[0], &want));
		assert_null(why);
	}
}

/* The hosts file names it everywhere; no name server is asked. */
static void localhost_is_loopback(void **state)
{
	coo_addr got[8];
	size_t n = 0;

	(void)state;
	assert_int_equal(coo_resolve("localhost", 7, COO_RESOLVE_ANY, got, 8, &n, NULL), COO_OK);
	assert_true(n >= 1);
	for (size_t i = 0; i < n; i++) {
		assert_true(coo_addr_is_loopback(&got[i]));
		assert_int_equal(got[i].port, 7);
		for (size_t k = 0; k < i; k++)
			assert_false(coo_addr_eq(&got[i], &got[k]));
	}
	assert_int_equal(coo_resolve("localhost", 7, COO_RESOLVE_ANY, got, 1, &n, NULL), COO_OK);
	assert_int_equal(n, 1);
}

static void the_wrong_family_is_no_address(void **state)
{
	coo_addr got[2];
	size_t n = 0;
	const char *why = NULL;

	(void)state;
	assert_int_equal(coo_resolve("127.0.0.1", 7, COO_RESOLVE_V6, got, 2, &n, &why), COO_ENOENT);
	assert_non_null(why);
	assert_int_equal(coo_resolve("::1", 7, COO_RESOLVE_V4, got, 2, &n, NULL), COO_ENOENT);
	assert_int_equal(coo_resolve("127.0.0.1", 7, COO_RESOLVE_V4, got, 2, &n, NULL), COO_OK);
	assert_int_equal(n, 1);
}

static void an_empty_name_is_a_wrong_call(void **state)
{
	coo_addr got[2];
	size_t n = 0;

	(void)state;
	assert_int_equal(coo_resolve("", 7, COO_RESOLVE_ANY, got, 2, &n, NULL), COO_EINVAL);
	assert_int_equal(coo_resolve("127.0.0.1", 7, COO_RESOLVE_ANY, got, 0, &n, NULL),
			 COO_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numeric_addresses_resolve_to_themselves),
		cmocka_unit_test(localhost_is_loopback),
		cmocka_unit_test(the_wrong_family_is_no_address),
		cmocka_unit_test(an_empty_name_is_a_wrong_call),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
