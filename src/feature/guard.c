/* SPDX-License-Identifier: MIT */
#include "feature/guard.h"

#include <string.h>

#include "proto/attr.h"

/* An address is asked about again after this, since interfaces come and go. */
#define RECHECK COO_SEC(30)
#define NS_PER_SEC UINT64_C(1000000000)
#define SAME_MAX (UINT32_C(1) << 20)

static const struct {
	const char *key, *text;
} verdicts[] = { { "ok", "answered" },
#define VERDICT_ROW(name, key, text) { key, text },
		 COO_GUARD_LIST(VERDICT_ROW)
#undef VERDICT_ROW
};

const char *coo_guard_key(enum coo_guard_verdict v)
{
	return (size_t)v < COO_ARRAY_LEN(verdicts) ? verdicts[v].key : "unknown";
}

const char *coo_guard_text(enum coo_guard_verdict v)
{
	return (size_t)v < COO_ARRAY_LEN(verdicts) ? verdicts[v].text : "unknown";
}

bool coo_guard_port_answers(uint16_t port)
{
	static const uint16_t ports[] = { 0,   7,   13,	 17,  19,  37,	 53,   69,
					  123, 161, 389, 520, 862, 1900, 5353, 7088 };

	for (size_t i = 0; i < COO_ARRAY_LEN(ports); i++) {
		if (ports[i] == port)
			return true;
	}
	return false;
}

void coo_guard_init(coo_guard *g, const coo_guard_cfg *cfg)
{
	g->cfg = *cfg;
}

static size_t set_of(const coo_addr *a)
{
	uint64_t h = a->scope;

	for (size_t i = 0; i < 16; i++)
		h = (h ^ a->ip[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h >> 24) % COO_GUARD_SETS;
}

static enum coo_guard_verdict judge(const coo_guard *g, const coo_addr *a, coo_time now)
{
	if (a->family == 0 || coo_addr_is_multicast(a) || coo_addr_is_any(a))
		return COO_GUARD_OFF_LINK;
	if (a->family == 4 && memcmp(a->ip, "\xff\xff\xff\xff", 4) == 0)
		return COO_GUARD_OFF_LINK;
	if (coo_addr_is_loopback(a))
		return COO_GUARD_OK;
	for (size_t i = 0; i < g->cfg.n_allow; i++) {
		if (coo_cidr_has(&g->cfg.allow[i], a))
			return COO_GUARD_OK;
	}
	/* --allow names who may ask; without it, those on the link may */
	if (g->cfg.n_allow == 0 && g->cfg.on_link && g->cfg.on_link(g->cfg.user, a, now))
		return COO_GUARD_OK;
	return COO_GUARD_OFF_LINK;
}

static void enter(coo_guard *g, coo_guard_source *s, const coo_addr *ip, coo_time now)
{
	if (s->addr.family)
		g->evicted++;
	memset(s, 0, sizeof(*s));
	s->addr = *ip;
	s->rate = g->cfg.rate;
	if (!s->rate && !coo_addr_is_loopback(ip))
		s->rate = COO_GUARD_DEFAULT_RATE;
	s->tokens = NS_PER_SEC;
	s->filled = now;
	s->checked = now;
	s->verdict = judge(g, ip, now);
}

static coo_guard_source *look_up(coo_guard *g, const coo_addr *ip, coo_time now)
{
	size_t n = set_of(ip);
	coo_guard_source *set = &g->sources[n * COO_GUARD_WAYS], *oldest = set;

	for (size_t i = 0; i < COO_GUARD_WAYS; i++) {
		if (set[i].addr.family && coo_addr_eq_ip(&set[i].addr, ip))
			return &set[i];
		if (!set[i].addr.family || (oldest->addr.family && set[i].seen < oldest->seen))
			oldest = &set[i];
	}
	enter(g, oldest, ip, now);
	g->used[n] = 1;
	return oldest;
}

coo_guard_source *coo_guard_find(coo_guard *g, const coo_addr *from, coo_time now,
				 enum coo_guard_verdict *verdict)
{
	coo_addr ip = *from;
	coo_guard_source *s;

	ip.port = 0;
	s = look_up(g, &ip, now);
	s->seen = now;
	if (now - s->checked > RECHECK) {
		s->verdict = judge(g, &ip, now);
		s->checked = now;
	}
	*verdict = s->verdict;
	if (from->port == g->cfg.own_port)
		*verdict = COO_GUARD_OWN;
	else if (coo_guard_port_answers(from->port))
		*verdict = COO_GUARD_PORT;
	return s;
}

/* A second's worth of datagrams may come at once; credit is kept in ns, so there is no division. */
static bool has_credit(coo_guard_source *s, uint64_t n, coo_time now)
{
	uint64_t cost = n * (NS_PER_SEC / s->rate);

	if (now > s->filled) {
		s->tokens += now - s->filled;
		if (s->tokens > NS_PER_SEC)
			s->tokens = NS_PER_SEC;
		s->filled = now;
	}
	if (cost > s->tokens)
		return false;
	s->tokens -= cost;
	return true;
}

/* Two services that answer each other send the same bytes for ever, which no tester does. One
 * datagram not answered ends such a loop, and the missing one harms nobody else. */
static bool is_loop(coo_guard_source *s, coo_span head, uint64_t size)
{
	uint64_t a = 0, b = 0, hash;

	memcpy(&a, head.p, head.n < 8 ? head.n : 8);
	if (head.n >= 16)
		memcpy(&b, head.p + 8, 8);
	hash = (a ^ size) * UINT64_C(0x9e3779b97f4a7c15) ^ b * UINT64_C(0xbf58476d1ce4e5b9);
	if (hash != s->same_hash) {
		s->same_hash = hash;
		s->same_count = 0;
		return false;
	}
	if (++s->same_count < SAME_MAX)
		return false;
	s->same_count = 0;
	return true;
}

enum coo_guard_verdict coo_guard_admit(coo_guard *g, coo_guard_source *s, coo_span head,
				       uint64_t size, uint64_t n, coo_time now)
{
	if (g->cfg.max_size && size > g->cfg.max_size)
		return COO_GUARD_SIZE;
	if (s->rate && !has_credit(s, n, now))
		return COO_GUARD_RATE;
	if (head.n && is_loop(s, head, size))
		return COO_GUARD_LOOP;
	return COO_GUARD_OK;
}

size_t coo_guard_active(const coo_guard *g, coo_time now, coo_time d)
{
	size_t n = 0;

	for (size_t i = 0; i < COO_GUARD_SOURCES; i++) {
		if (g->used[i / COO_GUARD_WAYS] && g->sources[i].addr.family &&
		    now - g->sources[i].seen <= d)
			n++;
	}
	return n;
}
