/* SPDX-License-Identifier: MIT */
#include "proto/packet.h"
#include "proto/request.h"
#include "support/hexfile.h"
#include "support/test.h"

static void every_form_seen_is_read(void **state)
{
	static const struct {
		const char *body;
		enum coo_request_kind kind;
		uint64_t packet, id, offset;
	} rows[] = {
		{ "d:2710:0:", COO_REQUEST_FILE, 0xd, 0x2710, 0 },
		{ "d:2710:0", COO_REQUEST_FILE, 0xd, 0x2710, 0 },
		{ "d:2710::", COO_REQUEST_FILE, 0xd, 0x2710, 0 },
		{ "d:2710", COO_REQUEST_FILE, 0xd, 0x2710, 0 },
		{ "6A515048:5:1f00000000:", COO_REQUEST_FILE, 0x6a515048, 5, 0x1f00000000 },
		{ "f:2712:", COO_REQUEST_DIR, 0xf, 0x2712, 0 },
		{ "c:2711", COO_REQUEST_DIR, 0xc, 0x2711, 0 },
		{ "e:2712:0", COO_REQUEST_DIR, 0xe, 0x2712, 0 },
		{ "1:0:0:surplus:", COO_REQUEST_DIR, 1, 0, 0 },
	};
	coo_request r;

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		if (coo_request_decode(coo_span_str(rows[i].body), rows[i].kind, true, &r) !=
		    COO_OK)
			fail_msg("row \"%s\"", rows[i].body);
		assert_int_equal(r.packet.hex, rows[i].packet);
		assert_int_equal(r.id.hex, rows[i].id);
		assert_int_equal(r.offset, rows[i].offset);
	}
}

static void decimal_is_the_second_reading(void **state)
{
	coo_request r;

	(void)state;
	assert_int_equal(
	    coo_request_decode(LIT("1783728200:10000:0:"), COO_REQUEST_FILE, false, &r), COO_OK);
	assert_true(r.packet.is_hex && r.packet.is_dec && r.id.is_dec);
	assert_int_equal(r.packet.dec, 1783728200);
	assert_int_equal(r.id.hex, 0x10000);
	assert_int_equal(r.id.dec, 10000);
	assert_int_equal(coo_request_decode(LIT("a:b:0:"), COO_REQUEST_FILE, false, &r), COO_OK);
	assert_false(r.packet.is_dec);
}

static void what_cannot_be_a_request_is_refused(void **state)
{
	static const char *const rows[] = {
		"",	    ":",
		"x:1:0:",   "1:x:0:",
		"1:1:-1:",  "1:1:8000000000000000:",
		"-1:1:0:",  "1::0:",
		"1:1:0x0:", "1111111111111111111111111111:1:0:",
	};
	coo_request r;

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		if (coo_request_decode(coo_span_str(rows[i]), COO_REQUEST_FILE, true, &r) !=
		    COO_EFORMAT)
			fail_msg("row \"%s\"", rows[i]);
	}
}

static void a_long_body_is_refused_before_its_end(void **state)
{
	uint8_t mem[200];
	coo_request r;

	(void)state;
	memset(mem, '1', sizeof(mem));
	assert_int_equal(
	    coo_request_decode(coo_span_of(mem, sizeof(mem)), COO_REQUEST_FILE, false, &r),
	    COO_EFORMAT);
}

/* A request that is not over is never taken for one with a smaller number. */
static void every_prefix_waits_for_the_rest(void **state)
{
	static const struct {
		coo_span body;
		enum coo_request_kind kind;
		size_t enough;
	} rows[] = {
		{ { (const uint8_t *)"6a515048:75bcd15:10000:\0", 24 }, COO_REQUEST_FILE, 23 },
		{ { (const uint8_t *)"d:2710:0\0", 9 }, COO_REQUEST_FILE, 9 },
		{ { (const uint8_t *)"f:2712:\0", 8 }, COO_REQUEST_DIR, 7 },
		{ { (const uint8_t *)"c:2711\0", 7 }, COO_REQUEST_DIR, 7 },
	};
	coo_request r;

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		for (size_t n = 0; n <= rows[i].body.n; n++) {
			uint8_t *copy = test_guard_copy(coo_span_head(rows[i].body, n));
			coo_err e =
			    coo_request_decode(coo_span_of(copy, n), rows[i].kind, false, &r);

			assert_int_equal(e, n < rows[i].enough ? COO_EMORE : COO_OK);
			test_guard_free(copy, n);
		}
	}
}

static void emits_what_every_server_reads(void **state)
{
	uint8_t mem[64];
	coo_buf b;

	(void)state;
	coo_buf_init(&b, mem, sizeof(mem));
	coo_request_put(&b, COO_REQUEST_FILE, 0x6a518848, 0x75bcd15, 0x10000);
	assert_span(coo_buf_span(&b), LIT("6a518848:75bcd15:10000:"), "file");
	coo_buf_init(&b, mem, sizeof(mem));
	coo_request_put(&b, COO_REQUEST_DIR, 15, 10002, 0);
	assert_span(coo_buf_span(&b), LIT("f:2712:"), "directory");
	coo_buf_init(&b, mem, 6);
	coo_request_put(&b, COO_REQUEST_DIR, 15, 10002, 0);
	assert_false(coo_buf_ok(&b));
}

static void vectors_and_captures_are_read_exactly(void **state)
{
	const struct {
		const char *name;
		coo_span bytes;
		uint64_t packet, id, offset;
	} rows[] = {
		{ "D04", hexfile_vec("D04"), 0x6a518848, 123456789, 0 },
		{ "D05", hexfile_vec("D05"), 0x6a518848, 123456790, 0 },
		{ "D13", hexfile_vec("D13"), 0x6a518848, 123456789, 0x10000 },
		{ "G13", hexfile_vec("G13"), 0x294d6, 0, 0 },
		{ "iptux file", hexfile_real("01", 36), 0xd, 10000, 0 },
		{ "iptux folder", hexfile_real("01", 23), 0xe, 10002, 0 },
		{ "official file", hexfile_real("27", 15), 0xd, 10000, 0 },
		{ "official folder", hexfile_real("27", 67), 0xf, 10002, 0 },
		{ "iptux to official", hexfile_real("27", 153), 0x6b02ab9f, 0x274d3d75, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_packet p;
		coo_request r;
		enum coo_request_kind kind;

		assert_int_equal(coo_packet_decode(rows[i].bytes, &p), COO_OK);
		kind =
		    coo_packet_cmd(&p) == COO_CMD_GETDIRFILES ? COO_REQUEST_DIR : COO_REQUEST_FILE;
		assert_true(kind == COO_REQUEST_DIR || coo_packet_cmd(&p) == COO_CMD_GETFILEDATA);
		if (coo_request_decode(p.ext, kind, true, &r) != COO_OK ||
		    r.packet.hex != rows[i].packet || r.id.hex != rows[i].id ||
		    r.offset != rows[i].offset)
			fail_msg("row \"%s\"", rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_seen_is_read),
		cmocka_unit_test(decimal_is_the_second_reading),
		cmocka_unit_test(what_cannot_be_a_request_is_refused),
		cmocka_unit_test(a_long_body_is_refused_before_its_end),
		cmocka_unit_test(every_prefix_waits_for_the_rest),
		cmocka_unit_test(emits_what_every_server_reads),
		cmocka_unit_test(vectors_and_captures_are_read_exactly),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
