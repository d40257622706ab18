/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_DELIVERY_H
#define COO_CLI_DELIVERY_H

#include "cli/net.h"
#include "cli/opt.h"
#include "cli/send_result.h"
#include "feature/outbox.h"
#include "feature/relay.h"

/* One text on its way to some: what "coo send" and "coo broadcast" have in common. */

struct delivery_opts {
	const char *message;
	coo_time wait;
	uint64_t retries;
	bool sealed, utf8;
};

#define DELIVERY_OPTS_DEFAULT                                                                      \
	{                                                                                          \
		.wait = COO_SEC(5), .retries = 5                                                   \
	}

/* Their rows in an option table; at is offsetof the struct delivery_opts. */
#define DELIVERY_OPTS(at_, message_help, sealed_help)                                              \
	{ .letter = 'm',                                                                           \
	  .name = "message",                                                                       \
	  .kind = OPT_STR,                                                                         \
	  .at = (at_) + offsetof(struct delivery_opts, message),                                   \
	  .arg = "TEXT",                                                                           \
	  .help = (message_help) },                                                                \
	    { .letter = 'w',                                                                       \
	      .name = "wait",                                                                      \
	      .kind = OPT_DURATION,                                                                \
	      .at = (at_) + offsetof(struct delivery_opts, wait),                                  \
	      .arg = "D",                                                                          \
	      .min = COO_MS(10),                                                                   \
	      .max = COO_SEC(86400),                                                               \
	      .help = "the whole wait for each receipt (5s)" },                                    \
	    { .name = "retries",                                                                   \
	      .kind = OPT_UINT,                                                                    \
	      .at = (at_) + offsetof(struct delivery_opts, retries),                               \
	      .arg = "N",                                                                          \
	      .min = 1,                                                                            \
	      .max = 100,                                                                          \
	      .help = "how often it is sent in all until then (5)" },                              \
	    { .name = "sealed",                                                                    \
	      .kind = OPT_FLAG,                                                                    \
	      .at = (at_) + offsetof(struct delivery_opts, sealed),                                \
	      .help = (sealed_help) },                                                             \
	{                                                                                          \
		.name = "utf8", .kind = OPT_FLAG,                                                  \
		.at = (at_) + offsetof(struct delivery_opts, utf8),                                \
		.help = "send UTF-8 to everybody"                                                  \
	}

struct delivery {
	const struct common *common;
	const struct delivery_opts *opts;
	struct net net;
	coo_outbox *outbox;
	coo_relay *relay; /* NULL where the port is ours */
	char *mem;	  /* of a text from stdin, or NULL */
	coo_span text;	  /* UTF-8 */
	struct send_tally tally;
	bool stopped; /* by Ctrl-C */
};

/* The text: given, or stdin where that is NULL or "-". False, said why, where there is none or none
 * that can be sent; where names the places it may come from: "after the targets, with -m". */
bool delivery_read_text(struct delivery *d, const char *given, const char *where);

/* Fills the parts of *wish that do not depend on the command; n targets. on_event is the caller's,
 * its user has to begin with *d. */
void delivery_wish(const struct delivery *d, size_t n, struct net_wish *wish);

/* Fills the same parts of *cfg, once the net is open. */
void delivery_outbox(const struct delivery *d, coo_outbox_cfg *cfg);

/* A mailbox for what comes to the listener that holds the usual port. */
void delivery_open_mailbox(struct delivery *d);

/* Says that Ctrl-C came and how many of n have no result. */
void delivery_say_stopped(const struct delivery *d, size_t n);

/* Closes mailbox, outbox and net. */
void delivery_close(struct delivery *d);

/* Frees the text. */
void delivery_free(struct delivery *d);

#endif
