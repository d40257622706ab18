/* SPDX-License-Identifier: MIT */
#include "base/sha256.h"

#include <stdbool.h>
#include <string.h>

#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
#define HAVE_SHA_NI 1
#include <cpuid.h>
#include <immintrin.h>
#else
#define HAVE_SHA_NI 0
#endif

static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t v, unsigned by)
{
	return v >> by | v << (32 - by);
}

static uint32_t load(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void expand(const uint8_t *block, uint32_t w[64])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = load(block + 4 * i);
	for (size_t i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

static void plain_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], s[8];

	expand(block, w);
	memcpy(s, state, sizeof(s));
	for (size_t i = 0; i < 64; i++) {
		uint32_t e = s[4], a = s[0];
		uint32_t one = s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
			       ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
		uint32_t two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
			       ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(s[0]));
		s[4] += one;
		s[0] = one + two;
	}
	for (size_t i = 0; i < 8; i++)
		state[i] += s[i];
}

static void plain_blocks(uint32_t state[8], const uint8_t *p, size_t blocks)
{
	for (; blocks > 0; blocks--, p += 64)
		plain_block(state, p);
}

#if HAVE_SHA_NI

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))

static bool has_sha_ni(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 19)) || !(c & (1u << 9)))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29));
}

TARGET static __m128i words(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

/* Four rounds with the words w; abef and cdgh are the halves of the state as the processor wants
 * them. */
TARGET static void four_rounds(__m128i *abef, __m128i *cdgh, __m128i w, size_t at)
{
	__m128i sum = _mm_add_epi32(w, words(constants + at));

	*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
	*abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/*
 * Four rounds with the words in now, and between them the last step of the schedule for next and
 * the first one for before: in this order the processor does both at once, in one row after the
 * other it does not.
 */
TARGET static void rounds_and_schedule(__m128i *abef, __m128i *cdgh, __m128i *before, __m128i now,
				       __m128i *next, size_t at)
{
	__m128i sum = _mm_add_epi32(now, words(constants + at));

	*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
	*next = _mm_add_epi32(*next, _mm_alignr_epi8(now, *before, 4));
	*next = _mm_sha256msg2_epu32(*next, now);
	*abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
	*before = _mm_sha256msg1_epu32(*before, now);
}

TARGET static void ni_block(__m128i *abef, __m128i *cdgh, const uint8_t *p)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i a = _mm_shuffle_epi8(words(p), swap), b = _mm_shuffle_epi8(words(p + 16), swap);
	__m128i c = _mm_shuffle_epi8(words(p + 32), swap),
		d = _mm_shuffle_epi8(words(p + 48), swap);
	__m128i abef_before = *abef, cdgh_before = *cdgh;

	four_rounds(abef, cdgh, a, 0);
	four_rounds(abef, cdgh, b, 4);
	a = _mm_sha256msg1_epu32(a, b);
	four_rounds(abef, cdgh, c, 8);
	b = _mm_sha256msg1_epu32(b, c);
	for (size_t at = 12; at < 60; at += 16) {
		rounds_and_schedule(abef, cdgh, &c, d, &a, at);
		rounds_and_schedule(abef, cdgh, &d, a, &b, at + 4);
		rounds_and_schedule(abef, cdgh, &a, b, &c, at + 8);
		rounds_and_schedule(abef, cdgh, &b, c, &d, at + 12);
	}
	four_rounds(abef, cdgh, d, 60);
	*abef = _mm_add_epi32(*abef, abef_before);
	*cdgh = _mm_add_epi32(*cdgh, cdgh_before);
}

TARGET static void ni_blocks(uint32_t state[8], const uint8_t *p, size_t blocks)
{
	__m128i low = _mm_shuffle_epi32(words(state), 0xb1);
	__m128i high = _mm_shuffle_epi32(words(state + 4), 0x1b);
	__m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);

	for (; blocks > 0; blocks--, p += 64)
		ni_block(&abef, &cdgh, p);
	low = _mm_shuffle_epi32(abef, 0x1b);
	high = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

static coo_sha256_fn *best(void)
{
	return has_sha_ni() ? ni_blocks : plain_blocks;
}

#else

static coo_sha256_fn *best(void)
{
	return plain_blocks;
}

#endif

void coo_sha256_init(coo_sha256 *h)
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(h->state, start, sizeof(start));
	h->n = 0;
	h->blocks = best();
}

void coo_sha256_init_plain(coo_sha256 *h)
{
	coo_sha256_init(h);
	h->blocks = plain_blocks;
}

void coo_sha256_update(coo_sha256 *h, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t have = (size_t)(h->n % 64);

	h->n += n;
	if (have > 0) {
		size_t part = n < 64 - have ? n : 64 - have;

		memcpy(h->block + have, p, part);
		if (have + part < 64)
			return;
		h->blocks(h->state, h->block, 1);
		p += part;
		n -= part;
	}
	if (n >= 64)
		h->blocks(h->state, p, n / 64);
	if (n % 64)
		memcpy(h->block, p + n / 64 * 64, n % 64);
}

void coo_sha256_final(coo_sha256 *h, uint8_t digest[COO_SHA256_SIZE])
{
	static const uint8_t padding[64] = { 0x80 };
	uint64_t bits = h->n * 8;
	uint8_t length[8];

	for (size_t i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	coo_sha256_update(h, padding, 1 + (size_t)((119 - h->n % 64) % 64));
	coo_sha256_update(h, length, sizeof(length));
	for (size_t i = 0; i < COO_SHA256_SIZE; i++)
		digest[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
}

const char *coo_sha256_hex(const uint8_t digest[COO_SHA256_SIZE], char text[COO_SHA256_HEX_CAP])
{
	for (size_t i = 0; i < COO_SHA256_SIZE; i++) {
		text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	text[COO_SHA256_HEX_CAP - 1] = '\0';
	return text;
}
