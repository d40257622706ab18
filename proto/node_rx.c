/* SPDX-License-Identifier: MIT */
#include "proto/entry.h"
#include "proto/node_int.h"
#include "proto/utf8.h"

/* One datagram on its way through the node. */
struct arrival {
	const coo_rx *rx;
	coo_span dgram;
	coo_packet p;
	coo_client client;
	coo_peer *peer; /* who sent it, where known */
	coo_time now;
};

static void owe(coo_node *n, const struct arrival *a, enum pending_kind kind, uint64_t ref,
		coo_time delay)
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
	node_owe(n, &p, a->now);
}

/* Presence answers go to our own networks only, and to each source at a walking pace
 * (protocol.md 12.2). */
static bool may_answer(coo_node *n, const struct arrival *a)
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

static coo_event *emit(coo_node *n, enum coo_event_type type, const struct arrival *a)
{
	coo_event *ev = node_emit(n, type);

	ev->peer = a->peer;
	ev->rx = *a->rx;
	ev->packet = a->p;
	ev->dgram = a->dgram;
	return ev;
}

static coo_span mac_of(const coo_packet *p)
{
	coo_feiq_version v;

	return coo_feiq_version_decode(p->version, &v) ? v.mac : coo_span_none();
}

/*
 * The peer that sent a packet which is no entry. Its names may be in another character set than in
 * its entries, so with names outside ASCII the address decides.
 */
static coo_peer *sender_of(coo_node *n, const coo_rx *rx, const coo_packet *p)
{
	coo_peer *peer = coo_peers_find(&n->peers, p->user, p->host, mac_of(p));
	coo_peer *there;

	if (peer || (!coo_span_has_high(p->user) && !coo_span_has_high(p->host)))
		return peer;
	there = coo_peers_at(&n->peers, &rx->from);
	if (there && (coo_span_has_high(coo_peer_name(&n->peers, there, COO_NAME_USER)) ||
		      coo_span_has_high(coo_peer_name(&n->peers, there, COO_NAME_HOST))))
		return there;
	return NULL;
}

/*
 * The name in the block, which is UTF-8, or the one in the section before it where the block leaves
 * out what is ASCII (protocol.md 3.2).
 */
static coo_span block_or(const coo_entry *e, coo_span in_block, coo_span section)
{
	if (in_block.p || (e->has_block && !e->nn.p && !e->gn.p))
		return in_block.p ? in_block : section;
	return e->has_block && coo_span_has_high(section) ? coo_span_of("", 0) : section;
}

/* What an entry says its sender is called; true where that is UTF-8. */
static bool entry_names(const coo_packet *p, const coo_entry *e, coo_span names[COO_PEER_NAMES])
{
	bool utf8 = coo_packet_has(p, COO_OPT_ENTRY_UTF8) || (e->has_block && (e->nn.p || e->gn.p));

	names[COO_NAME_USER] = e->un.n ? e->un : p->user;
	names[COO_NAME_HOST] = e->hn.n ? e->hn : p->host;
	names[COO_NAME_MAC] = mac_of(p);
	names[COO_NAME_NICK] = block_or(e, e->nn, e->nick);
	names[COO_NAME_GROUP] = block_or(e, e->gn, e->group);
	names[COO_NAME_VERSION] = p->version;
	names[COO_NAME_ENCODING] = e->encoding.n ? e->encoding : coo_span_none();
	return utf8;
}

static coo_peer *find_or_add(coo_node *n, const coo_span names[COO_PEER_NAMES])
{
	coo_peer *peer = coo_peers_find(&n->peers, names[COO_NAME_USER], names[COO_NAME_HOST],
					names[COO_NAME_MAC]);

	return peer ? peer
		    : coo_peers_add(&n->peers, names[COO_NAME_USER], names[COO_NAME_HOST],
				    names[COO_NAME_MAC]);
}

/*
 * An entry whose number is not above the first one of this life tells of a restart, and old numbers
 * are no duplicates then (iptux begins with 1 each time, protocol.md 1.7). Not so within seconds of
 * that first one: then it was doubled or overtaken on its way.
 */
static bool is_restart(const coo_peer *peer, const coo_packet *p, coo_time now)
{
	return coo_packet_cmd(p) == COO_CMD_BR_ENTRY && now - peer->life_since >= COO_SEC(3) &&
	       (p->packet_no < peer->first_no ||
		(p->packet_no == peer->first_no && peer->last_no > peer->first_no));
}

static void note_number(coo_peer *peer, const coo_packet *p, coo_time now)
{
	bool restart = peer->announced && is_restart(peer, p, now);

	if (restart)
		peer->epoch++;
	if (restart || !peer->announced) {
		peer->life_since = now;
		peer->first_no = peer->last_no = p->packet_no;
	}
	if (p->packet_no < peer->first_no)
		peer->first_no = p->packet_no;
	if (p->packet_no > peer->last_no)
		peer->last_no = p->packet_no;
}

/* IpMsg.Net gives the bit of CAPUTF8OPT another meaning, so it alone is not enough
 * (protocol.md 2.3). */
static bool understands_utf8(const coo_packet *p, const coo_entry *e, coo_client client)
{
	return !coo_client_is_gbk(client) && coo_packet_has(p, COO_OPT_ENTRY_CAPUTF8) &&
	       (e->has_block || coo_utf8_valid(e->nick));
}

static bool update_state(coo_peer *peer, const coo_packet *p, coo_client client, bool utf8)
{
	/* iptux sets ABSENCEOPT on every entry, so there it means nothing (protocol.md 14.22,
	 * peers.md) */
	bool absent = coo_packet_has(p, COO_OPT_ABSENCE) && client != COO_CLIENT_IPTUX;
	bool changed = absent != peer->absent;

	peer->absent = absent;
	peer->status = p->command & COO_OPT_MASK;
	peer->client = (uint8_t)client;
	peer->names_utf8 = utf8;
	return changed;
}

static void raise_how(coo_peer *peer, const coo_rx *rx)
{
	uint8_t how = rx->was_broadcast ? COO_HOW_BROADCAST : COO_HOW_UNICAST;

	if (how > peer->how)
		peer->how = how;
}

/* Takes over what an entry says; tells whether the peer is new or changed. */
static void learn(coo_node *n, struct arrival *a, const coo_entry *e)
{
	coo_span names[COO_PEER_NAMES];
	bool utf8 = entry_names(&a->p, e, names);
	coo_peer *peer = find_or_add(n, names);
	bool was_online, changed;

	if (!peer)
		return;
	a->peer = peer;
	was_online = peer->online;
	note_number(peer, &a->p, a->now);
	changed = coo_peers_set_names(&n->peers, peer, names);
	changed = update_state(peer, &a->p, a->client, utf8) || changed;
	peer->has_utf8 = understands_utf8(&a->p, e, a->client);
	changed = (peer->n_addrs > 0 && !coo_peer_has_ip(peer, &a->rx->from)) || changed;
	coo_peers_set_addr(&n->peers, peer, &a->rx->from);
	raise_how(peer, a->rx);
	peer->last_heard = a->now;
	peer->online = peer->announced = true;
	if (!was_online)
		emit(n, COO_EV_PEER_UP, a);
	else if (changed)
		emit(n, COO_EV_PEER_CHANGE, a);
}

/* The random wait before an answer, so that a large LAN does not answer in one instant
 * (protocol.md 3.4). */
static coo_time answer_delay(coo_node *n)
{
	uint64_t spread = n->peers.n < 50 ? 1024 : n->peers.n < 300 ? 2048 : 4096;

	return COO_MS(5 + node_random(n, spread));
}

static bool answer_is_owed(const coo_node *n, const coo_addr *to)
{
	for (size_t i = 0; i < n->later_n; i++) {
		if (n->later[i].kind == PENDING_ANSENTRY && coo_addr_eq(&n->later[i].to, to))
			return true;
	}
	return false;
}

/*
 * iptux guesses the encoding of our broadcast from its bytes, and legacy names before a UTF-8 block
 * can make it guess UTF-16 (seen with 0.8.3). It shows that it heard us by its ANSENTRY; what it
 * got wrong is then put right by a BR_ABSENCE, which nobody answers, in the form it knows.
 */
static void correct_iptux(coo_node *n, const struct arrival *a)
{
	if (a->client != COO_CLIENT_IPTUX || coo_packet_cmd(&a->p) != COO_CMD_ANSENTRY ||
	    !node_has_high_names(n) || !may_answer(n, a))
		return;
	owe(n, a, PENDING_CORRECT, 0, 0);
}

static void on_entry(coo_node *n, struct arrival *a, const coo_entry *e)
{
	size_t before;

	learn(n, a, e);
	correct_iptux(n, a);
	if (coo_packet_cmd(&a->p) != COO_CMD_BR_ENTRY || answer_is_owed(n, &a->rx->from) ||
	    !may_answer(n, a))
		return;
	before = n->later_n;
	owe(n, a, PENDING_ANSENTRY, 0, answer_delay(n));
	if (n->later_n > before)
		n->later[before].utf8 =
		    !coo_client_is_gbk(a->client) && coo_packet_has(&a->p, COO_OPT_ENTRY_CAPUTF8);
}

static void on_exit(coo_node *n, struct arrival *a, const coo_entry *e)
{
	coo_span names[COO_PEER_NAMES];

	coo_ignore(entry_names(&a->p, e, names));
	a->peer = coo_peers_find(&n->peers, names[COO_NAME_USER], names[COO_NAME_HOST],
				 names[COO_NAME_MAC]);
	if (!a->peer || !a->peer->online)
		return;
	/* anybody can write a BR_EXIT with somebody else's name (protocol.md 12.2) */
	if (!coo_peer_has_ip(a->peer, &a->rx->from)) {
		n->stats.rx_exit_foreign++;
		return;
	}
	a->peer->online = false;
	a->peer->epoch++;
	emit(n, COO_EV_PEER_DOWN, a);
}

static void on_presence(coo_node *n, struct arrival *a)
{
	coo_entry e;

	coo_entry_decode(&a->p, &e);
	if (coo_packet_cmd(&a->p) == COO_CMD_BR_EXIT)
		on_exit(n, a, &e);
	else
		on_entry(n, a, &e);
}

/*
 * A retransmission has the same number and the same bytes and comes from the same host: two hosts
 * may bear the same names (root on localhost) and count from 1 (protocol.md 13.2). Bytes count too
 * because some clients use a number twice (ipmsg-rs: two messages in one second), and none of those
 * messages may be lost.
 */
static bool is_duplicate(coo_node *n, const struct arrival *a)
{
	uint64_t h = coo_hash_nocase(n->key, a->p.user);

	h = coo_hash_nocase(h, a->p.host);
	/* what was sent to everybody may arrive from each address of its sender */
	if (!a->rx->was_broadcast)
		h = coo_hash_ip(h, &a->rx->from);
	h = coo_hash_mix(h, a->p.packet_no);
	h = coo_hash_mix(h, coo_packet_cmd(&a->p));
	h = coo_hash_mix(h, a->peer ? a->peer->epoch : 0);
	h = coo_hash_span(h, coo_span_trim_end(a->p.ext, 0));
	return coo_dedup_seen(&n->dedup, h, a->now);
}

static bool wants_ack(const coo_node *n, const struct arrival *a)
{
	/* a message sent to everybody, or by a machine, is never acknowledged (protocol.md 4.2,
	 * vector I05) */
	return n->member && coo_packet_has(&a->p, COO_OPT_SENDCHECK) &&
	       !coo_packet_has(&a->p, COO_OPT_BROADCAST | COO_OPT_AUTORET) && !a->rx->was_broadcast;
}

static bool may_acknowledge(coo_node *n, const struct arrival *a)
{
	if (coo_limit_take(&n->ack_limit, coo_hash_ip(n->key, &a->rx->from), a->now))
		return true;
	n->stats.limited++;
	return false;
}

static void acknowledge(coo_node *n, const struct arrival *a)
{
	if (!wants_ack(n, a) || !may_acknowledge(n, a))
		return;
	owe(n, a, PENDING_ACK, a->p.packet_no, 0);
	n->stats.acks++;
}

/* Tells the sender of a sealed message that it was opened, again until ANSREADMSG where it asked
 * for that. */
static void tell_read(coo_node *n, const struct arrival *a)
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
		owe(n, a, PENDING_READ, a->p.packet_no, 0);
		return;
	}
	memset(&e, 0, sizeof(e));
	e.command = COO_CMD_READMSG | COO_OPT_READCHECK;
	e.to = a->rx->from;
	e.local = a->rx->local;
	e.packet_no = node_take_no(n);
	e.max_attempts = 12;
	e.wants_ack = true;
	e.give_up_at = coo_time_add(a->now, COO_SEC(12));
	coo_buf_init(&ref, mem, sizeof(mem));
	coo_buf_put_u64(&ref, a->p.packet_no);
	coo_buf_put_byte(&ref, 0);
	if (coo_rtx_add(&n->rtx, &e, coo_buf_span(&ref), a->now) != COO_OK)
		n->stats.queue_full++;
}

/* An unknown host that talks to us is asked who it is (protocol.md 3.7). */
static void ask_who(coo_node *n, const struct arrival *a)
{
	if (!n->member || n->leaving || (a->peer && a->peer->online) || a->rx->was_broadcast ||
	    coo_packet_has(&a->p, COO_OPT_NOADDLIST | COO_OPT_BROADCAST | COO_OPT_AUTORET))
		return;
	if (may_answer(n, a))
		owe(n, a, PENDING_ENTRY, 0, 0);
}

static void note_charset(coo_peer *peer, const coo_packet *p)
{
	coo_span text = coo_packet_text(p);

	if (!coo_span_has_high(text))
		return;
	if (coo_utf8_valid(text))
		peer->saw_utf8 = true;
	else
		peer->saw_gbk = true;
}

static void on_message(coo_node *n, struct arrival *a)
{
	a->peer = sender_of(n, a->rx, &a->p);
	if (coo_packet_has(&a->p, COO_OPT_ENCRYPT)) {
		/* no receipt for what nobody can read: the sender has to learn that it did not
		 * arrive */
		n->stats.rx_encrypted++;
		if (!is_duplicate(n, a))
			emit(n, COO_EV_MESSAGE, a);
		return;
	}
	acknowledge(n, a);
	if (is_duplicate(n, a)) {
		n->stats.rx_duplicate++;
		return;
	}
	if (a->peer) {
		a->peer->last_heard = a->now;
		note_number(a->peer, &a->p, a->now);
		note_charset(a->peer, &a->p);
	}
	n->stats.messages++;
	emit(n, COO_EV_MESSAGE, a);
	tell_read(n, a);
	ask_who(n, a);
}

/* A receipt counts only with the number of a message and from the host, or another address of the
 * peer, it went to. */
static coo_rtx_entry *receipt_for(coo_node *n, const struct arrival *a, uint32_t of_command)
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
	if (peer && coo_peer_has_ip(peer, &a->rx->from))
		return e;
	n->stats.rx_receipt_foreign++;
	return NULL;
}

static void on_receipt(coo_node *n, struct arrival *a, bool read)
{
	uint64_t foreign = n->stats.rx_receipt_foreign;
	coo_rtx_entry *e = receipt_for(n, a, COO_CMD_SENDMSG);
	coo_event *ev;

	if (!e) {
		if (foreign == n->stats.rx_receipt_foreign)
			emit(n, COO_EV_SECOND, a);
		return;
	}
	if (!read && e->want_read && !e->acked) {
		coo_rtx_ack(&n->rtx, e, false, a->now);
		ev = emit(n, COO_EV_ACKED, a);
		ev->result = *e;
		return;
	}
	coo_rtx_ack(&n->rtx, e, read, a->now);
}

static void on_readmsg(coo_node *n, struct arrival *a)
{
	if (coo_packet_has(&a->p, COO_OPT_READCHECK) && !a->rx->was_broadcast &&
	    may_acknowledge(n, a))
		owe(n, a, PENDING_ANSREAD, a->p.packet_no, 0);
	on_receipt(n, a, true);
}

static void on_ansread(coo_node *n, struct arrival *a)
{
	coo_rtx_entry *e = receipt_for(n, a, COO_CMD_READMSG);

	if (e)
		coo_rtx_ack(&n->rtx, e, false, a->now);
}

static void on_question(coo_node *n, struct arrival *a, enum pending_kind answer)
{
	if (!a->rx->was_broadcast && may_answer(n, a))
		owe(n, a, answer, 0, 0);
}

static void dispatch(coo_node *n, struct arrival *a)
{
	switch (coo_packet_cmd(&a->p)) {
	case COO_CMD_NOOPERATION:
		break;
	case COO_CMD_BR_ENTRY:
	case COO_CMD_ANSENTRY:
	case COO_CMD_BR_ABSENCE:
	case COO_CMD_BR_EXIT:
		on_presence(n, a);
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
		a->peer = sender_of(n, a->rx, &a->p);
		emit(n, COO_EV_SECOND, a);
		break;
	default:
		n->stats.rx_unknown++;
	}
}

/* Our broadcasts come back to us on every interface: same names, a number we handed out. */
static bool is_own(const coo_node *n, const coo_packet *p)
{
	return p->packet_no >= n->first_no && p->packet_no < n->next_no &&
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
	struct arrival a;
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
	if (is_own(n, &a.p)) {
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
