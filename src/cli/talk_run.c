/* SPDX-License-Identifier: MIT */
#include "cli/talk_run.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "cli/exit.h"
#include "cli/out.h"
#include "cli/talk_sess.h"

enum {
	DEFAULT_WAIT_S = 10, /* for --once and --count of a client */
	LINGER_MS = 2000,    /* for what is still to be written to standard output */
};

/* --- the end --------------------------------------------------------------------------------- */

void sess_finish(struct sess *s, int code)
{
	if (s->finishing)
		return;
	s->finishing = true;
	if (s->code == EXIT_DONE)
		s->code = code;
}

int sess_verdict(const struct sess *s)
{
	if (s->plan->count)
		return s->got >= s->plan->count ? EXIT_DONE : EXIT_NOBODY;
	return s->plan->has_wait && s->got == 0 ? EXIT_NOBODY : EXIT_DONE;
}

static void on_wait(uv_timer_t *timer)
{
	struct sess *s = timer->data;

	if (s->got == 0)
		talk_show_note(&s->show, "note", NULL, "nothing came");
	sess_finish(s, sess_verdict(s));
}

static coo_time patience(const struct sess *s)
{
	if (s->plan->has_wait)
		return s->plan->wait;
	if (s->plan->count && s->plan->cfg.n_to > 0)
		return COO_SEC(DEFAULT_WAIT_S);
	return COO_NEVER;
}

void sess_touch(struct sess *s)
{
	coo_time wait = patience(s);

	if (wait == COO_NEVER || s->finishing || s->term || (s->in_started && !s->in_done))
		return;
	coo_ignore(uv_timer_start(&s->wait, on_wait, (wait + 999999) / 1000000, 0));
}

static void on_signal(uv_signal_t *h, int number)
{
	struct sess *s = h->data;

	(void)number;
	sess_finish(s, sess_verdict(s));
}

void sess_flush(struct sess *s)
{
	struct talk_show *w = &s->show;

	if (w->mode == TALK_JSON)
		out_flush();
	if (w->out.n == 0)
		return;
	if (s->term)
		talk_term_print(s->term, strbuf_span(&w->out));
	else if (!coo_outport_write(s->out, strbuf_span(&w->out)))
		coo_talk_pause(s->talk, true);
	w->out.n = 0;
}

/* --- standard output and the terminal -------------------------------------------------------- */

static void close_out(struct sess *s)
{
	coo_outport_close(s->out);
	s->out = NULL;
	if (!uv_is_closing((uv_handle_t *)&s->wait))
		uv_close((uv_handle_t *)&s->wait, NULL);
}

static void on_out_drained(void *user)
{
	struct sess *s = user;

	if (s->closed)
		close_out(s);
	else
		coo_talk_pause(s->talk, false);
}

static void on_out_failed(void *user, int err)
{
	struct sess *s = user;

	/* who reads no more has seen enough: head(1) */
	if (err != EPIPE)
		say_error("cannot write the output: %s", strerror(err));
	if (s->closed)
		return;
	sess_finish(s, EXIT_SYSTEM);
}

static const coo_outport_fns out_fns = { .drained = on_out_drained, .failed = on_out_failed };

static void on_line(void *user, coo_span line)
{
	cmds_take_line(user, line);
}

static void on_term_end(void *user)
{
	struct sess *s = user;

	sess_finish(s, sess_verdict(s));
}

static const struct talk_term_fns term_fns = { .line = on_line, .end = on_term_end };

/* --- running --------------------------------------------------------------------------------- */

static void on_linger(uv_timer_t *timer)
{
	struct sess *s = timer->data;

	say_error("standard output is not read: the rest is lost");
	s->code = EXIT_SYSTEM;
	close_out(s);
}

static void close_all(struct sess *s)
{
	s->closed = true;
	if (s->talk)
		coo_talk_close(s->talk);
	sess_flush(s);
	talk_term_close(s->term);
	s->term = NULL;
	input_close(s);
	uv_close((uv_handle_t *)&s->repeat, NULL);
	uv_close((uv_handle_t *)&s->quiet, NULL);
	uv_close((uv_handle_t *)&s->sigint, NULL);
	uv_close((uv_handle_t *)&s->sigterm, NULL);
	uv_close((uv_handle_t *)&s->prepare, NULL);
	if (!s->out || coo_outport_is_empty(s->out))
		close_out(s);
	else /* a reader that never comes back must not keep us */
		coo_ignore(uv_timer_start(&s->wait, on_linger, LINGER_MS, 0));
}

/* Before the loop waits: what the last turn brought is shown, and the end is put into effect where
 * nobody stands in the middle of a callback. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct sess *s = prepare->data;

	if (!s->finishing)
		sess_flush(s);
	if (s->leave_when_idle && s->plan->cfg.kind == COO_TALK_UDP && coo_talk_is_idle(s->talk))
		sess_finish(s, sess_verdict(s));
	if (s->finishing)
		close_all(s);
}

static void init_handles(struct sess *s)
{
	coo_ignore(uv_loop_init(&s->loop));
	coo_ignore(uv_timer_init(&s->loop, &s->wait));
	coo_ignore(uv_timer_init(&s->loop, &s->quiet));
	coo_ignore(uv_signal_init(&s->loop, &s->sigint));
	coo_ignore(uv_signal_init(&s->loop, &s->sigterm));
	coo_ignore(uv_prepare_init(&s->loop, &s->prepare));
	s->wait.data = s->quiet.data = s->prepare.data = s;
	s->sigint.data = s->sigterm.data = s;
	coo_ignore(uv_signal_start(&s->sigint, on_signal, SIGINT));
	coo_ignore(uv_signal_start(&s->sigterm, on_signal, SIGTERM));
	coo_ignore(uv_prepare_start(&s->prepare, on_prepare));
	uv_unref((uv_handle_t *)&s->sigint);
	uv_unref((uv_handle_t *)&s->sigterm);
	input_init(s);
}

/* Looks at standard input and output and chooses how traffic is shown. */
static void choose_mode(struct sess *s)
{
	const struct talk_plan *p = s->plan;
	bool eyes = isatty(STDOUT_FILENO);
	struct talk_show *w = &s->show;

	w->front = eyes && isatty(STDIN_FILENO) && !out_is_json() && !p->text && !p->repeats &&
		   !(p->file && p->cfg.kind != COO_TALK_CLIENT && p->cfg.n_to == 0);
	if (out_is_json())
		w->mode = TALK_JSON;
	else if (eyes && (w->front || !out_is_quiet()))
		w->mode = TALK_EYES;
	else if (p->hex || eyes || p->named_charset || p->log || p->cfg.kind == COO_TALK_UDP ||
		 p->cfg.framing != COO_FRAME_NONE)
		w->mode = TALK_PLAIN;
	else
		w->mode = TALK_RAW;
	w->escape = eyes;
	w->exact = p->eol == TALK_EOL_NONE;
	w->hex = p->hex;
	w->color = out_has_color() && w->mode == TALK_EYES;
	w->number = p->cfg.kind == COO_TALK_SERVER;
	w->guessed = !p->named_charset;
	w->cs = w->mode >= TALK_EYES || eyes || p->hex || p->log || p->named_charset ? p->cs : NULL;
}

static bool open_log(struct sess *s)
{
	if (!s->plan->log)
		return true;
	s->show.log = fopen(s->plan->log, "ae");
	if (!s->show.log) {
		say_error("cannot write the log %s: %s", s->plan->log, strerror(errno));
		return false;
	}
	setvbuf(s->show.log, NULL, _IOLBF, 0);
	return true;
}

static bool close_log(struct sess *s)
{
	bool failed;

	if (!s->show.log)
		return true;
	failed = ferror(s->show.log) != 0;
	if (fclose(s->show.log) == 0 && !failed)
		return true;
	say_error("cannot write the log %s: %s", s->plan->log, strerror(errno));
	return false;
}

static bool open_front(struct sess *s)
{
	char *path;

	if (!s->show.front)
		return coo_outport_open(&s->loop, STDOUT_FILENO, &out_fns, s, &s->out) == COO_OK;
	path = talk_term_history_path(s->plan->target);
	s->term = talk_term_open(&s->loop, path, &term_fns, s);
	free(path);
	if (!s->term)
		return false;
	talk_show_note(&s->show, "note", NULL, "%s; /help lists the commands, Ctrl-D ends",
		       s->plan->target);
	return true;
}

static bool open_talk(struct sess *s)
{
	const coo_talk_cfg *cfg = &s->plan->cfg;
	char addr[COO_ADDR_TEXT_CAP];
	coo_err e = coo_talk_open(&s->loop, cfg, &sess_talk_fns, s, &s->talk);
	int err = errno;

	if (e == COO_OK)
		return true;
	talk_term_close(s->term);
	s->term = NULL;
	s->show.front = false;
	say_error("cannot open %s %s: %s", cfg->kind == COO_TALK_UDP ? "UDP" : "TCP",
		  coo_addr_text(&cfg->bind, addr),
		  e == COO_ESYS ? coo_tcp_why(err) : coo_err_text(e));
	return false;
}

/* A target that can be sent to at once needs no one to speak first. */
static void start(struct sess *s)
{
	const coo_talk_cfg *cfg = &s->plan->cfg;

	if (cfg->kind == COO_TALK_UDP && cfg->n_to > 0)
		input_start(s);
	sess_touch(s);
}

int talk_run(const struct talk_plan *plan)
{
	struct sess s;
	bool ok;

	memset(&s, 0, sizeof(s));
	s.plan = plan;
	choose_mode(&s);
	s.send_hex = plan->send_hex;
	if (!open_log(&s))
		return EXIT_SYSTEM;
	init_handles(&s);
	ok = open_front(&s) && open_talk(&s);
	if (ok)
		start(&s);
	else
		sess_finish(&s, EXIT_SYSTEM);
	coo_ignore(uv_run(&s.loop, UV_RUN_DEFAULT));
	coo_talk_free(s.talk);
	if (!close_log(&s))
		s.code = EXIT_SYSTEM;
	strbuf_free(&s.input);
	strbuf_free(&s.payload);
	strbuf_free(&s.unit);
	talk_show_free(&s.show);
	coo_ignore(uv_loop_close(&s.loop));
	return s.code;
}
