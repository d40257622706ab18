/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_DEDUP_H
#define COO_PROTO_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/time.h"

/*
 * Remembers which messages were seen, so that a retransmission is acknowledged again but shown once
 * (PROTOCOL.md 6.2). Fixed memory: four places a bucket, the oldest gives way. A message is
 * forgotten after COO_DEDUP_TTL, which is longer than any client retries the same bytes (Windows:
 * 120 s, then with a footer).
 */
#define COO_DEDUP_TTL COO_SEC(180)

typedef struct coo_dedup_slot {
	uint64_t key;
	coo_time seen; /* 0: empty */
} coo_dedup_slot;

typedef struct coo_dedup {
	coo_dedup_slot *slots;
	size_t mask; /* buckets - 1 */
} coo_dedup;

/* Bytes that n places need; n is rounded up to a power of two. */
size_t coo_dedup_size(size_t n);

/* Takes coo_dedup_size(n) zeroed bytes, aligned for uint64_t, which stay in use until the table
 * ends. */
void coo_dedup_init(coo_dedup *d, size_t n, void *mem);

/* True where key was seen less than COO_DEDUP_TTL before now; remembers it as seen now. now is not
 * 0. */
bool coo_dedup_seen(coo_dedup *d, uint64_t key, coo_time now);

/* The same, without remembering it. */
bool coo_dedup_has(const coo_dedup *d, uint64_t key, coo_time now);

#endif
