/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_SHA256_H
#define COO_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

/*
 * SHA-256 (FIPS 180-4), to name what was received. It stands here because the core builds without a
 * crypto library and a static build has to work; it uses the processor's instructions where there
 * are any. Not for secrets.
 */
#define COO_SHA256_SIZE 32
#define COO_SHA256_HEX_CAP 65

/* Works n blocks of 64 bytes into the state. */
typedef void coo_sha256_fn(uint32_t state[8], const uint8_t *p, size_t n);

typedef struct coo_sha256 {
	coo_sha256_fn *blocks; /* the fastest that this processor has */
	uint32_t state[8];
	uint64_t n; /* bytes so far */
	uint8_t block[64];
} coo_sha256;

void coo_sha256_init(coo_sha256 *h);

/* As coo_sha256_init, without the processor's instructions: for tests. */
void coo_sha256_init_plain(coo_sha256 *h);

void coo_sha256_update(coo_sha256 *h, const void *bytes, size_t n);

/* Ends the hash; *h has to be initialised again before it is used for another. */
void coo_sha256_final(coo_sha256 *h, uint8_t digest[COO_SHA256_SIZE]);

/* Lower-case hex; returns text. */
const char *coo_sha256_hex(const uint8_t digest[COO_SHA256_SIZE], char text[COO_SHA256_HEX_CAP]);

#endif
