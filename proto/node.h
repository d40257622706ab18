/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_NODE_H
#define COO_PROTO_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/dialect.h"
#include "proto/err.h"
#include "proto/packet.h"
#include "proto/peer.h"
#include "proto/rtx.h"
#include "proto/span.h"
#include "proto/time.h"

/*
 * The protocol as a machine without sockets, clock or memory of its own: datagrams, time and
 * randomness go in, datagrams and events come out. One thread at a time. The order of calls in a
 * loop is
 *
 *   coo_node_recv for a datagram, coo_node_next_event until false,   (events borrow the datagram)
 *   coo_node_tick, coo_node_next_event until false,
 *   coo_node_next_tx until false, sending each,
 *   wait until coo_node_deadline or the next datagram.
 *
 * Nothing a peer sends makes a call fail: what is wrong with it becomes a counter (coo_node_stats).
 */
typedef struct coo_node coo_node;

/* Our names in one character set. user and host may not be empty and hold neither ':' nor NUL. */
typedef struct coo_names {
	coo_span user, host, nick, group;
} coo_names;

typedef struct coo_node_cfg {
	uint64_t seed;		  /* random: keys the tables, spreads the answers */
	uint32_t first_packet_no; /* 1 to 2^31-1; above every number used before (PROTOCOL.md 2) */
	uint16_t port;		  /* UDP port of the others: 2425 */
	coo_span version;	  /* version field; empty: "1_coo" */
	coo_names legacy, utf8;	  /* copied */
	coo_span info;		  /* answer to GETINFO, ASCII */
	bool member;	 /* on line: announces itself, answers entries, acknowledges messages */
	bool send_read;	 /* opens sealed messages as they come: sends READMSG (PROTOCOL.md 6.3) */
	bool serve_list; /* answers host list questions (PROTOCOL.md 9) */
	uint32_t capabilities;	 /* entry options beside CAPUTF8OPT that the caller honours:
				    FILEATTACHOPT */
	uint32_t max_peers;	 /* 0: 16,384 */
	uint32_t max_messages;	 /* own messages under way; 0: 1,024 */
	uint32_t max_texts;	 /* different texts among them; 0: 64 */
	uint32_t text_cap;	 /* bytes of the longest ext; 0: 32,768 */
	uint32_t names_cap;	 /* bytes of one peer's names together, at least 192; 0: 320 */
	uint32_t names_near;	 /* so many of them beside its record (coo_peers_cfg); 0: 80 */
	uint32_t max_seen;	 /* messages remembered against duplicates; 0: 16,384 */
	coo_time retry_interval; /* 0: 1 s */
	coo_time reannounce;	 /* says again that it is there, give or take a quarter; 0: 5 min */
	coo_time silence;	 /* asks a peer that said nothing for so long; 0: 15 min */
} coo_node_cfg;

/* Bytes that coo_node_init wants; it does not touch most of them until they are needed. */
size_t coo_node_size(const coo_node_cfg *cfg);

/*
 * mem: coo_node_size(cfg) zeroed bytes, aligned as malloc does, which stay in use until the node is
 * thrown away; *out points into it. COO_EINVAL: a name is missing or unclean, or a number is out of
 * range.
 */
COO_MUST_CHECK coo_err coo_node_init(coo_node **out, const coo_node_cfg *cfg, void *mem,
				     size_t mem_size);

/* Where a datagram came from. */
typedef struct coo_rx {
	coo_addr from;
	coo_addr local;	    /* the address it was sent to, or family 0: answers leave from there */
	uint32_t ifindex;   /* or 0 */
	bool was_broadcast; /* sent to a broadcast or multicast address */
	bool foreign;	    /* surely not from our own socket, whatever it says of its sender */
	bool off_link; /* from outside our networks: gets acknowledgements, no presence answers */
} coo_rx;

/* Handles one datagram; the events it causes borrow dgram. now may not run backwards. */
void coo_node_recv(coo_node *n, const coo_rx *rx, coo_span dgram, coo_time now);

/* What to send. */
typedef struct coo_tx {
	bool broadcast; /* to every broadcast address; to.port is the port */
	coo_addr to;
	coo_addr local;	  /* source address to use, or family 0 */
	uint32_t ifindex; /* interface to use, or 0 */
	uint32_t packet_no;
} coo_tx;

/* The next datagram, written to out (of COO_PACKET_MAX bytes); false: nothing to send now. */
bool coo_node_next_tx(coo_node *n, coo_time now, coo_buf *out, coo_tx *tx);

/* Tells that the system refused to send that datagram for good (errno); a message then ends with
 * its attempts. */
void coo_node_tx_failed(coo_node *n, uint32_t packet_no, int error);

enum coo_event_type {
	COO_EV_PEER_UP,	    /* a peer is there: peer */
	COO_EV_PEER_CHANGE, /* its nick, group, absence or address changed: peer */
	COO_EV_PEER_DOWN,   /* it left: peer, for the last time */
	COO_EV_MESSAGE,	    /* a new message: packet, from, peer where known */
	COO_EV_SECOND,	  /* a message or answer of another kind: SENDINFO, SENDABSENCEINFO, DELMSG,
			     RELEASEFILES, RECVMSG and READMSG of a message that does not wait (any
			     more): packet, from */
	COO_EV_LIST,	  /* a page of a host list was taken over: packet, from */
	COO_EV_RESULT,	  /* what became of an own message: result */
	COO_EV_ACKED,	  /* an own message that still waits for being read was delivered: result */
	COO_EV_PEER_SEEN, /* an entry or an answer that told nothing new of a peer: peer, packet */
};

typedef struct coo_event {
	enum coo_event_type type;
	const coo_peer *peer; /* valid until the next coo_node call; NULL where not known */
	coo_rx rx;
	coo_packet packet; /* spans borrow the datagram */
	coo_span dgram;	   /* all of it */
	coo_rtx_entry result;
} coo_event;

bool coo_node_next_event(coo_node *n, coo_event *ev);

/* When coo_node_tick and coo_node_next_tx want to be called next; COO_NEVER: only after a datagram
 * or a command. */
coo_time coo_node_deadline(const coo_node *n);
void coo_node_tick(coo_node *n, coo_time now);

/* Goes on line: NOOPERATION, 250 ms later BR_ENTRY, both again after 5 s (PROTOCOL.md 5.2). */
void coo_node_announce(coo_node *n, coo_time now);

/* Whether it has gone on line and not left. */
bool coo_node_is_announced(const coo_node *n);

/* BR_ENTRY to one address, which makes the host there answer. */
void coo_node_probe(coo_node *n, const coo_addr *to, coo_time now);

/*
 * The absence state: entries carry ABSENCEOPT, BR_ABSENCE tells everybody where it had announced
 * itself, and GETABSENCEINFO is answered with the text (in either character set, copied, at most
 * 200 bytes). Empty texts: present again.
 */
void coo_node_set_absence(coo_node *n, coo_span legacy, coo_span utf8, coo_time now);

/*
 * Asks for host lists: BR_ISGETLIST2 by broadcast (to NULL) or to one host, again after 3 s;
 * whoever offers one is asked for all pages until the time of until. Peers from lists are marked
 * COO_HOW_LIST, and COO_EV_LIST tells of each page.
 */
void coo_node_ask_list(coo_node *n, const coo_addr *to, coo_time until, coo_time now);

/*
 * Asks who is there, once and without the rounds of coo_node_announce: BR_ENTRY to everybody (to is
 * NULL; the first time, always in the full form, 250 ms behind a NOOPERATION) or to one address.
 * plain: without options and without a UTF-8 block, the only form that 内网通 answers, from port
 * 2425 (PROTOCOL.md 5.2); clients that answer both say less then, so it goes behind the full form.
 * Who asked everybody is on their lists until coo_node_leave.
 */
void coo_node_seek(coo_node *n, const coo_addr *to, bool plain, coo_time now);

/* Leaves: BR_EXIT twice, 100 ms apart, where it had announced itself. Afterwards entries are no
 * longer answered. */
void coo_node_leave(coo_node *n, coo_time now);

/*
 * Takes no more messages: new ones are neither told nor acknowledged, so that their senders learn
 * that nobody saw them. Those told before are acknowledged again when they come again.
 */
void coo_node_refuse_messages(coo_node *n);

/* True when nothing is waiting to be sent and no own message waits for its receipt. */
bool coo_node_is_idle(const coo_node *n);

/* An own message. */
typedef struct coo_send {
	uint64_t token; /* comes back with the result; not 0 */
	coo_addr to;
	coo_addr local;	  /* source address, or family 0 */
	uint32_t command; /* COO_CMD_…; 0: SENDMSG */
	uint32_t options; /* COO_OPT_…; COO_OPT_SENDCHECK makes it wait for the receipt */
	coo_span ext; /* text in the receiver's character set, its NUL, further sections; copied */
	uint8_t attempts; /* 0: 5 */
	coo_time wait;	  /* the whole wait; 0: attempts times the interval */
	bool want_read;	  /* the result waits for READMSG too */
	bool broadcast;	  /* to every broadcast address instead of to; no receipt then */
} coo_send;

/*
 * Queues a SENDMSG. COO_EINVAL: no token, no address or no port; COO_EFULL: too many under way,
 * come back after a result; COO_EMSGSIZE: ext longer than text_cap or than a datagram can hold.
 * *packet_no (may be NULL) gets its number.
 */
COO_MUST_CHECK coo_err coo_node_send(coo_node *n, const coo_send *s, coo_time now,
				     uint32_t *packet_no);

/* Queues a command without a receipt and without a text: GETINFO, GETABSENCEINFO, … */
void coo_node_ask(coo_node *n, const coo_addr *to, uint32_t command, coo_time now);

/* Bytes that ext of a message to such a peer may have in a datagram of at most max bytes. */
size_t coo_node_room(const coo_node *n, uint32_t options, size_t max);

/* How many packet numbers were used since init. */
uint32_t coo_node_used_numbers(const coo_node *n);

/* A packet number of this node's sequence for a packet that it does not send itself: requests for
 * files go over TCP. */
uint32_t coo_node_take_no(coo_node *n);

/* The table of peers, read-only. */
const coo_peers *coo_node_peers(const coo_node *n);

/* What happened since init. Every refusal has its counter. */
#define COO_NODE_STAT_LIST(X)                                                                      \
	X(rx, "datagrams received")                                                                \
	X(rx_empty, "empty datagrams")                                                             \
	X(rx_port_zero, "datagrams from port 0, which nobody can answer")                          \
	X(rx_malformed, "not a packet of this protocol")                                           \
	X(rx_version, "version field does not begin with 1")                                       \
	X(rx_range, "numbers out of range")                                                        \
	X(rx_ipdict, "IPDict datagrams, which need encryption")                                    \
	X(rx_own, "own broadcasts heard")                                                          \
	X(rx_unknown, "unknown commands")                                                          \
	X(rx_duplicate, "retransmissions of messages already shown")                               \
	X(rx_receipt_unknown, "receipts for nothing that waits")                                   \
	X(rx_receipt_foreign, "receipts from another address than the message went to")            \
	X(rx_exit_foreign, "BR_EXIT from an address that is not the peer's")                       \
	X(rx_encrypted, "encrypted messages")                                                      \
	X(rx_late, "messages that came after the last one wanted, not acknowledged")               \
	X(rx_list_unasked, "host lists that nobody asked for")                                     \
	X(peers_silent, "peers that fell silent and did not answer")                               \
	X(messages, "messages shown")                                                              \
	X(acks, "acknowledgements sent")                                                           \
	X(limited, "answers withheld by the rate limit")                                           \
	X(queue_full, "answers dropped because the queue was full")                                \
	X(events_lost, "events dropped because nobody took them")                                  \
	X(tx, "datagrams handed out for sending")

typedef struct coo_node_stats {
#define COO_NODE_STAT_FIELD(name, text) uint64_t name;
	COO_NODE_STAT_LIST(COO_NODE_STAT_FIELD)
#undef COO_NODE_STAT_FIELD
} coo_node_stats;

const coo_node_stats *coo_node_get_stats(const coo_node *n);

#endif
