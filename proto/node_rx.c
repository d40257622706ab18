/* SPDX-License-Identifier: MIT */
/* Datagrams in: messages, receipts, questions. */
#include "proto/node_int.h"
#include "proto/utf8.h"

void coo_node_owe_answer(coo_node *n, const coo_node_arrival *a, enum pending_kind kind,
			 uint64_t ref, coo_time delay)
{
	node_pending p;

	memset(&p, 0, sizeof(p));
	p.kind = (uint8_t)kind;
	p.due = coo_time_add(a->now, delay);
	p.ref = ref;
	p.to = a->rx->from;
	if (!a->rx->was_broadcast) {
		p.local = a->rx->local; /* answer from the address that was asked */
		p.ifindex = a->rx->ifindex;
	}
	p.client = (uint8_t)a->client;
	coo_node_owe(n, &p, a->now);
}

/* Presence answers go to our own networks only, and to each source at a walking pace
 * (PROTOCOL.md 12). */
bool coo_node_may_ask(coo_node *n, const coo_node_arrival *a)
{
	uint64_t key = coo_hash_mix(coo_hash_ip(n->key, &a->rx->from),
				    a->rx->from.port ^ (uint64_t)coo_packet_cmd(&a->p) << 32);

	if (!n->member || n->leaving)
		return false;
	if (a->rx->off_link || !coo_limit_take(&n->answer_limit, key, a->now)) {
		n->stats.limited++;
		return false;
	}
	return true;
}

/* Forged sources have a bucket each, so there is one for all of them together too. */
bool coo_node_may_answer(coo_node *n, const coo_node_arrival *a)
{
	if (!coo_node_may_ask(n, a))
		return false;
	if (!coo_limit_take(&n->all_answers, NODE_EVERYBODY, a->now)) {
		n->stats.limited++;
		return false;
	}
	return true;
}

coo_event *coo_node_emit_for(coo_node *n, enum coo_event_type type, const coo_node_arrival *a)
{
	coo_event *ev = coo_node_emit(n, type);

	ev->peer = a->peer;
	ev->rx = *a->rx;
	ev->packet = a->p;
	ev->dgram = a->dgram;
	return ev;
}

/*
 * A retransmission has the same number and the same bytes and comes from the same host: two hosts
 * may bear the same names (root on localhost) and count from 1 (PROTOCOL.md 6.2). Bytes count too
 * because some clients use a number twice (ipmsg-rs: two messages in one second), and none of those
 * messages may be lost.
 */
static uint64_t message_key(const coo_node *n, const coo_node_arrival *a)
{
	uint64_t h = coo_hash_nocase(n->key, a->p.user);

	h = coo_hash_nocase(h, a->p.host);
	/* what was sent to everybody may arrive from each address of its sender */
	if (!a->rx->was_broadcast)
		h = coo_hash_ip(h, &a->rx->from);
	h = coo_hash_mix(h, a->p.packet_no);
	h = coo_hash_mix(h, coo_packet_cmd(&a->p));
	h = coo_hash_mix(h, a->peer ? a->peer->epoch : 0);
	return coo_hash_span(h, coo_span_trim_end(a->p.ext, 0));
}

static bool wants_ack(const coo_node *n, const coo_node_arrival *a)
{
	/* a message sent to everybody, or by a machine, is never acknowledged (PROTOCOL.md 6.2,
	 * vector I05) */
	return n->member && coo_packet_has(&a->p, COO_OPT_SENDCHECK) &&
	       !coo_packet_has(&a->p, COO_OPT_BROADCAST | COO_OPT_AUTORET) && !a->rx->was_broadcast;
}

static bool may_acknowledge(coo_node *n, const coo_node_arrival *a)
{
	if (coo_limit_take(&n->ack_limit, coo_hash_ip(n->key, &a->rx->from), a->now))
		return true;
	n->stats.limited++;
	return false;
}

static void acknowledge(coo_node *n, const coo_node_arrival *a)
{
	if (!wants_ack(n, a) || !may_acknowledge(n, a))
		return;
	coo_node_owe_answer(n, a, PENDING_ACK, a->p.packet_no, 0);
	n->stats.acks++;
}

/* Tells the sender of a sealed message that it was opened, again until ANSREADMSG where it asked
 * for that. */
static void tell_read(coo_node *n, const coo_node_arrival *a)
{
	coo_rtx_entry e;
	uint8_t mem[24];
	coo_buf ref;

	if (!n->send_read || !coo_packet_has(&a->p, COO_OPT_SECRET) || a->rx->was_broadcast ||
	    coo_packet_has(&a->p, COO_OPT_BROADCAST | COO_OPT_AUTORET) || !may_acknowledge(n, a))
		return;
	/* half of the places and texts stay for messages of our own, whatever others send */
	if (!coo_packet_has(&a->p, COO_OPT_READCHECK) || n->rtx.waiting >= n->rtx.cap / 2 ||
	    n->rtx.waiting >= n->rtx.n_bodies / 2) {
		coo_node_owe_answer(n, a, PENDING_READ, a->p.packet_no, 0);
		return;
	}
	memset(&e, 0, sizeof(e));
	e.command = COO_CMD_READMSG | COO_OPT_READCHECK;
	e.to = a->rx->from;
	e.local = a->rx->local;
	e.packet_no = coo_node_take_no(n);
	e.max_attempts = 12;
	e.wants_ack = true;
	e.give_up_at = coo_time_add(a->now, COO_SEC(12));
	coo_buf_init(&ref, mem, sizeof(mem));
	coo_buf_put_u64(&ref, a->p.packet_no);
	coo_buf_put_byte(&ref, 0);
	if (coo_rtx_add(&n->rtx, &e, coo_buf_span(&ref), a->now) != COO_OK)
		n->stats.queue_full++;
}

/* An unknown host that talks to us is asked who it is (PROTOCOL.md 5.3). */
static void ask_who(coo_node *n, const coo_node_arrival *a)
{
	if (!n->member || n->leaving || (a->peer && a->peer->online) || a->rx->was_broadcast ||
	    coo_packet_has(&a->p, COO_OPT_NOADDLIST | COO_OPT_BROADCAST | COO_OPT_AUTORET))
		return;
	if (coo_node_may_answer(n, a))
		coo_node_owe_answer(n, a, PENDING_ENTRY, 0, 0);
}

static void note_charset(coo_peer *peer, const coo_packet *p)
{
	coo_span text = coo_packet_text(p);

	if (coo_span_has_high(text))
		coo_node_note_charset(peer, coo_utf8_valid(text));
}

static void on_message(coo_node *n, coo_node_arrival *a)
{
	uint64_t key;

	a->peer = coo_node_sender_of(n, a->rx, &a->p);
	key = message_key(n, a);
	if (n->refuses && !coo_dedup_has(&n->dedup, key, a->now)) {
		n->stats.rx_late++;
		return;
	}
	if (coo_packet_has(&a->p, COO_OPT_ENCRYPT)) {
		/* no receipt for what nobody can read: the sender has to learn that it did not
		 * arrive */
		n->stats.rx_encrypted++;
		if (!coo_dedup_seen(&n->dedup, key, a->now))
			coo_node_emit_for(n, COO_EV_MESSAGE, a);
		return;
	}
	acknowledge(n, a);
	if (coo_dedup_seen(&n->dedup, key, a->now)) {
		n->stats.rx_duplicate++;
		return;
	}
	if (a->peer) {
		coo_node_heard(n, a->peer, a->now);
		coo_node_note_number(a->peer, &a->p, a->now);
		note_charset(a->peer, &a->p);
	}
	n->stats.messages++;
	coo_node_emit_for(n, COO_EV_MESSAGE, a);
	tell_read(n, a);
	ask_who(n, a);
}

/* A receipt counts only with the number of a message and from the host, or another address of the
 * peer, it went to. */
static coo_rtx_entry *receipt_for(coo_node *n, const coo_node_arrival *a, uint32_t of_command)
{
	coo_rtx_entry *e;
	const coo_peer *peer;
	uint64_t ref;

	if (!coo_packet_ref(&a->p, &ref) || !(e = coo_rtx_find(&n->rtx, ref)) ||
	    (e->command & COO_CMD_MASK) != of_command) {
		n->stats.rx_receipt_unknown++;
		return NULL;
	}
	if (coo_addr_eq_ip(&e->to, &a->rx->from))
		return e;
	peer = coo_peers_at(&n->peers, &e->to);
	if (peer && coo_peer_has_ip(&n->peers, peer, &a->rx->from))
		return e;
	n->stats.rx_receipt_foreign++;
	return NULL;
}

static void on_receipt(coo_node *n, coo_node_arrival *a, bool read)
{
	uint64_t foreign = n->stats.rx_receipt_foreign;
	coo_rtx_entry *e = receipt_for(n, a, COO_CMD_SENDMSG);
	coo_event *ev;

	if (!e) {
		if (foreign == n->stats.rx_receipt_foreign)
			coo_node_emit_for(n, COO_EV_SECOND, a);
		return;
	}
	if (!read && e->want_read && !e->acked) {
		coo_rtx_ack(&n->rtx, e, false, a->now);
		ev = coo_node_emit_for(n, COO_EV_ACKED, a);
		ev->result = *e;
		return;
	}
	coo_rtx_ack(&n->rtx, e, read, a->now);
}

static void on_readmsg(coo_node *n, coo_node_arrival *a)
{
	if (coo_packet_has(&a->p, COO_OPT_READCHECK) && !a->rx->was_broadcast &&
	    may_acknowledge(n, a))
		coo_node_owe_answer(n, a, PENDING_ANSREAD, a->p.packet_no, 0);
	on_receipt(n, a, true);
}

static void on_ansread(coo_node *n, coo_node_arrival *a)
{
	coo_rtx_entry *e = receipt_for(n, a, COO_CMD_READMSG);

	if (e)
		coo_rtx_ack(&n->rtx, e, false, a->now);
}

static void on_question(coo_node *n, coo_node_arrival *a, enum pending_kind answer)
{
	if (!a->rx->was_broadcast && coo_node_may_answer(n, a))
		coo_node_owe_answer(n, a, answer, 0, 0);
}

static void dispatch(coo_node *n, coo_node_arrival *a)
{
	switch (coo_packet_cmd(&a->p)) {
	case COO_CMD_NOOPERATION:
		break;
	case COO_CMD_BR_ENTRY:
	case COO_CMD_ANSENTRY:
	case COO_CMD_BR_ABSENCE:
	case COO_CMD_BR_EXIT:
		coo_node_on_presence(n, a);
		break;
	case COO_CMD_BR_ISGETLIST:
	case COO_CMD_BR_ISGETLIST2:
	case COO_CMD_OKGETLIST:
	case COO_CMD_GETLIST:
	case COO_CMD_ANSLIST:
		coo_node_on_list(n, a);
		break;
	case COO_CMD_SENDMSG:
		on_message(n, a);
		break;
	case COO_CMD_RECVMSG:
		on_receipt(n, a, false);
		break;
	case COO_CMD_READMSG:
		on_readmsg(n, a);
		break;
	case COO_CMD_ANSREADMSG:
		on_ansread(n, a);
		break;
	case COO_CMD_GETINFO:
		on_question(n, a, PENDING_INFO);
		break;
	case COO_CMD_GETABSENCEINFO:
		on_question(n, a, PENDING_ABSENCE);
		break;
	case COO_CMD_SENDINFO:
	case COO_CMD_SENDABSENCEINFO:
	case COO_CMD_DELMSG:
	case COO_CMD_RELEASEFILES:
		a->peer = coo_node_sender_of(n, a->rx, &a->p);
		coo_node_emit_for(n, COO_EV_SECOND, a);
		break;
	default:
		n->stats.rx_unknown++;
	}
}

/*
 * Our broadcasts come back to us on every interface: same names, a number we handed out. Another
 * node of the same user and host counts on from where we began, so that alone is not enough.
 */
static bool is_own(const coo_node *n, const coo_rx *rx, const coo_packet *p)
{
	return !rx->foreign && p->packet_no >= n->first_no && p->packet_no < n->next_no &&
	       coo_span_eq(p->version, n->version) &&
	       (coo_span_eq(p->host, n->legacy.n.host) || coo_span_eq(p->host, n->utf8.n.host)) &&
	       (coo_span_eq(p->user, n->legacy.n.user) || coo_span_eq(p->user, n->utf8.n.user));
}

static void count_bad(coo_node *n, coo_span dgram, coo_err e)
{
	if (coo_span_has_prefix(dgram, coo_span_str("IP2:")))
		n->stats.rx_ipdict++;
	else if (e == COO_EVERSION)
		n->stats.rx_version++;
	else if (e == COO_ERANGE)
		n->stats.rx_range++;
	else
		n->stats.rx_malformed++;
}

void coo_node_recv(coo_node *n, const coo_rx *rx, coo_span dgram, coo_time now)
{
	coo_node_arrival a;
	coo_err e;

	n->stats.rx++;
	if (dgram.n == 0) {
		n->stats.rx_empty++;
		return;
	}
	if (rx->from.port == 0) {
		n->stats.rx_port_zero++;
		return;
	}
	e = coo_packet_decode(dgram, &a.p);
	if (e != COO_OK) {
		count_bad(n, dgram, e);
		return;
	}
	if (is_own(n, rx, &a.p)) {
		n->stats.rx_own++;
		return;
	}
	a.rx = rx;
	a.dgram = dgram;
	a.client = coo_client_of(a.p.version);
	a.peer = NULL;
	a.now = now;
	dispatch(n, &a);
}
