/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TALK_SESS_H
#define COO_CLI_TALK_SESS_H

#include "cli/talk_run.h"
#include "cli/talk_term.h"
#include "engine/stdport.h"

/* One run of coo talk; what its files share, nobody else includes this. */
struct sess {
	const struct talk_plan *plan;
	uv_loop_t loop;
	coo_talk *talk;
	struct talk_show show;
	struct talk_term *term; /* NULL: standard input is data */
	coo_outport *out;
	uint64_t flaws[COO_TALK_FLAWS]; /* how often each was met */
	uint64_t got;			/* frames, datagrams or pieces that came */
	bool finishing, closed;
	bool leave_when_idle; /* all that is left is to send what waits */
	int code;
	uv_timer_t wait, quiet;
	uv_signal_t sigint, sigterm;
	uv_prepare_t prepare;

	/* talk_input.c */
	coo_inport *in;
	int in_fd; /* of --file, or -1 */
	bool in_started, in_eof, in_done, in_paused;
	uint64_t in_sent; /* units or chunks that were sent */
	struct strbuf input;
	size_t input_at;
	bool send_hex;
	uv_timer_t repeat;
	uint64_t rounds; /* of --repeat, still to be done */
	struct strbuf payload, unit;
};

/* talk_run.c */
/* Ends the run from the loop's next turn on; the first code stays. */
void sess_finish(struct sess *s, int code);
/* What the exit code is when nothing went wrong. */
int sess_verdict(const struct sess *s);
/* Something was sent or came: --wait begins anew. */
void sess_touch(struct sess *s);

/* Hands what was shown so far to the terminal or to standard output. */
void sess_flush(struct sess *s);

/* talk_events.c */
extern const coo_talk_fns sess_talk_fns;

/* talk_input.c */
void input_init(struct sess *s);
/* There is somebody to talk to: from here on the input is read. */
void input_start(struct sess *s);
/* The peers take bytes again. */
void input_go_on(struct sess *s);
void input_close(struct sess *s);
/* Sends one line of text as the options say: hex, charset, line end, frame. */
void input_send_line(struct sess *s, coo_span line);

/* talk_cmds.c: a line that was typed; "/…" is a command, "//…" the text "/…". */
void cmds_take_line(struct sess *s, coo_span line);

#endif
