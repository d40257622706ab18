/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_DECODE_H
#define COO_CLI_DECODE_H

#include <stdbool.h>

#include "cli/view.h"
#include "feature/text.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/* What coo decode shows of one datagram or request, field by field. */

/*
 * Shows bytes that are a packet, or an IPDict of the official client. False, with nothing shown,
 * where they are neither.
 */
COO_MUST_CHECK bool decode_show(coo_text *text, struct view *v, coo_span bytes);

/* Whether decode_show would show them. */
bool decode_is_packet(coo_span bytes);

/* Why bytes are no packet, and at which byte that shows. */
struct decode_fault {
	coo_err error;
	size_t at;
	char why[120];
};
void decode_explain(coo_span bytes, struct decode_fault *out);

/* An IPDict that fills the whole datagram (PROTOCOL.md 13); shown with its keys and values. */
bool decode_is_dict(coo_span bytes);
void decode_show_dict(struct view *v, coo_span bytes);

#endif
