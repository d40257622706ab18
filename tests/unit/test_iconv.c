/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <iconv.h>

#include "proto/utf8.h"
#include "support/test.h"

/* src/iconv/iconv.h cannot stand beside the system's header, whose place it takes. */
void *coo_iconv_open(const char *to, const char *from);
size_t coo_iconv(void *cd, char **in, size_t *in_left, char **out, size_t *out_left);
int coo_iconv_close(void *cd);

static const char *const sets[] = { "GBK",	  "GB18030",	 "CP932",      "CP950",
				    "CP949",	  "EUC-KR",	 "CP1250",     "CP1251",
				    "CP1252",	  "CP1253",	 "CP1254",     "CP1257",
				    "ISO-8859-1", "ISO-8859-2",	 "ISO-8859-5", "ISO-8859-7",
				    "ISO-8859-9", "ISO-8859-15", "KOI8-R",     "KOI8-U" };

struct both {
	const char *set;
	iconv_t theirs;
	void *ours;
};

struct result {
	bool ok;
	size_t left, made;
	char out[16];
};

static struct result with_theirs(iconv_t cd, coo_span in)
{
	struct result r;
	char *from = (char *)(uintptr_t)in.p, *to = r.out;
	size_t room = sizeof(r.out);

	r.left = in.n;
	iconv(cd, NULL, NULL, NULL, NULL);
	r.ok = iconv(cd, &from, &r.left, &to, &room) == 0;
	r.made = sizeof(r.out) - room;
	return r;
}

static struct result with_ours(void *cd, coo_span in)
{
	struct result r;
	char *from = (char *)(uintptr_t)in.p, *to = r.out;
	size_t room = sizeof(r.out);

	r.left = in.n;
	r.ok = coo_iconv(cd, &from, &r.left, &to, &room) == 0;
	r.made = sizeof(r.out) - room;
	return r;
}

static void compare(const struct both *b, coo_span in)
{
	struct result theirs = with_theirs(b->theirs, in), ours = with_ours(b->ours, in);

	if (ours.ok != theirs.ok || ours.made != theirs.made ||
	    memcmp(ours.out, theirs.out, ours.made) != 0 || (ours.ok && ours.left != 0))
		fail_msg("%s: %02x %02x %02x %02x, of these %zu bytes", b->set, in.p[0],
			 in.n > 1 ? in.p[1] : 0, in.n > 2 ? in.p[2] : 0, in.n > 3 ? in.p[3] : 0,
			 in.n);
}

static struct both open_both(const char *set, const char *to, const char *from)
{
	struct both b = { set, iconv_open(to, from), coo_iconv_open(to, from) };

	if (b.theirs == (iconv_t)-1)
		fail_msg("the iconv of this machine does not know %s", set);
	assert_ptr_not_equal(b.ours, (void *)-1);
	return b;
}

static void close_both(struct both *b)
{
	iconv_close(b->theirs);
	coo_iconv_close(b->ours);
}

static void every_two_bytes_decode_as_the_system_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(sets); i++) {
		struct both b = open_both(sets[i], "UTF-8", sets[i]);

		for (unsigned code = 0; code < 0x10000; code++) {
			uint8_t bytes[2] = { (uint8_t)(code >> 8), (uint8_t)code };

			compare(&b, coo_span_of(bytes, 2));
		}
		close_both(&b);
	}
}

static void every_four_bytes_of_gb18030_decode_as_the_system_does(void **state)
{
	struct both b = open_both("GB18030", "UTF-8", "GB18030");
	uint8_t bytes[4];

	(void)state;
	for (unsigned first = 0x80; first < 0x100; first++) {
		for (unsigned rest = 0; rest < 10u * 128 * 12; rest++) {
			bytes[0] = (uint8_t)first;
			bytes[1] = (uint8_t)(0x30 + rest / 12 / 128);
			bytes[2] = (uint8_t)(0x80 + rest / 12 % 128);
			bytes[3] = (uint8_t)(0x2f + rest % 12);
			compare(&b, coo_span_of(bytes, 4));
		}
	}
	close_both(&b);
}

/* Tags (U+E0000) are left out: glibc drops them silently, and we say that the set lacks them. */
static void every_character_encodes_as_the_system_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(sets); i++) {
		struct both b = open_both(sets[i], sets[i], "UTF-8");

		for (uint32_t c = 0; c < 0x110000; c++) {
			uint8_t bytes[4];
			coo_buf buf;

			if ((c >= 0xd800 && c < 0xe000) || (c >= 0xe0000 && c < 0xe0080))
				continue;
			coo_buf_init(&buf, bytes, sizeof(bytes));
			coo_utf8_put(&buf, c);
			compare(&b, coo_buf_span(&buf));
		}
		close_both(&b);
	}
}

static void a_character_that_is_cut_off_is_told_from_a_wrong_one(void **state)
{
	static const struct {
		const char *name, *to, *from;
		coo_span in;
		int err;
		size_t left;
	} rows[] = {
		{ "half of two bytes", "UTF-8", "GBK", { (const uint8_t *)"a\xc4", 2 }, EINVAL, 1 },
		{ "no such trail", "UTF-8", "GBK", { (const uint8_t *)"a\xc4 b", 4 }, EILSEQ, 3 },
		{ "half of four bytes",
		  "UTF-8",
		  "GB18030",
		  { (const uint8_t *)"\x81\x30\x81", 3 },
		  EINVAL,
		  3 },
		{ "half of UTF-8", "GBK", "UTF-8", { (const uint8_t *)"\xe4\xbd", 2 }, EINVAL, 2 },
		{ "not UTF-8", "GBK", "UTF-8", { (const uint8_t *)"\xe4 ", 2 }, EILSEQ, 2 },
		{ "an emoji in GBK",
		  "GBK",
		  "UTF-8",
		  { (const uint8_t *)"\xf0\x9f\x98\x80", 4 },
		  EILSEQ,
		  4 },
		{ "no room",
		  "UTF-8",
		  "GBK",
		  { (const uint8_t *)"0123456789abcde\xc4\xe3", 17 },
		  E2BIG,
		  2 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		void *cd = coo_iconv_open(rows[i].to, rows[i].from);
		struct result r = with_ours(cd, rows[i].in);

		if (r.ok || errno != rows[i].err || r.left != rows[i].left)
			fail_msg("row \"%s\": errno %d, %zu left", rows[i].name, errno, r.left);
		coo_iconv_close(cd);
	}
}

static void what_it_does_not_know_it_refuses(void **state)
{
	(void)state;
	assert_ptr_equal(coo_iconv_open("UTF-8", "UTF-7"), (void *)-1);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(coo_iconv_open("GBK", "CP932"), (void *)-1);
	assert_ptr_equal(coo_iconv_open("GBK//IGNORE", "UTF-8"), (void *)-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_two_bytes_decode_as_the_system_does),
		cmocka_unit_test(every_four_bytes_of_gb18030_decode_as_the_system_does),
		cmocka_unit_test(every_character_encodes_as_the_system_does),
		cmocka_unit_test(a_character_that_is_cut_off_is_told_from_a_wrong_one),
		cmocka_unit_test(what_it_does_not_know_it_refuses),
	};

	return cmocka_run_group_tests_name("iconv", tests, NULL, NULL);
}
