/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_OFFLINK_H
#define COO_ENGINE_OFFLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "proto/limit.h"
#include "proto/node.h"

/*
 * Who outside our own networks is told that we are here. Another VLAN of an office lies behind a
 * router and wants to find us, but a source address from there may be forged, and an answer to it
 * then hits somebody who never asked. So, unless networks are named,
 *
 *   only private addresses get one, to a question sent to us alone (BR_ENTRY, GETINFO),
 *   a source gets at most as many bytes as it sent, so that nobody gains by asking through us,
 *   all sources together get at most COO_OFFLINK_RATE answers a second.
 *
 * A named network is trusted as one of our own, host lists included.
 */
enum { COO_OFFLINK_RATE = 50, COO_OFFLINK_BURST = 200, COO_OFFLINK_SOURCES = 256 };

typedef struct coo_offlink_slot {
	uint64_t key;
	coo_time heard;
	uint32_t credit; /* bytes that came and were not answered yet */
} coo_offlink_slot;

typedef struct coo_offlink {
	const coo_cidr *allow; /* borrowed */
	size_t n_allow;
	bool private_too; /* private addresses that are not named, under the rules above */
	uint64_t key;
	uint32_t answer; /* bytes of our longest answer */
	coo_limit limit;
	coo_limit_slot limit_slots[4];
	coo_offlink_slot slots[COO_OFFLINK_SOURCES];
} coo_offlink;

/* Whom a driver answers beside its own networks. */
typedef struct coo_offlink_cfg {
	const coo_cidr *allow; /* borrowed for the life of the driver */
	size_t n_allow;
	bool named_only; /* nobody but them */
} coo_offlink_cfg;

/* cfg tells how long our answers are. */
void coo_offlink_init(coo_offlink *o, const coo_offlink_cfg *cfg, const coo_node_cfg *node);

/* Whether a datagram from outside our networks may be answered as one from within. */
bool coo_offlink_admits(coo_offlink *o, const coo_rx *rx, coo_span dgram, coo_time now);

#endif
