/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_TALK_IMPL_H
#define COO_FEATURE_TALK_IMPL_H

/* What the files of the talk share; nobody else includes this. */

#include "engine/netif.h"
#include "engine/udp.h"
#include "feature/execpool.h"
#include "feature/talk.h"

enum {
	COO_TALK_BATCH = 64,
	COO_TALK_ARENA = 512 << 10,
	COO_TALK_UDP_PEERS = 64, /* how many that spoke are remembered */
	COO_TALK_SOCKS = 2,	 /* IPv4 and IPv6 */
};

struct coo_talk_sock {
	coo_talk *talk;
	coo_udp *udp;
	coo_addr local;
	uv_poll_t poll;
	bool reads, writes; /* what is waited for */
};

struct coo_talk {
	uv_loop_t *loop;
	coo_talk_cfg cfg;
	const coo_talk_fns *fns;
	void *user;
	coo_talk_peer *peers; /* newest first */
	size_t n_peers;
	uint64_t next_id;
	coo_talk_peer *last; /* who spoke last, UDP */
	uint64_t chosen;     /* a peer's number, or 0 */
	coo_addr chosen_addr;
	bool paused, closing, ended, was_busy;
	uint8_t *scratch; /* one encoded frame */
	size_t scratch_cap;
	coo_execpool *execs;

	coo_tcp_server *server;
	uv_timer_t grace;
	coo_tcp *conn;
	size_t next_to;

	struct coo_talk_sock socks[COO_TALK_SOCKS];
	size_t n_socks;
	coo_netifs ifs;	      /* as they were at the start; only where --reply or a group asks */
	uv_prepare_t prepare; /* sends the batch before the loop waits */
	uv_timer_t pace;
	coo_time paced_at; /* when credit was counted */
	uint64_t credit;   /* ns of sending allowed off loopback */
	uint8_t *arena;
	size_t arena_n;
	coo_dgram batch[COO_TALK_BATCH];
	size_t n_batch;
};

/* talk.c */
coo_talk_peer *coo_talk_add_peer(coo_talk *t, const coo_addr *addr, coo_tcp *tcp);
void coo_talk_drop_peer(coo_talk *t, coo_talk_peer *p, int err);
/* Bytes of a peer: cuts frames, tells of them, answers them. end: nothing follows. */
void coo_talk_take(coo_talk *t, coo_talk_peer *p, coo_span bytes, bool end);
/* Sends to one peer; framed: body is put into a frame first. */
coo_err coo_talk_send_to(coo_talk *t, coo_talk_peer *p, coo_span body, bool framed);
void coo_talk_check_drained(coo_talk *t);
/* Encodes into t->scratch. */
coo_err coo_talk_frame(coo_talk *t, coo_span body, coo_span *wire);

/* talk_tcp.c */
coo_err coo_talk_open_client(coo_talk *t);
coo_err coo_talk_open_server(coo_talk *t);
void coo_talk_close_server(coo_talk *t);
coo_err coo_talk_tcp_write(coo_talk *t, coo_talk_peer *p, coo_span wire);

/* talk_udp.c */
coo_err coo_talk_open_udp(coo_talk *t);
void coo_talk_close_udp(coo_talk *t);
void coo_talk_udp_watch(coo_talk *t);
coo_err coo_talk_udp_put(coo_talk *t, const coo_addr *to, coo_span wire);
bool coo_talk_udp_busy(const coo_talk *t);
/* Sends what is allowed now. */
void coo_talk_udp_flush(coo_talk *t);

/* Whether a datagram from there comes from one of our own sockets. */
bool coo_talk_is_self(const coo_talk *t, const coo_addr *from);

/* talk_reply.c: sends the automatic answer to a frame (or piece; end: nothing follows it). */
void coo_talk_answer(coo_talk *t, coo_talk_peer *p, coo_span body, bool end);

#endif
