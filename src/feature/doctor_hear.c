/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "feature/doctor_int.h"
#include "proto/dialect.h"
#include "proto/entry.h"
#include "proto/utf8.h"

struct doctor_peer *coo_doctor_peer_at(struct doctor *d, const coo_addr *a)
{
	for (size_t i = 0; i < d->n_peers; i++) {
		if (coo_addr_eq_ip(&d->peers[i].addr, a))
			return &d->peers[i];
	}
	return NULL;
}

struct doctor_peer *coo_doctor_peer_of(struct doctor *d, const coo_addr *a)
{
	struct doctor_peer *p = coo_doctor_peer_at(d, a);

	if (p || d->n_peers == DOCTOR_PEERS_MAX)
		return p;
	p = &d->peers[d->n_peers++];
	p->addr = *a;
	p->off_link = !coo_netifs_on_link(&d->ifs, a);
	return p;
}

static void keep(coo_span s, char *to, size_t cap, uint8_t *n)
{
	if (s.n == 0)
		return;
	*n = (uint8_t)(s.n < cap ? s.n : cap);
	memcpy(to, s.p, *n);
}

/* --- character sets --------------------------------------------------------------------------- */

static bool is_utf8_name(coo_span encoding)
{
	return coo_span_eq_nocase(encoding, coo_span_str("utf-8")) ||
	       coo_span_eq_nocase(encoding, coo_span_str("utf8"));
}

static bool is_gbk_name(coo_span encoding)
{
	static const char *const names[] = { "gbk", "gb2312", "gb18030", "cp936" };

	for (size_t i = 0; i < COO_ARRAY_LEN(names); i++) {
		if (coo_span_eq_nocase(encoding, coo_span_str(names[i])))
			return true;
	}
	return false;
}

/* Two Chinese characters of GBK are hardly ever valid UTF-8 by chance; six bytes never are in
 * names. */
static bool is_surely_utf8(coo_span s)
{
	size_t high = 0;

	for (size_t i = 0; i < s.n; i++)
		high += s.p[i] > 127;
	return high >= 6 && coo_utf8_valid(s);
}

static bool all_valid(const coo_span *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!coo_utf8_valid(v[i]))
			return false;
	}
	return true;
}

/* What an entry says of its character set and does not keep. */
static const char *lie_of(const coo_packet *p, const coo_entry *e)
{
	coo_span names[] = { e->nick, e->group, p->user, p->host };
	coo_span block[] = { e->un, e->hn, e->nn, e->gn };

	if (e->has_block && !all_valid(block, COO_ARRAY_LEN(block)))
		return "its UTF-8 block (NN:, GN:) holds what is not UTF-8";
	if (coo_packet_has(p, COO_OPT_ENTRY_UTF8) && !all_valid(names, COO_ARRAY_LEN(names)))
		return "it says UTF-8 (UTF8OPT), but its names are not UTF-8";
	if (is_utf8_name(e->encoding) && !all_valid(names, 2))
		return "it says utf-8 in its entry, but its names are not UTF-8";
	if (is_gbk_name(e->encoding) && (is_surely_utf8(e->nick) || is_surely_utf8(e->group)))
		return "it says GBK in its entry, but its names are UTF-8";
	return NULL;
}

/* --- what it is ------------------------------------------------------------------------------- */

static bool is_answer(uint32_t command)
{
	return command == COO_CMD_ANSENTRY || command == COO_CMD_SENDINFO ||
	       command == COO_CMD_RECVMSG;
}

static bool is_news(uint32_t command)
{
	return command == COO_CMD_BR_ENTRY || command == COO_CMD_NOOPERATION ||
	       command == COO_CMD_BR_ABSENCE || command == COO_CMD_SENDMSG ||
	       command == COO_CMD_FEIQ_PRESENCE;
}

static uint64_t hash(coo_span s)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a: only told apart, never trusted */

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 1099511628211u;
	return h;
}

bool coo_doctor_same_name(const struct doctor_peer *a, const struct doctor_peer *b)
{
	return a->user_n == b->user_n && a->host_n == b->host_n && a->mac_n == b->mac_n &&
	       coo_span_eq_nocase(coo_span_of(a->user, a->user_n),
				  coo_span_of(b->user, b->user_n)) &&
	       coo_span_eq_nocase(coo_span_of(a->host, a->host_n),
				  coo_span_of(b->host, b->host_n)) &&
	       memcmp(a->mac, b->mac, a->mac_n) == 0;
}

/*
 * One program with two addresses counts its packets in one row, and each number is above the one
 * before. Two programs under one name have two rows, which cannot interleave that way for long.
 */
static void compare(struct doctor *d, const struct doctor_peer *p, uint64_t number)
{
	for (size_t i = 0; i < d->n_peers; i++) {
		const struct doctor_peer *q = &d->peers[i];

		if (q == p || q->user_n == 0 || !coo_doctor_same_name(p, q))
			continue;
		if (number < q->last_no ||
		    (p->nick_hash && q->nick_hash && p->nick_hash != q->nick_hash) ||
		    !coo_span_eq(coo_span_of(p->version, p->version_n),
				 coo_span_of(q->version, q->version_n)))
			d->twins[i] = d->twins[p - d->peers] = true;
	}
}

static void note_names(struct doctor_peer *p, const coo_packet *packet)
{
	coo_feiq_version v;

	keep(packet->user, p->user, sizeof(p->user), &p->user_n);
	keep(packet->host, p->host, sizeof(p->host), &p->host_n);
	keep(packet->version, p->version, sizeof(p->version), &p->version_n);
	if (coo_feiq_version_decode(packet->version, &v))
		keep(v.mac, p->mac, sizeof(p->mac), &p->mac_n);
}

static void note_entry(struct doctor_peer *p, const coo_packet *packet)
{
	const char *lie;
	coo_entry e;

	coo_entry_decode(packet, &e);
	lie = lie_of(packet, &e);
	p->lie = lie ? lie : p->lie;
	/* the block's names are the same in every answer, the others depend on who asked */
	if (e.has_block && e.nn.n)
		p->nick_hash = hash(e.nn);
}

void coo_doctor_take(struct doctor *d, const coo_dgram *g)
{
	struct doctor_peer *p;
	coo_packet packet;
	uint32_t command;

	if (coo_packet_decode(g->data, &packet) != COO_OK)
		return;
	p = coo_doctor_peer_of(d, &g->peer);
	if (!p)
		return;
	command = coo_packet_cmd(&packet);
	if (command <= COO_CMD_BR_ABSENCE && command != COO_CMD_NOOPERATION) {
		note_names(p, &packet);
		note_entry(p, &packet);
	} else if (p->user_n == 0) {
		note_names(p, &packet);
	}
	if (is_answer(command)) {
		p->rounds |= (unsigned)d->round;
		compare(d, p, packet.packet_no);
	} else if (is_news(command)) {
		p->spoke_first = p->spoke_first || p->rounds == 0;
		p->spoke = true;
	}
	p->last_no = packet.packet_no;
}
