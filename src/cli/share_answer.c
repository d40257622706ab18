/* SPDX-License-Identifier: MIT */
#include "cli/share_answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/listen_reply.h"
#include "cli/out.h"
#include "cli/share_list.h"
#include "cli/xalloc.h"

enum {
	AT_ONCE = 16,	  /* lists under way: one of the longest takes 6 MB */
	HELD_MAX = 1024,  /* offers that may be fetched; the oldest makes room */
	PARTS_A_TURN = 4, /* messages to one asker in a turn: 16 KB */
	TURN_MS = 10,
};

/* An offer that was made. */
struct held {
	coo_addr to;
	uint64_t number;
	bool is_list;
};

/* One answer: what is offered, and to whom. */
struct answer {
	struct answer *next;
	coo_addr to, local;
	coo_text_plan plan;
	char *user, *host; /* as they stand in the packet of the asker, or NULL: anybody there */
	struct share_list list;
	size_t sent;  /* sets of it */
	bool is_list; /* of everything */
};

struct share_answers {
	struct net *net;
	coo_filesend *files;
	char *const *dirs;
	size_t n_dirs;
	coo_time offer_wait;
	struct answer *answers;
	size_t n_answers;
	uv_timer_t timer;
	bool has_timer;
	struct held held[HELD_MAX];
	size_t next_held;
};

static void answer_free(struct answer *a)
{
	share_list_free(&a->list);
	free(a->user);
	free(a->host);
	free(a);
}

static void release(struct share_answers *s, struct held *h)
{
	bool complete;

	if (h->number)
		coo_ignore(coo_filesend_release(s->files, h->number, &h->to, &complete));
	h->number = 0;
}

static void hold(struct share_answers *s, const struct answer *a, uint64_t number)
{
	struct held *h = &s->held[s->next_held++ % HELD_MAX];

	release(s, h);
	h->to = a->to;
	h->number = number;
	h->is_list = a->is_list;
}

static void release_lists_of(struct share_answers *s, const coo_addr *to)
{
	for (size_t i = 0; i < HELD_MAX; i++) {
		if (s->held[i].is_list && coo_addr_eq_ip(&s->held[i].to, to))
			release(s, &s->held[i]);
	}
}

/* "list 3/102", and whether that is everything; ASCII, which every charset has. */
static void put_text(const struct answer *a, coo_buf *b)
{
	char text[64];

	if (a->is_list) {
		snprintf(text, sizeof(text), "list %zu/%zu%s", a->sent + 1, a->list.n,
			 a->list.is_cut ? ", not all names" : "");
		coo_buf_put(b, coo_span_str(text));
	}
	coo_buf_put_byte(b, 0);
}

static coo_err offer(struct share_answers *s, const struct answer *a, coo_fileset *set,
		     uint32_t number)
{
	coo_filesend_to to;
	coo_err e;

	memset(&to, 0, sizeof(to));
	to.addr = a->to;
	to.user = coo_span_str(a->user ? a->user : "");
	to.host = coo_span_str(a->host ? a->host : "");
	to.names = a->plan.utf8_opt ? NULL : a->plan.cs;
	to.expires = coo_time_add(coo_clock_now(), s->offer_wait);
	e = coo_filesend_offer(s->files, number, set, &to);
	if (e == COO_OK)
		hold(s, a, number);
	return e;
}

/* COO_EFULL: the node has enough to send for now. */
static coo_err send_set(struct share_answers *s, const struct answer *a, coo_fileset *set)
{
	uint8_t *mem = xcalloc(1, SHARE_LIST_BYTES * 4);
	uint32_t number = 0;
	coo_send m;
	coo_buf b;
	coo_err e;

	coo_buf_init(&b, mem, SHARE_LIST_BYTES * 4);
	put_text(a, &b);
	e = coo_fileset_put(set, &a->plan, &b, NULL);
	memset(&m, 0, sizeof(m));
	m.token = UINT64_MAX - 1;
	m.to = a->to;
	m.local = a->local;
	m.options = COO_OPT_FILEATTACH | COO_OPT_AUTORET | (a->plan.utf8_opt ? COO_OPT_UTF8 : 0);
	m.ext = coo_buf_span(&b);
	if (e == COO_OK)
		e = coo_node_send(net_node(s->net), &m, coo_driver_now(s->net->driver), &number);
	if (e == COO_OK)
		e = offer(s, a, set, number);
	free(mem);
	return e;
}

/* False when it is over. */
static bool go_on(struct share_answers *s, struct answer *a)
{
	for (int i = 0; i < PARTS_A_TURN && a->sent < a->list.n; i++) {
		coo_err e = send_set(s, a, a->list.sets[a->sent]);

		if (e == COO_EFULL)
			break;
		if (e != COO_OK) {
			say_warn("an answer could not be sent: %s", coo_err_text(e));
			return false;
		}
		a->sent++;
	}
	return a->sent < a->list.n;
}

static void on_turn(uv_timer_t *timer)
{
	struct share_answers *s = timer->data;
	struct answer **at = &s->answers;

	while (*at) {
		struct answer *a = *at;

		if (go_on(s, a)) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		s->n_answers--;
		answer_free(a);
	}
	if (!s->answers)
		uv_timer_stop(timer);
	coo_driver_kick(s->net->driver);
}

static void drop_answers_to(struct share_answers *s, const coo_addr *to)
{
	struct answer **at = &s->answers;

	while (*at) {
		struct answer *a = *at;

		if (!a->is_list || !coo_addr_eq_ip(&a->to, to)) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		s->n_answers--;
		answer_free(a);
	}
}

static void start(struct share_answers *s, struct answer *a)
{
	if (a->is_list) {
		drop_answers_to(s, &a->to);
		release_lists_of(s, &a->to);
	}
	if (!go_on(s, a)) {
		answer_free(a);
		return;
	}
	a->next = s->answers;
	s->answers = a;
	s->n_answers++;
	if (!uv_is_active((uv_handle_t *)&s->timer))
		coo_ignore(uv_timer_start(&s->timer, on_turn, TURN_MS, TURN_MS) != 0);
}

static bool is_list(coo_span text)
{
	static const char *const words[] = { "list", "ls", "dir", "?", "列表", "？" };

	for (size_t i = 0; i < COO_ARRAY_LEN(words); i++) {
		if (coo_span_eq_nocase(text, coo_span_str(words[i])))
			return true;
	}
	return text.n == 0;
}

static coo_span trim(coo_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\n' || s.p[0] == '\t'))
		s = coo_span_skip(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static char *dup_span(coo_span s)
{
	char *text = xcalloc(s.n + 1, 1);

	if (s.n)
		memcpy(text, s.p, s.n);
	return text;
}

static bool address(struct share_answers *s, struct answer *a, const coo_event *ev,
		    const coo_message *m)
{
	const coo_peers *peers = coo_node_peers(net_node(s->net));
	const coo_peer *peer = coo_peers_at(peers, &ev->rx.from);
	coo_text_hint hint = coo_hint_of_peer(peers, peer);
	bool utf8 = coo_packet_has(&ev->packet, COO_OPT_UTF8) || (peer && peer->has_utf8);

	hint.client = m->from.client;
	a->to = ev->rx.from;
	a->local = ev->rx.local;
	/* names that are no ASCII may come in another charset with the request */
	if (!coo_span_has_high(ev->packet.user) && !coo_span_has_high(ev->packet.host)) {
		a->user = dup_span(ev->packet.user);
		a->host = dup_span(ev->packet.host);
	}
	return coo_text_choose(s->net->text, coo_span_str("文"), &hint, utf8, NULL, &a->plan) ==
	       COO_OK;
}

void share_answer(struct share_answers *s, const coo_event *ev, const coo_message *m)
{
	coo_span wanted = trim(m->text);
	bool all = is_list(wanted);
	struct answer *a;

	if (all && s->n_answers >= AT_ONCE) {
		listen_reply(s->net, &ev->rx, m->from.client,
			     coo_span_str("too many lists are asked for; ask again"));
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->is_list = all;
	if (!address(s, a, ev, m)) {
		answer_free(a);
		return;
	}
	if (all)
		share_list_all(&a->list, s->dirs, s->n_dirs);
	else
		share_list_named(&a->list, s->dirs, s->n_dirs, wanted);
	/* a name may begin or end with a blank */
	if (!all && wanted.n < m->text.n)
		share_list_named(&a->list, s->dirs, s->n_dirs, m->text);
	if (a->list.n > 0) {
		start(s, a);
	} else {
		answer_free(a);
		listen_reply(s->net, &ev->rx, m->from.client,
			     coo_span_str(all ? "nothing is shared"
					      : "there is no such file; send \"list\""));
	}
	coo_driver_kick(s->net->driver);
}

struct share_answers *share_answers_new(struct net *net, coo_filesend *files, char *const *dirs,
					size_t n_dirs, coo_time offer_wait)
{
	struct share_answers *s = xcalloc(1, sizeof(*s));

	s->net = net;
	s->files = files;
	s->dirs = dirs;
	s->n_dirs = n_dirs;
	s->offer_wait = offer_wait;
	s->has_timer = uv_timer_init(&net->loop, &s->timer) == 0;
	s->timer.data = s;
	return s;
}

void share_answers_stop(struct share_answers *s)
{
	if (s && s->has_timer)
		uv_close((uv_handle_t *)&s->timer, NULL);
}

void share_answers_free(struct share_answers *s)
{
	if (!s)
		return;
	while (s->answers) {
		struct answer *a = s->answers;

		s->answers = a->next;
		answer_free(a);
	}
	free(s);
}
