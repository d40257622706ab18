/* SPDX-License-Identifier: MIT */
#include "proto/packet.h"
#include "support/hexfile.h"

static void version_rows(void **state)
{
	static const struct {
		const char *name, *version;
		coo_err want;
	} rows[] = {
		{ "plain", "1", COO_OK },
		{ "FeiQ", "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9", COO_OK },
		{ "iptux", "1_iptux 0.8.3", COO_OK },
		{ "neiwangtong", "1@shiyeline", COO_OK },
		{ "FeiGe", "1.feige.1", COO_OK },
		{ "FeiGe 5.1", "5.1.180210", COO_OK },
		{ "leading zero", "01", COO_OK },
		{ "five alone", "5", COO_EVERSION },
		{ "two", "2", COO_EVERSION },
		{ "ten", "10", COO_EVERSION },
		{ "eleven with a dot", "15.1", COO_EVERSION },
		{ "no digit first", "iptux 0.8.0", COO_EVERSION },
		{ "sign", "+1", COO_EVERSION },
		{ "empty", "", COO_EVERSION },
		{ "1 + 2^64", "18446744073709551617", COO_EVERSION },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		char text[100];
		coo_packet p;

		snprintf(text, sizeof(text), "%s:1:u:h:32:x", rows[i].version);
		if (coo_packet_decode(coo_span_str(text), &p) != rows[i].want)
			fail_msg("row \"%s\"", rows[i].name);
	}
}

static void header_rows(void **state)
{
	static const struct {
		const char *name, *packet;
		coo_err want;
	} rows[] = {
		{ "largest number", "1:18446744073709551615:u:h:4294967295:", COO_OK },
		{ "number too large", "1:18446744073709551616:u:h:32:", COO_ERANGE },
		{ "command too large", "1:1:u:h:4294967296:", COO_ERANGE },
		{ "negative number", "1:-1:u:h:32:", COO_EFORMAT },
		{ "negative command", "1:1:u:h:-1:", COO_EFORMAT },
		{ "no number", "1::u:h:32:", COO_EFORMAT },
		{ "no command", "1:1:u:h::", COO_EFORMAT },
		{ "hex command (oipmsg)", "1:1:u:h:2a:", COO_EFORMAT },
		{ "a blank in the number", "1: 1:u:h:32:", COO_EFORMAT },
		{ "empty names", "1:1:::32:", COO_OK },
		{ "four colons", "1:1:u:h:32", COO_OK },
		{ "four colons, no command", "1:1:u:h:", COO_EFORMAT },
		{ "three colons", "1:1:u:h", COO_EFORMAT },
		{ "no colon", "1", COO_EFORMAT },
		{ "empty", "", COO_EFORMAT },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_packet p, before;

		memset(&p, 0x5a, sizeof(p));
		before = p;
		if (coo_packet_decode(coo_span_str(rows[i].packet), &p) != rows[i].want)
			fail_msg("row \"%s\"", rows[i].name);
		if (rows[i].want != COO_OK && memcmp(&p, &before, sizeof(p)) != 0)
			fail_msg("row \"%s\": *out was written", rows[i].name);
	}
}

static void four_colons_with_nuls_behind_the_command(void **state)
{
	coo_packet p;

	(void)state;
	assert_int_equal(coo_packet_decode(LIT("1:1:u:h:288\0\0"), &p), COO_OK);
	assert_int_equal(p.command, 288);
	assert_int_equal(p.ext.n, 0);
}

static void a_nul_in_a_name_stays_in_it(void **state)
{
	coo_packet p;

	(void)state;
	assert_int_equal(coo_packet_decode(LIT("1:1:u:h\0\0x:32:t\0"), &p), COO_OK);
	assert_span(p.host, LIT("h\0\0x"), "a NUL within the host, as huntinux sends it");
	assert_span(coo_packet_text(&p), LIT("t"), "text");
}

static void sections_and_references(void **state)
{
	static const struct {
		const char *name;
		coo_span ext, sections[3];
		bool has_ref;
		uint64_t ref;
	} rows[] = {
#define S(s) { (const uint8_t *)(s), sizeof(s) - 1 }
		{ "none", S(""), { S(""), S(""), S("") }, false, 0 },
		{ "no NUL", S("12"), { S("12"), S(""), S("") }, true, 12 },
		{ "two", S("12\0iot\0"), { S("12"), S("iot"), S("") }, true, 12 },
		{ "an empty one first", S("\0b\0c"), { S(""), S("b"), S("c") }, false, 0 },
		{ "text behind the number", S("10x"), { S("10x"), S(""), S("") }, true, 10 },
		{ "too large",
		  S("99999999999999999999"),
		  { S("99999999999999999999"), S(""), S("") },
		  false,
		  0 },
		{ "negative", S("-1"), { S("-1"), S(""), S("") }, false, 0 },
#undef S
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_packet p;
		uint64_t ref = 0;

		memset(&p, 0, sizeof(p));
		p.ext = rows[i].ext;
		for (unsigned k = 0; k < 3; k++)
			assert_span(coo_packet_section(&p, k), rows[i].sections[k], rows[i].name);
		assert_int_equal(coo_packet_section(&p, 1000).n, 0);
		if (coo_packet_ref(&p, &ref) != rows[i].has_ref || ref != rows[i].ref)
			fail_msg("row \"%s\": reference", rows[i].name);
	}
}

static void every_truncation_fails_until_the_command_is_there(void **state)
{
	coo_span whole = hexfile_vec("G02");

	(void)state;
	for (size_t n = 0; n <= whole.n; n++) {
		uint8_t *copy = test_guard_copy(coo_span_head(whole, n));
		coo_packet p;
		coo_err e = coo_packet_decode(coo_span_of(copy, n), &p);

		/* "…:LEE-PC:6" is the first that is one */
		assert_int_equal(e == COO_OK, n >= strlen("1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9:"
							  "1655805996:Lee:LEE-PC:6"));
		test_guard_free(copy, n);
	}
}

static coo_packet a_packet(void)
{
	coo_packet p;

	memset(&p, 0, sizeof(p));
	p.version = LIT("1_coo");
	p.packet_no = 1783728000;
	p.user = LIT("\xe9\x99\x88");
	p.host = LIT("pc");
	p.command = 0x800120;
	p.ext = LIT("hi:\0x\0");
	return p;
}

static void every_short_buffer_is_told(void **state)
{
	const coo_span want = LIT("1_coo:1783728000:\xe9\x99\x88:pc:8388896:hi:\0x\0");
	static const uint8_t room[100];
	coo_packet p = a_packet();

	(void)state;
	for (size_t cap = 0; cap <= want.n + 1; cap++) {
		uint8_t *mem = test_guard_copy(coo_span_of(room, cap));
		coo_buf b;

		coo_buf_init(&b, mem, cap);
		assert_int_equal(coo_packet_encode(&b, &p), cap < want.n ? COO_ENOBUF : COO_OK);
		if (cap >= want.n)
			assert_span(coo_buf_span(&b), want, "whole");
		test_guard_free(mem, cap);
	}
}

static void what_cannot_be_read_again_is_not_written(void **state)
{
	static const struct {
		const char *name;
		coo_span bad;
	} rows[] = {
#define S(s) { (const uint8_t *)(s), sizeof(s) - 1 }
		{ "empty", S("") },
		{ "colon", S("a:b") },
		{ "NUL", S("a\0b") },
#undef S
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		for (unsigned field = 0; field < 3; field++) {
			uint8_t mem[100];
			coo_packet p = a_packet();
			coo_buf b;

			*(field == 0 ? &p.version : field == 1 ? &p.user : &p.host) = rows[i].bad;
			coo_buf_init(&b, mem, sizeof(mem));
			if (coo_packet_encode(&b, &p) != COO_EINVAL || b.n > 0)
				fail_msg("row \"%s\", field %u", rows[i].name, field);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_rows),
		cmocka_unit_test(header_rows),
		cmocka_unit_test(four_colons_with_nuls_behind_the_command),
		cmocka_unit_test(a_nul_in_a_name_stays_in_it),
		cmocka_unit_test(sections_and_references),
		cmocka_unit_test(every_truncation_fails_until_the_command_is_there),
		cmocka_unit_test(every_short_buffer_is_told),
		cmocka_unit_test(what_cannot_be_read_again_is_not_written),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
