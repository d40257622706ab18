/* SPDX-License-Identifier: MIT */

/*
 * A tool of the build: writes the tables of the character sets named below as C to stdout, as the
 * iconv of this machine has them.
 */
#include <iconv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "iconv/tables.h"

static const struct kind {
	const char *name;
	bool two, four; /* has characters of two and of four bytes */
} kinds[] = {
	{ "GBK", true, false },		{ "GB18030", true, true },
	{ "CP932", true, false },	{ "CP950", true, false },
	{ "CP949", true, false },	{ "EUC-KR", true, false },
	{ "CP1250", false, false },	{ "CP1251", false, false },
	{ "CP1252", false, false },	{ "CP1253", false, false },
	{ "CP1254", false, false },	{ "CP1257", false, false },
	{ "ISO-8859-1", false, false }, { "ISO-8859-2", false, false },
	{ "ISO-8859-5", false, false }, { "ISO-8859-7", false, false },
	{ "ISO-8859-9", false, false }, { "ISO-8859-15", false, false },
	{ "KOI8-R", false, false },	{ "KOI8-U", false, false },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct set {
	iconv_t dec, enc;
};

/* One character, or 0 where the bytes are not exactly one. */
static uint32_t decode(struct set *s, const unsigned char *bytes, size_t n)
{
	unsigned char out[16];
	char *from = (char *)(uintptr_t)bytes, *to = (char *)out;
	size_t in_left = n, out_left = sizeof(out);

	iconv(s->dec, NULL, NULL, NULL, NULL);
	if (iconv(s->dec, &from, &in_left, &to, &out_left) != 0 || out_left != sizeof(out) - 4)
		return 0;
	return (uint32_t)out[0] << 24 | (uint32_t)out[1] << 16 | (uint32_t)out[2] << 8 | out[3];
}

/* The code of a character, its first byte highest; 0 where there is none of one or two bytes. */
static uint32_t encode(struct set *s, uint32_t character)
{
	unsigned char in[4] = { (unsigned char)(character >> 24), (unsigned char)(character >> 16),
				(unsigned char)(character >> 8), (unsigned char)character };
	unsigned char out[16];
	char *from = (char *)in, *to = (char *)out;
	size_t in_left = sizeof(in), out_left = sizeof(out), n;

	iconv(s->enc, NULL, NULL, NULL, NULL);
	if (iconv(s->enc, &from, &in_left, &to, &out_left) != 0)
		return 0;
	n = sizeof(out) - out_left;
	return n == 1 ? out[0] : n == 2 ? (uint32_t)out[0] << 8 | out[1] : 0;
}

static uint32_t decode_code(struct set *s, uint32_t code)
{
	unsigned char bytes[2] = { (unsigned char)(code >> 8), (unsigned char)code };

	return code < 0x100 ? decode(s, bytes + 1, 1) : decode(s, bytes, 2);
}

static uint32_t decode_four(struct set *s, uint32_t number)
{
	unsigned char bytes[4] = { (unsigned char)(0x81 + number / 12600),
				   (unsigned char)(0x30 + number / 1260 % 10),
				   (unsigned char)(0x81 + number / 10 % 126),
				   (unsigned char)(0x30 + number % 10) };

	return decode(s, bytes, 4);
}

static void print_number(size_t i, uint32_t value)
{
	printf("%s%u,", i % 16 == 0 ? "\n\t" : " ", (unsigned)value);
}

static void print_pair(uint32_t code, uint32_t character)
{
	printf("\n\t{ 0x%x, 0x%x },", (unsigned)code, (unsigned)character);
}

static uint32_t two_at(size_t i)
{
	return (uint32_t)((i / TRAILS + LEAD_MIN) << 8 | (i % TRAILS + TRAIL_MIN));
}

static void print_one(struct set *s, size_t index)
{
	printf("static const uint16_t one_%zu[] = {", index);
	for (uint32_t i = 0; i < 128; i++) {
		uint32_t c = decode_code(s, 0x80 + i);

		print_number(i, c);
	}
	printf("\n};\n");
}

static void print_two(struct set *s, size_t index)
{
	printf("static const uint16_t two_%zu[] = {", index);
	for (size_t i = 0; i < (size_t)LEADS * TRAILS; i++) {
		uint32_t c = decode_code(s, two_at(i));

		print_number(i, c < 0x10000 ? c : 0);
	}
	printf("\n};\n");
}

static void print_four(struct set *s, size_t index)
{
	printf("static const uint16_t four_%zu[] = {", index);
	for (uint32_t i = 0; i < FOUR_BMP; i++)
		print_number(i, decode_four(s, i));
	printf("\n};\n");
}

/* Lists end with a pair of zeros, so that an empty one is still an array. */
static size_t print_large(struct set *s, size_t index)
{
	size_t n = 0;

	printf("static const struct pair large_%zu[] = {", index);
	for (size_t i = 0; i < (size_t)LEADS * TRAILS; i++) {
		uint32_t c = decode_code(s, two_at(i));

		if (c > 0xffff) {
			print_pair(two_at(i), c);
			n++;
		}
	}
	printf("\n\t{ 0, 0 },\n};\n");
	return n;
}

static size_t print_decode_only(struct set *s, size_t index)
{
	size_t n = 0;

	printf("static const struct pair decode_only_%zu[] = {", index);
	for (size_t i = 0; i < 128 + (size_t)LEADS * TRAILS; i++) {
		uint32_t code = i < 128 ? 0x80 + (uint32_t)i : two_at(i - 128);
		uint32_t c = decode_code(s, code);

		if (c && encode(s, c) != code) {
			print_pair(code, c);
			n++;
		}
	}
	printf("\n\t{ 0, 0 },\n};\n");
	return n;
}

static size_t print_encode_only(struct set *s, size_t index)
{
	size_t n = 0;

	printf("static const struct pair encode_only_%zu[] = {", index);
	for (uint32_t c = 0x80; c < 0x110000; c++) {
		uint32_t code = c >= 0xd800 && c < 0xe000 ? 0 : encode(s, c);

		if (code && decode_code(s, code) != c) {
			print_pair(code, c);
			n++;
		}
	}
	printf("\n\t{ 0, 0 },\n};\n");
	return n;
}

static void print_set(const struct kind *kind, size_t index, size_t counts[3])
{
	struct set s;

	s.dec = iconv_open("UCS-4BE", kind->name);
	s.enc = iconv_open(kind->name, "UCS-4BE");
	if (s.dec == (iconv_t)-1 || s.enc == (iconv_t)-1) {
		fprintf(stderr, "mktables: the iconv of this machine does not know %s\n",
			kind->name);
		exit(1);
	}
	print_one(&s, index);
	if (kind->two)
		print_two(&s, index);
	if (kind->four)
		print_four(&s, index);
	counts[0] = print_large(&s, index);
	counts[1] = print_decode_only(&s, index);
	counts[2] = print_encode_only(&s, index);
	iconv_close(s.dec);
	iconv_close(s.enc);
}

static void print_table(size_t index, const size_t counts[3])
{
	printf("\n\t{ \"%s\", one_%zu, ", kinds[index].name, index);
	printf(kinds[index].two ? "two_%zu, " : "NULL, ", index);
	printf(kinds[index].four ? "four_%zu, " : "NULL, ", index);
	printf("large_%zu, %zu, decode_only_%zu, %zu, encode_only_%zu, %zu },", index, counts[0],
	       index, counts[1], index, counts[2]);
}

int main(void)
{
	size_t counts[N_KINDS][3];

	printf("/* Made by mktables.c: do not edit. */\n#include \"iconv/tables.h\"\n\n");
	for (size_t i = 0; i < N_KINDS; i++)
		print_set(&kinds[i], i, counts[i]);
	printf("const struct table coo_iconv_tables[] = {");
	for (size_t i = 0; i < N_KINDS; i++)
		print_table(i, counts[i]);
	printf("\n\t{ NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, 0 },\n};\n");
	return ferror(stdout) ? 1 : 0;
}
