/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_HASH_H
#define COO_PROTO_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/span.h"

/*
 * Keyed hashing for the tables. The key is random per node, so that a peer cannot choose names that
 * collide. Not cryptographic: it protects run time, nothing else.
 */
static inline uint64_t coo_hash_mix(uint64_t h, uint64_t v)
{
	h ^= v;
	h *= UINT64_C(0x9fb21c651e98df25);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ (h >> 29);
}

static inline uint64_t coo_hash_span(uint64_t h, coo_span s)
{
	uint64_t w;
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		memcpy(&w, s.p + i, 8);
		h = coo_hash_mix(h, w);
	}
	w = 0;
	if (i < s.n)
		memcpy(&w, s.p + i, s.n - i);
	return coo_hash_mix(h, w ^ ((uint64_t)s.n << 56));
}

/* As coo_hash_span with ASCII capitals taken as small letters. */
uint64_t coo_hash_nocase(uint64_t h, coo_span s);

/* The host, without the port. */
static inline uint64_t coo_hash_ip(uint64_t h, const coo_addr *a)
{
	uint64_t w[2];

	memcpy(w, a->ip, 16);
	h = coo_hash_mix(h, w[0] ^ a->scope);
	return a->family == 4 ? h : coo_hash_mix(h, w[1]);
}

/* Buckets (a power of two) of so many ways that hold n slots of slot bytes each. */
static inline size_t coo_hash_buckets(size_t n, size_t ways, size_t slot)
{
	size_t buckets = 1;

	while (buckets * ways < n && buckets < SIZE_MAX / (2 * ways * slot))
		buckets *= 2;
	return buckets;
}

/* The next number of a splitmix64 sequence. */
static inline uint64_t coo_random_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#endif
