/* SPDX-License-Identifier: MIT */
#include "feature/scale.h"
#include "support/test.h"

static bool is_near(double got, double want)
{
	double d = got > want ? got - want : want - got;

	return d <= want * 1e-9;
}

static void test_geometric(void **state)
{
	static const struct {
		double low, high;
		size_t n;
		double second;
	} rows[] = {
		{ 1, 1024, 10, 2 },
		{ 1, 1, 10, 1 },
		{ 100, 1e6, 4, 1000 },
		{ 1, 4398046511104.0, 42, 2 }, /* the whole histogram */
	};
	double edge[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		coo_scale_geometric(rows[i].low, rows[i].high, rows[i].n, edge);
		assert_true(is_near(edge[0], rows[i].low));
		assert_true(is_near(edge[1], rows[i].second));
		assert_true(is_near(edge[rows[i].n], rows[i].high));
		for (size_t k = 1; k <= rows[i].n; k++)
			assert_true(edge[k] >= edge[k - 1]);
	}
}

static void test_nice(void **state)
{
	static const double rows[][2] = { { 0, 1 },	  { 1, 1 },	   { 1.5, 2 },
					  { 9.1, 10 },	  { 10, 10 },	   { 101, 200 },
					  { 999, 1000 },  { 1000, 1000 },  { 37e6, 40e6 },
					  { 4e12, 4e12 }, { 4.1e12, 5e12 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(is_near(coo_scale_nice(rows[i][0]), rows[i][1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_geometric),
		cmocka_unit_test(test_nice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
