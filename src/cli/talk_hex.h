/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TALK_HEX_H
#define COO_CLI_TALK_HEX_H

#include <stdbool.h>

#include "base/charset.h"
#include "cli/strbuf.h"
#include "proto/span.h"

/*
 * Sixteen bytes a line, their text in cs (NULL: ASCII) beside them; a character stands in the line
 * in which it begins, what cannot be shown is a dot.
 */
void talk_hex_dump(struct strbuf *to, coo_charset *cs, coo_span bytes);

/* "c4e3bac3" */
void talk_hex_plain(struct strbuf *to, coo_span bytes);

/*
 * Appends the bytes that text names in hex: "c4 e3 ba c3", "C4E3", "0xc4,0xe3", "c4:e3". False
 * where a digit lacks its pair or another character stands between; then nothing is appended.
 */
bool talk_hex_parse(coo_span text, struct strbuf *to);

#endif
