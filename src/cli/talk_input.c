/* SPDX-License-Identifier: MIT */
/* What coo talk sends: standard input, a file or the operands, cut into units. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "cli/exit.h"
#include "cli/out.h"
#include "cli/talk_hex.h"
#include "cli/talk_sess.h"

enum {
	CHUNK = 256 << 10,
	LONGEST_LINE = 1 << 20, /* is cut there */
	FILE_DATAGRAM = 1024,	/* bytes of a file in one datagram */
	MAX_PAYLOAD = 16 << 20, /* of --repeat, and of a file that is one frame */
};

static bool is_udp(const struct sess *s)
{
	return s->plan->cfg.kind == COO_TALK_UDP;
}

static bool is_framed(const struct sess *s)
{
	return s->plan->cfg.framing != COO_FRAME_NONE;
}

/* A stream without borders keeps the line feeds of its input. */
static bool is_stream(const struct sess *s)
{
	return !is_udp(s) && !is_framed(s) && s->plan->eol == TALK_EOL_UNSET && !s->send_hex;
}

/* Bytes pass untouched and unseen: the fast road. */
static bool is_raw(const struct sess *s)
{
	if (s->plan->file && !s->plan->repeats)
		return !is_udp(s) && !is_framed(s);
	return is_stream(s) && coo_charset_is_utf8(s->plan->cs);
}

static bool wants_whole(const struct sess *s)
{
	return s->plan->repeats || (s->plan->file && is_framed(s) && !is_udp(s));
}

/* --- sending --------------------------------------------------------------------------------- */

static void say_not_sent(struct sess *s, coo_err e, size_t n)
{
	if (e == COO_ENOENT)
		talk_show_error(&s->show, "not sent: there is nobody to send it to yet");
	else if (e == COO_EMSGSIZE)
		talk_show_error(&s->show,
				"not sent: %zu bytes do not fit one datagram (at most %d)", n,
				COO_TALK_MAX_DATAGRAM);
	else if (e == COO_ERANGE)
		talk_show_error(&s->show, "not sent: %zu bytes are too long for --frame %s", n,
				coo_framing_names[s->plan->cfg.framing]);
	else if (e == COO_EFORMAT)
		talk_show_error(&s->show, "not sent: with --frame nul a text holds no zero byte");
	else if (e == COO_EINVAL)
		talk_show_error(&s->show, "not sent: our side of the connection is closed");
	else if (e != COO_EFULL && e != COO_ESYS) /* told by the talk itself */
		talk_show_error(&s->show, "not sent: %s", coo_err_text(e));
}

/* Whom the next text goes to. */
static const char *target_label(const struct sess *s, char text[TALK_LABEL_CAP])
{
	const coo_talk_cfg *cfg = &s->plan->cfg;
	coo_talk_peer *p = coo_talk_target(s->talk);
	char addr[COO_ADDR_TEXT_CAP];

	if (p)
		return talk_show_label(&s->show, p, text);
	if (cfg->kind == COO_TALK_SERVER)
		snprintf(text, TALK_LABEL_CAP, "all (%zu)", coo_talk_n_peers(s->talk));
	else if (coo_talk_target_addr(s->talk))
		snprintf(text, TALK_LABEL_CAP, "%s",
			 coo_addr_text(coo_talk_target_addr(s->talk), addr));
	else
		snprintf(text, TALK_LABEL_CAP, "%zu addresses", cfg->n_to);
	return text;
}

static void send_bytes(struct sess *s, coo_span bytes, bool framed)
{
	coo_err e = framed ? coo_talk_send(s->talk, bytes) : coo_talk_send_raw(s->talk, bytes);
	char label[TALK_LABEL_CAP];

	if (e != COO_OK) {
		say_not_sent(s, e, bytes.n);
		if (!s->term && e != COO_EFULL)
			s->code = EXIT_NOBODY;
		return;
	}
	s->in_sent++;
	if (s->show.mode >= TALK_EYES || s->show.log)
		talk_show_sent(&s->show, target_label(s, label), bytes);
	sess_touch(s);
}

/* UTF-8 as typed → the charset of the wire. */
static void put_encoded(struct sess *s, coo_span text)
{
	size_t lost = 0;
	coo_buf w;

	if (coo_charset_is_utf8(s->plan->cs)) {
		strbuf_put(&s->unit, text);
		return;
	}
	w = strbuf_room(&s->unit, 8 * text.n + 16);
	if (coo_charset_encode(s->plan->cs, text, &w, &lost) != COO_OK) {
		strbuf_put(&s->unit, text);
		talk_show_error(&s->show, "the input is not UTF-8: sent as it is");
		return;
	}
	strbuf_did(&s->unit, &w);
	if (lost)
		talk_show_error(&s->show, "%zu character%s not in %s: sent as \"?\"", lost,
				lost == 1 ? " is" : "s are", coo_charset_name(s->plan->cs));
}

void input_send_line(struct sess *s, coo_span line)
{
	s->unit.n = 0;
	if (!s->send_hex) {
		put_encoded(s, line);
	} else if (!talk_hex_parse(line, &s->unit)) {
		talk_show_error(&s->show, "not sent: this is not hex: two digits a byte, as "
					  "\"c4 e3 ba c3\" or \"c4e3bac3\"");
		if (!s->term)
			s->code = EXIT_USAGE;
		return;
	}
	if (s->plan->eol == TALK_EOL_LF)
		strbuf_put_str(&s->unit, "\n");
	else if (s->plan->eol == TALK_EOL_CRLF)
		strbuf_put_str(&s->unit, "\r\n");
	send_bytes(s, strbuf_span(&s->unit), true);
}

/* --- units ----------------------------------------------------------------------------------- */

/* The next unit of *in: a line, a piece of a file; false where more of the input has to come. */
static bool next_unit(const struct sess *s, coo_span *in, bool eof, coo_span *unit)
{
	size_t at, longest = is_udp(s) ? COO_TALK_MAX_DATAGRAM : LONGEST_LINE;

	if (in->n == 0)
		return false;
	if (s->plan->file) {
		at = is_udp(s) ? FILE_DATAGRAM : in->n;
		if (at > in->n && !eof)
			return false;
		*unit = coo_span_head(*in, at);
		*in = coo_span_skip(*in, at);
		return true;
	}
	at = coo_span_find(*in, '\n');
	if (at == in->n && at < longest && !eof)
		return false;
	if (at > longest) {
		*unit = coo_span_head(*in, longest);
		*in = coo_span_skip(*in, longest);
		return true;
	}
	*unit = coo_span_head(*in, at + (is_stream(s) ? 1 : 0));
	*in = coo_span_skip(*in, at + 1);
	return true;
}

static void send_unit(struct sess *s, coo_span unit)
{
	if (s->plan->file)
		send_bytes(s, unit, true);
	else
		input_send_line(s, unit);
}

/* Clients that closed their side before it was known that there is nothing to send. */
static void end_the_ended(struct sess *s)
{
	for (coo_talk_peer *p = coo_talk_peers(s->talk); p; p = p->next) {
		if (p->tcp && coo_tcp_has_ended(p->tcp))
			coo_talk_end_peer(s->talk, p);
	}
}

static void all_sent(struct sess *s)
{
	s->in_done = true;
	input_close(s);
	if (s->term)
		return; /* a file was sent, a person goes on */
	if (s->plan->cfg.kind == COO_TALK_CLIENT) {
		coo_talk_end(s->talk);
	} else if (is_udp(s)) {
		s->leave_when_idle = s->plan->cfg.n_to > 0 && !s->plan->has_wait && !s->plan->count;
	} else if (s->in_sent > 0) {
		coo_talk_end(s->talk);
		s->leave_when_idle = !s->plan->has_wait && !s->plan->count;
		if (s->leave_when_idle && coo_talk_n_peers(s->talk) == 0)
			sess_finish(s, sess_verdict(s));
	} else {
		end_the_ended(s);
	}
	sess_touch(s);
}

/* Nobody takes more now: the peer is slow, or a server's last client has gone. */
static bool must_wait(const struct sess *s)
{
	return coo_talk_is_busy(s->talk) ||
	       (s->plan->cfg.kind == COO_TALK_SERVER && !s->term && coo_talk_n_peers(s->talk) == 0);
}

static void watch_input(struct sess *s, bool paused)
{
	if (!s->in || s->in_paused == paused || s->in_eof)
		return;
	s->in_paused = paused;
	if (paused)
		coo_inport_pause(s->in);
	else
		coo_inport_resume(s->in);
}

/* Sends as many units as the peers take now. */
static void pump(struct sess *s)
{
	coo_span rest = coo_span_skip(strbuf_span(&s->input), s->input_at), unit;

	while (!s->finishing && !coo_talk_is_busy(s->talk) && next_unit(s, &rest, s->in_eof, &unit))
		send_unit(s, unit);
	strbuf_drop(&s->input, s->input.n - rest.n);
	s->input_at = 0;
	watch_input(s, must_wait(s));
	if (s->in_eof && rest.n == 0 && !s->in_done)
		all_sent(s);
}

void input_go_on(struct sess *s)
{
	if (s->in_done || !s->in_started || s->plan->repeats)
		return;
	if (is_raw(s) && !s->plan->text)
		watch_input(s, must_wait(s));
	else
		pump(s);
}

/* --- repeating ------------------------------------------------------------------------------- */

static void on_round(uv_timer_t *timer)
{
	struct sess *s = timer->data;
	coo_span rest = strbuf_span(&s->payload), unit;

	while (!s->finishing && next_unit(s, &rest, true, &unit))
		send_unit(s, unit);
	if (s->rounds > 0 && --s->rounds == 0) {
		coo_ignore(uv_timer_stop(timer));
		all_sent(s);
	}
}

static void start_rounds(struct sess *s)
{
	uint64_t ms = (s->plan->interval + 999999) / 1000000;

	s->rounds = s->plan->repeat;
	coo_ignore(uv_timer_start(&s->repeat, on_round, 0, ms ? ms : 1));
}

/* The input is complete and in s->payload. */
static void whole_there(struct sess *s)
{
	if (s->plan->repeats) {
		start_rounds(s);
		return;
	}
	send_unit(s, strbuf_span(&s->payload));
	all_sent(s);
}

/* --- standard input and files ---------------------------------------------------------------- */

static void on_data(void *user, coo_span bytes)
{
	struct sess *s = user;

	if (s->finishing)
		return;
	if (wants_whole(s)) {
		if (s->payload.n + bytes.n > MAX_PAYLOAD) {
			say_error("the input is longer than %d MiB, which --repeat and framed "
				  "files take at most",
				  MAX_PAYLOAD >> 20);
			sess_finish(s, EXIT_REFUSED);
			return;
		}
		strbuf_put(&s->payload, bytes);
	} else if (is_raw(s)) {
		send_bytes(s, bytes, false);
		watch_input(s, must_wait(s));
	} else {
		strbuf_put(&s->input, bytes);
		pump(s);
	}
}

static void on_end(void *user, int err)
{
	struct sess *s = user;

	s->in_eof = true;
	if (err) {
		say_error("cannot read %s: %s", s->plan->file ? s->plan->file : "standard input",
			  strerror(err));
		sess_finish(s, EXIT_SYSTEM);
	} else if (wants_whole(s)) {
		whole_there(s);
	} else if (is_raw(s)) {
		all_sent(s);
	} else {
		pump(s);
	}
}

static const coo_inport_fns in_fns = { .data = on_data, .end = on_end };

static void open_input(struct sess *s)
{
	int fd = STDIN_FILENO;

	if (s->plan->file)
		fd = s->in_fd = open(s->plan->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || coo_inport_open(&s->loop, fd, CHUNK, &in_fns, s, &s->in) != COO_OK) {
		say_error("cannot read %s: %s", s->plan->file ? s->plan->file : "standard input",
			  strerror(errno));
		sess_finish(s, EXIT_SYSTEM);
	}
}

void input_init(struct sess *s)
{
	s->in_fd = -1;
	s->send_hex = s->plan->send_hex;
	coo_ignore(uv_timer_init(&s->loop, &s->repeat));
	s->repeat.data = s;
}

void input_start(struct sess *s)
{
	if (s->in_started || s->finishing || (s->term && !s->plan->file))
		return;
	s->in_started = true;
	if (s->plan->text) {
		strbuf_put_str(s->plan->repeats ? &s->payload : &s->input, s->plan->text);
		s->in_eof = true;
		if (s->plan->repeats)
			start_rounds(s);
		else
			pump(s);
	} else if (s->plan->cfg.reply != COO_TALK_NO_REPLY && !s->plan->file && !s->plan->repeats) {
		s->in_done = true; /* answers are all that is to be sent */
		sess_touch(s);
	} else {
		open_input(s);
	}
}

void input_close(struct sess *s)
{
	coo_inport_close(s->in);
	s->in = NULL;
	if (s->in_fd >= 0)
		close(s->in_fd);
	s->in_fd = -1;
}
