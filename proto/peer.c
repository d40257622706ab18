/* SPDX-License-Identifier: MIT */
#include "proto/peer.h"

#include "proto/hash.h"
#include "proto/utf8.h"

enum { EVICT_LOOK = 64 };

static size_t round_up(size_t n)
{
	return (n + COO_PEER_LINE - 1) & ~(size_t)(COO_PEER_LINE - 1);
}

static size_t heads_for(size_t cap)
{
	return coo_hash_buckets(2 * cap, 1, sizeof(uint32_t));
}

static size_t heads_size(size_t cap)
{
	return round_up(heads_for(cap) * sizeof(uint32_t));
}

static size_t links_size(size_t n)
{
	return round_up(n * sizeof(coo_peer_link));
}

/* The lengths of a peer's names stand before them. */
static size_t names_stride(size_t name_cap)
{
	return round_up(COO_PEER_NAMES + name_cap);
}

size_t coo_peers_size(size_t cap, size_t name_cap)
{
	return COO_PEER_LINE - 1 + cap * sizeof(coo_peer) + cap * names_stride(name_cap) +
	       2 * heads_size(cap) + links_size(cap) + links_size(cap * COO_PEER_ADDRS);
}

static void *take(uint8_t **at, size_t n)
{
	void *p = *at;

	*at += n;
	return p;
}

void coo_peers_init(coo_peers *t, size_t cap, size_t name_cap, uint64_t key, void *mem)
{
	uint8_t *at = mem;

	at += (COO_PEER_LINE - (uintptr_t)at % COO_PEER_LINE) % COO_PEER_LINE;
	memset(t, 0, sizeof(*t));
	t->mem = mem;
	t->v = take(&at, cap * sizeof(coo_peer));
	t->by_name.heads = take(&at, heads_size(cap));
	t->by_name.links = take(&at, links_size(cap));
	t->by_addr.heads = take(&at, heads_size(cap));
	t->by_addr.links = take(&at, links_size(cap * COO_PEER_ADDRS));
	t->names = at;
	t->cap = cap;
	t->name_cap = name_cap;
	t->mask = heads_for(cap) - 1;
	t->key = key;
}

static size_t index_of(const coo_peers *t, const coo_peer *p)
{
	return (size_t)(p - t->v);
}

/* --- chains --------------------------------------------------------------------------------------
 */

static void chain_add(coo_peer_chains *c, size_t mask, uint32_t hash, size_t link)
{
	uint32_t *head = &c->heads[hash & mask];

	c->links[link].hash = hash;
	c->links[link].next = *head;
	*head = (uint32_t)link + 1;
}

static void chain_remove(coo_peer_chains *c, size_t mask, size_t link)
{
	uint32_t *at = &c->heads[c->links[link].hash & mask];

	while (*at && *at != link + 1)
		at = &c->links[*at - 1].next;
	if (*at)
		*at = c->links[link].next;
}

/* The first link from l on with this hash; links are counted from 1, 0: none. */
static uint32_t chain_seek(const coo_peer_chains *c, uint32_t l, uint32_t hash)
{
	while (l && c->links[l - 1].hash != hash)
		l = c->links[l - 1].next;
	return l;
}

/* --- names ---------------------------------------------------------------------------------------
 */

static uint8_t *lengths_of(const coo_peers *t, size_t index)
{
	return t->names + index * names_stride(t->name_cap);
}

static coo_span name_at(const coo_peers *t, size_t index, enum coo_peer_name which)
{
	const uint8_t *len = lengths_of(t, index), *at = len + COO_PEER_NAMES;

	for (unsigned i = 0; i < (unsigned)which; i++)
		at += len[i];
	return coo_span_of(at, len[which]);
}

coo_span coo_peer_name(const coo_peers *t, const coo_peer *p, enum coo_peer_name which)
{
	return name_at(t, index_of(t, p), which);
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

static uint32_t addr_hash(const coo_peers *t, const coo_addr *a)
{
	return (uint32_t)coo_hash_ip(t->key, a);
}

static bool has_identity(const coo_peers *t, size_t index, coo_span user, coo_span host,
			 coo_span mac)
{
	return coo_span_eq_nocase(name_at(t, index, COO_NAME_USER), limited(user)) &&
	       coo_span_eq_nocase(name_at(t, index, COO_NAME_HOST), limited(host)) &&
	       coo_span_eq_nocase(name_at(t, index, COO_NAME_MAC), limited(mac));
}

coo_peer *coo_peers_find(const coo_peers *t, coo_span user, coo_span host, coo_span mac)
{
	const coo_peer_chains *c = &t->by_name;
	uint32_t hash = name_hash(t, user, host, mac);
	uint32_t l = chain_seek(c, c->heads[hash & t->mask], hash);

	while (l && !has_identity(t, l - 1, user, host, mac))
		l = chain_seek(c, c->links[l - 1].next, hash);
	return l ? &t->v[l - 1] : NULL;
}

/* --- addresses -----------------------------------------------------------------------------------
 */

/* The links of all first addresses stand together, as most peers have but one. */
static size_t addr_link(const coo_peers *t, const coo_peer *p, size_t place)
{
	return place * t->cap + index_of(t, p);
}

coo_peer *coo_peers_at(const coo_peers *t, const coo_addr *addr)
{
	const coo_peer_chains *c = &t->by_addr;
	uint32_t hash = addr_hash(t, addr), l = c->heads[hash & t->mask];
	coo_peer *best = NULL;

	for (; (l = chain_seek(c, l, hash)) != 0; l = c->links[l - 1].next) {
		size_t place = (l - 1) / t->cap;
		coo_peer *p = &t->v[(l - 1) - place * t->cap];
		const coo_addr *a = &p->addr[place];

		if (!coo_addr_eq_ip(a, addr) || (addr->port && a->port != addr->port))
			continue;
		if (!best || p->last_heard > best->last_heard)
			best = p;
	}
	return best;
}

static void unlink_all_addrs(coo_peers *t, const coo_peer *p)
{
	for (size_t i = 0; i < p->n_addrs; i++)
		chain_remove(&t->by_addr, t->mask, addr_link(t, p, i));
}

static void link_all_addrs(coo_peers *t, const coo_peer *p)
{
	for (size_t i = 0; i < p->n_addrs; i++)
		chain_add(&t->by_addr, t->mask, addr_hash(t, &p->addr[i]), addr_link(t, p, i));
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
	t->free_head = t->by_name.links[t->free_head - 1].next;
	return p;
}

coo_peer *coo_peers_add(coo_peers *t, coo_span user, coo_span host, coo_span mac)
{
	coo_span names[COO_PEER_NAMES] = { { NULL, 0 } };
	coo_peer *p = take_free(t);

	if (!p) {
		t->refused++;
		return NULL;
	}
	memset(p, 0, sizeof(*p));
	p->used = true;
	memset(lengths_of(t, index_of(t, p)), 0, COO_PEER_NAMES);
	chain_add(&t->by_name, t->mask, name_hash(t, user, host, mac), index_of(t, p));
	t->n++;
	names[COO_NAME_USER] = user;
	names[COO_NAME_HOST] = host;
	names[COO_NAME_MAC] = mac;
	coo_ignore(coo_peers_set_names(t, p, names));
	return p;
}

void coo_peers_remove(coo_peers *t, coo_peer *p)
{
	size_t index = index_of(t, p);

	unlink_all_addrs(t, p);
	chain_remove(&t->by_name, t->mask, index);
	p->used = false;
	p->n_addrs = 0;
	t->by_name.links[index].next = t->free_head;
	t->free_head = (uint32_t)index + 1;
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
	memcpy(lengths_of(t, index_of(t, p)) + COO_PEER_NAMES, packed, n);
	memcpy(lengths_of(t, index_of(t, p)), len, sizeof(len));
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
