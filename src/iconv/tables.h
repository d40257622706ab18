/* SPDX-License-Identifier: MIT */
#ifndef COO_ICONV_TABLES_H
#define COO_ICONV_TABLES_H

#include <stddef.h>
#include <stdint.h>

#define LEAD_MIN 0x81
#define LEAD_MAX 0xfe
#define TRAIL_MIN 0x40
#define TRAIL_MAX 0xfe
#define LEADS (LEAD_MAX - LEAD_MIN + 1)
#define TRAILS (TRAIL_MAX - TRAIL_MIN + 1)

/* GB18030 numbers its characters of four bytes; these are all that stand for the BMP. */
#define FOUR_BMP 39420
/* The number of U+10000, from which on numbers and characters run in parallel. */
#define FOUR_SUPPLEMENT 189000

/* A character and its code where the plain table cannot say it. */
struct pair {
	uint32_t code, character;
};

/* A character set of one and two bytes. In the tables 0 means that there is no such character. */
struct table {
	const char *name;
	const uint16_t *one;	  /* 128 characters of the bytes from 0x80 on */
	const uint16_t *two;	  /* LEADS * TRAILS characters, or NULL */
	const uint16_t *four;	  /* FOUR_BMP characters, NULL but for GB18030 */
	const struct pair *large; /* two bytes that stand for a character above U+FFFF */
	size_t n_large;
	const struct pair *decode_only; /* codes that are read but never written */
	size_t n_decode_only;
	const struct pair *encode_only; /* characters written as the code of another one */
	size_t n_encode_only;
};

/* Made by mktables.c; ends with a NULL name. */
extern const struct table coo_iconv_tables[];

#endif
