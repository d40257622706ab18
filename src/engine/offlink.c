/* SPDX-License-Identifier: MIT */
#include "engine/offlink.h"

#include <string.h>

#include "proto/hash.h"

enum {
	HEAD_BYTES = 32,   /* number, command, colons and NULs */
	IPTUX_BYTES = 20,  /* icon and encoding, which its answers have beside the names */
	CREDIT_MAX = 4096, /* nothing is saved up for a burst */
	WAYS = 4,
};

#define FORGET COO_SEC(60)

static size_t names_bytes(const coo_names *n)
{
	return n->user.n + n->host.n + (n->nick.n ? n->nick.n : n->user.n) + n->group.n;
}

static uint32_t longest_answer(const coo_node_cfg *c)
{
	size_t legacy = names_bytes(&c->legacy), utf8 = names_bytes(&c->utf8);
	size_t n = (legacy > utf8 ? legacy : utf8) + IPTUX_BYTES;

	if (n < c->info.n)
		n = c->info.n;
	return (uint32_t)(HEAD_BYTES + c->version.n + n);
}

void coo_offlink_init(coo_offlink *o, const coo_offlink_cfg *cfg, const coo_node_cfg *node)
{
	memset(o, 0, sizeof(*o));
	o->allow = cfg->allow;
	o->n_allow = cfg->n_allow;
	o->private_too = !cfg->named_only;
	o->key = node->seed;
	o->answer = longest_answer(node);
	coo_limit_init(&o->limit, 1, COO_OFFLINK_RATE, COO_OFFLINK_BURST, o->limit_slots);
}

static bool is_allowed(const coo_offlink *o, const coo_addr *from)
{
	for (size_t i = 0; i < o->n_allow; i++) {
		if (coo_cidr_has(&o->allow[i], from))
			return true;
	}
	return false;
}

static bool is_small_question(coo_span dgram)
{
	coo_packet p;

	return coo_packet_decode(dgram, &p) == COO_OK &&
	       (coo_packet_cmd(&p) == COO_CMD_BR_ENTRY || coo_packet_cmd(&p) == COO_CMD_GETINFO);
}

/* The place of a source; one that is new takes the one that was silent longest. */
static coo_offlink_slot *slot_of(coo_offlink *o, const coo_addr *from, coo_time now)
{
	uint64_t key = coo_hash_ip(o->key, from) | 1;
	coo_offlink_slot *bucket = &o->slots[(key >> 8) % (COO_OFFLINK_SOURCES / WAYS) * WAYS];
	coo_offlink_slot *s = bucket;

	for (unsigned i = 0; i < WAYS; i++) {
		if (bucket[i].key == key) {
			s = &bucket[i];
			break;
		}
		if (bucket[i].heard < s->heard)
			s = &bucket[i];
	}
	if (s->key != key || now - s->heard > FORGET)
		s->credit = 0;
	s->key = key;
	s->heard = now;
	return s;
}

bool coo_offlink_admits(coo_offlink *o, const coo_rx *rx, coo_span dgram, coo_time now)
{
	coo_offlink_slot *s;

	if (is_allowed(o, &rx->from))
		return true;
	if (!o->private_too || rx->was_broadcast || !coo_addr_is_private(&rx->from) ||
	    !is_small_question(dgram))
		return false;
	s = slot_of(o, &rx->from, now);
	s->credit += dgram.n < CREDIT_MAX ? (uint32_t)dgram.n : CREDIT_MAX;
	if (s->credit > CREDIT_MAX)
		s->credit = CREDIT_MAX;
	if (s->credit < o->answer || !coo_limit_take(&o->limit, 1, now))
		return false;
	s->credit -= o->answer;
	return true;
}
