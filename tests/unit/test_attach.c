/* SPDX-License-Identifier: MIT */
#include "proto/attach.h"
#include "proto/packet.h"
#include "support/hexfile.h"
#include "support/test.h"

struct want {
	uint64_t id;
	const char *name;
	uint64_t size, mtime;
	uint32_t attr;
};

static void check_entry(const coo_attach *a, const struct want *w, const char *row)
{
	uint8_t mem[256];
	coo_buf name;

	coo_buf_init(&name, mem, sizeof(mem));
	coo_attach_name(a->name, &name);
	assert_span(coo_buf_span(&name), coo_span_str(w->name), row);
	if (a->id != w->id || a->size != w->size || a->mtime != w->mtime || a->attr != w->attr)
		fail_msg("row \"%s\": id %llu size %llx mtime %llx attr %x", row,
			 (unsigned long long)a->id, (unsigned long long)a->size,
			 (unsigned long long)a->mtime, a->attr);
}

#define A                                                                                          \
	{                                                                                          \
		0, "a", 4, 0x6a52e280, 1                                                           \
	}
#define B                                                                                          \
	{                                                                                          \
		1, "b", 0, 0x6a52e280, 2                                                           \
	}

static void every_separator_gives_the_same_entries(void **state)
{
	static const struct {
		const char *row;
		coo_span list;
	} rows[] = {
		{ "BEL", { (const uint8_t *)"0:a:4:6a52e280:1\a1:b:0:6a52e280:2\a", 34 } },
		{ "colon BEL", { (const uint8_t *)"0:a:4:6a52e280:1:\a1:b:0:6a52e280:2:\a", 36 } },
		{ "BEL colon", { (const uint8_t *)"0:a:4:6a52e280:1\a:1:b:0:6a52e280:2\a:", 36 } },
		{ "colon BEL colon",
		  { (const uint8_t *)"0:a:4:6a52e280:1:\a:1:b:0:6a52e280:2:\a:", 38 } },
		{ "no BEL at the end",
		  { (const uint8_t *)"0:a:4:6a52e280:1:\a1:b:0:6a52e280:2:", 35 } },
		{ "nothing at the end",
		  { (const uint8_t *)"0:a:4:6a52e280:1:\a1:b:0:6a52e280:2", 34 } },
		{ "NUL at the end",
		  { (const uint8_t *)"0:a:4:6a52e280:1:\a1:b:0:6a52e280:2:\a\0"
				     "7:c:1:1:1:\a",
		    48 } },
	};
	static const struct want want[] = { A, B };

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_span list = rows[i].list;
		coo_attach a;

		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(coo_attach_next(&list, &a), COO_OK);
			check_entry(&a, &want[k], rows[i].row);
		}
		assert_int_equal(coo_attach_next(&list, &a), COO_ENOENT);
	}
}

static void odd_entries_are_read_or_refused(void **state)
{
	static const struct {
		const char *text;
		coo_err e;
		struct want want;
	} rows[] = {
		{ "1a:x:1:1:1:", COO_OK, { 0x1a, "x", 1, 1, 1 } },
		{ "10:x:1:1:1:", COO_OK, { 10, "x", 1, 1, 1 } },
		{ "0:a::b.txt:4:1:1:", COO_OK, { 0, "a:b.txt", 4, 1, 1 } },
		{ "0:end:::4:1:1:", COO_OK, { 0, "end:", 4, 1, 1 } },
		{ "0:a::::b:4:1:1:", COO_OK, { 0, "a::b", 4, 1, 1 } },
		{ "0:a\bb:4:1:1:", COO_OK, { 0, "a:b", 4, 1, 1 } },
		{ "0:a:4:1:8001:", COO_OK, { 0, "a", 4, 1, 0x8001 } },
		{ "0:a:4", COO_OK, { 0, "a", 4, 0, 1 } },
		{ "0:a:4:1", COO_OK, { 0, "a", 4, 1, 1 } },
		{ "0:a:4:1:1:10=1ff:2=root,x:weird", COO_OK, { 0, "a", 4, 1, 1 } },
		{ "0:A:4D2:8DE2B6F0C1E4A00:1:", COO_OK, { 0, "A", 0x4d2, 0, 1 } },
		{ "0:a:7fffffffffffffff:1:1:", COO_OK, { 0, "a", INT64_MAX, 1, 1 } },
		{ "0:a:ffffffffffffffff:1:1:", COO_OK, { 0, "a", UINT64_MAX, 1, 1 } },
		{ "0:a:8000000000000000:1:1:", COO_ERANGE, { 0 } },
		{ "0:a:10000000000000000:1:1:", COO_EFORMAT, { 0 } },
		{ "0:a:-1:1:1:", COO_EFORMAT, { 0 } },
		{ "0:a::1:1:", COO_OK, { 0, "a:1", 1, 0, 1 } },
		{ "0::4:1:1:", COO_EFORMAT, { 0 } },
		{ ":x:4:1:1:", COO_EFORMAT, { 0 } },
		{ "x:a:4:1:1:", COO_EFORMAT, { 0 } },
		{ "99999999999999999999:a:4:1:1:", COO_EFORMAT, { 0 } },
		{ "0:a:4:1:zz:", COO_EFORMAT, { 0 } },
		{ "0", COO_EFORMAT, { 0 } },
		{ "0:a", COO_EFORMAT, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_span list = coo_span_str(rows[i].text);
		coo_attach a;
		coo_err e = coo_attach_next(&list, &a);

		if (e != rows[i].e)
			fail_msg("row \"%s\": %s", rows[i].text, coo_err_name(e));
		if (e == COO_OK)
			check_entry(&a, &rows[i].want, rows[i].text);
		assert_int_equal(coo_attach_next(&list, &a), COO_ENOENT);
	}
}

static void a_broken_entry_does_not_hide_the_next_one(void **state)
{
	coo_span list = LIT("0:a:huge:1:1:\a1:b:0:6a52e280:2:\a");
	const struct want want = B;
	coo_attach a;

	(void)state;
	assert_int_equal(coo_attach_next(&list, &a), COO_EFORMAT);
	assert_int_equal(coo_attach_next(&list, &a), COO_OK);
	check_entry(&a, &want, "second");
}

/* Whatever a list is cut to, it is walked to its end without reading past it. */
static void every_truncation_ends(void **state)
{
	coo_span whole = LIT("123456789:re::port.pdf:1e240:6a52e280:1:8=4:\a:5:x:0:0:2:\a\0");

	(void)state;
	for (size_t n = 0; n <= whole.n; n++) {
		uint8_t *copy = test_guard_copy(coo_span_head(whole, n));
		coo_span list = coo_span_of(copy, n);
		coo_attach a;
		unsigned turns = 0;

		while (coo_attach_next(&list, &a) != COO_ENOENT)
			assert_true(++turns <= 2);
		test_guard_free(copy, n);
	}
}

static coo_attach make(uint64_t id, const char *name, uint64_t size, uint32_t attr)
{
	coo_attach a;

	memset(&a, 0, sizeof(a));
	a.id = id;
	a.name = coo_span_str(name);
	a.size = size;
	a.mtime = 0x6a52e280;
	a.attr = attr;
	return a;
}

static void emits_the_canonical_form(void **state)
{
	uint8_t mem[256];
	coo_attach a = make(123456789, "re:port::.pdf", 0x1e240, 0x4001);
	coo_attach b = make(123456790, "photos", 0, COO_FILE_DIR);
	coo_buf out;

	(void)state;
	coo_buf_init(&out, mem, sizeof(mem));
	assert_int_equal(coo_attach_put(&out, &a), COO_OK);
	assert_int_equal(coo_attach_put(&out, &b), COO_OK);
	assert_span(coo_buf_span(&out),
		    LIT("123456789:re::port::::.pdf:1e240:6a52e280:1:\a"
			"123456790:photos:0:6a52e280:2:\a"),
		    "canonical");
}

static void every_short_buffer_is_refused_untouched(void **state)
{
	coo_attach a = make(7, "a:b", 1, COO_FILE_REGULAR);
	const char *whole = "7:a::b:1:6a52e280:1:\a";

	(void)state;
	for (size_t cap = 0; cap <= strlen(whole); cap++) {
		uint8_t *mem = test_guard_copy(coo_span_of(whole, cap));
		coo_buf out;

		coo_buf_init(&out, mem, cap);
		assert_int_equal(coo_attach_put(&out, &a),
				 cap < strlen(whole) ? COO_ENOBUF : COO_OK);
		assert_int_equal(out.n, cap < strlen(whole) ? 0 : cap);
		test_guard_free(mem, cap);
	}
}

static void names_that_break_the_list_are_not_emitted(void **state)
{
	static const char *const names[] = { "", "a/b", "a\nb", "\a", "a\x7f" };
	uint8_t mem[256];
	coo_buf out;

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(names); i++) {
		coo_attach a = make(0, names[i], 1, 1);

		coo_buf_init(&out, mem, sizeof(mem));
		assert_int_equal(coo_attach_put(&out, &a), COO_EFORMAT);
		assert_int_equal(out.n, 0);
	}
}

static void any_name_survives_the_wire(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned turn = 0; turn < 5000; turn++) {
		uint8_t name[12], mem[256], back[64];
		size_t n = 1 + test_random(&seed) % (sizeof(name) - 1);
		coo_attach a = make(turn, "", turn, 1), got;
		coo_buf out, plain;
		coo_span list;

		for (size_t i = 0; i < n; i++)
			name[i] = test_random(&seed) % 2 ? ':' : 'x';
		/* "::" after the id would be a colon at the start of a name without its twin */
		a.name = coo_span_of(name, n);
		coo_buf_init(&out, mem, sizeof(mem));
		assert_int_equal(coo_attach_put(&out, &a), COO_OK);
		list = coo_buf_span(&out);
		assert_int_equal(coo_attach_next(&list, &got), COO_OK);
		coo_buf_init(&plain, back, sizeof(back));
		coo_attach_name(got.name, &plain);
		assert_span(coo_buf_span(&plain), a.name, "random colons");
		assert_int_equal(got.size, turn);
	}
}

static coo_span offer_of(const char *vector)
{
	coo_packet p;

	assert_int_equal(coo_packet_decode(hexfile_vec(vector), &p), COO_OK);
	return coo_packet_section(&p, 1);
}

static void vectors_of_offers_are_read_exactly(void **state)
{
	static const struct {
		const char *id;
		size_t n;
		struct want want[2];
	} rows[] = {
		{ "D01",
		  2,
		  { { 123456789, "report.pdf", 123456, 0x6a52e280, 1 },
		    { 123456790, "photos", 0, 0x6a52e280, 2 } } },
		{ "D02",
		  2,
		  { { 0, "a:b.txt", 4, 0x6a52e280, 1 }, { 1, "c.txt", 0, 0x6a52e280, 1 } } },
		{ "D03", 1, { { 5, "ipmsgclip_s_1783728202_0.png", 0x2710, 0x6a52e280, 0x20 } } },
		{ "D11", 1, { { 0, "../../.bashrc", 4, 0x6a52e280, 1 } } },
	};
	coo_attach a;

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_span list = offer_of(rows[i].id);

		for (size_t k = 0; k < rows[i].n; k++) {
			assert_int_equal(coo_attach_next(&list, &a), COO_OK);
			check_entry(&a, &rows[i].want[k], rows[i].id);
		}
		assert_int_equal(a.has_position, strcmp(rows[i].id, "D03") == 0);
		assert_int_equal(a.position, a.has_position ? 4 : 0);
		assert_int_equal(coo_attach_next(&list, &a), COO_ENOENT);
	}
}

static void iptux_offers_what_it_cannot_stat(void **state)
{
	coo_span list = hexfile_vec("D09");
	coo_attach a;

	(void)state;
	assert_int_equal(coo_attach_next(&list, &a), COO_OK);
	check_entry(&a, &(struct want){ 0, "bashrc", COO_FILE_SIZE_UNKNOWN, 0, 1 }, "D09");
	assert_int_equal(coo_attach_next(&list, &a), COO_ENOENT);
}

static void offers_captured_from_iptux_are_read(void **state)
{
	static const struct {
		const char *capture;
		unsigned frame;
		size_t n;
		struct want want[2];
	} rows[] = {
		{ "01",
		  15,
		  2,
		  { { 10000, "测试.txt", 0x2b, 0x6b029396, 1 },
		    { 10001, "rand.bin", 0x493e0, 0x6b029396, 1 } } },
		{ "01", 16, 1, { { 10002, "目录", 9, 0x6b029396, 2 } } },
		{ "27",
		  94,
		  2,
		  { { 10003, "\xb2\xe2\xca\xd4.txt", 0x2b, 0x6b029396, 1 },
		    { 10004, "rand.bin", 0x493e0, 0x6b029396, 1 } } },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_packet p;
		coo_span list;
		coo_attach a;

		assert_int_equal(
		    coo_packet_decode(hexfile_real(rows[i].capture, rows[i].frame), &p), COO_OK);
		list = coo_packet_section(&p, 1);
		for (size_t k = 0; k < rows[i].n; k++) {
			assert_int_equal(coo_attach_next(&list, &a), COO_OK);
			check_entry(&a, &rows[i].want[k], rows[i].want[k].name);
		}
		assert_int_equal(coo_attach_next(&list, &a), COO_ENOENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_separator_gives_the_same_entries),
		cmocka_unit_test(odd_entries_are_read_or_refused),
		cmocka_unit_test(a_broken_entry_does_not_hide_the_next_one),
		cmocka_unit_test(every_truncation_ends),
		cmocka_unit_test(emits_the_canonical_form),
		cmocka_unit_test(every_short_buffer_is_refused_untouched),
		cmocka_unit_test(names_that_break_the_list_are_not_emitted),
		cmocka_unit_test(any_name_survives_the_wire),
		cmocka_unit_test(vectors_of_offers_are_read_exactly),
		cmocka_unit_test(iptux_offers_what_it_cannot_stat),
		cmocka_unit_test(offers_captured_from_iptux_are_read),
	};

	return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
