/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_MESSAGE_H
#define COO_FEATURE_MESSAGE_H

#include "feature/text.h"
#include "proto/attr.h"
#include "proto/node.h"

/* A peer as people see it: names in UTF-8. The spans borrow the scratch buffer they were decoded
 * into. */
typedef struct coo_peer_view {
	coo_span user, host, nick, group, version;
	coo_client client;
	const char *charset; /* what it writes, as far as known; static */
	coo_addr addr;
	bool known; /* it announced itself */
	bool absent;
	coo_time last_heard; /* node time; 0: never */
} coo_peer_view;

/* A message as people see it. */
typedef struct coo_message {
	coo_peer_view from;
	coo_span text;	     /* UTF-8, line feeds only, without the font trailer */
	coo_span font;	     /* FeiQ's trailer as it stood, or empty */
	const char *charset; /* what the text was written in; static */
	size_t replaced;     /* characters of the text that could not be read: U+FFFD */
	uint64_t packet_no;
	uint32_t command;
	bool broadcast, sealed, encrypted, automatic;
} coo_message;

/* Scratch bytes that the decoders below never exceed for one datagram. */
#define COO_MESSAGE_SCRATCH (4 * COO_PACKET_MAX + 4096)

/* How to read and write a peer's texts. encoding borrows the table. */
coo_text_hint coo_hint_of_peer(const coo_peers *peers, const coo_peer *peer);

/* Fills *out from the table's entry. COO_ENOBUF where scratch is too small. */
COO_MUST_CHECK coo_err coo_peer_view_of(coo_text *t, const coo_peers *peers, const coo_peer *peer,
					coo_buf *scratch, coo_peer_view *out);

/* Fills *out from a COO_EV_MESSAGE; what the packet itself says wins over what is known of the
 * peer. */
COO_MUST_CHECK coo_err coo_message_of(coo_text *t, const coo_peers *peers, const coo_event *ev,
				      coo_buf *scratch, coo_message *out);

#endif
