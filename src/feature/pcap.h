/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_PCAP_H
#define COO_FEATURE_PCAP_H

#include <stdint.h>

#include "feature/dissect.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"
#include "proto/time.h"

/*
 * Reads capture files, pcap and pcapng, of either byte order and with micro- or nanoseconds, as
 * tcpdump and Wireshark write them. The file is untrusted: lengths are claims, checked against what
 * is there.
 */
typedef struct coo_pcap coo_pcap;

typedef struct coo_pcap_packet {
	uint64_t frame; /* counted from 1, as Wireshark does */
	coo_time time;	/* ns since 1970 UTC */
	coo_segment seg;
} coo_pcap_packet;

bool coo_pcap_is(coo_span file); /* whether it begins as such a file does */

/*
 * Borrows file until coo_pcap_close. COO_EFORMAT: it is no capture file, or is of a version nobody
 * writes; COO_ENOMEM. Gives: coo_pcap_close.
 */
COO_MUST_CHECK coo_err coo_pcap_open(coo_span file, coo_pcap **out);
void coo_pcap_close(coo_pcap *p); /* accepts NULL */

/*
 * The next UDP datagram or TCP segment with data; spans are valid until the next call. COO_ENOENT
 * at the end of the file; COO_EFORMAT where the file is damaged or cut off from here on, for good.
 */
COO_MUST_CHECK coo_err coo_pcap_next(coo_pcap *p, coo_pcap_packet *out);

/* Where in the file the reader stands, in bytes: tells where it is damaged. */
uint64_t coo_pcap_offset(const coo_pcap *p);

/* Link type of a frame that could not be read for not knowing it, or -1. */
int64_t coo_pcap_unknown_link(const coo_pcap *p);

coo_dissect_stats coo_pcap_stats(const coo_pcap *p);

#endif
