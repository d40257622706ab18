/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_NODE_INT_H
#define COO_PROTO_NODE_INT_H

/* The inside of the node, shared by node.c and node_*.c (proto/README.md). Nobody else includes
 * this. */

#include "proto/dedup.h"
#include "proto/hash.h"
#include "proto/limit.h"
#include "proto/node.h"

#define COO_NODE_PORT_DEFAULT 2425

enum {
	NODE_NAME_CAP = 256,
	NODE_NAMES_MIN = 3 * COO_PEER_NAME_MAX, /* user, host and MAC: what tells peers apart */
	NODE_NAMES_NEAR =
	    80, /* the names of most peers, so that a record and they fill three lines */
	NODE_EVENTS = 16,
	NODE_PENDING = 1024,
	NODE_LIMIT_SOURCES = 4096,
	NODE_LISTS = 8,
	NODE_ANSWERS = 1000,	   /* presence answers a second to everybody together … */
	NODE_ANSWERS_BURST = 2000, /* … and at once */
	NODE_EVERYBODY = 1,	   /* their key in all_answers */
	NODE_ABSENCE_CAP = 200,
};

/* A datagram that the node owes somebody: made when its time comes, so that it costs no bytes until
 * then. */
enum pending_kind {
	PENDING_ACK,	  /* RECVMSG for ref */
	PENDING_READ,	  /* READMSG for ref, no answer wanted */
	PENDING_ANSREAD,  /* ANSREADMSG for ref */
	PENDING_ANSENTRY, /* answer to a BR_ENTRY, where it is not owed to a peer (node_presence.c)
			   */
	PENDING_CORRECT,  /* BR_ABSENCE that says to iptux in what encoding our names are */
	PENDING_ENTRY,	  /* BR_ENTRY to one host */
	PENDING_INFO,	  /* SENDINFO */
	PENDING_ABSENCE,  /* SENDABSENCEINFO */
	PENDING_COMMAND,  /* a bare command, in ref */
	PENDING_OKLIST,	  /* OKGETLIST */
	PENDING_GETLIST,  /* GETLIST from index ref */
	PENDING_ANSLIST,  /* ANSLIST from index ref */
	PENDING_BARE,	  /* BR_ENTRY without any option */
	PENDING_BCAST,	  /* broadcast of the entry command in ref */
};

typedef struct node_pending {
	coo_time due;
	uint64_t ref;
	coo_addr to, local;
	uint32_t ifindex;
	uint8_t kind;
	uint8_t client; /* coo_client of who asked */
	bool utf8;	/* who asked understands UTF-8 */
} node_pending;

typedef struct node_names {
	uint8_t bytes[NODE_NAME_CAP];
	coo_names n; /* spans into bytes */
} node_names;

struct coo_node {
	uint16_t port;
	bool member, send_read, serve_list, announced, leaving, refuses;
	uint32_t next_no, first_no, capabilities;
	uint64_t random, key;
	coo_span version, info;
	uint8_t version_bytes[96], info_bytes[96];
	node_names legacy, utf8;

	coo_peers peers;
	coo_rtx rtx;
	coo_dedup dedup;
	coo_limit ack_limit, answer_limit;
	coo_limit all_answers; /* presence answers to everybody together */

	/* answers in the order they came: a ring of what is due, and a heap-free list of what waits
	 */
	node_pending *now_ring;
	size_t now_head, now_n;
	node_pending *later;
	size_t later_n;
	coo_time later_due;

	/* presence over time: our own announcements, and those who fell silent */
	coo_time reannounce, silence, announce_at, check_at;
	size_t check_hand;
	uint8_t absence_bytes[2 * NODE_ABSENCE_CAP];
	coo_span absence_legacy, absence_utf8;

	/* host lists that were asked for */
	coo_time list_until, started;
	struct {
		coo_addr from;
		uint32_t next, pages;
	} list[NODE_LISTS];

	coo_event events[NODE_EVENTS];
	size_t ev_head, ev_n;
	coo_node_stats stats;
};

/* Our own entry options: what we can honour, nothing more (PROTOCOL.md 4). */
uint32_t coo_node_entry_options(const coo_node *n);

/* Queues *p for its time; counts where the queue is full. */
void coo_node_owe(coo_node *n, const node_pending *p, coo_time now);

/* Moves what is due from the waiting list to the ring. */
void coo_node_release_due(coo_node *n, coo_time now);

/* Drops everything owed but receipts. */
void coo_node_forget_presence(coo_node *n);

/* Whether our own names are not all ASCII. */
bool coo_node_has_high_names(const coo_node *n);

/* Random number below n (n > 0). */
uint64_t coo_node_random(coo_node *n, uint64_t below);

/* Appends an event; where nobody took those before, the oldest goes. */
coo_event *coo_node_emit(coo_node *n, enum coo_event_type type);

/* One datagram on its way through the node. */
typedef struct coo_node_arrival {
	const coo_rx *rx;
	coo_span dgram;
	coo_packet p;
	coo_client client;
	coo_peer *peer; /* who sent it, where known */
	coo_time now;
} coo_node_arrival;

/* Queues a datagram of that kind for the sender of a, to leave from the address it was sent to. */
void coo_node_owe_answer(coo_node *n, const coo_node_arrival *a, enum pending_kind kind,
			 uint64_t ref, coo_time delay);

/* Whether presence may be answered at all, and to this source now; counts where it may not. */
bool coo_node_may_ask(coo_node *n, const coo_node_arrival *a);

/* The same, and whether an answer to anybody may leave now. */
bool coo_node_may_answer(coo_node *n, const coo_node_arrival *a);

/* The next answer to an entry that is due, for coo_node_next_tx; false: none. */
bool coo_node_next_presence(coo_node *n, coo_time now, node_pending *p);

/* When the next one is due. */
coo_time coo_node_presence_deadline(const coo_node *n);

coo_event *coo_node_emit_for(coo_node *n, enum coo_event_type type, const coo_node_arrival *a);

/* FeiQ's MAC in the version field, or empty. */
coo_span coo_node_mac_of(const coo_packet *p);

coo_peer *coo_node_sender_of(coo_node *n, const coo_rx *rx, const coo_packet *p);

/* Keeps the first and the last packet number of the peer's present life. */
void coo_node_note_number(coo_peer *peer, const coo_packet *p, coo_time now);
/* It wrote something beyond ASCII, in UTF-8 or in a legacy charset. */
void coo_node_note_charset(coo_peer *peer, bool utf8);

/* BR_ENTRY, ANSENTRY, BR_ABSENCE, BR_EXIT. */
void coo_node_on_presence(coo_node *n, coo_node_arrival *a);

/* Host lists: node_list.c. */
void coo_node_on_list(coo_node *n, coo_node_arrival *a);
bool coo_node_put_list(coo_node *n, coo_buf *out, uint32_t no, const node_pending *p);

/* Presence over time: node_life.c. */
void coo_node_live(coo_node *n, coo_time now);
/* The peer said something. */
void coo_node_heard(coo_node *n, coo_peer *peer, coo_time now);
coo_time coo_node_live_deadline(const coo_node *n);

/* Writes one packet; utf8 chooses which of our names stand in the header. */
bool coo_node_put_packet(coo_node *n, coo_buf *out, uint32_t no, uint32_t command, bool utf8,
			 coo_span ext);

/* Queues a datagram that answers nobody; to NULL: broadcast. */
void coo_node_owe_simple(coo_node *n, enum pending_kind kind, const coo_addr *to, uint32_t ref,
			 coo_time due, coo_time now);

/* NOOPERATION at that time and the command 250 ms later, by broadcast. */
void coo_node_broadcast_round(coo_node *n, uint32_t command, coo_time at, coo_time now);

#endif
