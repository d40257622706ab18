/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_NETWATCH_H
#define COO_ENGINE_NETWATCH_H

#include <uv.h>

#include "proto/attr.h"
#include "proto/err.h"

/*
 * Tells when interfaces or addresses change: by the kernel's messages (rtnetlink) on Linux,
 * elsewhere by looking every ten seconds. Several changes within 300 ms, as a link that comes up
 * makes them, are told as one.
 */
typedef struct coo_netwatch coo_netwatch;

/* COO_ESYS, COO_ENOMEM. Gives: coo_netwatch_close. */
COO_MUST_CHECK coo_err coo_netwatch_open(uv_loop_t *loop, void (*on_change)(void *user), void *user,
					 coo_netwatch **out);

/* Memory goes when the loop has run once more. Accepts NULL. */
void coo_netwatch_close(coo_netwatch *w);

#endif
