/* SPDX-License-Identifier: MIT */
#include "proto/err.h"
#include "support/test.h"

static void every_error_has_its_own_name_text_and_value(void **state)
{
	static const coo_err all[] = {
#define VALUE(name, value, text) COO_##name,
		COO_ERR_LIST(VALUE)
#undef VALUE
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(all); i++) {
		/* 0, -1, -2 …: the values are ABI */
		assert_int_equal((int)all[i], -(int)i);
		assert_true(strlen(coo_err_text(all[i])) > 0);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(coo_err_name(all[i]), coo_err_name(all[k]));
			assert_string_not_equal(coo_err_text(all[i]), coo_err_text(all[k]));
		}
	}
	assert_string_equal(coo_err_name(COO_EFORMAT), "EFORMAT");
}

static void any_other_value_has_a_text_too(void **state)
{
	(void)state;
	assert_string_equal(coo_err_name((coo_err)-99), "UNKNOWN");
	assert_string_equal(coo_err_text((coo_err)7), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_has_its_own_name_text_and_value),
		cmocka_unit_test(any_other_value_has_a_text_too),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
