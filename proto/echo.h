/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_ECHO_H
#define COO_PROTO_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * The probe that coo ping sends through any echo service (RFC 862). The other side needs to know
 * nothing of it: what comes back is compared with what was sent.
 *
 *    0      4        12     16          24         28
 *    +------+--------+------+-----------+----------+------------------
 *    | COO1 | session| seq  | send time | checksum | filling …
 *    +------+--------+------+-----------+----------+------------------
 *
 * All numbers are big-endian. The send time is in ns of the sender's own clock; nobody else reads
 * it. The checksum is CRC-32C over the whole payload with the checksum's four bytes taken as zero,
 * so any damage of up to 32 consecutive bits is found for certain.
 */
#define COO_ECHO_HEADER 28
#define COO_ECHO_MAX 65507 /* largest UDP payload over IPv4 */

typedef struct coo_probe {
	uint64_t session;
	uint32_t seq;
	uint64_t sent; /* ns */
} coo_probe;

/* What came back. */
enum coo_probe_kind {
	COO_PROBE_INTACT,  /* ours, unchanged */
	COO_PROBE_DAMAGED, /* ours as far as can be told, changed on the way */
	COO_PROBE_FOREIGN, /* of another run */
};

/*
 * Writes the header over the first COO_ECHO_HEADER bytes of payload (n bytes, its filling already
 * there) and the checksum over all of it. COO_EINVAL where n is less than the header.
 */
COO_MUST_CHECK coo_err coo_probe_encode(const coo_probe *p, uint8_t *payload, size_t n);

/*
 * Judges a datagram: session and size are those of what was sent (size 0: any). *out holds what the
 * header says, zeroes where there is no whole header; for a damaged probe none of it is certain.
 * Damaged is what has our magic and session but not its checksum or size, and what has the size of
 * ours but neither: an intact probe of another session is foreign.
 */
enum coo_probe_kind coo_probe_decode(coo_span payload, uint64_t session, size_t size,
				     coo_probe *out);

/* CRC-32C (Castagnoli; RFC 3720 B.4) of s, continued from crc (0 to begin). */
uint32_t coo_crc32c(uint32_t crc, coo_span s);

/* Big-endian numbers at fixed offsets, as RFC packets have them; p has to have the bytes. */
uint16_t coo_be16(const uint8_t *p);
uint32_t coo_be32(const uint8_t *p);
uint64_t coo_be64(const uint8_t *p);
void coo_put_be16(uint8_t *p, uint16_t v);
void coo_put_be32(uint8_t *p, uint32_t v);
void coo_put_be64(uint8_t *p, uint64_t v);

#endif
