/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_ATTACH_H
#define COO_PROTO_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * The list of files that a SENDMSG with FILEATTACHOPT carries behind its text (PROTOCOL.md 8.1):
 *
 *   id:name:size:mtime:attr[:key=value…]:\a
 *
 * id is decimal, size, mtime and attr are hex, a ':' in a name is doubled. Entries end in "\a",
 * ":\a", "\a:" or ":\a:" by client; the last one may end with the list.
 */

/* Types of a file: the low 8 bits of attr (PROTOCOL.md 8.1). */
enum coo_file_type {
	COO_FILE_REGULAR = 0x01,
	COO_FILE_DIR = 0x02,
	COO_FILE_RETPARENT = 0x03,
	COO_FILE_SYMLINK = 0x04,
	COO_FILE_CLIPBOARD = 0x20,
};

/* iptux offers what it cannot stat with 64 one bits (vector D09). */
#define COO_FILE_SIZE_UNKNOWN UINT64_MAX

/* No peer is believed a larger file than a file offset can address. */
#define COO_FILE_SIZE_MAX ((uint64_t)INT64_MAX)

/* Longest name on the wire, before undoubling: Windows' MAX_FILENAME_U8 twice. */
#define COO_ATTACH_NAME_MAX 1530

/* One entry. The spans borrow from the list. */
typedef struct coo_attach {
	uint64_t id;
	coo_span name;	/* in the packet's charset, ':' still doubled: coo_attach_name */
	uint64_t size;	/* bytes, or COO_FILE_SIZE_UNKNOWN; a claim, not a fact */
	uint64_t mtime; /* seconds since 1970, 0 where absent or absurd */
	uint32_t attr;	/* type and option bits */
	bool has_position;
	uint32_t position; /* of an embedded picture, in characters of the text (key 8) */
} coo_attach;

static inline unsigned coo_attach_type(const coo_attach *a)
{
	return a->attr & 0xff;
}

/*
 * Takes the next entry off *list. COO_ENOENT at the end of the list (a NUL ends it as well);
 * COO_EFORMAT or COO_ERANGE for an entry that cannot be used, which has been taken off too, so that
 * the caller counts it and goes on. *out is written only on COO_OK.
 */
COO_MUST_CHECK coo_err coo_attach_next(coo_span *list, coo_attach *out);

/* Appends the name with its colons single again; \b stands for ':' too (feiq, PROTOCOL.md 8.1). */
void coo_attach_name(coo_span name, coo_buf *out);

/*
 * Appends one entry in the canonical form, which every known client reads:
 * id:name:size:mtime:attr:\a. name is the plain name (colons are doubled here) in the packet's
 * charset. attr is written as its type alone, since iptux drops the list at option bits.
 * COO_EFORMAT where the name is empty or has a control byte or a '/', COO_ENOBUF where the entry
 * does not fit: then nothing of it has been written.
 */
COO_MUST_CHECK coo_err coo_attach_put(coo_buf *b, const coo_attach *a);

/* Shared with the directory stream: appends s with every ':' doubled. */
void coo_attach_put_name(coo_buf *b, coo_span name);

/* Whether a name can be put on the wire: not empty, no control byte, no '/'. */
bool coo_attach_name_ok(coo_span name);

/*
 * Shared with the directory stream: takes a name off *s up to the first ':' that is not doubled,
 * which is taken off too. *name keeps its doubled colons. False where there is no such ':'.
 */
bool coo_attach_cut_name(coo_span *s, coo_span *name);

/* Hex seconds as clients send them; 0 where they make no sense (ticks, decimal, beyond year 2500).
 */
uint64_t coo_attach_mtime(coo_span hex);

#endif
