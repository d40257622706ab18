/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_PEER_H
#define COO_PROTO_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/dialect.h"
#include "proto/span.h"
#include "proto/time.h"

/* Addresses kept of one peer, and bytes kept of one name (the official client's limit is 79). */
#define COO_PEER_ADDRS 4
#define COO_PEER_NAME_MAX 64
/* Records and names begin at a multiple of this many bytes. */
#define COO_PEER_LINE 64

enum coo_peer_name {
	COO_NAME_USER,
	COO_NAME_HOST,
	COO_NAME_MAC, /* FeiQ's, as written */
	COO_NAME_NICK,
	COO_NAME_GROUP,
	COO_NAME_VERSION,  /* the version field */
	COO_NAME_ENCODING, /* iptux: the encoding it says it writes */
	COO_PEER_NAMES
};

/* How a peer was learned of, weakest first. */
enum coo_peer_how {
	COO_HOW_HEARD,	   /* it spoke to us without announcing itself */
	COO_HOW_LIST,	   /* another host's list */
	COO_HOW_UNICAST,   /* it answered, or announced itself, to us alone */
	COO_HOW_BROADCAST, /* its own broadcast */
};

/* Chains of peers by hash; a place is 1 + the number of an address (peer.c), 0 ends. */
typedef struct coo_peer_link {
	uint32_t hash;
	uint32_t next;
} coo_peer_link;

/*
 * One user on one host. Read-only outside the table; a pointer is valid until the next call that
 * may add or remove peers. Names are bytes: UTF-8 where names_utf8 says so, else in the peer's
 * legacy character set.
 *
 * The order is that of use: what finds a peer and what each of its packets touches stands on the
 * first cache line, since in a large table each line is waited for. Short names follow the record.
 */
typedef struct coo_peer {
	coo_addr addr; /* the one to speak to: that last heard from, IPv4 before IPv6 */
	coo_peer_link by_name, by_addr;
	coo_time last_heard;
	coo_time answer_at; /* where an answer is owed (coo_peer_owes): when it is due */
	uint8_t n_addrs, client, how;
	uint8_t probes; /* unanswered since it fell silent */
	bool used : 1, online : 1, announced : 1, absent : 1, names_utf8 : 1;
	bool has_utf8 : 1; /* said that it reads UTF-8 (CAPUTF8OPT with a block or UTF-8 names) */
	bool talked : 1;   /* a conversation: never evicted by strangers */
	bool saw_gbk : 1, saw_utf8 : 1; /* what its last names or text beyond ASCII were in */
	bool answer_utf8 : 1;		/* the answer that is owed may be UTF-8 */
	bool far_names : 1;		/* the table's own: they do not stand behind the record */

	coo_time life_since;	    /* when it came, or was first heard after a restart */
	uint64_t first_no, last_no; /* lowest and highest packet number since then */
	uint32_t status;	    /* option bits of its last entry */
	uint32_t epoch;		    /* counts its restarts */
	uint32_t owed_place;	    /* the table's own: 1 + place in owed, or 0 */
} coo_peer;

/*
 * Who is there. Identity is user and host compared without case, with FeiQ's MAC where there is one
 * (PROTOCOL.md 5.4): an address may change, and one peer may have several. Fixed capacity: when
 * full, a newcomer takes the place of the peer that is offline, or else was silent longest, among
 * 64 looked at in turn; one with whom there was a conversation never gives way. Where none may, the
 * newcomer is refused.
 *
 * The parts of mem that few peers need (further addresses, long names) are not touched for others,
 * so a system that gives memory page by page gives none for them.
 */
typedef struct coo_peers {
	void *mem;	  /* as given to coo_peers_init */
	uint8_t *records; /* each a coo_peer, the lengths of its names and, where they fit, these */
	uint8_t *far_names;
	struct coo_peer_more *more; /* a peer's second address and so on */
	uint32_t *name_heads, *addr_heads;
	uint32_t *owed; /* heap of the peers to whom an answer is owed, earliest first */
	size_t owed_n;
	size_t cap, n, stride, far_stride, name_cap, near_cap, mask;
	uint32_t free_head; /* index + 1 of a chain through by_name */
	size_t fresh;	    /* records never used yet start here */
	size_t hand;	    /* where eviction looks next */
	uint64_t key;
	uint64_t evicted, refused;
} coo_peers;

/*
 * How large a table is. name_cap: bytes for all names of one peer together, at least 192 so that
 * identities are whole; 448 holds any, 320 any that was seen. near_cap: names up to so many bytes
 * stand beside their record, on the same cache lines; it is rounded up so that lines are full.
 */
typedef struct coo_peers_cfg {
	size_t cap, name_cap, near_cap;
} coo_peers_cfg;

/* mem is zeroed, aligned for uint64_t. */
size_t coo_peers_size(const coo_peers_cfg *cfg);
void coo_peers_init(coo_peers *t, const coo_peers_cfg *cfg, uint64_t key, void *mem);

coo_span coo_peer_name(const coo_peers *t, const coo_peer *p, enum coo_peer_name which);

/* The peer with this identity (mac may be empty), or NULL. */
coo_peer *coo_peers_find(const coo_peers *t, coo_span user, coo_span host, coo_span mac);

/* The peer last heard from at this address and port, or NULL; by host alone where port is 0. */
coo_peer *coo_peers_at(const coo_peers *t, const coo_addr *addr);

/* Adds a peer, which must not be there yet; where the table is full another gives way. NULL where
 * none may. */
coo_peer *coo_peers_add(coo_peers *t, coo_span user, coo_span host, coo_span mac);
void coo_peers_remove(coo_peers *t, coo_peer *p);

/* Sets any of nick, group, version, encoding; true where one changed. Spans of NULL are left as
 * they are. */
bool coo_peers_set_names(coo_peers *t, coo_peer *p, const coo_span names[COO_PEER_NAMES]);

/*
 * Puts addr first in p's list, dropping the oldest of five; IPv4 stays before IPv6, since hosts
 * speak both at once and every client understands IPv4. Takes it away from any other peer. An
 * address with port 0, to which nobody can answer, changes nothing.
 */
void coo_peers_set_addr(coo_peers *t, coo_peer *p, const coo_addr *addr);

/* Address i < p->n_addrs of the peer, the one to speak to first. */
const coo_addr *coo_peer_addr(const coo_peers *t, const coo_peer *p, size_t i);

bool coo_peer_has_ip(const coo_peers *t, const coo_peer *p, const coo_addr *addr);

/* The i-th peer in use, for listing: starts with *i = 0; NULL at the end. */
const coo_peer *coo_peers_next(const coo_peers *t, size_t *i);

/* Record i < t->fresh, in use or not. */
static inline coo_peer *coo_peers_nth(const coo_peers *t, size_t i)
{
	return (coo_peer *)(void *)(t->records + i * t->stride);
}

/* Which record that is. */
static inline size_t coo_peers_index(const coo_peers *t, const coo_peer *p)
{
	return (size_t)((const uint8_t *)p - t->records) / t->stride;
}

/* --- peer_owed.c: one answer at most is owed to each peer
 * ------------------------------------------
 */

/* An answer is owed to p (which owes none yet) at that time; a peer that is removed is owed none.
 */
void coo_peers_owe(coo_peers *t, coo_peer *p, coo_time at);
static inline bool coo_peer_owes(const coo_peer *p)
{
	return p->owed_place != 0;
}

/* To whom an answer is owed first, or NULL. */
coo_peer *coo_peers_first_owed(const coo_peers *t);

/* The answer was given, or is no longer owed. */
void coo_peers_settle(coo_peers *t, coo_peer *p);
void coo_peers_settle_all(coo_peers *t);

#endif
