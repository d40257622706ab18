/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_DIRSTREAM_H
#define COO_PROTO_DIRSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * The stream that answers GETDIRFILES (PROTOCOL.md 8.4): records
 *
 *   size:name:fsize:attr:[key=value:]… data
 *
 * where size is the length of the header in hex, itself and the last colon included. A DIR record
 * enters a directory, RETPARENT leaves it, a REGULAR record carries fsize bytes. The transfer ends
 * when the depth is 0 again; one REGULAR record alone is a transfer too (Windows fetches single
 * files so). Clients differ in padding, in extra keys and in what they send before the first
 * record: FeiQ begins with 4 KiB of rubbish.
 */

/* Longest header that is believed: a name of 765 bytes with doubled colons and a dozen keys. */
#define COO_DIRSTREAM_HEADER_MAX 4096

/* Deeper trees are refused (PROTOCOL.md 8.4). */
#define COO_DIRSTREAM_DEPTH_MAX 64

/* Rubbish before the first record that is skipped. */
#define COO_DIRSTREAM_PREAMBLE_MAX 8192

enum coo_dirstream_what {
	COO_DIRSTREAM_DIR,  /* enter the directory name */
	COO_DIRSTREAM_FILE, /* a file begins; its data follow, then FILE_END */
	COO_DIRSTREAM_DATA, /* bytes of the file */
	COO_DIRSTREAM_FILE_END,
	COO_DIRSTREAM_UP,    /* leave the directory */
	COO_DIRSTREAM_OTHER, /* a link, device or fork: nothing to be made; its data are skipped */
	COO_DIRSTREAM_END,   /* the transfer is complete; what follows is ignored */
};

typedef struct coo_dirstream_event {
	enum coo_dirstream_what what;
	coo_span name;	/* single colons, sender's charset, unchecked; borrows from the parser
			   until the next call */
	uint64_t size;	/* of a file */
	uint64_t mtime; /* seconds since 1970, 0: none */
	uint32_t attr;
	coo_span data; /* DATA: borrows from the input */
} coo_dirstream_event;

/* Counts and bounds what comes in, so that the parser is plain data: copy it to go back. */
typedef struct coo_dirstream {
	int state;
	coo_err failed;
	unsigned depth;
	uint32_t skipped; /* bytes of rubbish before the first record */
	size_t need, have;
	uint64_t left; /* of the data of the current record */
	uint64_t records;
	bool cut_tail; /* the last RETPARENT came without its length (PROTOCOL.md 8.4) */
	uint8_t header[COO_DIRSTREAM_HEADER_MAX];
} coo_dirstream;

void coo_dirstream_init(coo_dirstream *d);

/*
 * Takes bytes off *in until there is an event. COO_EMORE: all of *in is consumed and nothing has
 * happened; call again with what comes next, in pieces of any size. COO_EFORMAT, COO_ERANGE
 * (numbers), COO_ELIMIT (depth, header): the stream is broken and stays so. After END every call
 * returns COO_ENOENT.
 */
COO_MUST_CHECK coo_err coo_dirstream_next(coo_dirstream *d, coo_span *in, coo_dirstream_event *ev);

/* Whether the transfer is complete: what end of stream means then. */
bool coo_dirstream_done(const coo_dirstream *d);

/*
 * The canonical records of Windows: a 4-digit length, sizes of at least 9 digits, 14= mtime and
 * 16= creation time. name is plain (colons are doubled here). COO_EFORMAT for a name that must not
 * be sent, COO_ENOBUF where b is too small: then nothing has been written. A record takes at most
 * COO_DIRSTREAM_HEADER_MAX bytes.
 */
COO_MUST_CHECK coo_err coo_dirstream_put_dir(coo_buf *b, coo_span name, uint64_t mtime);
COO_MUST_CHECK coo_err coo_dirstream_put_file(coo_buf *b, coo_span name, uint64_t size,
					      uint64_t mtime);
COO_MUST_CHECK coo_err coo_dirstream_put_up(coo_buf *b, uint64_t mtime);

#endif
