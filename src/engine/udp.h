/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_UDP_H
#define COO_ENGINE_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * A non-blocking UDP socket that sends and receives in batches (recvmmsg/sendmmsg where the system
 * has them, recvmsg/sendmsg elsewhere or with -DCOO_PORTABLE_UDP). Single thread; the socket is
 * watched by the caller's loop through coo_udp_fd(). All memory is taken at open.
 */
typedef struct coo_udp coo_udp;

typedef struct coo_udp_opts {
	coo_addr bind; /* family 4 or 6; port 0 lets the kernel choose; an IPv6 socket is v6-only */
	const char *device; /* SO_BINDTODEVICE, or NULL; borrowed for the call */
	size_t rcvbuf,
	    sndbuf; /* bytes asked for; 0: 4 MiB to receive, the system's choice to send */
	bool reuse_addr, reuse_port;
	bool no_broadcast; /* default: SO_BROADCAST on */
	bool want_dst;	   /* IP_PKTINFO/IPV6_PKTINFO: fills coo_dgram.local */
	bool want_stamp;   /* SO_TIMESTAMPNS: fills coo_dgram.stamp */
	unsigned batch;	   /* datagrams a turn, 1…64; 0: 32 */
} coo_udp_opts;

/* One datagram. Received: data borrows the socket's buffers until the next coo_udp_recv on it. */
typedef struct coo_dgram {
	coo_span data;
	coo_addr peer;	  /* who sent it, or where it goes */
	coo_addr local;	  /* address it was sent to, or source to use; family 0: not known, kernel's
			     choice */
	uint32_t ifindex; /* interface it came through, or 0; for sending: 0 lets routing decide */
	uint64_t stamp;	  /* kernel receive time, ns since 1970, or 0 */
	bool truncated; /* MSG_TRUNC: longer than 65,535 bytes of buffer, never on a healthy system
			 */
} coo_dgram;

/* Counted since open. Nothing here is an error: on a LAN each of them is a normal day. */
typedef struct coo_udp_stats {
	uint64_t rx, rx_bytes, rx_truncated;
	uint64_t rx_dropped; /* by the kernel for want of buffer (SO_RXQ_OVFL) */
	uint64_t rx_error;   /* ICMP errors and such that a receive call returned */
	uint64_t tx, tx_bytes;
	uint64_t tx_again;	 /* EAGAIN/ENOBUFS: the caller was asked to come back */
	uint64_t tx_too_long;	 /* EMSGSIZE: given up */
	uint64_t tx_unreachable; /* EHOSTUNREACH, ENETUNREACH, ENETDOWN, EPERM … : given up */
} coo_udp_stats;

/* COO_ESYS with errno where the system refuses (EADDRINUSE, EACCES …). Gives: free with
 * coo_udp_close. */
COO_MUST_CHECK coo_err coo_udp_open(const coo_udp_opts *opts, coo_udp **out);
void coo_udp_close(coo_udp *u); /* accepts NULL */

int coo_udp_fd(const coo_udp *u);
/* The bound address with the real port. */
coo_addr coo_udp_local(const coo_udp *u);
/* What SO_RCVBUF really is, as the kernel reports it. */
size_t coo_udp_rcvbuf(const coo_udp *u);
const coo_udp_stats *coo_udp_get_stats(const coo_udp *u);

/*
 * Receives up to the batch, without blocking. Returns how many datagrams are in *out (an array of
 * the socket's, valid until the next call); 0 where nothing waits. Fewer than the batch does not
 * say that nothing waits: ask the poll, or call until 0. Errors of the network (ECONNREFUSED from
 * an earlier send …) are counted, not returned. A single waiting datagram costs one plain recvmsg:
 * whether more wait is asked only where it was so lately, and now and then.
 */
size_t coo_udp_recv(coo_udp *u, const coo_dgram **out);

/*
 * Sends n datagrams and returns how many were dealt with: sent, or refused by the network for good
 * and counted. Fewer than n means that the socket is full (EAGAIN, ENOBUFS): wait until it is
 * writable, then continue with the rest. failed, if not NULL, has n places and gets errno for each
 * one dealt with (0: sent).
 */
size_t coo_udp_send(coo_udp *u, const coo_dgram *dgrams, size_t n, int *failed);

/* Joins or leaves a multicast group on an interface (index; 0: system's choice). */
COO_MUST_CHECK coo_err coo_udp_join(coo_udp *u, const coo_addr *group, uint32_t ifindex);
COO_MUST_CHECK coo_err coo_udp_leave(coo_udp *u, const coo_addr *group, uint32_t ifindex);

#endif
