/* SPDX-License-Identifier: MIT */
#include "feature/impair.h"

void coo_impair_init(coo_impair *i, uint64_t seed)
{
	i->state = seed;
}

bool coo_impair_is_on(const coo_impair *i)
{
	return i->drop > 0 || i->dup > 0 || i->reorder > 0 || i->corrupt > 0 || i->delay > 0;
}

/* splitmix64, a public-domain generator of Sebastiano Vigna's */
static uint64_t draw(coo_impair *i)
{
	uint64_t z = (i->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static bool happens(coo_impair *i, double probability)
{
	return (double)(draw(i) >> 11) * 0x1p-53 < probability;
}

coo_fate coo_impair_next(coo_impair *i)
{
	coo_fate f;

	f.drop = happens(i, i->drop);
	f.dup = happens(i, i->dup);
	f.reorder = happens(i, i->reorder);
	f.corrupt = happens(i, i->corrupt);
	f.bit = draw(i);
	return f;
}

void coo_impair_upper(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] = (uint8_t)(p[i] - ('a' - 'A'));
	}
}
