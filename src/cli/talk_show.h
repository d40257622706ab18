/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TALK_SHOW_H
#define COO_CLI_TALK_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "base/charset.h"
#include "cli/strbuf.h"
#include "feature/talk.h"
#include "feature/textstream.h"

/* How the traffic of coo talk looks: for eyes, for a pipe, as JSON; and in the log file. */
enum talk_mode {
	TALK_RAW,   /* bytes as they came */
	TALK_PLAIN, /* text or hex dump alone; a line feed behind each message */
	TALK_EYES,  /* with time, direction and peer */
	TALK_JSON,
};

struct talk_show {
	enum talk_mode mode;
	bool hex;
	bool exact;  /* no line feed of ours behind a message */
	bool escape; /* a terminal shows it */
	bool color;
	bool number;	 /* peers have numbers: a server */
	bool front;	 /* notes belong between the traffic, not to stderr */
	coo_charset *cs; /* NULL: bytes as they are (RAW, PLAIN) */
	bool guessed;	 /* nobody named the charset */
	bool hinted;
	FILE *log;
	struct strbuf out; /* for stdout; whoever runs the loop writes it */
	struct strbuf text;
	long stamp_second;
	char stamp[16];
};

/* One message or piece of a stream; text is the decoder of the peer's stream, NULL for what was
 * sent and for datagrams. */
void talk_show_bytes(struct talk_show *s, const coo_talk_peer *p, coo_textstream *text,
		     coo_span bytes, bool whole, bool sent);
/* The stream ends: the start of a character that was held back is shown as bytes. */
void talk_show_end(struct talk_show *s, const coo_talk_peer *p, coo_textstream *text);
/* What was typed went to several peers or to an address: label says which. */
void talk_show_sent(struct talk_show *s, const char *label, coo_span bytes);

/* About peers and connections: an event of this type in JSON, else a line for people. p may be
 * NULL. */
COO_PRINTF(4, 5)
void talk_show_note(struct talk_show *s, const char *type, const coo_talk_peer *p, const char *fmt,
		    ...);
/* As talk_show_note, but also with -q; no event. */
COO_PRINTF(2, 3) void talk_show_error(struct talk_show *s, const char *fmt, ...);

/* "#3 10.0.0.7:5000" or the address alone. */
#define TALK_LABEL_CAP 96
const char *talk_show_label(const struct talk_show *s, const coo_talk_peer *p,
			    char text[TALK_LABEL_CAP]);

void talk_show_free(struct talk_show *s);

#endif
