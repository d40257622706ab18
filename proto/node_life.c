/* SPDX-License-Identifier: MIT */
/* Presence over time: saying again that we are there, absence, and peers that fall silent. */
#include "proto/node_int.h"

enum {
	PROBES = 3, /* entries to a silent peer before it counts as gone */
	PROBE_SECONDS = 10,
	CHECK_SECONDS = 5, /* between two looks at the table */
	CHECK_EVENTS = 8,  /* peers called down in one look: the queue of events holds more */
	CHECK_PROBES = 32, /* entries sent in one look, so that a LAN switched off costs no burst */
};

void coo_node_heard(coo_node *n, coo_peer *peer, coo_time now)
{
	peer->last_heard = now;
	peer->probes = 0;
	if (n->member && n->check_at == COO_NEVER)
		n->check_at = coo_time_add(now, COO_SEC(CHECK_SECONDS));
}

/*
 * BR_ABSENCE renews our entry in every table and is answered by nobody, so saying it now and then
 * costs a LAN of N hosts N packets, where BR_ENTRY would cost N squared.
 */
static void say_again(coo_node *n, coo_time now)
{
	coo_time jitter = n->reannounce / 4;

	coo_node_owe_simple(n, PENDING_BCAST, NULL, COO_CMD_BR_ABSENCE, now, now);
	n->announce_at =
	    coo_time_add(now, n->reannounce - jitter + coo_node_random(n, 2 * jitter + 1));
}

static coo_time ask_at(const coo_node *n, const coo_peer *p)
{
	return coo_time_add(p->last_heard, n->silence + p->probes * COO_SEC(PROBE_SECONDS));
}

static void call_down(coo_node *n, coo_peer *p)
{
	p->online = false;
	n->stats.peers_silent++;
	coo_node_emit(n, COO_EV_PEER_DOWN)->peer = p;
}

/* Official clients and FeiQ announce themselves once a day at best: silence alone says nothing. */
static void check_silent(coo_node *n, coo_time now)
{
	unsigned events = 0, probes = 0;

	for (size_t i = 0; i < n->peers.fresh; i++) {
		coo_peer *p = coo_peers_nth(&n->peers, n->check_hand % n->peers.fresh);

		n->check_hand++;
		if (!p->used || !p->online || !p->announced || now < ask_at(n, p))
			continue;
		if (p->probes < PROBES && probes < CHECK_PROBES) {
			coo_node_owe_simple(n, PENDING_ENTRY, &p->addr, 0, now, now);
			p->probes++;
			probes++;
		} else if (p->probes == PROBES && events < CHECK_EVENTS) {
			call_down(n, p);
			events++;
		}
		if (events == CHECK_EVENTS)
			break;
	}
	n->check_at = coo_time_add(now, COO_SEC(CHECK_SECONDS));
}

void coo_node_live(coo_node *n, coo_time now)
{
	if (!n->member || n->leaving)
		return;
	if (n->announced && now >= n->announce_at)
		say_again(n, now);
	if (now >= n->check_at)
		check_silent(n, now);
}

coo_time coo_node_live_deadline(const coo_node *n)
{
	if (!n->member || n->leaving)
		return COO_NEVER;
	return n->announced && n->announce_at < n->check_at ? n->announce_at : n->check_at;
}

static coo_span keep_absence(coo_node *n, size_t at, coo_span text)
{
	text = coo_span_head(text, NODE_ABSENCE_CAP);
	if (text.n)
		memcpy(n->absence_bytes + at, text.p, text.n);
	return coo_span_of(n->absence_bytes + at, text.n);
}

void coo_node_set_absence(coo_node *n, coo_span legacy, coo_span utf8, coo_time now)
{
	n->absence_legacy = keep_absence(n, 0, legacy);
	n->absence_utf8 = keep_absence(n, NODE_ABSENCE_CAP, utf8);
	if (n->announced && !n->leaving)
		coo_node_owe_simple(n, PENDING_BCAST, NULL, COO_CMD_BR_ABSENCE, now, now);
}

void coo_node_seek(coo_node *n, const coo_addr *to, bool plain, coo_time now)
{
	n->leaving = false;
	if (!to && !n->announced) {
		n->announced = true;
		coo_node_broadcast_round(n, COO_CMD_BR_ENTRY, now, now);
		return;
	}
	if (plain)
		coo_node_owe_simple(n, PENDING_BARE, to, 0, now, now);
	else
		coo_node_owe_simple(n, to ? PENDING_ENTRY : PENDING_BCAST, to, COO_CMD_BR_ENTRY,
				    now, now);
}
