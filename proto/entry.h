/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_ENTRY_H
#define COO_PROTO_ENTRY_H

#include <stdbool.h>

#include "proto/packet.h"

/*
 * What follows the header of BR_ENTRY, ANSENTRY, BR_EXIT, BR_ABSENCE and NOOPERATION
 * (PROTOCOL.md 5.1):
 *
 *   nick NUL group NUL LF "UN:" user LF "HN:" host LF "NN:" nick LF "GN:" group LF "VS:" version …
 *
 * Sections 0 and 1 are in the sender's legacy character set (or UTF-8 with UTF8OPT); the block
 * behind them is UTF-8 and counts only with CAPUTF8OPT (vector B06). It may also stand where the
 * group should (B07). iptux puts an icon name and the name of its encoding there instead (B08);
 * 内网通 a user id (H01); FeiGe up to fourteen sections (H06). All spans borrow the packet; what is
 * missing is empty.
 */
typedef struct coo_entry {
	coo_span nick, group;
	bool has_block;		 /* the UTF-8 block is there and counts */
	coo_span un, hn, nn, gn; /* user, host, nick, group in UTF-8 */
	coo_span vs;		 /* client version of the official family, "00010002:4:99:103" */
	coo_span icon, encoding; /* iptux */
	coo_span user_id;	 /* 内网通 */
	coo_span mac;		 /* FeiGe, with dashes */
} coo_entry;

/* Never fails: an entry without any section is an entry with empty names (vector B05, FeiQ's G02).
 */
void coo_entry_decode(const coo_packet *p, coo_entry *out);

/*
 * Appends nick, group and, where has_block is set, the block with un, hn, nn, gn and vs, without a
 * final NUL as Windows does (PROTOCOL.md 5.2). Without a block each of the two sections gets its
 * NUL; iptux's two follow where encoding is not empty.
 */
void coo_entry_encode(coo_buf *out, const coo_entry *e);

#endif
