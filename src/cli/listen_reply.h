/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_LISTEN_REPLY_H
#define COO_CLI_LISTEN_REPLY_H

#include <stdbool.h>

#include "cli/net.h"
#include "feature/message.h"

/* A machine answers people, never machines and never a message to everybody (PROTOCOL.md 6.4). */
bool listen_may_reply(const coo_message *m);

/* Sends text (UTF-8) back as an automatic message, in the character set of the one who wrote. */
void listen_reply(struct net *n, const coo_rx *rx, coo_client client, coo_span text);

/* Who was told of the absence lately: one answer a peer, until it has been silent for three
 * minutes. Gives: free(). */
struct listen_quiet;
struct listen_quiet *listen_quiet_new(void);
bool listen_is_first(struct listen_quiet *q, const coo_addr *from, coo_time now);

/* Goes absent with that text (UTF-8). */
void listen_set_absence(struct net *n, const char *text);

#endif
