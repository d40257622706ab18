/* SPDX-License-Identifier: MIT */
#include "proto/echo.h"
#include "support/test.h"

static const coo_probe sample = { .session = UINT64_C(0x0102030405060708),
				  .seq = 0x0a0b0c0d,
				  .sent = UINT64_C(0x1112131415161718) };

static void crc32c_matches_the_published_values(void **state)
{
	/* RFC 3720 B.4, and the check value of the CRC catalogues */
	uint8_t zeros[32] = { 0 }, ones[32], rising[32];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (uint8_t i = 0; i < 32; i++)
		rising[i] = i;
	assert_int_equal(coo_crc32c(0, LIT("123456789")), 0xe3069283);
	assert_int_equal(coo_crc32c(0, coo_span_of(zeros, 32)), 0x8a9136aa);
	assert_int_equal(coo_crc32c(0, coo_span_of(ones, 32)), 0x62a8ab43);
	assert_int_equal(coo_crc32c(0, coo_span_of(rising, 32)), 0x46dd794e);
}

static void the_layout_is_as_documented(void **state)
{
	uint8_t p[COO_ECHO_HEADER];

	(void)state;
	assert_int_equal(coo_probe_encode(&sample, p, sizeof(p)), COO_OK);
	assert_span(coo_span_of(p, 24),
		    LIT("COO1\x01\x02\x03\x04\x05\x06\x07\x08\x0a\x0b\x0c\x0d"
			"\x11\x12\x13\x14\x15\x16\x17\x18"),
		    "header");
}

static void every_size_comes_back_intact(void **state)
{
	uint8_t p[300];
	coo_probe got;

	(void)state;
	memset(p, 0x5a, sizeof(p));
	for (size_t n = 0; n <= sizeof(p); n++) {
		if (n < COO_ECHO_HEADER) {
			assert_int_equal(coo_probe_encode(&sample, p, n), COO_EINVAL);
			continue;
		}
		assert_int_equal(coo_probe_encode(&sample, p, n), COO_OK);
		assert_int_equal(coo_probe_decode(coo_span_of(p, n), sample.session, n, &got),
				 COO_PROBE_INTACT);
		assert_int_equal(got.seq, sample.seq);
		assert_true(got.sent == sample.sent);
	}
}

static void every_flipped_bit_is_damage(void **state)
{
	uint8_t p[64];
	coo_probe got;

	(void)state;
	memset(p, 0, sizeof(p));
	assert_int_equal(coo_probe_encode(&sample, p, sizeof(p)), COO_OK);
	for (size_t bit = 0; bit < sizeof(p) * 8; bit++) {
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(coo_probe_decode(coo_span_of(p, 64), sample.session, 64, &got),
				 COO_PROBE_DAMAGED);
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void every_truncation_is_damaged_or_foreign(void **state)
{
	uint8_t p[64], *guarded;
	coo_probe got;

	(void)state;
	memset(p, 7, sizeof(p));
	assert_int_equal(coo_probe_encode(&sample, p, sizeof(p)), COO_OK);
	for (size_t n = 0; n < sizeof(p); n++) {
		guarded = test_guard_copy(coo_span_of(p, n));
		assert_int_equal(
		    coo_probe_decode(coo_span_of(guarded, n), sample.session, 64, &got),
		    n < COO_ECHO_HEADER ? COO_PROBE_FOREIGN : COO_PROBE_DAMAGED);
		test_guard_free(guarded, n);
	}
}

static void what_is_not_ours_is_foreign(void **state)
{
	uint8_t p[64];
	coo_probe got;

	(void)state;
	memset(p, 0, sizeof(p));
	assert_int_equal(coo_probe_encode(&sample, p, sizeof(p)), COO_OK);
	/* an intact probe of another session, though it has the size of ours */
	assert_int_equal(coo_probe_decode(coo_span_of(p, 64), 99, 64, &got), COO_PROBE_FOREIGN);
	assert_int_equal(coo_probe_decode(LIT("hello"), 99, 64, &got), COO_PROBE_FOREIGN);
	assert_int_equal(coo_probe_decode(coo_span_none(), 99, 0, &got), COO_PROBE_FOREIGN);
	assert_int_equal(got.seq, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_matches_the_published_values),
		cmocka_unit_test(the_layout_is_as_documented),
		cmocka_unit_test(every_size_comes_back_intact),
		cmocka_unit_test(every_flipped_bit_is_damage),
		cmocka_unit_test(every_truncation_is_damaged_or_foreign),
		cmocka_unit_test(what_is_not_ours_is_foreign),
	};

	return cmocka_run_group_tests_name("echo", tests, NULL, NULL);
}
