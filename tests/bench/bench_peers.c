/* SPDX-License-Identifier: MIT */

/*
 * Looking up peers in a small and in a full table: by identity and by address, as for each packet.
 * The keys are in the cache, as those of a packet that was just decoded are; the table is not, but
 * for what the look-ups before left there. Prints "name value unit" lines, the best of several
 * rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/peer.h"

enum { FEW = 100, MANY = 16384, ROUNDS = 9, BATCHES = 2000, BATCH = 64, NAME = 8 };

struct key {
	char user[NAME];
	coo_addr addr;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct key key_of(unsigned i)
{
	struct key k;

	snprintf(k.user, sizeof(k.user), "u%05u", i);
	k.addr = coo_addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i, 2425);
	return k;
}

static void fill(coo_peers *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct key k = key_of(i);
		coo_peer *p =
		    coo_peers_add(t, coo_span_str(k.user), coo_span_str("pc"), coo_span_none());

		coo_peers_set_addr(t, p, &k.addr);
	}
}

static void look_up(const coo_peers *t, const struct key keys[BATCH])
{
	for (unsigned i = 0; i < BATCH; i++) {
		const coo_peer *p = coo_peers_find(t, coo_span_of(keys[i].user, 6),
						   coo_span_str("pc"), coo_span_none());

		if (!p || coo_peers_at(t, &keys[i].addr) != p)
			abort();
	}
}

/* ns for one peer found by identity and again by address, each time another one. */
static double one_round(const coo_peers *t, unsigned n)
{
	static uint64_t random = 1;
	struct key keys[BATCH];
	double took = 0;

	for (unsigned b = 0; b < BATCHES; b++) {
		double start;

		for (unsigned i = 0; i < BATCH; i++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			keys[i] = key_of((unsigned)(random >> 40) % n);
		}
		start = now_ns();
		look_up(t, keys);
		took += now_ns() - start;
	}
	return took / ((double)BATCHES * BATCH);
}

static double bench_table(unsigned n)
{
	const coo_peers_cfg cfg = { MANY, 320, 80 };
	void *mem = calloc(1, coo_peers_size(&cfg));
	double best = 1e18;
	coo_peers t;

	if (!mem)
		abort();
	coo_peers_init(&t, &cfg, 42, mem);
	fill(&t, n);
	for (unsigned r = 0; r < ROUNDS; r++) {
		double took = one_round(&t, n);

		best = took < best ? took : best;
	}
	free(mem);
	return best;
}

int main(void)
{
	double few = bench_table(FEW), many = bench_table(MANY);

	printf("peers_find_and_at_%d %.3g ns/lookup\n", FEW, few);
	printf("peers_find_and_at_%d %.3g ns/lookup\n", MANY, many);
	printf("peers_%d_ratio %.3g of_%d\n", MANY, many / few, FEW);
	return 0;
}
