/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_TEXT_H
#define COO_FEATURE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/charset.h"
#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/dialect.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * The one place that decides in which character set the bytes of a packet are, and in which one a
 * text is sent (PROTOCOL.md 7). base/charset converts; this chooses. Owns
 * every open charset: at most one of each known name, so that names from the network cannot make it
 * grow. Not thread-safe: one per thread.
 */
typedef struct coo_text coo_text;

/*
 * legacy is the character set of peers that do not say theirs: "auto" (GBK) or a name that
 * coo_charset_open takes. COO_ECHARSET where it takes it not. Gives: coo_text_close.
 */
COO_MUST_CHECK coo_err coo_text_open(const char *legacy, coo_text **out);
void coo_text_close(coo_text *t); /* accepts NULL */

/* The canonical name of the legacy charset; valid as long as t. */
const char *coo_text_legacy(const coo_text *t);

/* What is known of the one who wrote, or is to read, the bytes. */
typedef struct coo_text_hint {
	coo_client client;
	bool utf8_flag;	   /* the packet has UTF8OPT; also set for the fields of a \nUN: block */
	coo_span encoding; /* what iptux announced as its encoding; empty where nothing */
} coo_text_hint;

typedef struct coo_text_result {
	/* "US-ASCII", "UTF-8", "GBK" …; "mixed" where lines differ. Valid as long as t. */
	const char *charset;
	size_t replaced; /* bytes that became U+FFFD */
} coo_text_result;

/*
 * Appends in as UTF-8, with LF for every CRLF and lone CR. The first that holds, decides:
 *
 *   1. nothing but ASCII;
 *   2. UTF8OPT, and the bytes are UTF-8 (but for a last character cut short);
 *   3. a client that writes GBK whatever happens (FeiQ, 内网通, FeiGe), and the bytes are GBK;
 *      or another coo, and the bytes are in the legacy charset, or GB18030: it flags its UTF-8;
 *   4. the encoding iptux announced, unless the bytes are plainly UTF-8: iptux writes in the
 *      encoding of its reader when it knows that one;
 *   5. strict UTF-8;
 *   6. the legacy charset, if every byte is valid in it;
 *   7. each line by itself, UTF-8 or legacy, then GB18030 with U+FFFD for what is not even that.
 *
 * A plainly UTF-8 line beside others that are not UTF-8 makes 7 come before 6 (qipmsg quotes UTF-8
 * and answers in GB2312). Plainly UTF-8 are two or more characters of three bytes. UTF-16 is never
 * tried. hint may be NULL: nothing is known. COO_ENOBUF, with nothing appended, unless out has room
 * for 4 bytes for each byte of in.
 */
COO_MUST_CHECK coo_err coo_text_decode(coo_text *t, coo_span in, const coo_text_hint *hint,
				       coo_buf *out, coo_text_result *res);

/* Turns every CRLF and lone CR from offset from on into LF, in place. */
void coo_text_newlines(coo_buf *b, size_t from);

/* In which charset all text of one packet goes out: UTF8OPT speaks for names and text alike. */
typedef struct coo_text_plan {
	coo_charset *cs;     /* t's */
	const char *charset; /* its name, or "US-ASCII" where sample is that; valid as long as t */
	bool utf8_opt;	     /* UTF8OPT is to be set */
	coo_client client;   /* who reads it, COO_CLIENT_UNKNOWN where nobody knows */
} coo_text_plan;

/*
 * Chooses for a packet whose text and names are in sample (valid UTF-8). The first that holds:
 *
 *   1. force, what the user named with --charset or --utf8; NULL and "auto" name nothing;
 *   2. FeiQ, 内网通, FeiGe: GBK, and never UTF8OPT, which they do not understand;
 *   3. iptux: the encoding it announced, else UTF-8; no UTF8OPT, which it ignores;
 *   4. peer_has_utf8 (CAPUTF8OPT), or another coo: UTF-8 with UTF8OPT;
 *   5. the legacy charset, for a known peer also where it lacks a character;
 *   6. an unknown peer (peer is NULL) and a text that the legacy charset lacks characters for:
 * where that is GBK, GB18030: iptux, coo and all who decode GB18030 read it whole, while FeiQ shows
 *      a wrong sign for each of those characters and the rest right, where UTF-8 would make all of
 *      it unreadable. Elsewhere UTF-8 with UTF8OPT, which official clients honour unasked.
 *
 * COO_ECHARSET where force names no charset.
 */
COO_MUST_CHECK coo_err coo_text_choose(coo_text *t, coo_span sample, const coo_text_hint *peer,
				       bool peer_has_utf8, const char *force, coo_text_plan *plan);

/*
 * Appends valid UTF-8 as the plan says, CRLF and lone CR as LF, since no CR may be sent
 * (PROTOCOL.md 2). A character that the charset lacks becomes '?', counted in *lost (added to,
 * may be NULL). COO_EFORMAT where it is not UTF-8; COO_ENOBUF as coo_charset_encode: 4 bytes for
 * each byte are always enough.
 */
COO_MUST_CHECK coo_err coo_text_put(const coo_text_plan *plan, coo_span utf8, coo_buf *out,
				    size_t *lost);

/* Both in one, for a packet with one text. utf8_opt, lost and charset may be NULL; *lost is added
 * to. */
COO_MUST_CHECK coo_err coo_text_encode(coo_text *t, coo_span utf8, const coo_text_hint *peer,
				       bool peer_has_utf8, const char *force, coo_buf *out,
				       bool *utf8_opt, size_t *lost, const char **charset);

#endif
