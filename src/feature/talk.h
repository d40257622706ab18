/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_TALK_H
#define COO_FEATURE_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/charset.h"
#include "engine/tcp.h"
#include "feature/frame.h"
#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"
#include "proto/time.h"

/*
 * Raw talk over UDP or TCP, as client or server: bytes and frames, no protocol of ours. It knows
 * peers, framing, targets and automatic answers; what is typed and shown is its user's matter.
 * Single thread, on a libuv loop.
 */
typedef struct coo_talk coo_talk;

enum coo_talk_kind { COO_TALK_UDP, COO_TALK_CLIENT, COO_TALK_SERVER };

enum coo_talk_reply {
	COO_TALK_NO_REPLY,
	COO_TALK_ECHO,	/* the frame as it came */
	COO_TALK_UPPER, /* its ASCII letters raised, characters of the charset left whole */
	COO_TALK_TEXT,	/* always the same bytes */
	COO_TALK_EXEC,	/* what a program prints that gets the frame on its standard input */
};

enum {
	COO_TALK_MAX_TARGETS = 64, /* addresses that one text goes to */
	COO_TALK_MAX_DATAGRAM = 65507,
	COO_TALK_GRACE_S = 30, /* a server's client that closed its side and is sent nothing */
	COO_TALK_PACE = 1000,  /* datagrams a second to anything but loopback */
};

typedef struct coo_talk_cfg {
	enum coo_talk_kind kind;
	/* Client: tried one after the other. UDP: each gets every text; none: answer who spoke. */
	coo_addr to[COO_TALK_MAX_TARGETS];
	size_t n_to;
	/* Server and UDP: where to listen. With any_family, IPv4 and IPv6 both. */
	coo_addr bind;
	bool any_family;
	coo_addr group;		/* multicast to join, or family 0 */
	uint32_t ifindex;	/* … on this interface; 0: the system's choice */
	const char *device;	/* bind to this interface, or NULL */
	bool reuse_port, flood; /* flood: no pace */
	enum coo_framing framing;
	coo_time connect_timeout;
	unsigned keepalive;
	size_t max_clients, max_out, read_size; /* 0: as coo_tcp_opts */
	enum coo_talk_reply reply;
	coo_span reply_text;	 /* wire bytes; borrowed */
	char *const *reply_argv; /* NULL-terminated; borrowed */
	coo_charset *charset;	 /* for COO_TALK_UPPER; borrowed */
} coo_talk_cfg;

/* Who talks to us. Read only but for user; valid until peer_down, for UDP until the next call. */
typedef struct coo_talk_peer {
	uint64_t id; /* 1, 2, … in the order in which they came */
	coo_addr addr;
	void *user;
	uint64_t rx, rx_bytes, tx, tx_bytes;
	uint64_t dropped; /* texts that did not fit its queue: it does not read */
	coo_tcp *tcp;	  /* NULL: UDP */
	coo_frame frame;
	uint8_t held[4]; /* COO_TALK_UPPER: start of a character */
	size_t n_held;
	uint64_t ended_at; /* loop time in ms when it closed its side or was sent something since */
	struct coo_talk_peer *next, *prev;
} coo_talk_peer;

enum coo_talk_flaw {
	COO_TALK_ABSURD,      /* value: the length that ended the framing */
	COO_TALK_UNFINISHED,  /* value: bytes of a frame that never ended; they come as a piece */
	COO_TALK_SLOW,	      /* value: texts dropped so far, since the peer does not read */
	COO_TALK_EXEC_FAILED, /* value: errno, or 0 where the program failed or was dropped */
	COO_TALK_SILENT, /* not answered, once a peer; value: its port, a service's that answers */
	COO_TALK_NO_MEMORY,
	COO_TALK_FLAWS, /* how many there are */
};

/* Called from the loop. All have to be set. Bytes are borrowed for the call. */
typedef struct coo_talk_fns {
	/* Listening, or connected. peer: the server of a client, else NULL. */
	void (*ready)(void *user, const coo_addr *local, coo_talk_peer *peer);
	void (*peer_up)(void *user, coo_talk_peer *p); /* a client of a server; a new UDP peer */
	/* whole: one frame or datagram; else a piece of a stream */
	void (*frame)(void *user, coo_talk_peer *p, coo_span bytes, bool whole);
	void (*sent)(void *user, coo_talk_peer *p, coo_span bytes); /* an automatic answer */
	void (*flaw)(void *user, coo_talk_peer *p, enum coo_talk_flaw flaw, uint64_t value);
	void (*peer_end)(void *user, coo_talk_peer *p); /* closed its side; may still receive */
	void (*peer_down)(void *user, coo_talk_peer *p, int err);
	void (*unconnected)(void *user, const coo_addr *to, int err, bool last); /* client */
	void (*send_failed)(void *user, const coo_addr *to, int err);		 /* UDP */
	void (*drained)(void *user); /* no longer busy */
} coo_talk_fns;

/* COO_ESYS with errno where the system refuses. cfg is copied, fns and what cfg borrows have to
 * live on. ready() may come within the call. Gives: coo_talk_close. */
COO_MUST_CHECK coo_err coo_talk_open(uv_loop_t *loop, const coo_talk_cfg *cfg,
				     const coo_talk_fns *fns, void *user, coo_talk **out);
/* Closes everything; the loop has to run until it has no more to do, then coo_talk_free. */
void coo_talk_close(coo_talk *t);
void coo_talk_free(coo_talk *t); /* accepts NULL */

/*
 * Sends body as one frame or datagram to the chosen peers: those of coo_talk_choose, else the
 * targets of cfg, else who spoke last (UDP) or all clients (server). COO_ENOENT: there is nobody.
 * COO_EFULL: no peer could take it. COO_EMSGSIZE: too long for a datagram. COO_ERANGE, COO_EFORMAT:
 * as coo_frame_encode.
 */
COO_MUST_CHECK coo_err coo_talk_send(coo_talk *t, coo_span body);
/* As coo_talk_send, but the bytes go as they are: no framing. */
COO_MUST_CHECK coo_err coo_talk_send_raw(coo_talk *t, coo_span bytes);
/* Whether bytes wait for a peer or for the pace: a good time to stop sending until drained(). */
bool coo_talk_is_busy(const coo_talk *t);
/* Whether everything that was sent has left. */
bool coo_talk_is_idle(const coo_talk *t);

/* Pauses receiving, so that TCP peers have to wait; UDP datagrams stay in the socket's buffer. */
void coo_talk_pause(coo_talk *t, bool paused);

/* Closes our sending side behind what is queued (TCP). */
void coo_talk_end(coo_talk *t);

/* The same for one peer. A server does it by itself for who closed its side and is sent nothing for
 * COO_TALK_GRACE_S: most of those have gone, and the table is bounded. */
void coo_talk_end_peer(coo_talk *t, coo_talk_peer *p);

/* The peer with this number or address, or NULL. */
coo_talk_peer *coo_talk_find(coo_talk *t, uint64_t id);
coo_talk_peer *coo_talk_find_addr(coo_talk *t, const coo_addr *a);
coo_talk_peer *coo_talk_peers(coo_talk *t); /* the first; follow next */
size_t coo_talk_n_peers(const coo_talk *t);

/* From here texts go to this peer, or with NULL to where they went at first (all). */
void coo_talk_choose(coo_talk *t, const coo_talk_peer *p);
/* UDP: from here texts go to this address. */
void coo_talk_choose_addr(coo_talk *t, const coo_addr *to);
/* The one peer that texts go to now, or NULL where that is none or several. */
coo_talk_peer *coo_talk_target(coo_talk *t);
/* UDP: the one address that texts go to where no peer has it, or NULL; borrowed from t. */
const coo_addr *coo_talk_target_addr(const coo_talk *t);
/* Closes the connection of a peer at once; a UDP peer is only forgotten. */
void coo_talk_kick(coo_talk *t, coo_talk_peer *p);

#endif
