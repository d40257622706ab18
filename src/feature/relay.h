/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_RELAY_H
#define COO_FEATURE_RELAY_H

#include <uv.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * Hands receipts on between programs of one user. iptux sends every receipt to port 2425, whatever
 * port the message came from, so a sender that had to take another port, because a listener holds
 * 2425, would never see it. The sender opens a mailbox (a datagram socket in $XDG_RUNTIME_DIR/coo,
 * else /tmp/coo-UID, which only this user can enter); the listener forwards to every mailbox what
 * it cannot make use of itself.
 */
typedef struct coo_relay coo_relay;

/* from and dgram are as they came from the network, and borrow until return. */
typedef void coo_relay_fn(void *user, const coo_addr *from, coo_span dgram);

/* COO_ENOENT where the system gives no runtime directory, COO_ESYS. Gives: coo_relay_close. */
COO_MUST_CHECK coo_err coo_relay_open(uv_loop_t *loop, coo_relay_fn *fn, void *user,
				      coo_relay **out);
void coo_relay_close(coo_relay *r); /* accepts NULL */

/* Forwards to all mailboxes there are (at most 64), without waiting; a full or dead one misses it.
 */
void coo_relay_forward(const coo_addr *from, coo_span dgram);

#endif
