/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_UDP_IMPL_H
#define COO_ENGINE_UDP_IMPL_H

/* What the files of the UDP socket share; nobody else includes this. */

#ifdef __APPLE__
#define __APPLE_USE_RFC_3542 1 /* before netinet/in.h: IPV6_PKTINFO */
#endif
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "engine/udp.h"

#if defined(__linux__) && !defined(COO_PORTABLE_UDP)
#define COO_UDP_HAS_MMSG
typedef struct mmsghdr coo_udp_msg;
#else
typedef struct coo_udp_msg {
	struct msghdr msg_hdr;
	unsigned msg_len;
} coo_udp_msg;
#endif

enum {
	COO_UDP_BATCH = 32,
	COO_UDP_BATCH_MAX = 64,
	COO_UDP_SLOT = 65536,	 /* more than the longest datagram there is: 65,507 and 65,527 */
	COO_UDP_CONTROL = 256,	 /* for packet info, stamp and drop count together */
	COO_UDP_PROBE_MAX = 16,	 /* see coo_udp_recv */
	COO_UDP_ERRORS_MAX = 16, /* network errors put aside in one call */
};

/* One place of a batch: what a msghdr points at. */
typedef struct coo_udp_slot {
	struct sockaddr_storage peer;
	struct iovec iov;
	union {
		size_t align;
		uint8_t bytes[COO_UDP_CONTROL];
	} control;
} coo_udp_slot;

struct coo_udp {
	int fd;
	unsigned batch;
	coo_addr local;
	size_t rcvbuf;
	coo_udp_stats stats;
	uint32_t drops_seen; /* the kernel's counter when it was last told */
	unsigned probe_every, probe_in;
	bool bursting;
	uint8_t *buffers; /* batch times COO_UDP_SLOT */
	coo_dgram *got;
	coo_udp_msg *rx, *tx;
	coo_udp_slot *rx_slots, *tx_slots;
};

#endif
