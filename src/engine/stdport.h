/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_STDPORT_H
#define COO_ENGINE_STDPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * Standard input and output on a libuv loop, whatever they are: pipe, terminal, file, socket,
 * /dev/null. A pipe is opened anew where the system allows it (Linux), since O_NONBLOCK would else
 * be set for every program that shares it; otherwise the flags are put back at close. Files are
 * read and written at once: they never block for long and cannot be waited for.
 */
typedef struct coo_inport coo_inport;
typedef struct coo_outport coo_outport;

typedef struct coo_inport_fns {
	void (*data)(void *user, coo_span bytes); /* borrowed for the call */
	void (*end)(void *user, int err);	  /* once; errno, or 0 at the end of the input */
} coo_inport_fns;

/* Reads fd, size bytes at once at most. COO_ESYS with errno. Gives: coo_inport_close. */
COO_MUST_CHECK coo_err coo_inport_open(uv_loop_t *loop, int fd, size_t size,
				       const coo_inport_fns *fns, void *user, coo_inport **out);
void coo_inport_pause(coo_inport *p);
void coo_inport_resume(coo_inport *p);
void coo_inport_close(coo_inport *p); /* accepts NULL; freed by the loop */

typedef struct coo_outport_fns {
	void (*drained)(void *user);	     /* what was queued has been written */
	void (*failed)(void *user, int err); /* once; EPIPE: the reader has gone */
} coo_outport_fns;

/* Writes fd. */
COO_MUST_CHECK coo_err coo_outport_open(uv_loop_t *loop, int fd, const coo_outport_fns *fns,
					void *user, coo_outport **out);
/*
 * Writes s, or queues a copy of what is not taken now. False where bytes wait: the caller stops
 * producing until drained(). After failed() everything is dropped.
 */
bool coo_outport_write(coo_outport *p, coo_span s);
bool coo_outport_is_empty(const coo_outport *p);
void coo_outport_close(coo_outport *p); /* accepts NULL; what is queued is lost */

#endif
