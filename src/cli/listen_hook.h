/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_LISTEN_HOOK_H
#define COO_CLI_LISTEN_HOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/net.h"
#include "feature/message.h"

/* coo listen --exec: a program for every message, and its output as the answer. */
struct listen_hook;

/* NULL, said on stderr, where the command is empty. on_idle is called whenever no child is left. */
struct listen_hook *listen_hook_new(struct net *n, const char *command, coo_time timeout,
				    bool reply, void (*on_idle)(void *user), void *user);
void listen_hook_free(struct listen_hook *h);

void listen_hook_run(struct listen_hook *h, const coo_event *ev, const coo_message *m);

size_t listen_hook_pending(const struct listen_hook *h);

#endif
