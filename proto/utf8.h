/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_UTF8_H
#define COO_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/span.h"

/* Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. The empty span is valid.
 */
bool coo_utf8_valid(coo_span s);

/* Length of the run of ASCII that s begins with; sixteen bytes a step, so that most text costs next
 * to nothing. */
size_t coo_utf8_ascii_run(coo_span s);

/* Length of the longest prefix of at most max bytes that ends on a character boundary of valid s.
 */
size_t coo_utf8_truncate(coo_span s, size_t max);

/*
 * Decodes the character at the start of s into *cp and returns its length in bytes; returns 0 where
 * s is empty or does not begin with a valid character.
 */
size_t coo_utf8_next(coo_span s, uint32_t *cp);

/* Appends cp (a Unicode scalar value) as UTF-8. */
void coo_utf8_put(coo_buf *b, uint32_t cp);

/* What coo_utf8_escape leaves as it is beside printable characters. */
enum coo_utf8_keep {
	COO_UTF8_ONE_LINE = 0,	 /* nothing: names, log lines */
	COO_UTF8_KEEP_LINES = 1, /* line feed and tab: text of a message */
};

/*
 * Makes bytes from the network safe for a terminal and for a log: C0 controls, DEL and bytes
 * that are not UTF-8 become \xHH, C1 controls, bidi and other invisible formatting controls
 * \u{XX}. The result is valid UTF-8 and moves no cursor. Sticky failure of *b where it does not
 * fit: 4 bytes for every byte of s are always enough, as are 9 for every character.
 */
void coo_utf8_escape(coo_buf *b, coo_span s, enum coo_utf8_keep keep);

/* Whether coo_utf8_escape would return s unchanged. */
bool coo_utf8_is_plain(coo_span s, enum coo_utf8_keep keep);

/* Columns that valid s takes on a terminal: Chinese and emoji two, combining marks none. */
size_t coo_utf8_width(coo_span s);

#endif
