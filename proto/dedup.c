/* SPDX-License-Identifier: MIT */
#include "proto/dedup.h"

#include "proto/hash.h"

enum { WAYS = 4 };

size_t coo_dedup_size(size_t n)
{
	return coo_hash_buckets(n, WAYS, sizeof(coo_dedup_slot)) * WAYS * sizeof(coo_dedup_slot);
}

void coo_dedup_init(coo_dedup *d, size_t n, void *mem)
{
	d->slots = mem;
	d->mask = coo_hash_buckets(n, WAYS, sizeof(coo_dedup_slot)) - 1;
}

static bool is_fresh(const coo_dedup_slot *s, coo_time now)
{
	return now < coo_time_add(s->seen, COO_DEDUP_TTL);
}

bool coo_dedup_has(const coo_dedup *d, uint64_t key, coo_time now)
{
	const coo_dedup_slot *bucket = d->slots + (key & d->mask) * WAYS;

	for (size_t i = 0; i < WAYS; i++) {
		if (bucket[i].seen && bucket[i].key == key)
			return is_fresh(&bucket[i], now);
	}
	return false;
}

bool coo_dedup_seen(coo_dedup *d, uint64_t key, coo_time now)
{
	coo_dedup_slot *bucket = d->slots + (key & d->mask) * WAYS;
	coo_dedup_slot *oldest = bucket;

	for (size_t i = 0; i < WAYS; i++) {
		coo_dedup_slot *s = &bucket[i];

		if (s->seen && s->key == key) {
			bool fresh = is_fresh(s, now);

			s->seen = now;
			return fresh;
		}
		if (s->seen < oldest->seen)
			oldest = s;
	}
	oldest->key = key;
	oldest->seen = now;
	return false;
}
