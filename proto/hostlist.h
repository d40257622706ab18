/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_HOSTLIST_H
#define COO_PROTO_HOSTLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * The body of ANSLIST (PROTOCOL.md 9, vectors B13, B14):
 *
 *   next BEL count BEL { user BEL host BEL status BEL address BEL port BEL nick BEL group BEL }
 *
 * next: 0 when finished, else the index to ask for next. port is written byte-swapped by Windows:
 * 2425 as 30985. A single BS stands for an empty nick or group. Numbers may be padded with blanks
 * on either side.
 */
typedef struct coo_hostlist {
	uint32_t next, count;
	coo_span rest; /* entries not read yet */
} coo_hostlist;

typedef struct coo_hostlist_entry {
	coo_span user, host, nick, group; /* borrow the body; in the charset of the packet */
	uint32_t status;		  /* 0, or with the command BR_EXIT: the host is gone */
	coo_addr addr;			  /* family 0 where the text is no address */
} coo_hostlist_entry;

/* COO_EFORMAT where the two numbers are not there. body without the NULs behind it. */
COO_MUST_CHECK coo_err coo_hostlist_decode(coo_span body, coo_hostlist *out);

/*
 * The next entry; false at the end, and where an entry is cut short. own_port is the port in use
 * here: of a number that can be read both ways, the reading that gives own_port counts, else the
 * swapped one.
 */
bool coo_hostlist_next(coo_hostlist *l, uint16_t own_port, coo_hostlist_entry *out);

/* Appends the two numbers as Windows pads them: right-aligned, five wide. */
void coo_hostlist_put_head(coo_buf *out, uint32_t next, uint32_t count);

/* Appends one entry; nothing where a name holds BEL or NUL or where it does not fit: false. */
COO_MUST_CHECK bool coo_hostlist_put(coo_buf *out, const coo_hostlist_entry *e);

/* Text of an address for the list, without zone, and back. */
void coo_hostlist_put_addr(coo_buf *out, const coo_addr *a);
COO_MUST_CHECK bool coo_hostlist_parse_addr(coo_span text, coo_addr *out);

#endif
