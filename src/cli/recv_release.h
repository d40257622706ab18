/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_RECV_RELEASE_H
#define COO_CLI_RECV_RELEASE_H

#include "cli/net.h"
#include "cli/offers.h"

/*
 * RELEASEFILES: tells the sender that it need not wait for us, and forgets the offer. The reason
 * (ASCII, short) follows as a section of its own, which a coo shows and others pass over.
 */
void recv_release(struct net *net, const coo_addr *to, uint64_t packet_no, const char *reason);

/* The reason in such a packet, safe to show, or "". Gives: free(). */
char *recv_release_reason(const coo_packet *p);

#endif
