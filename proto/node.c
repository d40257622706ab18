/* SPDX-License-Identifier: MIT */
#include "proto/node_int.h"

/* Number of bytes below which no packet of ours stays: header without names, numbers at their
 * longest. */
enum { HEADER_FIXED = 5 + 10 + 10 };

struct sizes {
	coo_peers_cfg peers;
	size_t messages, texts, text_cap, seen;
};

static struct sizes sizes_of(const coo_node_cfg *cfg)
{
	struct sizes s;

	s.peers.cap = cfg->max_peers ? cfg->max_peers : 16384;
	s.peers.name_cap = cfg->names_cap ? cfg->names_cap : 320;
	s.peers.near_cap = cfg->names_near ? cfg->names_near : NODE_NAMES_NEAR;
	s.messages = cfg->max_messages ? cfg->max_messages : 1024;
	s.texts = cfg->max_texts ? cfg->max_texts : 64;
	s.text_cap = cfg->text_cap ? cfg->text_cap : 32768;
	s.seen = cfg->max_seen ? cfg->max_seen : 16384;
	return s;
}

static size_t round_up(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

size_t coo_node_size(const coo_node_cfg *cfg)
{
	struct sizes s = sizes_of(cfg);

	return round_up(sizeof(coo_node)) + round_up(coo_peers_size(&s.peers)) +
	       round_up(coo_rtx_size(s.messages, s.texts, s.text_cap)) +
	       round_up(coo_dedup_size(s.seen)) + 2 * round_up(coo_limit_size(NODE_LIMIT_SOURCES)) +
	       round_up(coo_limit_size(1)) + 2 * round_up(NODE_PENDING * sizeof(node_pending));
}

static bool is_clean(coo_span s)
{
	return coo_span_find(s, ':') == s.n && coo_span_find(s, 0) == s.n;
}

static bool copy_span(coo_span from, uint8_t *to, size_t cap, size_t *used, coo_span *out)
{
	if (from.n > cap - *used)
		return false;
	if (from.n)
		memcpy(to + *used, from.p, from.n);
	*out = coo_span_of(to + *used, from.n);
	*used += from.n;
	return true;
}

static bool copy_names(const coo_names *from, node_names *to)
{
	size_t used = 0;

	if (from->user.n == 0 || from->host.n == 0 || !is_clean(from->user) ||
	    !is_clean(from->host))
		return false;
	if (coo_span_find(from->nick, 0) != from->nick.n ||
	    coo_span_find(from->group, 0) != from->group.n)
		return false;
	return copy_span(from->user, to->bytes, sizeof(to->bytes), &used, &to->n.user) &&
	       copy_span(from->host, to->bytes, sizeof(to->bytes), &used, &to->n.host) &&
	       copy_span(from->nick, to->bytes, sizeof(to->bytes), &used, &to->n.nick) &&
	       copy_span(from->group, to->bytes, sizeof(to->bytes), &used, &to->n.group);
}

static bool copy_cfg(coo_node *n, const coo_node_cfg *cfg)
{
	coo_span version = cfg->version.n ? cfg->version : coo_span_str("1_coo");
	size_t used = 0, info_used = 0;

	if (cfg->first_packet_no == 0 || cfg->first_packet_no > INT32_MAX)
		return false;
	n->port = cfg->port ? cfg->port : COO_NODE_PORT_DEFAULT;
	n->member = cfg->member;
	n->send_read = cfg->send_read;
	n->serve_list = cfg->serve_list;
	n->reannounce = cfg->reannounce ? cfg->reannounce : COO_SEC(300);
	n->silence = cfg->silence ? cfg->silence : COO_SEC(900);
	n->announce_at = n->check_at = COO_NEVER;
	n->capabilities = cfg->capabilities;
	n->next_no = n->first_no = cfg->first_packet_no;
	n->random = cfg->seed;
	n->key = coo_random_next(&n->random);
	return copy_span(version, n->version_bytes, sizeof(n->version_bytes), &used, &n->version) &&
	       copy_span(cfg->info, n->info_bytes, sizeof(n->info_bytes), &info_used, &n->info) &&
	       is_clean(n->version) && copy_names(&cfg->legacy, &n->legacy) &&
	       copy_names(&cfg->utf8, &n->utf8);
}

coo_err coo_node_init(coo_node **out, const coo_node_cfg *cfg, void *mem, size_t mem_size)
{
	struct sizes s = sizes_of(cfg);
	coo_node *n = mem;
	uint8_t *at = mem;

	if (s.peers.name_cap < NODE_NAMES_MIN || mem_size < coo_node_size(cfg) || !copy_cfg(n, cfg))
		return COO_EINVAL;
	at += round_up(sizeof(*n));
	coo_peers_init(&n->peers, &s.peers, n->key, at);
	at += round_up(coo_peers_size(&s.peers));
	coo_rtx_init(&n->rtx, s.messages, s.texts, s.text_cap,
		     cfg->retry_interval ? cfg->retry_interval : COO_SEC(1), at);
	at += round_up(coo_rtx_size(s.messages, s.texts, s.text_cap));
	coo_dedup_init(&n->dedup, s.seen, at);
	at += round_up(coo_dedup_size(s.seen));
	/* receipts are as small as what they answer: the limit only bounds what one source costs */
	coo_limit_init(&n->ack_limit, NODE_LIMIT_SOURCES, 20000, 20000, at);
	at += round_up(coo_limit_size(NODE_LIMIT_SOURCES));
	coo_limit_init(&n->answer_limit, NODE_LIMIT_SOURCES, 2, 4, at);
	at += round_up(coo_limit_size(NODE_LIMIT_SOURCES));
	coo_limit_init(&n->all_answers, 1, NODE_ANSWERS, NODE_ANSWERS_BURST, at);
	at += round_up(coo_limit_size(1));
	n->now_ring = (void *)at;
	at += round_up(NODE_PENDING * sizeof(node_pending));
	n->later = (void *)at;
	n->later_due = COO_NEVER;
	*out = n;
	return COO_OK;
}

uint32_t coo_node_take_no(coo_node *n)
{
	uint32_t no = n->next_no;

	/* after 2^31-1 there is no larger number that every client can read: begin again at 1 */
	n->next_no = no >= INT32_MAX ? 1 : no + 1;
	return no;
}

uint64_t coo_node_random(coo_node *n, uint64_t below)
{
	return coo_random_next(&n->random) % below;
}

coo_event *coo_node_emit(coo_node *n, enum coo_event_type type)
{
	coo_event *ev;

	if (n->ev_n == NODE_EVENTS) {
		/* the caller did not take what the call before left: the oldest goes */
		n->ev_head = (n->ev_head + 1) % NODE_EVENTS;
		n->ev_n--;
		n->stats.events_lost++;
	}
	ev = &n->events[(n->ev_head + n->ev_n++) % NODE_EVENTS];
	memset(ev, 0, sizeof(*ev));
	ev->type = type;
	return ev;
}

static bool next_result(coo_node *n, coo_event *ev)
{
	while (n->rtx.done > 0) {
		memset(ev, 0, sizeof(*ev));
		ev->type = COO_EV_RESULT;
		if (!coo_rtx_take_done(&n->rtx, &ev->result))
			return false;
		if (ev->result.token == 0) /* the node's own READMSG */
			continue;
		ev->peer = coo_peers_at(&n->peers, &ev->result.to);
		return true;
	}
	return false;
}

bool coo_node_next_event(coo_node *n, coo_event *ev)
{
	if (n->ev_n == 0)
		return next_result(n, ev);
	*ev = n->events[n->ev_head];
	n->ev_head = (n->ev_head + 1) % NODE_EVENTS;
	n->ev_n--;
	return true;
}

static bool has_receiver(const coo_send *s)
{
	if (s->broadcast)
		return !s->want_read && !(s->options & COO_OPT_SENDCHECK);
	return s->to.family != 0 && s->to.port != 0;
}

coo_err coo_node_send(coo_node *n, const coo_send *s, coo_time now, uint32_t *packet_no)
{
	coo_rtx_entry e;
	coo_peer *peer;
	coo_err err;

	if (s->token == 0 || !has_receiver(s))
		return COO_EINVAL;
	if (s->ext.n > coo_node_room(n, s->options, COO_PACKET_MAX))
		return COO_EMSGSIZE;
	memset(&e, 0, sizeof(e));
	e.token = s->token;
	if (!s->broadcast)
		e.to = s->to;
	e.local = s->local;
	e.command = (s->command ? s->command : COO_CMD_SENDMSG) | (s->options & COO_OPT_MASK);
	e.wants_ack = (s->options & COO_OPT_SENDCHECK) != 0;
	e.want_read = s->want_read;
	e.max_attempts = !e.wants_ack ? 1 : s->attempts ? s->attempts : 5;
	e.give_up_at = coo_time_add(now, s->wait ? s->wait : e.max_attempts * n->rtx.interval);
	e.packet_no = n->next_no;
	err = coo_rtx_add(&n->rtx, &e, s->ext, now);
	if (err != COO_OK)
		return err;
	if (packet_no)
		*packet_no = e.packet_no;
	coo_ignore(coo_node_take_no(n));
	peer = s->broadcast ? NULL : coo_peers_at(&n->peers, &s->to);
	if (peer)
		peer->talked = true;
	return COO_OK;
}

void coo_node_owe_simple(coo_node *n, enum pending_kind kind, const coo_addr *to, uint32_t ref,
			 coo_time due, coo_time now)
{
	node_pending p;

	memset(&p, 0, sizeof(p));
	p.kind = (uint8_t)kind;
	p.due = due;
	p.ref = ref;
	if (to)
		p.to = *to;
	else
		p.to.port = n->port;
	coo_node_owe(n, &p, now);
}

void coo_node_ask(coo_node *n, const coo_addr *to, uint32_t command, coo_time now)
{
	coo_node_owe_simple(n, PENDING_COMMAND, to, command, now, now);
}

void coo_node_probe(coo_node *n, const coo_addr *to, coo_time now)
{
	coo_node_owe_simple(n, PENDING_ENTRY, to, 0, now, now);
}

/* NOOPERATION goes ahead of every entry so that switches and drivers have woken up
 * (PROTOCOL.md 5.2). */
void coo_node_broadcast_round(coo_node *n, uint32_t command, coo_time at, coo_time now)
{
	coo_node_owe_simple(n, PENDING_BCAST, NULL, COO_CMD_NOOPERATION, at, now);
	coo_node_owe_simple(n, PENDING_BCAST, NULL, command, coo_time_add(at, COO_MS(250)), now);
}

void coo_node_announce(coo_node *n, coo_time now)
{
	n->leaving = false;
	n->announced = true;
	n->started = now;
	n->announce_at = coo_time_add(now, n->reannounce);
	coo_node_broadcast_round(n, COO_CMD_BR_ENTRY, now, now);
	coo_node_broadcast_round(n, COO_CMD_BR_ENTRY, coo_time_add(now, COO_SEC(5)), now);
}

bool coo_node_is_announced(const coo_node *n)
{
	return n->announced && !n->leaving;
}

void coo_node_leave(coo_node *n, coo_time now)
{
	if (n->leaving)
		return;
	n->leaving = true;
	coo_node_forget_presence(n);
	/* that a message was read is said once more, not for the usual twelve seconds */
	coo_rtx_hurry(&n->rtx, 0, coo_time_add(now, n->rtx.interval + n->rtx.interval / 4));
	if (!n->announced)
		return;
	coo_node_owe_simple(n, PENDING_BCAST, NULL, COO_CMD_BR_EXIT, now, now);
	coo_node_owe_simple(n, PENDING_BCAST, NULL, COO_CMD_BR_EXIT, coo_time_add(now, COO_MS(100)),
			    now);
}

void coo_node_refuse_messages(coo_node *n)
{
	n->refuses = true;
}

bool coo_node_is_idle(const coo_node *n)
{
	return n->now_n == 0 && n->later_n == 0 && n->peers.owed_n == 0 && n->rtx.waiting == 0 &&
	       n->ev_n == 0 && n->rtx.done == 0;
}

coo_time coo_node_deadline(const coo_node *n)
{
	coo_time due = coo_time_min(coo_rtx_deadline(&n->rtx), coo_node_live_deadline(n));

	if (n->now_n > 0)
		return 0;
	return coo_time_min(coo_time_min(due, n->later_due), coo_node_presence_deadline(n));
}

void coo_node_tick(coo_node *n, coo_time now)
{
	coo_node_release_due(n, now);
	coo_node_live(n, now);
}

void coo_node_tx_failed(coo_node *n, uint32_t packet_no, int error)
{
	coo_rtx_send_failed(&n->rtx, packet_no, error);
}

size_t coo_node_room(const coo_node *n, uint32_t options, size_t max)
{
	const coo_names *names = options & COO_OPT_UTF8 ? &n->utf8.n : &n->legacy.n;
	size_t header = HEADER_FIXED + n->version.n + names->user.n + names->host.n;

	return max > header ? max - header : 0;
}

uint32_t coo_node_used_numbers(const coo_node *n)
{
	return n->next_no >= n->first_no ? n->next_no - n->first_no : 0;
}

const coo_peers *coo_node_peers(const coo_node *n)
{
	return &n->peers;
}

const coo_node_stats *coo_node_get_stats(const coo_node *n)
{
	return &n->stats;
}
