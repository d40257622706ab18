/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_PACKET_H
#define COO_PROTO_PACKET_H

#include <stdint.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/cmd.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * The base packet of every dialect (PROTOCOL.md 2), UDP and TCP alike:
 *
 *   version ":" packet number ":" user ":" host ":" command [ ":" ext ]
 *
 * Only the first five colons delimit; ext is a list of sections with NULs between them and is not
 * looked at here. All spans borrow the datagram. Text is in whatever character set the sender
 * chose.
 */
typedef struct coo_packet {
	coo_span version;
	coo_span
	    number; /* as written: 1 to 20 digits, needed where text is compared or used as IV */
	uint64_t packet_no;
	coo_span user, host;
	uint32_t command; /* command in the low 8 bits, options above */
	coo_span ext;	  /* empty where there are only four colons (vector A07) */
} coo_packet;

/* Largest UDP payload; what peers can take is much less (PROTOCOL.md 12). */
#define COO_PACKET_MAX 65507

/*
 * Decodes one datagram or request. *out is written only on COO_OK. COO_EVERSION: the leading digits
 * of the version are not 1 (nor "5.", FeiGe, vector H07); COO_EFORMAT: fewer than four colons or a
 * field that is not a number; COO_ERANGE: packet number above 2^64-1 or command above 2^32-1
 * (vectors I01, I03).
 */
COO_MUST_CHECK coo_err coo_packet_decode(coo_span dgram, coo_packet *out);

/*
 * Appends the packet, with packet_no as number (p->number is not looked at) and ext as it stands.
 * COO_EINVAL: user or host is empty or holds ':' or NUL, or the version does; COO_ENOBUF: it does
 * not fit.
 */
COO_MUST_CHECK coo_err coo_packet_encode(coo_buf *out, const coo_packet *p);

static inline uint32_t coo_packet_cmd(const coo_packet *p)
{
	return p->command & COO_CMD_MASK;
}

static inline bool coo_packet_has(const coo_packet *p, uint32_t option)
{
	return (p->command & option) != 0;
}

/* Section i of ext (0: message or nickname, 1: group or file list …); empty where there is none. */
coo_span coo_packet_section(const coo_packet *p, unsigned i);

/* Section 0 without the NULs behind it: text of a message, number of a receipt. */
coo_span coo_packet_text(const coo_packet *p);

/*
 * The packet number that a RECVMSG, READMSG, ANSREADMSG, DELMSG or RELEASEFILES speaks of: the
 * digits that ext begins with (PROTOCOL.md 3: what follows them differs by client). False where
 * there are none.
 */
COO_MUST_CHECK bool coo_packet_ref(const coo_packet *p, uint64_t *number);

#endif
