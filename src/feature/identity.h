/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_IDENTITY_H
#define COO_FEATURE_IDENTITY_H

#include "base/charset.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/node.h"

/* How we introduce ourselves: what the user asked for, completed from the system, in both character
 * sets. */
enum coo_compat {
	COO_COMPAT_AUTO,  /* 1_coo_<version>: FeiQ lists only peers whose field begins with 1_
			     (PROTOCOL.md 2.1) */
	COO_COMPAT_FEIQ,  /* 1_lbt6_0#128#<MAC>#0#0#0#4001#9 */
	COO_COMPAT_IPMSG, /* 1 */
	COO_COMPAT_IPTUX, /* 1_iptux 0.8.3 */
};

typedef struct coo_identity_wish {
	const char *user, *host, *nick, *group; /* UTF-8; NULL or empty: from the system */
	enum coo_compat compat;
	const uint8_t *mac; /* of the interface in use, for FeiQ; NULL: zeros */
} coo_identity_wish;

typedef struct coo_identity {
	coo_names utf8, legacy; /* spans into the bytes below */
	coo_span version;
	char bytes[1024];
	size_t used;
	size_t lost; /* characters of the names that the legacy charset cannot hold: sent as '?' */
} coo_identity;

/*
 * Fills *out, which must not be moved afterwards. Characters that the protocol cannot carry in a
 * name (':', controls) become ';', names are cut at 60 bytes on a character boundary. COO_EFORMAT
 * where a wish is not UTF-8.
 */
COO_MUST_CHECK coo_err coo_identity_make(const coo_identity_wish *wish, coo_charset *legacy,
					 coo_identity *out);

#endif
