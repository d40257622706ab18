/* SPDX-License-Identifier: MIT */
/* Who is there: entries, exits, and what is answered to them. */
#include "proto/entry.h"
#include "proto/node_int.h"
#include "proto/utf8.h"

coo_span coo_node_mac_of(const coo_packet *p)
{
	coo_feiq_version v;

	return coo_feiq_version_decode(p->version, &v) ? v.mac : coo_span_none();
}

/*
 * The peer that sent a packet which is no entry. Its names may be in another character set than in
 * its entries, so with names outside ASCII the address decides.
 */
coo_peer *coo_node_sender_of(coo_node *n, const coo_rx *rx, const coo_packet *p)
{
	coo_peer *peer = coo_peers_find(&n->peers, p->user, p->host, coo_node_mac_of(p));
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
 * out what is ASCII (PROTOCOL.md 5.1).
 */
static coo_span block_or(const coo_entry *e, coo_span in_block, coo_span section)
{
	if (in_block.p || (e->has_block && !e->nn.p && !e->gn.p))
		return in_block.p ? in_block : section;
	return e->has_block && coo_span_has_high(section) ? coo_span_of("", 0) : section;
}

void coo_node_note_charset(coo_peer *peer, bool utf8)
{
	peer->saw_utf8 = utf8;
	peer->saw_gbk = !utf8;
}

/* What an entry says its sender is called; true where that is UTF-8. */
static bool entry_names(const coo_packet *p, const coo_entry *e, coo_span names[COO_PEER_NAMES])
{
	bool utf8 = coo_packet_has(p, COO_OPT_ENTRY_UTF8) || (e->has_block && (e->nn.p || e->gn.p));

	names[COO_NAME_USER] = e->un.n ? e->un : p->user;
	names[COO_NAME_HOST] = e->hn.n ? e->hn : p->host;
	names[COO_NAME_MAC] = coo_node_mac_of(p);
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
 * are no duplicates then (iptux begins with 1 each time, PROTOCOL.md 5.4). Not so within seconds of
 * that first one: then it was doubled or overtaken on its way.
 */
static bool is_restart(const coo_peer *peer, const coo_packet *p, coo_time now)
{
	return coo_packet_cmd(p) == COO_CMD_BR_ENTRY && now - peer->life_since >= COO_SEC(3) &&
	       (p->packet_no < peer->first_no ||
		(p->packet_no == peer->first_no && peer->last_no > peer->first_no));
}

void coo_node_note_number(coo_peer *peer, const coo_packet *p, coo_time now)
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
 * (PROTOCOL.md 5.1). */
static bool understands_utf8(const coo_packet *p, const coo_entry *e, coo_client client)
{
	return !coo_client_is_gbk(client) && coo_packet_has(p, COO_OPT_ENTRY_CAPUTF8) &&
	       (e->has_block || coo_utf8_valid(e->nick));
}

static bool update_state(coo_peer *peer, const coo_packet *p, coo_client client, bool utf8)
{
	/* iptux sets ABSENCEOPT on every entry, so there it means nothing (PROTOCOL.md
	 * 5.1) */
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

/* Somebody else speaks from the only address of a peer: that peer is not there any more. */
static void displace(coo_node *n, const coo_node_arrival *a)
{
	coo_peer *other = coo_peers_at(&n->peers, &a->rx->from);

	if (!other || other == a->peer || other->n_addrs > 1 || !other->online)
		return;
	other->online = false;
	coo_node_emit(n, COO_EV_PEER_DOWN)->peer = other;
}

/*
 * An answer with legacy names tells nothing to us who know the same peer's names in UTF-8: it
 * answers a question without options, or another program on this host. Changes come as entries.
 */
static bool is_poorer(const coo_peer *peer, const coo_packet *p, bool utf8)
{
	return peer->online && peer->names_utf8 && !utf8 && coo_packet_cmd(p) == COO_CMD_ANSENTRY;
}

/* Notes what the names are written in, for when later ones are ASCII; false where these are. */
static bool note_names(coo_peer *peer, const coo_span names[COO_PEER_NAMES], bool utf8)
{
	static const enum coo_peer_name which[] = { COO_NAME_USER, COO_NAME_HOST, COO_NAME_NICK,
						    COO_NAME_GROUP };
	bool high = false, valid = true;

	for (size_t i = 0; i < COO_ARRAY_LEN(which); i++) {
		high = high || coo_span_has_high(names[which[i]]);
		valid = valid && coo_utf8_valid(names[which[i]]);
	}
	if (high)
		coo_node_note_charset(peer, utf8 || valid);
	return high;
}

/*
 * What an entry in ASCII alone that declares nothing leaves open is what it was: programs ask in
 * the plain form too (coo_node_seek). One that came anew may be another program.
 */
static void learn_charset(coo_peer *peer, const coo_node_arrival *a, const coo_entry *e, bool tells,
			  bool anew)
{
	if (tells || anew || e->has_block || coo_packet_has(&a->p, COO_OPT_ENTRY_CAPUTF8))
		peer->has_utf8 = understands_utf8(&a->p, e, a->client);
	if (anew && !tells)
		peer->saw_gbk = peer->saw_utf8 = false;
}

static bool take_over(coo_node *n, const coo_node_arrival *a, const coo_entry *e,
		      const coo_span names[COO_PEER_NAMES], bool utf8, bool anew)
{
	coo_peer *peer = a->peer;
	bool changed = coo_peers_set_names(&n->peers, peer, names);

	anew = anew || !peer->online || (uint8_t)a->client != peer->client;
	learn_charset(peer, a, e, note_names(peer, names, utf8), anew);
	return update_state(peer, &a->p, a->client, utf8) || changed;
}

/* --- answers to entries
 * ---------------------------------------------------------------------------
 */

/* The random wait before an answer, so that a large LAN does not answer in one instant
 * (PROTOCOL.md 5.3). */
static coo_time answer_delay(coo_node *n)
{
	uint64_t spread = n->peers.n < 50 ? 1024 : n->peers.n < 300 ? 2048 : 4096;

	return COO_MS(5 + coo_node_random(n, spread));
}

static bool reads_utf8(const coo_node_arrival *a)
{
	return !coo_client_is_gbk(a->client) && coo_packet_has(&a->p, COO_OPT_ENTRY_CAPUTF8);
}

/*
 * Everybody who asks everybody is a peer whose record notes that it is owed an answer. What does
 * not fit that goes with the other answers: somebody for whom there was no place among the peers,
 * or who spoke from another address than the one we speak to, or asked us alone and wants to hear
 * from the address that it asked.
 */
static bool is_owed_as_peer(const coo_node_arrival *a)
{
	return a->peer && a->rx->was_broadcast && coo_addr_eq(&a->peer->addr, &a->rx->from);
}

/* A burst of entries gets one answer. */
static bool answer_is_owed(const coo_node *n, const coo_node_arrival *a)
{
	if (a->peer && coo_peer_owes(a->peer) && coo_addr_eq(&a->peer->addr, &a->rx->from))
		return true;
	for (size_t i = 0; i < n->later_n; i++) {
		if (n->later[i].kind == PENDING_ANSENTRY &&
		    coo_addr_eq(&n->later[i].to, &a->rx->from))
			return true;
	}
	return false;
}

static node_pending ansentry(const coo_addr *to, coo_time due, uint8_t client, bool utf8)
{
	node_pending p;

	memset(&p, 0, sizeof(p));
	p.kind = PENDING_ANSENTRY;
	p.due = due;
	p.to = *to;
	p.client = client;
	p.utf8 = utf8;
	return p;
}

static void owe_apart(coo_node *n, const coo_node_arrival *a, coo_time due)
{
	node_pending p = ansentry(&a->rx->from, due, (uint8_t)a->client, reads_utf8(a));

	if (!a->rx->was_broadcast) {
		p.local = a->rx->local; /* answer from the address that was asked */
		p.ifindex = a->rx->ifindex;
	}
	coo_node_owe(n, &p, a->now);
}

static void owe_ansentry(coo_node *n, const coo_node_arrival *a)
{
	coo_time due = coo_time_add(a->now, answer_delay(n));

	if (!is_owed_as_peer(a)) {
		/* these few are bounded where they are noted, the others where they leave */
		if (coo_limit_take(&n->all_answers, NODE_EVERYBODY, a->now))
			owe_apart(n, a, due);
		else
			n->stats.limited++;
		return;
	}
	a->peer->answer_utf8 = reads_utf8(a);
	coo_peers_owe(&n->peers, a->peer, due);
}

coo_time coo_node_presence_deadline(const coo_node *n)
{
	const coo_peer *p = coo_peers_first_owed(&n->peers);
	coo_time free_at = coo_limit_when(&n->all_answers, NODE_EVERYBODY);

	if (!p)
		return COO_NEVER;
	return p->answer_at > free_at ? p->answer_at : free_at;
}

/* Where more ask than may be answered at once, the answers are late, not lost. */
bool coo_node_next_presence(coo_node *n, coo_time now, node_pending *p)
{
	coo_peer *peer = coo_peers_first_owed(&n->peers);

	if (!peer || peer->answer_at > now || !coo_limit_take(&n->all_answers, NODE_EVERYBODY, now))
		return false;
	*p = ansentry(&peer->addr, now, peer->client, peer->answer_utf8);
	coo_peers_settle(&n->peers, peer);
	return true;
}

/* Notes the address it spoke from; the answer to what it asked from another one still goes there.
 */
static void move_to(coo_node *n, const coo_node_arrival *a)
{
	coo_peer *peer = a->peer;
	coo_addr old = peer->addr;
	node_pending p;

	coo_peers_set_addr(&n->peers, peer, &a->rx->from);
	if (!coo_peer_owes(peer) || coo_addr_eq(&old, &peer->addr))
		return;
	p = ansentry(&old, peer->answer_at, peer->client, peer->answer_utf8);
	coo_node_owe(n, &p, a->now);
	coo_peers_settle(&n->peers, peer);
}

/* Takes over what an entry says; tells whether the peer is new or changed. */
static void learn(coo_node *n, coo_node_arrival *a, const coo_entry *e)
{
	coo_span names[COO_PEER_NAMES];
	bool utf8 = entry_names(&a->p, e, names);
	coo_peer *peer = find_or_add(n, names);
	bool was_online, changed;
	uint32_t epoch;

	if (!peer)
		return;
	a->peer = peer;
	was_online = peer->online;
	epoch = peer->epoch;
	coo_node_note_number(peer, &a->p, a->now);
	changed =
	    !is_poorer(peer, &a->p, utf8) && take_over(n, a, e, names, utf8, peer->epoch != epoch);
	changed = (peer->n_addrs > 0 && !coo_peer_has_ip(&n->peers, peer, &a->rx->from)) || changed;
	displace(n, a);
	move_to(n, a);
	raise_how(peer, a->rx);
	coo_node_heard(n, peer, a->now);
	peer->online = peer->announced = true;
	if (!was_online)
		coo_node_emit_for(n, COO_EV_PEER_UP, a);
	else if (changed)
		coo_node_emit_for(n, COO_EV_PEER_CHANGE, a);
	else
		coo_node_emit_for(n, COO_EV_PEER_SEEN, a);
}

/*
 * iptux guesses the encoding of our broadcast from its bytes, and legacy names before a UTF-8 block
 * can make it guess UTF-16 (seen with 0.8.3). It shows that it heard us by its ANSENTRY; what it
 * got wrong is then put right by a BR_ABSENCE, which nobody answers, in the form it knows.
 */
static void correct_iptux(coo_node *n, const coo_node_arrival *a)
{
	if (a->client != COO_CLIENT_IPTUX || coo_packet_cmd(&a->p) != COO_CMD_ANSENTRY ||
	    !coo_node_has_high_names(n) || !coo_node_may_answer(n, a))
		return;
	coo_node_owe_answer(n, a, PENDING_CORRECT, 0, 0);
}

static void on_entry(coo_node *n, coo_node_arrival *a, const coo_entry *e)
{
	learn(n, a, e);
	correct_iptux(n, a);
	if (coo_packet_cmd(&a->p) == COO_CMD_BR_ENTRY && !answer_is_owed(n, a) &&
	    coo_node_may_ask(n, a))
		owe_ansentry(n, a);
}

static void on_exit(coo_node *n, coo_node_arrival *a, const coo_entry *e)
{
	coo_span names[COO_PEER_NAMES];

	coo_ignore(entry_names(&a->p, e, names));
	a->peer = coo_peers_find(&n->peers, names[COO_NAME_USER], names[COO_NAME_HOST],
				 names[COO_NAME_MAC]);
	if (!a->peer || !a->peer->online)
		return;
	/* anybody can write a BR_EXIT with somebody else's name (PROTOCOL.md 5.4) */
	if (!coo_peer_has_ip(&n->peers, a->peer, &a->rx->from)) {
		n->stats.rx_exit_foreign++;
		return;
	}
	a->peer->online = false;
	a->peer->epoch++;
	coo_peers_settle(&n->peers, a->peer);
	coo_node_emit_for(n, COO_EV_PEER_DOWN, a);
}

void coo_node_on_presence(coo_node *n, coo_node_arrival *a)
{
	coo_entry e;

	coo_entry_decode(&a->p, &e);
	if (coo_packet_cmd(&a->p) == COO_CMD_BR_EXIT)
		on_exit(n, a, &e);
	else
		on_entry(n, a, &e);
}
