/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_EXECPOOL_H
#define COO_FEATURE_EXECPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * Runs one program, without a shell, for each of many inputs: the input is its standard input, what
 * it prints is the answer. Bounded in every direction: children at once, inputs that wait, bytes of
 * an answer, time. The inputs of one peer are worked on one after the other, so that its answers
 * keep their order. The child sees COO_PEER and COO_PEER_PORT in its environment.
 */
typedef struct coo_execpool coo_execpool;

enum {
	COO_EXEC_CHILDREN = 8,
	COO_EXEC_QUEUE = 256,
	COO_EXEC_MAX_OUTPUT = 1 << 20,
	COO_EXEC_SECONDS = 10, /* then the child is killed */
};

/* output is borrowed for the call. err: errno where the program could not be started; failed: it
 * ended with another code than 0, by a signal, or was killed for its time or output. */
typedef void coo_exec_fn(void *user, uint64_t peer, const coo_addr *addr, coo_span output, int err,
			 bool failed);

/* argv is NULL-terminated and borrowed; argv[0] is looked up in PATH. */
COO_MUST_CHECK coo_err coo_execpool_new(uv_loop_t *loop, char *const *argv, coo_execpool **out);
/* Kills what runs; the loop has to run on until it is done, then coo_execpool_free. */
void coo_execpool_close(coo_execpool *x);
void coo_execpool_free(coo_execpool *x); /* accepts NULL */

/* Copies input. COO_EFULL where too many wait. done is called from the loop, not within this. */
COO_MUST_CHECK coo_err coo_execpool_run(coo_execpool *x, uint64_t peer, const coo_addr *addr,
					coo_span input, coo_exec_fn *done, void *user);
bool coo_execpool_is_idle(const coo_execpool *x);
/* Whether an input of this peer waits or is worked on. */
bool coo_execpool_has(const coo_execpool *x, uint64_t peer);

#endif
