/* SPDX-License-Identifier: MIT */
#include "proto/peer.h"

#include "proto/hash.h"
#include "proto/utf8.h"

enum { EVICT_LOOK = 64 };

static size_t round_up(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

static size_t heads_for(size_t cap)
{
	return coo_hash_buckets(cap, 1, sizeof(uint32_t));
}

size_t coo_peers_size(size_t cap, size_t name_cap)
{
	return round_up(cap * sizeof(coo_peer)) + 2 * round_up(heads_for(cap) * sizeof(uint32_t)) +
	       round_up(cap * name_cap);
}

void coo_peers_init(coo_peers *t, size_t cap, size_t name_cap, uint64_t key, void *mem)
{
	uint8_t *at = mem;
	size_t heads = round_up(heads_for(cap) * sizeof(uint32_t));

	memset(t, 0, sizeof(*t));
	t->v = mem;
	at += round_up(cap * sizeof(coo_peer));
	t->by_name = (void *)at;
	t->by_addr = (void *)(at + heads);
	t->names = at + 2 * heads;
	t->cap = cap;
	t->name_cap = name_cap;
	t->mask = heads_for(cap) - 1;
	t->key = key;
}

static size_t index_of(const coo_peers *t, const coo_peer *p)
{
	return (size_t)(p - t->v);
}

coo_span coo_peer_name(const coo_peers *t, const coo_peer *p, enum coo_peer_name which)
{
	size_t at = index_of(t, p) * t->name_cap;

	for (unsigned i = 0; i < (unsigned)which; i++)
		at += p->len[i];
	return coo_span_of(t->names + at, p->len[which]);
}

static coo_span limited(coo_span name)
{
	return coo_span_head(name, COO_PEER_NAME_MAX);
}

static uint32_t name_hash(const coo_peers *t, coo_span user, coo_span host, coo_span mac)
{
	uint64_t h = coo_hash_nocase(t->key, limited(user));

	h = coo_hash_nocase(h, limited(host));
	return (uint32_t)coo_hash_nocase(h, limited(mac));
}

static size_t addr_head(const coo_peers *t, const coo_addr *a)
{
	return (size_t)coo_hash_ip(t->key, a) & t->mask;
}

static bool has_identity(const coo_peers *t, const coo_peer *p, coo_span user, coo_span host,
			 coo_span mac)
{
	return coo_span_eq_nocase(coo_peer_name(t, p, COO_NAME_USER), limited(user)) &&
	       coo_span_eq_nocase(coo_peer_name(t, p, COO_NAME_HOST), limited(host)) &&
	       coo_span_eq_nocase(coo_peer_name(t, p, COO_NAME_MAC), limited(mac));
}

coo_peer *coo_peers_find(const coo_peers *t, coo_span user, coo_span host, coo_span mac)
{
	uint32_t hash = name_hash(t, user, host, mac);

	for (uint32_t i = t->by_name[hash & t->mask]; i; i = t->v[i - 1].next_by_name) {
		coo_peer *p = &t->v[i - 1];

		if (p->name_hash == hash && has_identity(t, p, user, host, mac))
			return p;
	}
	return NULL;
}

/* Links of the address chains: peer index * COO_PEER_ADDRS + place + 1. */
static coo_peer *link_peer(const coo_peers *t, uint32_t link, size_t *place)
{
	*place = (link - 1) % COO_PEER_ADDRS;
	return &t->v[(link - 1) / COO_PEER_ADDRS];
}

coo_peer *coo_peers_at(const coo_peers *t, const coo_addr *addr)
{
	coo_peer *best = NULL;
	size_t place;

	for (uint32_t l = t->by_addr[addr_head(t, addr)]; l;) {
		coo_peer *p = link_peer(t, l, &place);
		const coo_addr *a = &p->addr[place];

		l = p->next_by_addr[place];
		if (!coo_addr_eq_ip(a, addr) || (addr->port && a->port != addr->port))
			continue;
		if (!best || p->last_heard > best->last_heard)
			best = p;
	}
	return best;
}

static void unlink_addr(coo_peers *t, coo_peer *p, size_t place)
{
	uint32_t link = (uint32_t)(index_of(t, p) * COO_PEER_ADDRS + place + 1);
	uint32_t *at = &t->by_addr[addr_head(t, &p->addr[place])];
	size_t at_place;

	while (*at && *at != link) {
		coo_peer *q = link_peer(t, *at, &at_place);

		at = &q->next_by_addr[at_place];
	}
	if (*at)
		*at = p->next_by_addr[place];
}

static void link_addr(coo_peers *t, coo_peer *p, size_t place)
{
	uint32_t *head = &t->by_addr[addr_head(t, &p->addr[place])];

	p->next_by_addr[place] = *head;
	*head = (uint32_t)(index_of(t, p) * COO_PEER_ADDRS + place + 1);
}

static void unlink_all_addrs(coo_peers *t, coo_peer *p)
{
	for (size_t i = 0; i < p->n_addrs; i++)
		unlink_addr(t, p, i);
}

static void link_all_addrs(coo_peers *t, coo_peer *p)
{
	for (size_t i = 0; i < p->n_addrs; i++)
		link_addr(t, p, i);
}

static void drop_addr(coo_peers *t, coo_peer *p, size_t place)
{
	unlink_all_addrs(t, p);
	p->n_addrs--;
	memmove(&p->addr[place], &p->addr[place + 1], (p->n_addrs - place) * sizeof(coo_addr));
	link_all_addrs(t, p);
}

static size_t place_of(const coo_peer *p, const coo_addr *addr)
{
	size_t i = 0;

	while (i < p->n_addrs && !coo_addr_eq(&p->addr[i], addr))
		i++;
	return i;
}

void coo_peers_set_addr(coo_peers *t, coo_peer *p, const coo_addr *addr)
{
	coo_addr added = *addr;
	coo_peer *other;
	size_t i, front;

	if (addr->port == 0 || (p->n_addrs > 0 && coo_addr_eq(&p->addr[0], addr)))
		return;
	i = place_of(p, addr);
	while (i == p->n_addrs && (other = coo_peers_at(t, addr)) != NULL)
		drop_addr(t, other, place_of(other, addr));
	unlink_all_addrs(t, p);
	if (i == p->n_addrs) {
		if (p->n_addrs < COO_PEER_ADDRS)
			p->n_addrs++;
		else
			i--; /* the oldest gives way */
	}
	/* hosts speak both families at once, and every client understands IPv4: it stays in front
	 */
	front = added.family == 6 && i > 0 && p->addr[0].family == 4 ? 1 : 0;
	memmove(&p->addr[front + 1], &p->addr[front], (i - front) * sizeof(coo_addr));
	p->addr[front] = added;
	link_all_addrs(t, p);
}

bool coo_peer_has_ip(const coo_peer *p, const coo_addr *addr)
{
	for (size_t i = 0; i < p->n_addrs; i++) {
		if (coo_addr_eq_ip(&p->addr[i], addr))
			return true;
	}
	return false;
}

static bool gives_way_before(const coo_peer *a, const coo_peer *b)
{
	if (a->online != b->online)
		return !a->online;
	return a->last_heard < b->last_heard;
}

static bool evict_one(coo_peers *t)
{
	coo_peer *victim = NULL;

	for (size_t i = 0; i < EVICT_LOOK && i < t->cap; i++) {
		coo_peer *p = &t->v[t->hand];

		t->hand = (t->hand + 1) % t->cap;
		if (p->used && !p->talked && (!victim || gives_way_before(p, victim)))
			victim = p;
	}
	if (!victim)
		return false;
	coo_peers_remove(t, victim);
	t->evicted++;
	return true;
}

static coo_peer *take_free(coo_peers *t)
{
	coo_peer *p;

	if (t->fresh < t->cap)
		return &t->v[t->fresh++];
	if (!t->free_head && !evict_one(t))
		return NULL;
	p = &t->v[t->free_head - 1];
	t->free_head = p->next_by_name;
	return p;
}

coo_peer *coo_peers_add(coo_peers *t, coo_span user, coo_span host, coo_span mac)
{
	coo_span names[COO_PEER_NAMES] = { { NULL, 0 } };
	coo_peer *p = take_free(t);
	uint32_t *head;

	if (!p) {
		t->refused++;
		return NULL;
	}
	memset(p, 0, sizeof(*p));
	p->used = true;
	p->name_hash = name_hash(t, user, host, mac);
	head = &t->by_name[p->name_hash & t->mask];
	p->next_by_name = *head;
	*head = (uint32_t)index_of(t, p) + 1;
	t->n++;
	names[COO_NAME_USER] = user;
	names[COO_NAME_HOST] = host;
	names[COO_NAME_MAC] = mac;
	coo_ignore(coo_peers_set_names(t, p, names));
	return p;
}

void coo_peers_remove(coo_peers *t, coo_peer *p)
{
	uint32_t self = (uint32_t)index_of(t, p) + 1;
	uint32_t *at = &t->by_name[p->name_hash & t->mask];

	unlink_all_addrs(t, p);
	while (*at && *at != self)
		at = &t->v[*at - 1].next_by_name;
	if (*at)
		*at = p->next_by_name;
	p->used = false;
	p->n_addrs = 0;
	p->next_by_name = t->free_head;
	t->free_head = self;
	t->n--;
}

/* Names lie one behind another in the peer's own stretch, so they are put together anew. */
bool coo_peers_set_names(coo_peers *t, coo_peer *p, const coo_span names[COO_PEER_NAMES])
{
	uint8_t packed[COO_PEER_NAMES * COO_PEER_NAME_MAX];
	uint8_t len[COO_PEER_NAMES];
	bool changed = false;
	size_t n = 0;

	for (unsigned i = 0; i < COO_PEER_NAMES; i++) {
		coo_span old = coo_peer_name(t, p, (enum coo_peer_name)i);
		coo_span name = names[i].p ? limited(names[i]) : old;

		name = coo_span_head(name, t->name_cap - n);
		/* identity is compared byte by byte, what is shown ends with a whole character */
		if (i > COO_NAME_MAC && name.n < names[i].n && coo_utf8_valid(names[i]))
			name.n = coo_utf8_truncate(names[i], name.n);
		changed = changed || !coo_span_eq(name, old);
		if (name.n)
			memcpy(packed + n, name.p, name.n);
		len[i] = (uint8_t)name.n;
		n += name.n;
	}
	if (!changed)
		return false;
	memcpy(t->names + index_of(t, p) * t->name_cap, packed, n);
	memcpy(p->len, len, sizeof(len));
	return true;
}

const coo_peer *coo_peers_next(const coo_peers *t, size_t *i)
{
	while (*i < t->fresh) {
		const coo_peer *p = &t->v[(*i)++];

		if (p->used)
			return p;
	}
	return NULL;
}
