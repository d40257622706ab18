/* SPDX-License-Identifier: MIT */
#include "proto/entry.h"
#include "support/hexfile.h"

#define S(s)                                                                                       \
	{                                                                                          \
		(const uint8_t *)(s), sizeof(s) - 1                                                \
	}

static coo_packet entry_packet(const char *version, uint32_t command, coo_span ext)
{
	coo_packet p;

	memset(&p, 0, sizeof(p));
	p.version = coo_span_str(version);
	p.command = command;
	p.ext = ext;
	return p;
}

static void section_rows(void **state)
{
	static const struct {
		const char *name, *version;
		uint32_t command;
		coo_span ext;
		const char *nick, *group, *nn, *icon;
		bool block;
	} rows[] = {
		{ "nothing", "1", 1, S(""), "", "", "", "", false },
		{ "NULs only (PythonFeiQ)", "1", 1, S("\0\0"), "", "", "", "", false },
		{ "nick without NUL", "1", 1, S("n"), "n", "", "", "", false },
		{ "nick and group", "1", 1, S("n\0g"), "n", "g", "", "", false },
		{ "thirty NULs (gipmsg)", "1", 1, S("n\0g\0\0\0\0\0\0\0\0\0\0\0\0\0"), "n", "g", "",
		  "", false },
		{ "block", "1", 0x1000001, S("n\0g\0\nNN:N"), "n", "g", "N", "", true },
		{ "block with the bit of UTF8OPT", "1", 0x800001, S("n\0g\0\nNN:N"), "n", "g", "N",
		  "", true },
		{ "block without either bit", "1", 1, S("n\0g\0\nNN:N"), "n", "g", "", "", false },
		{ "block as second section", "1", 0x1000001, S("n\0\nNN:N"), "n", "", "N", "",
		  true },
		{ "line feed and NULs at its end (SWX)", "1", 0x1000001,
		  S("n\0g\0\nNN:N\nFP:x\n\0\0"), "n", "g", "N", "", true },
		{ "unknown keys and lines without a colon", "1", 0x1000001,
		  S("n\0g\0\nXX:y\nrubbish\nNN:N:M"), "n", "g", "N:M", "", true },
		{ "keys in small letters are others", "1", 0x1000001, S("n\0g\0\nnn:N"), "n", "g",
		  "", "", true },
		{ "the last of two counts", "1", 0x1000001, S("n\0g\0\nNN:N\nNN:M"), "n", "g", "M",
		  "", true },
		{ "iptux", "1_iptux 0.8.3", 0x101, S("n\0g\0icon.png\0utf-8\0"), "n", "g", "",
		  "icon.png", false },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_packet p = entry_packet(rows[i].version, rows[i].command, rows[i].ext);
		coo_entry e;

		coo_entry_decode(&p, &e);
		assert_span(e.nick, coo_span_str(rows[i].nick), rows[i].name);
		assert_span(e.group, coo_span_str(rows[i].group), rows[i].name);
		assert_span(e.nn, coo_span_str(rows[i].nn), rows[i].name);
		assert_span(e.icon, coo_span_str(rows[i].icon), rows[i].name);
		if (e.has_block != rows[i].block)
			fail_msg("row \"%s\": has_block", rows[i].name);
	}
}

static void every_truncation_gives_prefixes(void **state)
{
	static const char *const ids[] = { "B01", "B07", "B08", "G02", "H01", "H06" };

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(ids); i++) {
		coo_packet p;
		coo_entry whole;

		assert_int_equal(coo_packet_decode(hexfile_vec(ids[i]), &p), COO_OK);
		coo_entry_decode(&p, &whole);
		for (size_t n = 0; n <= p.ext.n; n++) {
			uint8_t *copy = test_guard_copy(coo_span_head(p.ext, n));
			coo_packet cut = p;
			coo_entry e;

			cut.ext = coo_span_of(copy, n);
			coo_entry_decode(&cut, &e);
			if (!coo_span_has_prefix(whole.nick, e.nick) ||
			    (e.has_block && !coo_span_has_prefix(whole.nn, e.nn)) ||
			    !coo_span_has_prefix(whole.mac, e.mac) ||
			    !coo_span_has_prefix(whole.user_id, e.user_id))
				fail_msg("%s cut to %zu bytes", ids[i], n);
			test_guard_free(copy, n);
		}
	}
}

static void encoding_rows(void **state)
{
	static const struct {
		const char *name;
		coo_entry e;
		coo_span want;
	} rows[] = {
		{ "nothing", { .nick = S("") }, S("\0\0") },
		{ "nick and group", { .nick = S("n"), .group = S("g") }, S("n\0g\0") },
		{ "block",
		  { .nick = S("n"), .has_block = true, .un = S("u"), .nn = S("N"), .vs = S("v") },
		  S("n\0\0\nUN:u\nNN:N\nVS:v") },
		{ "iptux",
		  { .nick = S("n"), .group = S("g"), .icon = S("i"), .encoding = S("e") },
		  S("n\0g\0i\0e\0") },
		{ "an icon without an encoding is none",
		  { .nick = S("n"), .icon = S("i") },
		  S("n\0\0") },
	};
	static const uint8_t room[64];

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		for (size_t cap = 0; cap <= rows[i].want.n; cap++) {
			uint8_t *mem = test_guard_copy(coo_span_of(room, cap));
			coo_buf b;

			coo_buf_init(&b, mem, cap);
			coo_entry_encode(&b, &rows[i].e);
			if (coo_buf_ok(&b) != (cap == rows[i].want.n))
				fail_msg("row \"%s\", %zu bytes", rows[i].name, cap);
			if (coo_buf_ok(&b))
				assert_span(coo_buf_span(&b), rows[i].want, rows[i].name);
			test_guard_free(mem, cap);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_rows),
		cmocka_unit_test(every_truncation_gives_prefixes),
		cmocka_unit_test(encoding_rows),
	};

	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
