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

/*
 * One user on one host. Read-only outside the table; a pointer is valid until the next call that
 * may add or remove peers. Names are bytes: UTF-8 where names_utf8 says so, else in the peer's
 * legacy character set.
 */
typedef struct coo_peer {
	/* what a look-up by address reads stands on one cache line */
	_Alignas(COO_PEER_LINE) uint8_t n_addrs;
	uint8_t client, how;
	uint8_t probes; /* unanswered since it fell silent */
	bool used, online, announced, absent, names_utf8;
	bool has_utf8; /* said that it understands UTF-8 (CAPUTF8OPT with a block or UTF-8 names) */
	bool talked;   /* a conversation: never evicted by strangers */
	bool saw_gbk, saw_utf8; /* what its texts without a declaration turned out to be */
	coo_time last_heard;
	coo_addr addr[COO_PEER_ADDRS]; /* the one last heard from first, IPv4 before IPv6 */
	coo_time life_since;	       /* when it came, or was first heard after a restart */
	uint64_t first_no, last_no;    /* lowest and highest packet number since then */
	uint32_t status;	       /* option bits of its last entry */
	uint32_t epoch;		       /* counts its restarts */
} coo_peer;

/* Chains of records by hash, kept apart from them: only a record whose hash is the one asked for is
 * looked at, and in a large table each cache line is waited for. */
typedef struct coo_peer_link {
	uint32_t hash;
	uint32_t next; /* link + 1; 0 ends */
} coo_peer_link;

typedef struct coo_peer_chains {
	uint32_t *heads; /* link + 1; 0: empty */
	coo_peer_link *links;
} coo_peer_chains;

/*
 * Who is there. Identity is user and host compared without case, with FeiQ's MAC where there is one
 * (PROTOCOL.md 5.4): an address may change, and one peer may have several. Fixed capacity: when
 * full, a newcomer takes the place of the peer that is offline, or else was silent longest, among
 * 64 looked at in turn; one with whom there was a conversation never gives way. Where none may, the
 * newcomer is refused.
 */
typedef struct coo_peers {
	void *mem; /* as given to coo_peers_init */
	coo_peer *v;
	uint8_t *names;		 /* of each peer their lengths, then the bytes */
	coo_peer_chains by_name; /* a link for each record */
	coo_peer_chains by_addr; /* and for each record's first address, second address … */
	size_t cap, n, name_cap, mask;
	uint32_t free_head; /* index + 1 of a chain through by_name.links */
	size_t fresh;	    /* entries never used yet start here */
	size_t hand;	    /* where eviction looks next */
	uint64_t key;
	uint64_t evicted, refused;
} coo_peers;

/* name_cap: bytes for all names of one peer together, at least 192 so that identities are whole;
 * 448 holds any, 320 any that was seen. mem is zeroed, aligned for uint64_t. */
size_t coo_peers_size(size_t cap, size_t name_cap);
void coo_peers_init(coo_peers *t, size_t cap, size_t name_cap, uint64_t key, void *mem);

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
 * Puts addr first in p's list, dropping the oldest of five; takes it away from any other peer. An
 * address with port 0, to which nobody can answer, changes nothing.
 */
void coo_peers_set_addr(coo_peers *t, coo_peer *p, const coo_addr *addr);

bool coo_peer_has_ip(const coo_peer *p, const coo_addr *addr);

/* The i-th peer in use, for listing: starts with *i = 0; NULL at the end. */
const coo_peer *coo_peers_next(const coo_peers *t, size_t *i);

#endif
