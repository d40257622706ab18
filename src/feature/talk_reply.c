/* SPDX-License-Identifier: MIT */
/* Automatic answers of a talk. */
#include <stdlib.h>

#include "feature/guard.h"
#include "feature/talk_impl.h"
#include "feature/textstream.h"

/* Ourselves, or a service that answers by itself: that would never end. */
static bool must_be_silent(const coo_talk *t, const coo_talk_peer *p)
{
	return !p->tcp && (coo_guard_port_answers(p->addr.port) || coo_talk_is_self(t, &p->addr));
}

static void send_answer(coo_talk *t, coo_talk_peer *p, coo_span answer)
{
	if (coo_talk_send_to(t, p, answer, true) == COO_OK)
		t->fns->sent(t->user, p, answer);
}

/*
 * Raises ASCII letters, but not the second byte of a GBK character that looks like one: the text is
 * walked by characters, and one that was split over two reads waits for its end in p->held.
 */
static size_t raise_letters(coo_talk_peer *p, coo_charset *cs, uint8_t *text, size_t n, bool end)
{
	size_t i = 0;

	p->n_held = 0;
	while (i < n) {
		bool split;
		size_t step = coo_textstream_char(cs, coo_span_of(text + i, n - i), &split);

		if (step == 0 && split && !end) {
			p->n_held = n - i;
			memcpy(p->held, text + i, n - i);
			return i;
		}
		if (step == 1 && text[i] >= 'a' && text[i] <= 'z')
			text[i] = (uint8_t)(text[i] - ('a' - 'A'));
		i += step ? step : 1;
	}
	return n;
}

static void answer_upper(coo_talk *t, coo_talk_peer *p, coo_span body, bool end)
{
	size_t n = p->n_held + body.n;
	uint8_t *text;

	if (n == 0 && p->tcp && t->cfg.framing == COO_FRAME_NONE)
		return;
	text = malloc(n + 1);
	if (!text)
		return;
	memcpy(text, p->held, p->n_held);
	if (body.n)
		memcpy(text + p->n_held, body.p, body.n);
	n = raise_letters(p, t->cfg.charset, text, n, end);
	if (n > 0 || end)
		send_answer(t, p, coo_span_of(text, n));
	free(text);
}

static void on_exec_done(void *user, uint64_t peer, const coo_addr *addr, coo_span output, int err,
			 bool failed)
{
	coo_talk *t = user;
	coo_talk_peer *p = coo_talk_find(t, peer);

	(void)addr;
	if (!p || t->closing)
		return; /* it has gone before its answer was ready */
	if (err || failed)
		t->fns->flaw(t->user, p, COO_TALK_EXEC_FAILED, (uint64_t)err);
	if (!err && (output.n > 0 || !failed))
		send_answer(t, p, output);
	if (p->tcp && coo_tcp_has_ended(p->tcp) && !coo_execpool_has(t->execs, peer))
		coo_tcp_end(p->tcp);
}

static void answer_exec(coo_talk *t, coo_talk_peer *p, coo_span body)
{
	if (coo_execpool_run(t->execs, p->id, &p->addr, body, on_exec_done, t) != COO_OK)
		t->fns->flaw(t->user, p, COO_TALK_EXEC_FAILED, 0);
}

void coo_talk_answer(coo_talk *t, coo_talk_peer *p, coo_span body, bool end)
{
	if (must_be_silent(t, p)) {
		if (p->rx == 1)
			t->fns->flaw(t->user, p, COO_TALK_SILENT, p->addr.port);
		return;
	}
	switch (t->cfg.reply) {
	case COO_TALK_NO_REPLY:
		return;
	case COO_TALK_ECHO:
		send_answer(t, p, body);
		return;
	case COO_TALK_UPPER:
		answer_upper(t, p, body, end);
		return;
	case COO_TALK_TEXT:
		send_answer(t, p, t->cfg.reply_text);
		return;
	case COO_TALK_EXEC:
		answer_exec(t, p, body);
		return;
	}
}
