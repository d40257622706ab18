/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_TCP_H
#define COO_ENGINE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"
#include "proto/time.h"

/*
 * TCP connections on a libuv loop, as client and as server for many clients. Single thread. What a
 * connection may hold in memory is bounded: all connections of a server read into one buffer, and
 * each queues at most max_out bytes that its peer has not taken. A peer that never reads therefore
 * costs max_out and delays nobody.
 */
typedef struct coo_tcp coo_tcp;
typedef struct coo_tcp_server coo_tcp_server;

/* Called from the loop; every call of this header is allowed in them. Any may be NULL. */
typedef struct coo_tcp_fns {
	void (*opened)(void *user, coo_tcp *c); /* connected or accepted; reading begins */
	void (*data)(void *user, coo_tcp *c, coo_span bytes); /* borrowed for the call */
	void (*ended)(void *user, coo_tcp *c);	 /* the peer sends no more; it may still receive */
	void (*drained)(void *user, coo_tcp *c); /* was busy and is no longer */
	/* The last call about c, which is freed behind it. err: errno, or 0 for an orderly end. */
	void (*closed)(void *user, coo_tcp *c, int err);
} coo_tcp_fns;

typedef struct coo_tcp_opts {
	coo_addr bind;		  /* client: source; family 0: the system's choice */
	coo_time connect_timeout; /* ns; 0: 10 s */
	unsigned keepalive;	  /* seconds until probes begin; 0: off */
	size_t max_out;		  /* bytes; 0: 1 MiB */
	size_t read_size;	  /* bytes read at once; 0: 64 KiB */
	size_t max_conns;	  /* server; 0: 10,000; more are accepted and closed at once */
	bool reuse_port;
	bool v6_only;
} coo_tcp_opts;

/* Begins to connect; fns->opened or fns->closed tells the result. COO_ESYS with errno where it
 * cannot even begin. fns is borrowed as long as the connection lives; *out ends with closed(). */
COO_MUST_CHECK coo_err coo_tcp_connect(uv_loop_t *loop, const coo_addr *to,
				       const coo_tcp_opts *opts, const coo_tcp_fns *fns, void *user,
				       coo_tcp **out);

/* Listens with SO_REUSEADDR. COO_ESYS with errno. Gives: coo_tcp_server_close. */
COO_MUST_CHECK coo_err coo_tcp_listen(uv_loop_t *loop, const coo_addr *at, const coo_tcp_opts *opts,
				      const coo_tcp_fns *fns, void *user, coo_tcp_server **out);
/* Accepts no more; connections live on and are closed one by one. Accepts NULL. */
void coo_tcp_server_close(coo_tcp_server *s);
coo_addr coo_tcp_server_local(const coo_tcp_server *s);
/* Connections closed at once because there were max_conns, and accepts that failed. */
uint64_t coo_tcp_server_refused(const coo_tcp_server *s);

/*
 * Sends s: what the socket does not take now is copied and queued. COO_EFULL: it would not fit
 * below max_out (a first piece always does) and nothing was sent. COO_EINVAL: the sending side is
 * closed. COO_ESYS, COO_ENOMEM: the connection broke and closed() follows.
 */
COO_MUST_CHECK coo_err coo_tcp_send(coo_tcp *c, coo_span s);
size_t coo_tcp_queued(const coo_tcp *c);
/* Whether more than half of max_out waits: a good time to stop producing until drained(). */
bool coo_tcp_is_busy(const coo_tcp *c);

/* Stops and resumes reading, so that the peer has to wait. */
void coo_tcp_pause(coo_tcp *c);
void coo_tcp_resume(coo_tcp *c);

/* Closes our sending side behind what is queued; reading goes on. Closed when both sides are. */
void coo_tcp_end(coo_tcp *c);
/* Sends what is queued, then closes both sides without waiting for the peer's. */
void coo_tcp_finish(coo_tcp *c);
/* Closes now and forgets what is queued. Twice is allowed. */
void coo_tcp_close(coo_tcp *c);

coo_addr coo_tcp_peer(const coo_tcp *c);
coo_addr coo_tcp_local(const coo_tcp *c);
bool coo_tcp_has_ended(const coo_tcp *c); /* the peer closed its side */

/* A pointer of the caller's beside the connection. */
void coo_tcp_set_data(coo_tcp *c, void *data);
void *coo_tcp_data(const coo_tcp *c);

/* "refused: nothing listens there" and so on for an errno of a connection; static storage. */
const char *coo_tcp_why(int err);

#endif
