/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_RECV_ASK_H
#define COO_CLI_RECV_ASK_H

#include <uv.h>

#include "cli/offers.h"

/* Asks on the terminal whether an offer is wanted, one question at a time. */
struct recv_ask;

struct recv_ask *recv_ask_new(uv_loop_t *loop,
			      void (*on_answer)(void *user, const struct offer *o, bool yes),
			      void *user);
void recv_ask_put(struct recv_ask *a, const struct offer *o); /* copied */
/* Around what others say on the terminal: the question stands alone, and at its end. */
void recv_ask_pause(struct recv_ask *a);
void recv_ask_again(struct recv_ask *a);
size_t recv_ask_pending(const struct recv_ask *a);
/* No more questions; those that wait are forgotten. */
void recv_ask_stop(struct recv_ask *a);
void recv_ask_free(struct recv_ask *a); /* accepts NULL; after the loop has run out */

#endif
