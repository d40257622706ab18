/* SPDX-License-Identifier: MIT */
#include "proto/limit.h"

#include "proto/hash.h"

enum { WAYS = 4 };

size_t coo_limit_size(size_t n)
{
	return coo_hash_buckets(n, WAYS, sizeof(coo_limit_slot)) * WAYS * sizeof(coo_limit_slot);
}

void coo_limit_init(coo_limit *l, size_t n, uint32_t rate, uint32_t burst, void *mem)
{
	l->slots = mem;
	l->mask = coo_hash_buckets(n, WAYS, sizeof(coo_limit_slot)) - 1;
	l->per_token = COO_SEC(1) / rate;
	l->depth = l->per_token * burst;
}

static coo_limit_slot *find(coo_limit *l, uint64_t key)
{
	coo_limit_slot *bucket = l->slots + (key & l->mask) * WAYS;
	coo_limit_slot *idle = bucket;

	for (size_t i = 0; i < WAYS; i++) {
		if (bucket[i].full_at && bucket[i].key == key)
			return &bucket[i];
		if (bucket[i].full_at < idle->full_at)
			idle = &bucket[i];
	}
	idle->key = key;
	idle->full_at = 0;
	return idle;
}

/* The bucket is stored as the time at which it will be full: a token moves that time, nothing needs
 * refilling. */
bool coo_limit_take(coo_limit *l, uint64_t key, coo_time now)
{
	coo_limit_slot *s = find(l, key);
	coo_time from = s->full_at > now ? s->full_at : now;

	if (from + l->per_token > now + l->depth)
		return false;
	s->full_at = from + l->per_token;
	return true;
}

coo_time coo_limit_when(const coo_limit *l, uint64_t key)
{
	const coo_limit_slot *bucket = l->slots + (key & l->mask) * WAYS;

	for (size_t i = 0; i < WAYS; i++) {
		const coo_limit_slot *s = &bucket[i];

		if (s->full_at && s->key == key)
			return s->full_at + l->per_token > l->depth
				   ? s->full_at + l->per_token - l->depth
				   : 0;
	}
	return 0;
}
