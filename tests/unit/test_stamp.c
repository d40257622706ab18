/* SPDX-License-Identifier: MIT */
#include "proto/stamp.h"
#include "support/test.h"

/* RFC 8762 figure 2: sequence, timestamp, error estimate, MBZ of 30 octets (of which RFC 8972
 * figure 1 makes the first two the SSID). */
static void the_sender_packet_has_the_layout_of_the_rfc(void **state)
{
	coo_stamp_request r = {
		0x01020304, UINT64_C(0xe5f6070809101112), { true, false, 0x21, 0x43 }, 0xbeef
	};
	coo_stamp_request back;
	uint8_t mem[COO_STAMP_SIZE];
	coo_buf b;

	(void)state;
	coo_buf_init(&b, mem, sizeof(mem));
	coo_stamp_put_request(&b, &r);
	assert_true(coo_buf_ok(&b));
	assert_span(coo_buf_span(&b),
		    LIT("\x01\x02\x03\x04"
			"\xe5\xf6\x07\x08\x09\x10\x11\x12"
			"\xa1\x43"
			"\xbe\xef"
			"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		    "figure 2");
	assert_int_equal(coo_stamp_get_request(coo_buf_span(&b), &back), COO_OK);
	assert_int_equal(back.seq, r.seq);
	assert_true(back.time == r.time && back.ssid == r.ssid && back.error.synced &&
		    !back.error.ptp && back.error.scale == 0x21 && back.error.factor == 0x43);
}

/* RFC 8762 figure 4. */
static void the_reflector_packet_has_the_layout_of_the_rfc(void **state)
{
	coo_stamp_reply r = { .seq = 0x0a0b0c0d,
			      .time = UINT64_C(0x1122334455667788),
			      .error = { false, true, 0x3f, 0xff },
			      .ssid = 0x0102,
			      .received = UINT64_C(0x99aabbccddeeff00),
			      .sender_seq = 0x01020304,
			      .sender_time = UINT64_C(0xe5f6070809101112),
			      .sender_error = 0xa143,
			      .sender_ttl = 255 };
	coo_stamp_reply back;
	uint8_t mem[COO_STAMP_SIZE];
	coo_buf b;

	(void)state;
	coo_buf_init(&b, mem, sizeof(mem));
	coo_stamp_put_reply(&b, &r);
	assert_span(coo_buf_span(&b),
		    LIT("\x0a\x0b\x0c\x0d"
			"\x11\x22\x33\x44\x55\x66\x77\x88"
			"\x7f\xff"
			"\x01\x02"
			"\x99\xaa\xbb\xcc\xdd\xee\xff\x00"
			"\x01\x02\x03\x04"
			"\xe5\xf6\x07\x08\x09\x10\x11\x12"
			"\xa1\x43"
			"\0\0"
			"\xff"
			"\0\0\0"),
		    "figure 4");
	assert_int_equal(coo_stamp_get_reply(coo_buf_span(&b), &back), COO_OK);
	assert_true(back.seq == r.seq && back.time == r.time && back.received == r.received &&
		    back.sender_seq == r.sender_seq && back.sender_time == r.sender_time &&
		    back.sender_error == r.sender_error && back.sender_ttl == 255 &&
		    back.error.ptp && !back.error.synced && back.ssid == r.ssid);
}

static void every_truncated_packet_fails(void **state)
{
	uint8_t p[COO_STAMP_SIZE] = { 0 };
	coo_stamp_request q;
	coo_stamp_reply r;

	(void)state;
	for (size_t n = 0; n < sizeof(p); n++) {
		uint8_t *guarded = test_guard_copy(coo_span_of(p, n));

		assert_int_equal(coo_stamp_get_request(coo_span_of(guarded, n), &q), COO_EFORMAT);
		assert_int_equal(coo_stamp_get_reply(coo_span_of(guarded, n), &r), COO_EFORMAT);
		test_guard_free(guarded, n);
	}
}

static void every_short_buffer_takes_nothing(void **state)
{
	coo_stamp_request q = { 0 };
	uint8_t mem[COO_STAMP_SIZE];
	coo_buf b;

	(void)state;
	for (size_t cap = 0; cap < sizeof(mem); cap++) {
		coo_buf_init(&b, mem, cap);
		coo_stamp_put_request(&b, &q);
		assert_false(coo_buf_ok(&b));
		assert_int_equal(b.n, 0);
	}
}

static void ntp_time_goes_there_and_back(void **state)
{
	uint64_t seed = 1, now = UINT64_C(1780000000) * 1000000000;

	(void)state;
	/* RFC 5905 figure 4: 1970-01-01 is 2,208,988,800 in era 0 */
	assert_true(coo_ntp_from_unix(0) == UINT64_C(2208988800) << 32);
	assert_true(coo_ntp_from_unix(500000000) == (UINT64_C(2208988800) << 32 | 0x80000000u));
	for (int i = 0; i < 100000; i++) {
		uint64_t t = now + test_random(&seed) % (UINT64_C(86400) * 1000000000);

		assert_true(coo_ntp_to_unix(coo_ntp_from_unix(t), now) == t);
	}
}

static void ntp_eras_are_told_by_the_time_of_day(void **state)
{
	/* era 1 begins on 2036-02-07 06:28:16 UTC = 2085978496 */
	uint64_t turn = UINT64_C(2085978496) * 1000000000;

	(void)state;
	for (uint64_t d = 0; d < UINT64_C(10) * 1000000000; d += 999999937) {
		assert_true(coo_ntp_to_unix(coo_ntp_from_unix(turn + d), turn - d) == turn + d);
		assert_true(coo_ntp_to_unix(coo_ntp_from_unix(turn - d), turn + d) == turn - d);
	}
}

static void ptp_time_is_seconds_and_nanoseconds(void **state)
{
	(void)state;
	assert_true(coo_ptp_to_unix(UINT64_C(5) << 32 | 7) == UINT64_C(5000000007));
}

static void error_estimates_are_never_below_the_error(void **state)
{
	uint64_t seed = 3;

	(void)state;
	/* RFC 4656 4.1.2: Multiplier * 2^(-32) * 2^Scale seconds */
	assert_true(coo_stamp_error_ns((coo_stamp_error){ false, false, 32, 1 }) == 1000000000);
	assert_true(coo_stamp_error_ns((coo_stamp_error){ false, false, 22, 1 }) == 976563);
	for (int i = 0; i < 10000; i++) {
		uint64_t ns = test_random(&seed) % UINT64_C(10000000000) + 1;
		coo_stamp_error e = coo_stamp_error_of(ns, true);
		uint64_t is = coo_stamp_error_ns(e);

		assert_true(e.factor != 0 && e.synced);
		assert_true(is >= ns && is <= ns + ns / 64 + 2);
	}
	assert_int_equal(coo_stamp_error_of(0, false).factor, 1);
}

static void every_error_estimate_survives_its_coding(void **state)
{
	(void)state;
	for (uint32_t v = 0; v <= 0xffff; v++)
		assert_int_equal(coo_stamp_error_encode(coo_stamp_error_decode((uint16_t)v)), v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sender_packet_has_the_layout_of_the_rfc),
		cmocka_unit_test(the_reflector_packet_has_the_layout_of_the_rfc),
		cmocka_unit_test(every_truncated_packet_fails),
		cmocka_unit_test(every_short_buffer_takes_nothing),
		cmocka_unit_test(ntp_time_goes_there_and_back),
		cmocka_unit_test(ntp_eras_are_told_by_the_time_of_day),
		cmocka_unit_test(ptp_time_is_seconds_and_nanoseconds),
		cmocka_unit_test(error_estimates_are_never_below_the_error),
		cmocka_unit_test(every_error_estimate_survives_its_coding),
	};

	return cmocka_run_group_tests_name("stamp", tests, NULL, NULL);
}
