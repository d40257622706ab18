/* SPDX-License-Identifier: MIT */
/* What happens in a talk, and what coo talk says about it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/exit.h"
#include "cli/out.h"
#include "cli/talk_sess.h"
#include "cli/xalloc.h"

enum { QUIET_MS = 100 }; /* a pause that ends an answer without a mark */

static void on_quiet(uv_timer_t *timer)
{
	struct sess *s = timer->data;

	sess_finish(s, sess_verdict(s));
}

static void count_one(struct sess *s, bool whole)
{
	s->got++;
	sess_touch(s);
	if (!s->plan->count || s->got < s->plan->count)
		return;
	if (whole)
		sess_finish(s, EXIT_DONE);
	else /* a stream has no borders: a pause ends the answer */
		coo_ignore(uv_timer_start(&s->quiet, on_quiet, QUIET_MS, 0));
}

static bool tells_of_peers(const struct sess *s)
{
	return s->show.mode >= TALK_EYES || out_verbosity() > 0;
}

static void decoder_new(struct sess *s, coo_talk_peer *p)
{
	coo_textstream *text;

	if (!s->show.cs || !p->tcp)
		return;
	text = xcalloc(1, sizeof(*text));
	coo_textstream_init(text, s->show.cs);
	p->user = text;
}

static void on_ready(void *user, const coo_addr *local, coo_talk_peer *peer)
{
	struct sess *s = user;
	char a[COO_ADDR_TEXT_CAP], b[COO_ADDR_TEXT_CAP];
	const coo_talk_cfg *cfg = &s->plan->cfg;

	out_start("talk", local);
	coo_addr_text(local, a);
	if (peer) {
		decoder_new(s, peer);
		if (tells_of_peers(s))
			talk_show_note(&s->show, "connected", peer, "connected to %s from %s",
				       coo_addr_text(&peer->addr, b), a);
		input_start(s);
	} else if (cfg->kind == COO_TALK_SERVER || cfg->n_to == 0 || cfg->group.family) {
		talk_show_note(&s->show, "listening", NULL, "listening on %s", a);
	} else if (s->show.mode == TALK_EYES) {
		talk_show_note(&s->show, "ready", NULL, "sending from %s", a);
	}
}

static void on_peer_up(void *user, coo_talk_peer *p)
{
	struct sess *s = user;
	char label[TALK_LABEL_CAP];

	decoder_new(s, p);
	if (p->tcp && tells_of_peers(s))
		talk_show_note(&s->show, "peer_up", p, "%s connected",
			       talk_show_label(&s->show, p, label));
	input_start(s);
	input_go_on(s);
}

static void on_frame(void *user, coo_talk_peer *p, coo_span bytes, bool whole)
{
	struct sess *s = user;

	if (s->finishing)
		return;
	if (s->show.mode == TALK_RAW) {
		sess_flush(s);
		if (!coo_outport_write(s->out, bytes))
			coo_talk_pause(s->talk, true);
	} else {
		talk_show_bytes(&s->show, p, p->user, bytes, whole, false);
	}
	count_one(s, whole);
}

static void on_sent(void *user, coo_talk_peer *p, coo_span bytes)
{
	struct sess *s = user;

	if (!s->finishing && (s->show.mode >= TALK_EYES || s->show.log))
		talk_show_bytes(&s->show, p, NULL, bytes, true, true);
	sess_touch(s);
}

/* A peer decides how often it is faulty, but not how much we say: the first ones, then the 16th,
 * the 32nd … */
static bool is_worth_saying(uint64_t n)
{
	return n <= 8 || (n & (n - 1)) == 0;
}

static void on_flaw(void *user, coo_talk_peer *p, enum coo_talk_flaw flaw, uint64_t value)
{
	struct sess *s = user;
	char label[TALK_LABEL_CAP];

	if (!is_worth_saying(++s->flaws[flaw]))
		return;
	talk_show_label(&s->show, p, label);
	switch (flaw) {
	case COO_TALK_ABSURD:
		talk_show_error(&s->show,
				"%s: a length of %llu bytes is absurd: this is not --frame %s; "
				"from here the bytes are shown as they come",
				label, (unsigned long long)value,
				coo_framing_names[s->plan->cfg.framing]);
		return;
	case COO_TALK_UNFINISHED:
		talk_show_error(&s->show, "%s: the last frame is not complete: %llu bytes of it",
				label, (unsigned long long)value);
		return;
	case COO_TALK_SLOW:
		talk_show_error(&s->show, "%s does not read: %llu texts dropped for it", label,
				(unsigned long long)value);
		return;
	case COO_TALK_EXEC_FAILED:
		talk_show_error(&s->show, "%s: the program of --reply exec: %s", label,
				value ? strerror((int)value)
				      : "failed, was too slow, or too many wait for it");
		return;
	case COO_TALK_SILENT:
		talk_show_note(&s->show, "silent", p,
			       "%s is not answered: its port %llu belongs to a service that "
			       "answers by itself, or it is this program",
			       label, (unsigned long long)value);
		return;
	case COO_TALK_NO_MEMORY:
		talk_show_error(&s->show, "%s: out of memory", label);
		return;
	case COO_TALK_FLAWS:
		return;
	}
}

static void on_peer_end(void *user, coo_talk_peer *p)
{
	struct sess *s = user;
	char label[TALK_LABEL_CAP];

	talk_show_end(&s->show, p, p->user);
	if (s->finishing)
		return;
	if (s->in_done && !s->term && s->plan->cfg.kind == COO_TALK_SERVER &&
	    s->plan->cfg.reply == COO_TALK_NO_REPLY)
		coo_talk_end_peer(s->talk, p); /* there is nothing more to send to it */
	if (!tells_of_peers(s))
		return;
	talk_show_note(
	    &s->show, "peer_end", p, "%s: peer closed its side%s",
	    talk_show_label(&s->show, p, label),
	    s->term && s->plan->cfg.reply == COO_TALK_NO_REPLY ? "; you can go on sending" : "");
}

static void on_peer_down(void *user, coo_talk_peer *p, int err)
{
	struct sess *s = user;
	char label[TALK_LABEL_CAP];

	talk_show_end(&s->show, p, p->user);
	free(p->user);
	p->user = NULL;
	if (!p->tcp || s->finishing)
		return;
	talk_show_label(&s->show, p, label);
	if (s->plan->cfg.kind == COO_TALK_SERVER) {
		if (tells_of_peers(s))
			talk_show_note(&s->show, "peer_down", p, "%s: %s", label, coo_tcp_why(err));
		if (s->leave_when_idle && coo_talk_n_peers(s->talk) == 0)
			sess_finish(s, sess_verdict(s));
		input_go_on(s); /* to wait for the next client, where it was the last */
		return;
	}
	if (err)
		talk_show_error(&s->show, "%s: %s", label, coo_tcp_why(err));
	else if (tells_of_peers(s))
		talk_show_note(&s->show, "peer_down", p, "%s: closed", label);
	sess_finish(s, err ? EXIT_NOBODY : sess_verdict(s));
}

static bool is_local_trouble(int err)
{
	return err == ENETUNREACH || err == EHOSTUNREACH || err == EACCES || err == EPERM ||
	       err == EADDRNOTAVAIL || err == EADDRINUSE || err == ENOMEM || err == EMFILE;
}

static void on_unconnected(void *user, const coo_addr *to, int err, bool last)
{
	struct sess *s = user;
	char addr[COO_ADDR_TEXT_CAP];

	if (last || out_verbosity() > 0)
		talk_show_error(&s->show, "%s: %s", coo_addr_text(to, addr), coo_tcp_why(err));
	if (last)
		sess_finish(s, is_local_trouble(err) ? EXIT_SYSTEM : EXIT_NOBODY);
}

static void on_send_failed(void *user, const coo_addr *to, int err)
{
	struct sess *s = user;
	char addr[COO_ADDR_TEXT_CAP];

	talk_show_error(&s->show, "%s: not sent: %s", coo_addr_text(to, addr),
			err == EMSGSIZE ? "too long for the way there" : coo_tcp_why(err));
	if (!s->term && s->code == EXIT_DONE)
		s->code = EXIT_SYSTEM;
}

static void on_drained(void *user)
{
	input_go_on(user);
}

const coo_talk_fns sess_talk_fns = {
	.ready = on_ready,
	.peer_up = on_peer_up,
	.frame = on_frame,
	.sent = on_sent,
	.flaw = on_flaw,
	.peer_end = on_peer_end,
	.peer_down = on_peer_down,
	.unconnected = on_unconnected,
	.send_failed = on_send_failed,
	.drained = on_drained,
};
