/* SPDX-License-Identifier: MIT */
#ifndef COO_TESTS_SIM_VLAN_H
#define COO_TESTS_SIM_VLAN_H

#include "proto/node.h"
#include "support/test.h"

/*
 * Nodes on a virtual LAN under a virtual clock: datagrams are lost, doubled and overtake each other
 * as a seed decides, hours pass in milliseconds, and the same seed gives the same hour again.
 */
struct vlan_cfg {
	uint64_t seed;
	unsigned nodes;	  /* at most 250; node i is user "u<i>" on host "h<i>", 10.0.0.<i+1>:2425 */
	unsigned loss;	  /* of 100 datagrams, for each receiver of a broadcast by itself */
	unsigned doubled; /* of 100 */
	coo_time delay_min; /* of a datagram, random in between: more than what lies between two */
	coo_time delay_max; /*   datagrams lets them overtake each other */
	uint32_t first_no;  /* first packet number of every node */
};

struct vlan;

/* Is called for every event of every node. */
typedef void vlan_on_event(void *ctx, unsigned node, const coo_event *ev);

/* Gives: vlan_close. */
struct vlan *vlan_open(const struct vlan_cfg *cfg, vlan_on_event *on_event, void *ctx);
void vlan_close(struct vlan *v);

coo_node *vlan_node(struct vlan *v, unsigned i);
coo_addr vlan_addr(unsigned i);
coo_time vlan_now(const struct vlan *v);

/* A random number below n, from the seed. */
uint64_t vlan_random(struct vlan *v, uint64_t n);

/* Lets the virtual time pass until end. */
void vlan_run(struct vlan *v, coo_time end);

/* Throws node i away as a crash would and starts it anew with the same names and first number. */
void vlan_restart(struct vlan *v, unsigned i);

struct vlan_stats {
	uint64_t sent, lost, doubled, delivered;
};

struct vlan_stats vlan_stats(const struct vlan *v);

/* Seeds to run: 200 from 1, or the one that SIM_SEED in the environment names. */
void vlan_seeds(uint64_t *first, uint64_t *last);

#endif
