/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_RESPONDER_H
#define COO_FEATURE_RESPONDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "feature/guard.h"
#include "feature/impair.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * A UDP echo service (RFC 862): what comes goes back unchanged, from the address that was asked,
 * unless the guard refuses. Every socket has a thread of its own with a blocking loop, no
 * allocation and no copy; trains that the kernel coalesced (UDP_GRO) go back as one send
 * (UDP_SEGMENT).
 *
 * Bound to no particular address, it opens one socket for each address of the host, which need not
 * ask the kernel where a datagram was sent to, and one for all others, which does: that one sees
 * addresses that come later, and broadcasts, which it counts and does not answer.
 *
 * The functions belong to one thread, the callbacks come from the workers'.
 */
typedef struct coo_responder coo_responder;

typedef struct coo_responder_cfg {
	coo_addr
	    bind; /* family 0: every address of this host, IPv4 and IPv6; port 0: any free one */
	const char *device; /* SO_BINDTODEVICE, or NULL; borrowed */
	unsigned threads;   /* sockets and threads for each address, 1…64 */
	coo_time spin;	    /* poll so long before blocking */
	bool upper;	    /* answer in upper case (ASCII letters) */
	bool plain;	    /* neither UDP_GRO nor UDP_SEGMENT */
	bool answer_broadcast;
	uint64_t count; /* stop after so many answered or refused datagrams; 0: never */
	const coo_cidr *allow;
	size_t n_allow;
	uint64_t rate, max_size; /* as in coo_guard_cfg */
	coo_impair impair;
	uint64_t seed;

	/* Sees every datagram before it is answered, one call at a time over all workers; NULL
	 * where nobody wants to. data is borrowed for the call. */
	void (*on_datagram)(void *user, const coo_addr *from, coo_span data,
			    enum coo_guard_verdict verdict);
	/* count was reached; called once, by a worker. */
	void (*on_done)(void *user);
	void *user;
} coo_responder_cfg;

typedef struct coo_responder_stats {
	uint64_t rx, rx_bytes, tx, tx_bytes; /* datagrams, and bytes of their payload */
	uint64_t trains;		     /* of rx calls: coalesced by the kernel */
	uint64_t refused[COO_GUARD_COUNT];
	uint64_t dropped, duplicated, reordered, corrupted; /* by the impairments */
	uint64_t send_errors;
	uint64_t kernel_drops; /* for want of receive buffer */
	uint64_t sources;      /* heard within the last minute */
	uint64_t sockets;
	uint64_t rcvbuf; /* of one socket, as the kernel reports it */
} coo_responder_stats;

/* Opens the sockets. COO_ESYS with errno where one cannot be bound. Gives: coo_responder_close. */
COO_MUST_CHECK coo_err coo_responder_open(const coo_responder_cfg *cfg, coo_responder **out);

/* Starts the threads. */
COO_MUST_CHECK coo_err coo_responder_start(coo_responder *r);

/* Ends the threads and waits for them. The counts stay readable. */
void coo_responder_stop(coo_responder *r);
void coo_responder_close(coo_responder *r); /* stops; accepts NULL */

/* The address asked for with the real port. */
coo_addr coo_responder_local(const coo_responder *r);

/* The n-th bound address; false past the last. */
bool coo_responder_socket(const coo_responder *r, size_t n, coo_addr *out);

void coo_responder_get_stats(const coo_responder *r, coo_responder_stats *out);

#endif
