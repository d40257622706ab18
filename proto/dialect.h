/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_DIALECT_H
#define COO_PROTO_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/span.h"

/* Which program speaks, as far as its version field tells (PROTOCOL.md 2.1). */
typedef enum coo_client {
	COO_CLIENT_UNKNOWN,
	COO_CLIENT_IPMSG,     /* exactly "1": the official client and its many relatives */
	COO_CLIENT_FEIQ,      /* 1_lbt… */
	COO_CLIENT_IPTUX,     /* 1_iptux … */
	COO_CLIENT_SHIYELINE, /* 1@shiyeline: 内网通 */
	COO_CLIENT_FEIGE,     /* 1.feige.1, 5.1.… */
	COO_CLIENT_COO,	      /* 1_coo… */
} coo_client;

coo_client coo_client_of(coo_span version);

/* "feiq", "ipmsg" …, as in JSON. Static storage. */
const char *coo_client_name(coo_client c);

/*
 * Whether the client writes GBK whatever its flags say (FeiQ, 内网通, FeiGe: PROTOCOL.md 7).
 * A UTF8OPT of such a client is not believed unless the bytes bear it out, and none is sent to it.
 */
bool coo_client_is_gbk(coo_client c);

/*
 * The sub-fields of FeiQ's version field, 1_lbt6_0#128#MAC#0#0#0#4001#9 (PROTOCOL.md 2.1, vectors
 * G01–G05). Spans borrow the field; missing sub-fields are empty.
 */
typedef struct coo_feiq_version {
	coo_span generation; /* "lbt6" */
	coo_span avatar;
	coo_span status;
	coo_span mac; /* 12 hex digits as written; the peer's identity for FeiQ */
	coo_span avatar_size, image_size, cipher_size, build, tail;
} coo_feiq_version;

/* False where the field is not FeiQ-shaped; *out is written only on true. */
bool coo_feiq_version_decode(coo_span version, coo_feiq_version *out);

/* Appends 1_lbt6_0#128#<12 upper-case hex>#0#0#0#4001#9. */
void coo_feiq_version_encode(coo_buf *out, const uint8_t mac[6]);

/*
 * Splits what FeiQ and FeiGe append to a text (PROTOCOL.md 6.2; vectors G11, G12, H07) from
 * the text itself:
 * "{/font;…;}" (also "\{/font;" and "{\font;"), the bare "{-11 0 0 …}", "[rich]hex[/rich]". One
 * blank before the trailer goes with it. utf8 has to be decoded text, since '{' can be the second
 * byte of a GBK character. Where the whole tail does not match, *text is all of utf8 and *font is
 * empty. The spans borrow utf8; *font is the trailer as it stands.
 */
void coo_font_split(coo_span utf8, coo_span *text, coo_span *font);

#endif
