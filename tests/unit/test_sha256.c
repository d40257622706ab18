/* SPDX-License-Identifier: MIT */
#include "base/sha256.h"
#include "support/test.h"

static bool plain;

static const char *hash(const void *bytes, size_t n, size_t piece)
{
	static char text[COO_SHA256_HEX_CAP];
	uint8_t digest[COO_SHA256_SIZE];
	const uint8_t *p = bytes;
	coo_sha256 h;

	if (plain)
		coo_sha256_init_plain(&h);
	else
		coo_sha256_init(&h);
	while (n > 0) {
		size_t part = n < piece ? n : piece;

		coo_sha256_update(&h, p, part);
		p += part;
		n -= part;
	}
	coo_sha256_final(&h, digest);
	return coo_sha256_hex(digest, text);
}

/* The examples of FIPS 180-4 and of NIST's CAVP. */
static void published_digests(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++)
		assert_string_equal(hash(rows[i].text, strlen(rows[i].text), 64), rows[i].want);
}

static void a_million_letters_in_pieces_of_any_size(void **state)
{
	static const char want[] =
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
	static const size_t pieces[] = { 1, 7, 63, 64, 65, 1000, 1000000 };
	static uint8_t a[1000000];

	(void)state;
	memset(a, 'a', sizeof(a));
	for (size_t i = 0; i < COO_ARRAY_LEN(pieces); i++)
		assert_string_equal(hash(a, sizeof(a), pieces[i]), want);
}

/* Every length around the padding, whole and byte by byte. */
static void lengths_around_the_padding(void **state)
{
	uint8_t a[200];
	char whole[COO_SHA256_HEX_CAP];

	(void)state;
	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof(a); n++) {
		memcpy(whole, hash(a, n, sizeof(a)), sizeof(whole));
		assert_string_equal(hash(a, n, 1), whole);
	}
}

static void without_the_instructions_of_the_processor(void **state)
{
	plain = true;
	published_digests(state);
	a_million_letters_in_pieces_of_any_size(state);
	lengths_around_the_padding(state);
	plain = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_digests),
		cmocka_unit_test(a_million_letters_in_pieces_of_any_size),
		cmocka_unit_test(lengths_around_the_padding),
		cmocka_unit_test(without_the_instructions_of_the_processor),
	};

	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
