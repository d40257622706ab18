/* SPDX-License-Identifier: MIT */
#include "feature/scale.h"

static double power(double x, size_t n)
{
	double v = 1;

	for (; n; n /= 2) {
		if (n & 1)
			v *= x;
		x *= x;
	}
	return v;
}

/* The n-th root of v >= 1, by halving: from 2^42 on, 100 steps are more than a double tells apart.
 */
static double root(double v, size_t n)
{
	double low = 1, high = v;

	for (int i = 0; i < 100; i++) {
		double middle = low + (high - low) / 2;

		if (power(middle, n) < v)
			low = middle;
		else
			high = middle;
	}
	return high;
}

void coo_scale_geometric(double low, double high, size_t n, double *edge)
{
	double ratio = root(high / low, n);

	for (size_t i = 0; i < n; i++)
		edge[i] = low * power(ratio, i);
	edge[n] = high;
}

double coo_scale_nice(double v)
{
	double unit = 1;

	while (unit * 10 <= v)
		unit *= 10;
	for (int m = 1; m < 10; m++) {
		if (unit * m >= v)
			return unit * m;
	}
	return unit * 10;
}
