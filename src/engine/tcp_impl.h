/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_TCP_IMPL_H
#define COO_ENGINE_TCP_IMPL_H

/* What the files of TCP share; nobody else includes this. */

#include "engine/tcp.h"

/* The buffer that all connections of one owner read into: libuv reads and delivers one at a time.
 */
struct reader {
	size_t users, cap;
	char bytes[];
};

struct connecting {
	uv_connect_t req;
	uv_timer_t timer;
	coo_tcp *conn;
};

struct outbuf {
	char *p;
	size_t n, cap;
};

struct coo_tcp {
	uv_tcp_t handle;
	uv_write_t write;
	uv_shutdown_t shutdown;
	const coo_tcp_fns *fns;
	void *user, *data;
	struct reader *reader;
	struct connecting *connecting;
	coo_tcp_server *server;
	coo_addr peer, local;
	struct outbuf flying, waiting; /* libuv writes the one while the other fills */
	size_t queued, max_out;	       /* bytes in both */
	unsigned keepalive;
	int err;
	unsigned handles; /* to be closed before this may be freed */
	bool open, paused, was_busy, eof, closing;
	bool shut_asked, shut_sent, shut_done, close_when_shut;
};

struct coo_tcp_server {
	uv_tcp_t handle;
	coo_tcp_opts opts;
	const coo_tcp_fns *fns;
	void *user;
	struct reader *reader;
	size_t conns;
	uint64_t refused;
	bool closed; /* by its owner; freed when the handle and the last connection are gone */
	bool handle_gone;
};

enum {
	BACKLOG = 1024,
	KEEP_OUT = 4096, /* a queue that grew longer is freed when it is empty */
};

/* size 0: 64 KiB. Counted; NULL without memory. */
struct reader *coo_tcp_reader_new(size_t cap);
void coo_tcp_reader_unref(struct reader *r);

/* A connection without a socket yet; NULL without memory. */
coo_tcp *coo_tcp_new(uv_loop_t *loop, struct reader *reader, const coo_tcp_opts *opts,
		     const coo_tcp_fns *fns, void *user);
/* It is connected: tells its user and begins to read. */
void coo_tcp_opened(coo_tcp *c);
/* Closes it for this reason (libuv's code). */
void coo_tcp_fail(coo_tcp *c, int uv_err);
coo_addr coo_tcp_name_of(const uv_tcp_t *h, int (*get)(const uv_tcp_t *, struct sockaddr *, int *));
/* Frees a closed server whose last connection has gone. */
void coo_tcp_server_unref(coo_tcp_server *s);

#endif
