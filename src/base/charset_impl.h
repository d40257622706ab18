/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_CHARSET_IMPL_H
#define COO_BASE_CHARSET_IMPL_H

/* What charset.c and charset_open.c share; nobody else includes this. */

#include <iconv.h>

#include "base/charset.h"

#define COO_CHARSET_NAME_CAP 32
#define COO_NO_ICONV ((iconv_t)-1)

enum coo_charset_family { COO_CHARSET_UTF8, COO_CHARSET_GBK, COO_CHARSET_OTHER };

struct coo_charset {
	char name[COO_CHARSET_NAME_CAP];
	enum coo_charset_family family;
	iconv_t dec, enc; /* to and from UTF-8; COO_NO_ICONV where family is UTF-8 */
};

/* What one call of iconv did. */
typedef struct coo_charset_turn {
	size_t used, made;
	int err;      /* 0, E2BIG, EILSEQ, EINVAL … */
	bool changed; /* a character became another one that was thought similar */
} coo_charset_turn;

/* Converts in, from a clean state. */
coo_charset_turn coo_charset_convert(iconv_t cd, coo_span in, uint8_t *out, size_t cap);

#endif
