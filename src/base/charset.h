/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_CHARSET_H
#define COO_BASE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * The one place where text changes its character set, on top of iconv. A coo_charset keeps one open
 * descriptor per direction, so a conversion costs no iconv_open; ASCII passes without iconv at all.
 * Not thread-safe: one per thread. Nothing is ever lost silently: what could not be converted is
 * counted.
 */
typedef struct coo_charset coo_charset;

/*
 * Opens by name as users write it, without case: "utf-8", "gbk", "gb18030", "gb2312", "cp936",
 * "cp932", "shift_jis", "big5", "euc-kr", or any other name iconv knows. GBK, GB2312 and CP936
 * decode as GB18030, their superset, and take the single byte 0x80 as the euro sign (PROTOCOL.md
 * 7.1); they encode as GBK so that old clients can read it. UTF-16 and other sets in which ASCII is
 * not ASCII are refused with COO_ECHARSET, as are unknown names. Gives: free with
 * coo_charset_close.
 */
COO_MUST_CHECK coo_err coo_charset_open(const char *name, coo_charset **out);
void coo_charset_close(coo_charset *cs); /* accepts NULL */

/* The canonical name, as shown in JSON: "UTF-8", "GBK", "GB18030", "CP932" … Static as long as cs.
 */
const char *coo_charset_name(const coo_charset *cs);
bool coo_charset_is_utf8(const coo_charset *cs);

/*
 * Appends in as UTF-8. Bytes that are not valid in cs become U+FFFD, each counted in *replaced
 * (added to; may be NULL). The output is always valid UTF-8. COO_ENOBUF where out is too small: 4
 * bytes for each byte of in are always enough.
 */
COO_MUST_CHECK coo_err coo_charset_decode(coo_charset *cs, coo_span in, coo_buf *out,
					  size_t *replaced);

/* Whether every byte of in is valid in cs. */
bool coo_charset_valid(coo_charset *cs, coo_span in);

/*
 * Appends valid UTF-8 text in the character set of cs. A character that cs lacks becomes '?',
 * counted in *lost (added to; may be NULL). COO_EFORMAT where in is not UTF-8. COO_ENOBUF where out
 * is too small: then nothing is appended that ends inside a character, but the text is not
 * complete.
 */
COO_MUST_CHECK coo_err coo_charset_encode(coo_charset *cs, coo_span in, coo_buf *out, size_t *lost);

#endif
