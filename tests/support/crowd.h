/* SPDX-License-Identifier: MIT */
#ifndef COO_TESTS_SUPPORT_CROWD_H
#define COO_TESTS_SUPPORT_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/time.h"

/*
 * Whole LANs of real nodes that go on line together, up to ten thousand and more: tests/sim/vlan.h
 * bends each datagram in its own way, this one is made for their number.
 *
 * Time goes in steps. What is sent in one step arrives in the next, so each receiver finds there
 * what a program that was not scheduled for a step finds in its socket: that burst is measured, in
 * the bytes that the kernel charges a socket buffer for. Two threads share the nodes; the outcome
 * depends on the seed alone.
 */
enum {
	CROWD_STEP_MS = 20,
	/* the default of net.core.rmem_default */
	CROWD_BUFFER = 212992,
};

struct crowd_cfg {
	unsigned nodes;	 /* at least 3 */
	coo_time span;	 /* all but one go on line at random times within it; that one once all of
			    them have settled */
	coo_time settle; /* how long they may take from the beginning until nothing is owed */
	uint64_t seed;
};

struct crowd_result {
	uint64_t strangers;    /* pairs of which one does not know the other: 0 is wanted */
	coo_time known_after;  /* from the moment the last of the many came until all knew all */
	double sent, received; /* datagrams a node, until settled */
	uint64_t most_sent;    /* by one node within a second */
	size_t burst, burst_charge; /* most that one receiver got in one step: datagrams, bytes */
	uint64_t join_sent;	    /* datagrams by all that the last one to come caused */
	uint64_t withheld, dropped; /* answers */
	size_t node_memory;	    /* bytes a node that the system gave, at the end */
};

/* Runs one crowd. False where memory is short: *needs gets the bytes that it takes. */
bool crowd_run(const struct crowd_cfg *cfg, struct crowd_result *out, size_t *needs);

#endif
