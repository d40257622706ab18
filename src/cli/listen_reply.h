/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_LISTEN_REPLY_H
#define COO_CLI_LISTEN_REPLY_H

#include <stdbool.h>

#include "cli/net.h"
#include "feature/message.h"

/* A machine answers people, never machines and never a message to everybody (protocol.md 4.4). */
bool listen_may_reply(const coo_message *m);

/* Sends text (UTF-8) back as an automatic message, in the character set of the one who wrote. */
void listen_reply(struct net *n, const coo_rx *rx, coo_client client, coo_span text);

#endif
