/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_LISTEN_PEERS_H
#define COO_CLI_LISTEN_PEERS_H

#include "cli/net.h"

/* What "coo listen" tells of peers that come, change and go. */
struct listen_peers;

/* For the table of peers of n, which is open; gives: free(). */
struct listen_peers *listen_peers_new(struct net *n);

/* ev: COO_EV_PEER_UP, _CHANGE or _DOWN. A change that does not show is not told. */
void listen_peers_tell(struct listen_peers *l, struct net *n, const coo_event *ev);

#endif
