/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_GUARD_H
#define COO_FEATURE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "proto/addr.h"
#include "proto/span.h"
#include "proto/time.h"

/*
 * Whom an echo service answers. Pure but for the question about the network, which
 * the owner answers through a function. One guard per thread; its table of sources is bounded: a
 * source that has to make room loses its history, nothing else.
 */

/* Why a datagram is not answered; each has a counter. */
#define COO_GUARD_LIST(X)                                                                          \
	X(PORT, "port", "the source port belongs to a service that answers by itself")             \
	X(OWN, "own", "the source is this service")                                                \
	X(BROADCAST, "broadcast", "it was sent to a broadcast or multicast address")               \
	X(OFF_LINK, "off_link", "the source is not on a network of this host nor allowed")         \
	X(RATE, "rate", "the source sends faster than --rate")                                     \
	X(SIZE, "size", "it is longer than --max-size")                                            \
	X(LOOP, "loop", "the same datagram came a million times in a row: a loop")

enum coo_guard_verdict {
	COO_GUARD_OK,
#define COO_GUARD_ENUM(name, key, text) COO_GUARD_##name,
	COO_GUARD_LIST(COO_GUARD_ENUM)
#undef COO_GUARD_ENUM
	    COO_GUARD_COUNT
};

/* "off_link" and the like, for JSON; static. */
const char *coo_guard_key(enum coo_guard_verdict v);
/* Half a sentence for people; static. */
const char *coo_guard_text(enum coo_guard_verdict v);

/* Whether a source port is one that no echo may be sent to: a service behind it would answer. */
bool coo_guard_port_answers(uint16_t port);

/* Tells whether an address is on a network of this host; may be slow, the answer is kept. */
typedef bool coo_guard_on_link_fn(void *user, const coo_addr *a, coo_time now);

typedef struct coo_guard_cfg {
	const coo_cidr *allow; /* borrowed for the life of the guard */
	size_t n_allow;
	uint64_t rate;	   /* datagrams/s for any source; 0: COO_GUARD_DEFAULT_RATE off loopback */
	uint64_t max_size; /* bytes; 0: no bound */
	uint16_t own_port; /* the port served: a source with it may be another such service */
	coo_guard_on_link_fn *on_link;
	void *user;
} coo_guard_cfg;

/* What a source off loopback gets without --rate: more than a gigabit link carries. */
#define COO_GUARD_DEFAULT_RATE 1000000

enum {
	COO_GUARD_SETS = 256,
	COO_GUARD_WAYS = 4,
	COO_GUARD_SOURCES = COO_GUARD_SETS * COO_GUARD_WAYS
};

typedef struct coo_guard_source {
	coo_addr addr; /* port 0 */
	coo_time seen, checked, filled;
	uint64_t rate;	 /* 0: no bound */
	uint64_t tokens; /* in ns of credit */
	enum coo_guard_verdict verdict;
	uint64_t same_hash;
	uint32_t same_count;
} coo_guard_source;

typedef struct coo_guard {
	coo_guard_cfg cfg;
	uint64_t evicted;
	/* Sets ever used: looking at the others would already cost their memory. */
	uint8_t used[COO_GUARD_SETS];
	coo_guard_source sources[COO_GUARD_SOURCES];
} coo_guard;

/* g is zeroed memory: its table is left untouched, so that what is not used costs no page. */
void coo_guard_init(coo_guard *g, const coo_guard_cfg *cfg);

/*
 * Finds what there is to know of a sender, for coo_guard_admit; *verdict is what its address and
 * port alone decide. Borrowed until the next call on g.
 */
coo_guard_source *coo_guard_find(coo_guard *g, const coo_addr *from, coo_time now,
				 enum coo_guard_verdict *verdict);

/*
 * Decides about n datagrams of size bytes each that came at once from one source (n 1 for a single
 * one), whose first is head. Call only where the verdict of coo_guard_find was COO_GUARD_OK.
 */
enum coo_guard_verdict coo_guard_admit(coo_guard *g, coo_guard_source *s, coo_span head,
				       uint64_t size, uint64_t n, coo_time now);

/* How many sources of the last d before now the table knows. */
size_t coo_guard_active(const coo_guard *g, coo_time now, coo_time d);

#endif
