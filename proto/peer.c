/* SPDX-License-Identifier: MIT */
#include "proto/peer.h"

#include "proto/hash.h"
#include "proto/utf8.h"

enum {
	EVICT_LOOK = 64,
	MORE_ADDRS = COO_PEER_ADDRS - 1,
};

/* Most peers have one address, which stands in their record. */
struct coo_peer_more {
	coo_addr addr[MORE_ADDRS];
	coo_peer_link link[MORE_ADDRS];
};

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

/* The lengths of a peer's names stand before them. */
static size_t near_stride(const coo_peers_cfg *cfg)
{
	return round_up(sizeof(coo_peer) + COO_PEER_NAMES + cfg->near_cap);
}

static size_t far_stride(const coo_peers_cfg *cfg)
{
	return round_up(cfg->name_cap);
}

size_t coo_peers_size(const coo_peers_cfg *cfg)
{
	return COO_PEER_LINE - 1 + 2 * heads_size(cfg->cap) +
	       round_up(cfg->cap * sizeof(uint32_t)) +
	       cfg->cap *
		   (near_stride(cfg) + far_stride(cfg) + round_up(sizeof(struct coo_peer_more)));
}

static void *take(uint8_t **at, size_t n)
{
	void *p = *at;

	*at += n;
	return p;
}

void coo_peers_init(coo_peers *t, const coo_peers_cfg *cfg, uint64_t key, void *mem)
{
	uint8_t *at = mem;

	at += (COO_PEER_LINE - (uintptr_t)at % COO_PEER_LINE) % COO_PEER_LINE;
	memset(t, 0, sizeof(*t));
	t->mem = mem;
	t->cap = cfg->cap;
	t->name_cap = cfg->name_cap;
	t->stride = near_stride(cfg);
	t->near_cap = t->stride - sizeof(coo_peer) - COO_PEER_NAMES;
	t->far_stride = far_stride(cfg);
	t->mask = heads_for(cfg->cap) - 1;
	t->key = key;
	t->name_heads = take(&at, heads_size(cfg->cap));
	t->addr_heads = take(&at, heads_size(cfg->cap));
	t->owed = take(&at, round_up(cfg->cap * sizeof(uint32_t)));
	t->records = take(&at, cfg->cap * t->stride);
	t->far_names = take(&at, cfg->cap * t->far_stride);
	t->more = (void *)at;
}

/* --- chains --------------------------------------------------------------------------------------
 */

/*
 * A link is known by its number: of the chains by name the index of its peer, of those by address
 * that and which of the peer's addresses it is for. Chains count numbers from 1, 0 ends them.
 */
static coo_peer_link *name_link(const coo_peers *t, size_t no)
{
	return &coo_peers_nth(t, no)->by_name;
}

static coo_peer_link *addr_link(const coo_peers *t, size_t no)
{
	size_t which = no / t->cap, index = no % t->cap;

	return which == 0 ? &coo_peers_nth(t, index)->by_addr : &t->more[index].link[which - 1];
}

typedef coo_peer_link *link_at(const coo_peers *t, size_t no);

static void chain_add(const coo_peers *t, uint32_t *heads, link_at *at, uint32_t hash, size_t no)
{
	coo_peer_link *l = at(t, no);

	l->hash = hash;
	l->next = heads[hash & t->mask];
	heads[hash & t->mask] = (uint32_t)no + 1;
}

static void chain_remove(const coo_peers *t, uint32_t *heads, link_at *at, size_t no)
{
	uint32_t *next = &heads[at(t, no)->hash & t->mask];

	while (*next && *next != no + 1)
		next = &at(t, *next - 1)->next;
	if (*next)
		*next = at(t, no)->next;
}

/* --- names ---------------------------------------------------------------------------------------
 */

static uint8_t *lengths_of(const coo_peers *t, size_t index)
{
	return t->records + index * t->stride + sizeof(coo_peer);
}

static uint8_t *names_of(const coo_peers *t, size_t index)
{
	return coo_peers_nth(t, index)->far_names ? t->far_names + index * t->far_stride
						  : lengths_of(t, index) + COO_PEER_NAMES;
}

static coo_span name_at(const coo_peers *t, size_t index, enum coo_peer_name which)
{
	const uint8_t *len = lengths_of(t, index), *at = names_of(t, index);

	for (unsigned i = 0; i < (unsigned)which; i++)
		at += len[i];
	return coo_span_of(at, len[which]);
}

coo_span coo_peer_name(const coo_peers *t, const coo_peer *p, enum coo_peer_name which)
{
	return name_at(t, coo_peers_index(t, p), which);
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
	uint32_t hash = name_hash(t, user, host, mac);
	uint32_t no = t->name_heads[hash & t->mask];

	while (no) {
		coo_peer *p = coo_peers_nth(t, no - 1);

		if (p->by_name.hash == hash && has_identity(t, no - 1, user, host, mac))
			return p;
		no = p->by_name.next;
	}
	return NULL;
}

/* --- addresses -----------------------------------------------------------------------------------
 */

static coo_addr *addr_of(const coo_peers *t, coo_peer *p, size_t which)
{
	return which == 0 ? &p->addr : &t->more[coo_peers_index(t, p)].addr[which - 1];
}

const coo_addr *coo_peer_addr(const coo_peers *t, const coo_peer *p, size_t i)
{
	return i == 0 ? &p->addr : &t->more[coo_peers_index(t, p)].addr[i - 1];
}

coo_peer *coo_peers_at(const coo_peers *t, const coo_addr *addr)
{
	uint32_t hash = addr_hash(t, addr), no = t->addr_heads[hash & t->mask];
	const coo_peer_link *l;
	coo_peer *best = NULL;

	for (; no; no = l->next) {
		size_t which = (no - 1) / t->cap;
		coo_peer *p = coo_peers_nth(t, (no - 1) % t->cap);
		const coo_addr *a;

		l = addr_link(t, no - 1);
		if (l->hash != hash)
			continue;
		a = addr_of(t, p, which);
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
		chain_remove(t, t->addr_heads, addr_link, i * t->cap + coo_peers_index(t, p));
}

static void link_all_addrs(coo_peers *t, coo_peer *p)
{
	for (size_t i = 0; i < p->n_addrs; i++)
		chain_add(t, t->addr_heads, addr_link, addr_hash(t, addr_of(t, p, i)),
			  i * t->cap + coo_peers_index(t, p));
}

static void drop_addr(coo_peers *t, coo_peer *p, size_t place)
{
	if (place == 0)
		coo_peers_settle(t, p); /* what is owed is owed there */
	unlink_all_addrs(t, p);
	p->n_addrs--;
	for (size_t i = place; i < p->n_addrs; i++)
		*addr_of(t, p, i) = *addr_of(t, p, i + 1);
	link_all_addrs(t, p);
}

static size_t place_of(const coo_peers *t, const coo_peer *p, const coo_addr *addr)
{
	size_t i = 0;

	while (i < p->n_addrs && !coo_addr_eq(coo_peer_addr(t, p, i), addr))
		i++;
	return i;
}

void coo_peers_set_addr(coo_peers *t, coo_peer *p, const coo_addr *addr)
{
	coo_addr added = *addr;
	coo_peer *other;
	size_t i, front;

	if (addr->port == 0 || (p->n_addrs > 0 && coo_addr_eq(&p->addr, addr)))
		return;
	i = place_of(t, p, addr);
	while (i == p->n_addrs && (other = coo_peers_at(t, addr)) != NULL)
		drop_addr(t, other, place_of(t, other, addr));
	unlink_all_addrs(t, p);
	if (i == p->n_addrs) {
		if (p->n_addrs < COO_PEER_ADDRS)
			p->n_addrs++;
		else
			i--; /* the oldest gives way */
	}
	front = added.family == 6 && i > 0 && p->addr.family == 4 ? 1 : 0;
	for (; i > front; i--)
		*addr_of(t, p, i) = *addr_of(t, p, i - 1);
	*addr_of(t, p, front) = added;
	link_all_addrs(t, p);
}

bool coo_peer_has_ip(const coo_peers *t, const coo_peer *p, const coo_addr *addr)
{
	for (size_t i = 0; i < p->n_addrs; i++) {
		if (coo_addr_eq_ip(coo_peer_addr(t, p, i), addr))
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
		coo_peer *p = coo_peers_nth(t, t->hand);

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
		return coo_peers_nth(t, t->fresh++);
	if (!t->free_head && !evict_one(t))
		return NULL;
	p = coo_peers_nth(t, t->free_head - 1);
	t->free_head = p->by_name.next;
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
	memset(lengths_of(t, coo_peers_index(t, p)), 0, COO_PEER_NAMES);
	chain_add(t, t->name_heads, name_link, name_hash(t, user, host, mac),
		  coo_peers_index(t, p));
	t->n++;
	names[COO_NAME_USER] = user;
	names[COO_NAME_HOST] = host;
	names[COO_NAME_MAC] = mac;
	coo_ignore(coo_peers_set_names(t, p, names));
	return p;
}

void coo_peers_remove(coo_peers *t, coo_peer *p)
{
	coo_peers_settle(t, p);
	unlink_all_addrs(t, p);
	chain_remove(t, t->name_heads, name_link, coo_peers_index(t, p));
	p->used = false;
	p->n_addrs = 0;
	p->by_name.next = t->free_head;
	t->free_head = (uint32_t)coo_peers_index(t, p) + 1;
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
	p->far_names = n > t->near_cap;
	memcpy(names_of(t, coo_peers_index(t, p)), packed, n);
	memcpy(lengths_of(t, coo_peers_index(t, p)), len, sizeof(len));
	return true;
}

const coo_peer *coo_peers_next(const coo_peers *t, size_t *i)
{
	while (*i < t->fresh) {
		const coo_peer *p = coo_peers_nth(t, (*i)++);

		if (p->used)
			return p;
	}
	return NULL;
}
