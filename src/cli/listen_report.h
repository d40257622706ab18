/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_LISTEN_REPORT_H
#define COO_CLI_LISTEN_REPORT_H

#include <stdint.h>

#include "cli/net.h"

/* What "coo listen" says of itself: at its beginning, where it listens and whether anybody will see
 * it, */
void listen_say_where(struct net *n, bool announces);

/* and at its end, what the peers sent that could not be used, and what the kernel dropped: with -v,
 * and in JSON. */
void listen_report(struct net *n, uint64_t shown);

#endif
