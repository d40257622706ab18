/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_STAMP_H
#define COO_PROTO_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * STAMP, the Simple Two-Way Active Measurement Protocol, unauthenticated mode (RFC 8762 sections
 * 4.2.1 and 4.3.1), with the session identifier of RFC 8972 section 3. Numbers are big-endian.
 *
 *   Session-Sender                                  Session-Reflector
 *    0  Sequence Number                              0  Sequence Number
 *    4  Timestamp (NTP, 64 bits)                     4  Timestamp
 *   12  Error Estimate (16)                         12  Error Estimate (16)
 *   14  SSID (16; zero in RFC 8762)                 14  SSID (16; zero in RFC 8762)
 *   16  MBZ (28 octets)                             16  Receive Timestamp
 *   44  any extension, returned as it came          24  Session-Sender Sequence Number
 *                                                   28  Session-Sender Timestamp
 *                                                   36  Session-Sender Error Estimate (16)
 *                                                   38  MBZ (16)
 *                                                   40  Session-Sender TTL (8)
 *                                                   41  MBZ (3 octets)
 */
#define COO_STAMP_PORT 862
#define COO_STAMP_SIZE 44 /* both packets: an answer is never longer than its request */

/* Seconds from the NTP epoch (1900) to 1970. */
#define COO_NTP_OFFSET UINT64_C(2208988800)

/* RFC 8762 4.2.1: S, Z, Scale, Multiplier as in RFC 4656 4.1.2. */
typedef struct coo_stamp_error {
	bool synced;	/* S: the clock follows an outside source of UTC */
	bool ptp;	/* Z: timestamps are of PTP's truncated form instead of NTP's */
	uint8_t scale;	/* 0…63 */
	uint8_t factor; /* Multiplier; the error is factor * 2^(scale - 32) seconds; never 0 */
} coo_stamp_error;

typedef struct coo_stamp_request {
	uint32_t seq;
	uint64_t time; /* as on the wire */
	coo_stamp_error error;
	uint16_t ssid;
} coo_stamp_request;

typedef struct coo_stamp_reply {
	uint32_t seq;
	uint64_t time; /* T3: when the reflector sent it */
	coo_stamp_error error;
	uint16_t ssid;
	uint64_t received; /* T2: when the reflector got the request */
	uint32_t sender_seq;
	uint64_t sender_time; /* T1 */
	uint16_t sender_error;
	uint8_t sender_ttl;
} coo_stamp_reply;

/* Appends COO_STAMP_SIZE bytes. */
void coo_stamp_put_request(coo_buf *b, const coo_stamp_request *r);
void coo_stamp_put_reply(coo_buf *b, const coo_stamp_reply *r);

/* COO_EFORMAT where s is shorter than a packet. What follows it is left to the caller. */
COO_MUST_CHECK coo_err coo_stamp_get_request(coo_span s, coo_stamp_request *out);
COO_MUST_CHECK coo_err coo_stamp_get_reply(coo_span s, coo_stamp_reply *out);

/* NTP's 32.32 fixed point from ns since 1970, and back; the era is the one around now (ns since
 * 1970, any value within 68 years). */
uint64_t coo_ntp_from_unix(uint64_t ns);
uint64_t coo_ntp_to_unix(uint64_t ntp, uint64_t now);

/* PTP's truncated timestamp (32 bits of seconds, 32 of ns) to ns since 1970, TAI taken as is. */
uint64_t coo_ptp_to_unix(uint64_t ptp);

/* The smallest error estimate that is not below ns. */
coo_stamp_error coo_stamp_error_of(uint64_t ns, bool synced);
/* What an estimate stands for, in ns rounded up. UINT64_MAX where it does not fit. */
uint64_t coo_stamp_error_ns(coo_stamp_error e);

uint16_t coo_stamp_error_encode(coo_stamp_error e);
coo_stamp_error coo_stamp_error_decode(uint16_t v);

#endif
