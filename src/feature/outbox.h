/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_OUTBOX_H
#define COO_FEATURE_OUTBOX_H

#include "engine/driver.h"
#include "feature/text.h"
#include "proto/attr.h"

/*
 * One text to many: each target gets it in its own character set, with its own packet number and
 * its own result. A text that was split goes part by part, each after the receipt of the one
 * before. Sending is paced: not more than 1,000 messages a second leave for other hosts.
 */
typedef struct coo_outbox coo_outbox;

enum coo_delivery {
	COO_DELIVERY_PENDING,
	COO_DELIVERY_ACKED,
	COO_DELIVERY_READ,   /* acknowledged and opened */
	COO_DELIVERY_UNREAD, /* acknowledged, but not opened in time */
	COO_DELIVERY_SENT,   /* no receipt was asked for */
	COO_DELIVERY_TIMEOUT,
	COO_DELIVERY_ERROR,
};

typedef struct coo_outbox_result {
	size_t index; /* of the target, in the order of coo_outbox_add */
	coo_addr to;
	enum coo_delivery delivery;
	unsigned attempts; /* of the part that needed most */
	coo_time rtt;	   /* first transmission to receipt, last part; 0: no receipt */
	uint32_t packet_no;
	int error;	     /* errno, or 0 */
	const char *charset; /* what the text went out in; static */
	size_t lost;	     /* characters that it cannot hold, sent as '?' */
	unsigned parts;
} coo_outbox_result;

typedef struct coo_outbox_cfg {
	coo_driver *driver;
	coo_text *text;
	const char *charset; /* force this one, or NULL: choose for each peer */
	coo_span utf8;	     /* the text; borrowed until coo_outbox_free */
	uint32_t options;    /* COO_OPT_… of every message */
	uint8_t attempts;
	coo_time wait; /* for each message */
	bool want_read;
	bool split;	   /* a text that does not fit goes in parts */
	size_t max_packet; /* bytes of a datagram that every target can take */

	/* What follows the text's NUL, a list of files; put NULL: nothing. names are part of what
	 * the charset is chosen for, room is what put needs at most. on_sent comes as soon as the
	 * message has its number, before it leaves; then split has to be off. */
	coo_err (*put)(void *user, const coo_text_plan *plan, coo_buf *out, size_t *lost);
	void (*on_sent)(void *user, const coo_outbox_result *r, const coo_text_plan *plan);
	coo_span names; /* UTF-8; borrowed until coo_outbox_free */
	size_t room;
	void *put_user;
	void (*on_result)(void *user, const coo_outbox_result *r); /* once for each target */
	void *user;
} coo_outbox_cfg;

/* Gives: coo_outbox_free. */
COO_MUST_CHECK coo_err coo_outbox_new(const coo_outbox_cfg *cfg, coo_outbox **out);
void coo_outbox_free(coo_outbox *o);

/* Adds a target; index counts from 0. An address without family is everybody, by broadcast, and
 * options may then not ask for a receipt. COO_ENOMEM. */
COO_MUST_CHECK coo_err coo_outbox_add(coo_outbox *o, const coo_addr *to);

/*
 * Whether the text fits, in the charset that it would go out in; *fits gets the bytes of text that
 * do. COO_EMSGSIZE where it does not and split is off; COO_ECHARSET where the forced charset is
 * unknown.
 */
COO_MUST_CHECK coo_err coo_outbox_check(coo_outbox *o, size_t *fits);

/* Begins. Results come from the loop, and from this call where something fails at once. */
void coo_outbox_start(coo_outbox *o);

/* To be called with every COO_EV_RESULT and COO_EV_ACKED of the node; ignores those that are not
 * its own. */
void coo_outbox_on_event(coo_outbox *o, const coo_event *ev);

/* Targets without a result yet. */
size_t coo_outbox_pending(const coo_outbox *o);

#endif
