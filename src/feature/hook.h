/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_HOOK_H
#define COO_FEATURE_HOOK_H

#include <stdbool.h>
#include <uv.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/dialect.h"
#include "proto/err.h"
#include "proto/span.h"
#include "proto/time.h"

/*
 * Runs a program for each of many messages: text on its stdin, facts in its environment, never
 * through a shell. A few run at once, the rest wait in a bounded queue; one that takes too long is
 * ended.
 */
typedef struct coo_hook coo_hook;

/* Who is to get the answer; carried along, not looked at. */
typedef struct coo_hook_ticket {
	coo_addr from, local;
	coo_client client;
	bool may_reply;
} coo_hook_ticket;

typedef struct coo_hook_cfg {
	uv_loop_t *loop;
	const char *command; /* a program, found in PATH; with arguments where no file has this
				whole name; borrowed */
	unsigned at_once;    /* 0: 4 */
	unsigned queue;	     /* 0: 1,000 */
	coo_time timeout;    /* 0: none */
	bool want_output; /* stdout comes back (64 KiB at most); otherwise it goes where ours goes
			     to stderr */
	/* status: exit status, 128 + signal, or -1 where it did not start; output borrows until
	 * return. */
	void (*on_done)(void *user, const coo_hook_ticket *t, int status, coo_span output);
	void *user;
} coo_hook_cfg;

/* COO_EINVAL: the command is empty. Gives: coo_hook_free. */
COO_MUST_CHECK coo_err coo_hook_new(const coo_hook_cfg *cfg, coo_hook **out);

/* Ends the children that still run. Memory goes when the loop has run on. Accepts NULL. */
void coo_hook_free(coo_hook *h);

/*
 * Runs the command, now or later. env is a NULL-terminated list of NAME=value added to our own
 * environment. Both are copied. COO_EFULL: the queue is full and the message is not handed on;
 * COO_ENOMEM.
 */
COO_MUST_CHECK coo_err coo_hook_run(coo_hook *h, const coo_hook_ticket *t, coo_span text,
				    const char *const *env);

/* Running and waiting. */
size_t coo_hook_pending(const coo_hook *h);

#endif
