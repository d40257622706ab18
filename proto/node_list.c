/* SPDX-License-Identifier: MIT */
/* Host lists (PROTOCOL.md 9): asking for them, taking them over, serving them. */
#include "proto/hostlist.h"
#include "proto/node_int.h"
#include "proto/utf8.h"

enum {
	MAX_PAGES = 64,	       /* of one list: a server that never ends is left */
	LIST_PACKET = 8192,    /* what iptux takes */
	SERVE_AFTER_MS = 3000, /* who has just come knows nobody (PROTOCOL.md 9) */
};

void coo_node_ask_list(coo_node *n, const coo_addr *to, coo_time until, coo_time now)
{
	uint32_t retry = COO_CMD_BR_ISGETLIST2 | COO_OPT_LIST_RETRY;

	n->list_until = until;
	memset(n->list, 0, sizeof(n->list));
	if (to) {
		coo_node_owe_simple(n, PENDING_COMMAND, to, COO_CMD_BR_ISGETLIST2, now, now);
		coo_node_owe_simple(n, PENDING_COMMAND, to, retry, coo_time_add(now, COO_SEC(3)),
				    now);
		return;
	}
	coo_node_owe_simple(n, PENDING_BCAST, NULL, COO_CMD_BR_ISGETLIST2, now, now);
	coo_node_owe_simple(n, PENDING_BCAST, NULL, retry, coo_time_add(now, COO_SEC(3)), now);
}

/* --- taking over
 * -------------------------------------------------------------------------------------- */

static int list_of(coo_node *n, const coo_addr *from, bool add)
{
	for (int i = 0; i < NODE_LISTS; i++) {
		if (n->list[i].from.family && coo_addr_eq_ip(&n->list[i].from, from))
			return i;
		if (!n->list[i].from.family && add) {
			n->list[i].from = *from;
			return i;
		}
	}
	return -1;
}

static void ask_page(coo_node *n, const coo_node_arrival *a, int list)
{
	if (n->list[list].pages++ < MAX_PAGES)
		coo_node_owe_answer(n, a, PENDING_GETLIST, n->list[list].next, 0);
}

static void on_offer(coo_node *n, const coo_node_arrival *a)
{
	int list;

	if (a->now >= n->list_until)
		return;
	list = list_of(n, &a->rx->from, true);
	if (list >= 0 && n->list[list].pages == 0)
		ask_page(n, a, list);
}

/* What a list says is hearsay: it fills in whom we do not know, and changes nobody whom we heard
 * ourselves. */
static void take_entry(coo_node *n, const coo_node_arrival *a, coo_hostlist_entry *e)
{
	static const coo_addr loopback = { .ip = { 127, 0, 0, 1 }, .family = 4 };
	coo_span names[COO_PEER_NAMES] = { { NULL, 0 } };
	coo_peer *peer;

	/* no status at all says that the host is gone, as BR_EXIT does (PROTOCOL.md 9) */
	if (e->user.n == 0 || e->host.n == 0 || e->status == 0 ||
	    (e->status & COO_CMD_MASK) == COO_CMD_BR_EXIT)
		return;
	if (coo_addr_eq_ip(&e->addr, &loopback)) /* libipmsg means itself */
		e->addr = a->rx->from;
	if (!e->addr.family || coo_peers_find(&n->peers, e->user, e->host, coo_span_none()) ||
	    coo_peers_at(&n->peers, &e->addr))
		return;
	peer = coo_peers_add(&n->peers, e->user, e->host, coo_span_none());
	if (!peer)
		return;
	names[COO_NAME_NICK] = e->nick;
	names[COO_NAME_GROUP] = e->group;
	coo_ignore(coo_peers_set_names(&n->peers, peer, names));
	coo_peers_set_addr(&n->peers, peer, &e->addr);
	peer->names_utf8 = coo_packet_has(&a->p, COO_OPT_ENTRY_UTF8);
	peer->status = e->status & COO_OPT_MASK;
	peer->how = COO_HOW_LIST;
	peer->last_heard = a->now;
	peer->online = true;
}

static void on_page(coo_node *n, coo_node_arrival *a)
{
	int list = a->now < n->list_until ? list_of(n, &a->rx->from, false) : -1;
	coo_hostlist l;
	coo_hostlist_entry e;

	if (list < 0) {
		n->stats.rx_list_unasked++;
		return;
	}
	if (coo_hostlist_decode(coo_packet_text(&a->p), &l) != COO_OK) {
		n->stats.rx_malformed++;
		return;
	}
	while (coo_hostlist_next(&l, n->port, &e))
		take_entry(n, a, &e);
	coo_node_emit_for(n, COO_EV_LIST, a);
	if (l.next > n->list[list].next) {
		n->list[list].next = l.next;
		ask_page(n, a, list);
	}
}

/* --- serving
 * ------------------------------------------------------------------------------------------ */

static void on_question(coo_node *n, const coo_node_arrival *a)
{
	bool young = a->now < coo_time_add(n->started, COO_MS(SERVE_AFTER_MS));

	if (n->serve_list && (!young || coo_packet_has(&a->p, COO_OPT_LIST_RETRY)) &&
	    coo_node_may_answer(n, a))
		coo_node_owe_answer(n, a, PENDING_OKLIST, 0, 0);
}

static void on_request(coo_node *n, const coo_node_arrival *a)
{
	uint64_t start = 0;

	if (!n->serve_list || a->rx->was_broadcast || !coo_node_may_answer(n, a))
		return;
	coo_ignore(coo_packet_ref(&a->p, &start));
	if (start <= n->peers.fresh)
		coo_node_owe_answer(n, a, PENDING_ANSLIST, start, 0);
}

/* The first address that means the same host to whoever reads the list, or NULL. */
static const coo_addr *address_for_others(const coo_node *n, const coo_peer *p)
{
	for (size_t i = 0; i < p->n_addrs; i++) {
		const coo_addr *a = coo_peer_addr(&n->peers, p, i);

		if (a->family == 4 || a->scope == 0)
			return a;
	}
	return NULL;
}

/* A name that is not UTF-8 cannot stand in a list that is; those of user and host have to be ASCII
 * then. */
static bool fill_entry(const coo_node *n, const coo_peer *p, coo_hostlist_entry *e)
{
	const coo_addr *addr = address_for_others(n, p);

	if (!addr)
		return false;
	e->user = coo_peer_name(&n->peers, p, COO_NAME_USER);
	e->host = coo_peer_name(&n->peers, p, COO_NAME_HOST);
	e->nick = coo_peer_name(&n->peers, p, COO_NAME_NICK);
	e->group = coo_peer_name(&n->peers, p, COO_NAME_GROUP);
	e->status = p->status ? p->status : COO_CMD_BR_ENTRY;
	e->addr = *addr;
	if (!coo_utf8_valid(e->nick))
		e->nick.n = 0;
	if (!coo_utf8_valid(e->group))
		e->group.n = 0;
	return coo_utf8_valid(e->user) && coo_utf8_valid(e->host);
}

/* Only hosts that we heard ourselves are passed on: hearsay of hearsay would never die. */
static bool is_listed(const coo_peer *p)
{
	return p->used && p->online && p->announced && p->n_addrs > 0;
}

bool coo_node_put_list(coo_node *n, coo_buf *out, uint32_t no, const node_pending *p)
{
	uint8_t mem[LIST_PACKET], packet[LIST_PACKET];
	coo_hostlist_entry e;
	coo_buf entries, ext;
	uint32_t count = 0;
	size_t i = p->ref;

	coo_buf_init(&entries, mem, sizeof(mem) - 512); /* header and the two numbers */
	for (; i < n->peers.fresh; i++) {
		const coo_peer *peer = coo_peers_nth(&n->peers, i);

		if (!is_listed(peer) || !fill_entry(n, peer, &e))
			continue;
		if (coo_hostlist_put(&entries, &e))
			count++;
		else if (entries.cap - entries.n < 512)
			break; /* full: the next page begins here */
	}
	coo_buf_init(&ext, packet, sizeof(packet));
	coo_hostlist_put_head(&ext, i < n->peers.fresh ? (uint32_t)i : 0, count);
	coo_buf_put(&ext, coo_buf_span(&entries));
	coo_buf_put_byte(&ext, 0);
	return coo_buf_ok(&ext) &&
	       coo_node_put_packet(n, out, no, COO_CMD_ANSLIST | COO_OPT_ENTRY_UTF8, true,
				   coo_buf_span(&ext));
}

void coo_node_on_list(coo_node *n, coo_node_arrival *a)
{
	switch (coo_packet_cmd(&a->p)) {
	case COO_CMD_BR_ISGETLIST:
	case COO_CMD_BR_ISGETLIST2:
		on_question(n, a);
		break;
	case COO_CMD_OKGETLIST:
		on_offer(n, a);
		break;
	case COO_CMD_GETLIST:
		on_request(n, a);
		break;
	case COO_CMD_ANSLIST:
		on_page(n, a);
		break;
	default:
		break;
	}
}
