/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_ECHO_REPORT_H
#define COO_CLI_ECHO_REPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

#include "base/charset.h"
#include "cli/echo_out.h"
#include "feature/reflector.h"
#include "feature/responder.h"
#include "feature/tcpecho.h"

/* What coo echo says: at the start, of each datagram, at intervals and at the end. */
struct echo_view {
	coo_responder *udp;
	coo_tcpecho *tcp;     /* NULL: not served */
	coo_reflector *stamp; /* NULL: not served */
	coo_time started, last;
	coo_responder_stats before; /* at the interval before */
	coo_charset *charset;
	bool hex;
	uv_async_t *done; /* ends the run */

	pthread_mutex_t lock; /* what is said by the workers and by the loop, and the rest here */
	struct echo_out out;
	uint64_t not_shown, not_shown_before; /* datagrams, for want of a reader */
};

/* Takes over what is printed; false where memory ran out. */
bool echo_view_init(struct echo_view *v);
void echo_view_fini(struct echo_view *v);

/* false (said) where the charset is unknown. */
bool echo_show_init(struct echo_view *v, const char *charset, bool hex);
void echo_show_fini(struct echo_view *v);

/* For coo_responder_cfg.on_datagram; user is the view. Any thread, one call at a time. */
void echo_show_datagram(void *user, const coo_addr *from, coo_span data,
			enum coo_guard_verdict verdict);

void echo_print_start(struct echo_view *v);

/* What happened since the last time, unless nobody reads it: then it is told the next time. */
void echo_print_stats(struct echo_view *v);

/* The last words; false (said) where nobody read them. */
bool echo_print_summary(struct echo_view *v);

#endif
