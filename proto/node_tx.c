/* SPDX-License-Identifier: MIT */
#include "proto/entry.h"
#include "proto/node_int.h"

uint32_t coo_node_entry_options(const coo_node *n)
{
	return COO_OPT_ENTRY_CAPUTF8 | n->capabilities | (n->absence_utf8.n ? COO_OPT_ABSENCE : 0);
}

static void recompute_later_due(coo_node *n)
{
	n->later_due = COO_NEVER;
	for (size_t i = 0; i < n->later_n; i++) {
		if (n->later[i].due < n->later_due)
			n->later_due = n->later[i].due;
	}
}

static bool is_full(coo_node *n, size_t used)
{
	if (used < NODE_PENDING)
		return false;
	n->stats.queue_full++;
	return true;
}

static void owe_now(coo_node *n, const node_pending *p)
{
	if (!is_full(n, n->now_n))
		n->now_ring[(n->now_head + n->now_n++) % NODE_PENDING] = *p;
}

void coo_node_owe(coo_node *n, const node_pending *p, coo_time now)
{
	if (p->due <= now) {
		owe_now(n, p);
	} else if (!is_full(n, n->later_n)) {
		n->later[n->later_n++] = *p;
		if (p->due < n->later_due)
			n->later_due = p->due;
	}
}

void coo_node_release_due(coo_node *n, coo_time now)
{
	size_t keep = 0;

	if (now < n->later_due)
		return;
	for (size_t i = 0; i < n->later_n; i++) {
		if (n->later[i].due <= now)
			owe_now(n, &n->later[i]);
		else
			n->later[keep++] = n->later[i];
	}
	n->later_n = keep;
	recompute_later_due(n);
}

static bool is_receipt(const node_pending *p)
{
	return p->kind == PENDING_ACK || p->kind == PENDING_READ || p->kind == PENDING_ANSREAD;
}

void coo_node_forget_presence(coo_node *n)
{
	size_t had = n->now_n;

	n->now_n = n->later_n = 0;
	n->later_due = COO_NEVER;
	coo_peers_settle_all(&n->peers);
	for (size_t i = 0; i < had; i++) {
		const node_pending *p = &n->now_ring[(n->now_head + i) % NODE_PENDING];

		if (is_receipt(p))
			n->now_ring[(n->now_head + n->now_n++) % NODE_PENDING] = *p;
	}
}

bool coo_node_put_packet(coo_node *n, coo_buf *out, uint32_t no, uint32_t command, bool utf8,
			 coo_span ext)
{
	const coo_names *names = utf8 ? &n->utf8.n : &n->legacy.n;
	coo_packet p;

	memset(&p, 0, sizeof(p));
	p.version = n->version;
	p.packet_no = no;
	p.user = names->user;
	p.host = names->host;
	p.command = command;
	p.ext = ext;
	return coo_packet_encode(out, &p) == COO_OK;
}

/* Legacy names, and the UTF-8 block behind them (PROTOCOL.md 5.1). */
static void put_entry_ext(const coo_node *n, coo_buf *ext)
{
	const coo_names *l = &n->legacy.n, *u = &n->utf8.n;
	coo_entry e;

	memset(&e, 0, sizeof(e));
	e.nick = l->nick.n ? l->nick : l->user;
	e.group = l->group;
	e.has_block = true;
	e.un = u->user;
	e.hn = u->host;
	e.nn = u->nick.n ? u->nick : u->user;
	e.gn = u->group;
	coo_entry_encode(ext, &e);
}

static bool put_entry(coo_node *n, coo_buf *out, uint32_t no, uint32_t command)
{
	uint8_t mem[4 * NODE_NAME_CAP];
	coo_buf ext;

	coo_buf_init(&ext, mem, sizeof(mem));
	put_entry_ext(n, &ext);
	return coo_node_put_packet(n, out, no, command | coo_node_entry_options(n), false,
				   coo_buf_span(&ext));
}

/*
 * ANSENTRY in the form the asker reads best: UTF-8 for CAPUTF8OPT, with icon and encoding for iptux
 * (which then takes us for one of its own, PROTOCOL.md 5.3), without any option for 内网通, legacy
 * for the rest.
 */
static bool put_ansentry(coo_node *n, coo_buf *out, uint32_t no, const node_pending *p)
{
	bool iptux = p->client == COO_CLIENT_IPTUX;
	bool utf8 = p->utf8 || iptux;
	const coo_names *names = utf8 ? &n->utf8.n : &n->legacy.n;
	uint32_t command = p->kind == PENDING_CORRECT ? COO_CMD_BR_ABSENCE : COO_CMD_ANSENTRY;
	uint8_t mem[4 * NODE_NAME_CAP];
	coo_buf ext;
	coo_entry e;

	memset(&e, 0, sizeof(e));
	e.nick = names->nick.n ? names->nick : names->user;
	e.group = names->group;
	if (iptux) {
		e.icon = coo_span_str("icon-tux.png");
		e.encoding = coo_span_str("utf-8");
	}
	if (p->client != COO_CLIENT_SHIYELINE)
		command |= coo_node_entry_options(n) | (p->utf8 ? COO_OPT_ENTRY_UTF8 : 0u);
	coo_buf_init(&ext, mem, sizeof(mem));
	coo_entry_encode(&ext, &e);
	return coo_node_put_packet(n, out, no, command, utf8, coo_buf_span(&ext));
}

bool coo_node_has_high_names(const coo_node *n)
{
	const coo_names *u = &n->utf8.n;

	return coo_span_has_high(u->user) || coo_span_has_high(u->host) ||
	       coo_span_has_high(u->nick) || coo_span_has_high(u->group);
}

static bool put_ref(coo_node *n, coo_buf *out, uint32_t no, uint32_t command, uint64_t ref)
{
	uint8_t mem[24];
	coo_buf ext;

	coo_buf_init(&ext, mem, sizeof(mem));
	coo_buf_put_u64(&ext, ref);
	coo_buf_put_byte(&ext, 0);
	return coo_node_put_packet(n, out, no, command, false, coo_buf_span(&ext));
}

static bool put_text(coo_node *n, coo_buf *out, uint32_t no, uint32_t command, coo_span text)
{
	uint8_t mem[128];
	coo_buf ext;

	coo_buf_init(&ext, mem, sizeof(mem));
	coo_buf_put(&ext, text);
	coo_buf_put_byte(&ext, 0);
	return coo_buf_ok(&ext) &&
	       coo_node_put_packet(n, out, no, command, false, coo_buf_span(&ext));
}

/* GETABSENCEINFO says nothing of character sets, so the peer decides where it is known. */
static bool put_absence(coo_node *n, coo_buf *out, uint32_t no, const node_pending *p)
{
	const coo_peer *peer = coo_peers_at(&n->peers, &p->to);
	bool utf8 = peer && peer->has_utf8;
	uint8_t mem[NODE_ABSENCE_CAP + 1];
	coo_buf ext;

	if (n->absence_utf8.n == 0)
		return put_text(n, out, no, COO_CMD_SENDABSENCEINFO,
				coo_span_str("Not Absence mode"));
	coo_buf_init(&ext, mem, sizeof(mem));
	coo_buf_put(&ext, utf8 ? n->absence_utf8 : n->absence_legacy);
	coo_buf_put_byte(&ext, 0);
	return coo_node_put_packet(n, out, no, COO_CMD_SENDABSENCEINFO | (utf8 ? COO_OPT_UTF8 : 0u),
				   utf8, coo_buf_span(&ext));
}

/* 内网通 answers only an entry without any option (PROTOCOL.md 5.2). */
static bool put_bare_entry(coo_node *n, coo_buf *out, uint32_t no)
{
	uint8_t mem[2 * NODE_NAME_CAP];
	coo_buf ext;
	coo_entry e;

	memset(&e, 0, sizeof(e));
	e.nick = n->legacy.n.nick.n ? n->legacy.n.nick : n->legacy.n.user;
	e.group = n->legacy.n.group;
	coo_buf_init(&ext, mem, sizeof(mem));
	coo_entry_encode(&ext, &e);
	return coo_node_put_packet(n, out, no, COO_CMD_BR_ENTRY, false, coo_buf_span(&ext));
}

static bool put_pending(coo_node *n, coo_buf *out, uint32_t no, const node_pending *p)
{
	switch ((enum pending_kind)p->kind) {
	case PENDING_ACK:
		return put_ref(n, out, no, COO_CMD_RECVMSG, p->ref);
	case PENDING_READ:
		return put_ref(n, out, no, COO_CMD_READMSG, p->ref);
	case PENDING_ANSREAD:
		return put_ref(n, out, no, COO_CMD_ANSREADMSG, p->ref);
	case PENDING_ANSENTRY:
	case PENDING_CORRECT:
		return put_ansentry(n, out, no, p);
	case PENDING_ENTRY:
		return put_entry(n, out, no, COO_CMD_BR_ENTRY);
	case PENDING_INFO:
		return put_text(n, out, no, COO_CMD_SENDINFO, n->info);
	case PENDING_ABSENCE:
		return put_absence(n, out, no, p);
	case PENDING_OKLIST:
		return put_text(n, out, no, COO_CMD_OKGETLIST, coo_span_none());
	case PENDING_GETLIST:
		return put_ref(n, out, no, COO_CMD_GETLIST | COO_OPT_ENTRY_CAPUTF8, p->ref);
	case PENDING_ANSLIST:
		return coo_node_put_list(n, out, no, p);
	case PENDING_BARE:
		return put_bare_entry(n, out, no);
	case PENDING_COMMAND:
		return put_text(n, out, no, (uint32_t)p->ref, coo_span_none());
	case PENDING_BCAST:
		return put_entry(n, out, no, (uint32_t)p->ref);
	}
	return false;
}

static bool put_owed(coo_node *n, const node_pending *p, coo_buf *out, coo_tx *tx)
{
	uint32_t no = coo_node_take_no(n);

	memset(tx, 0, sizeof(*tx));
	tx->broadcast = p->to.family == 0;
	tx->to = p->to;
	tx->local = p->local;
	tx->ifindex = p->ifindex;
	tx->packet_no = no;
	if (put_pending(n, out, no, p))
		return true;
	out->n = 0;
	out->failed = false;
	return false;
}

static bool next_owed(coo_node *n, coo_buf *out, coo_tx *tx)
{
	while (n->now_n > 0) {
		const node_pending *p = &n->now_ring[n->now_head];

		n->now_head = (n->now_head + 1) % NODE_PENDING;
		n->now_n--;
		if (put_owed(n, p, out, tx))
			return true;
	}
	return false;
}

static bool next_presence(coo_node *n, coo_time now, coo_buf *out, coo_tx *tx)
{
	node_pending p;

	while (coo_node_next_presence(n, now, &p)) {
		if (put_owed(n, &p, out, tx))
			return true;
	}
	return false;
}

static bool next_message(coo_node *n, coo_time now, coo_buf *out, coo_tx *tx)
{
	const coo_rtx_entry *e;

	while ((e = coo_rtx_next_tx(&n->rtx, now)) != NULL) {
		bool utf8 = (e->command & COO_OPT_UTF8) != 0;

		memset(tx, 0, sizeof(*tx));
		tx->broadcast = e->to.family == 0;
		tx->to = e->to;
		if (tx->broadcast)
			tx->to.port = n->port;
		tx->local = e->local;
		tx->packet_no = e->packet_no;
		if (coo_node_put_packet(n, out, e->packet_no, e->command, utf8,
					coo_rtx_body_of(&n->rtx, e)))
			return true;
		out->n = 0;
		out->failed = false;
	}
	return false;
}

bool coo_node_next_tx(coo_node *n, coo_time now, coo_buf *out, coo_tx *tx)
{
	coo_node_release_due(n, now);
	out->n = 0;
	out->failed = false;
	/* presence last: it may be many, and nobody waits for it as for a receipt */
	if (!next_owed(n, out, tx) && !next_message(n, now, out, tx) &&
	    !next_presence(n, now, out, tx))
		return false;
	n->stats.tx++;
	return true;
}
