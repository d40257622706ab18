/* SPDX-License-Identifier: MIT */
#ifndef COO_TESTS_SUPPORT_RIG_H
#define COO_TESTS_SUPPORT_RIG_H

#include "proto/node.h"
#include "support/test.h"

/*
 * A node in a test bench: what it sends and tells is collected, and its clock stands until it is
 * moved. More than fits is counted, not kept.
 */
enum { RIG_SENT = 128, RIG_EVENTS = 128, RIG_BYTES = 1024 };

struct rig_sent {
	coo_tx tx;
	coo_time at;
	coo_packet p; /* borrows bytes */
	size_t n;
	uint8_t bytes[RIG_BYTES];
};

struct rig_event {
	enum coo_event_type type;
	bool has_peer;
	coo_addr from;
	uint32_t command;
	uint64_t packet_no;
	coo_rtx_entry result;
	size_t n;
	uint8_t text[RIG_BYTES]; /* section 0, cut */
};

struct rig {
	coo_node *node;
	void *mem;
	coo_time now;
	struct rig_sent sent[RIG_SENT];
	struct rig_event events[RIG_EVENTS];
	size_t n_sent, n_events;
	coo_rx next_rx; /* used for the next rig_recv; its from is set by it */
};

/* A member "me" on "here" (nick "coo", group "grp") with small tables; change it before rig_open.
 */
coo_node_cfg rig_cfg(void);

/* Gives: rig_close. Fails the test where the node refuses cfg. */
struct rig *rig_open(const coo_node_cfg *cfg);

/* The same with rig_cfg, and one that tells senders when it opens sealed messages. */
struct rig *rig_member(void);
struct rig *rig_reader(void);
void rig_close(struct rig *r);

/* Delivers one datagram (behind a guard page), collects events and what is to be sent now. */
void rig_recv(struct rig *r, coo_addr from, coo_span dgram);

/* As rig_recv for the text of a C string. */
void rig_recv_str(struct rig *r, coo_addr from, const char *text);

/* Delivers a receipt of this command (RECVMSG, READMSG …) for message number of. */
void rig_receipt(struct rig *r, coo_addr from, uint32_t cmd, uint64_t of);

/* Lets d go by, stopping at every deadline of the node. */
void rig_run(struct rig *r, coo_time d);

/* Collects what the node has to say and to send now. */
void rig_drain(struct rig *r);

/* Forgets what was collected. */
void rig_clear(struct rig *r);

/* Counts what was collected: packets of a command, events of a type. */
size_t rig_count_sent(const struct rig *r, uint32_t cmd);
size_t rig_count_events(const struct rig *r, enum coo_event_type type);

/* What became of the only message that has a result, or the test fails. */
enum coo_rtx_result rig_result(const struct rig *r);

/* The first packet of that command, or the test fails. */
const struct rig_sent *rig_first(const struct rig *r, uint32_t cmd);

/* A message to be acknowledged, with token 7; the text is borrowed. */
coo_send rig_message(coo_addr to, const char *text);

/* Sends it, or fails the test; gives its packet number. */
uint32_t rig_send_text(struct rig *r, coo_addr to, const char *text);

/* 10.0.0.last:2425 */
coo_addr rig_addr(uint8_t last);

#endif
