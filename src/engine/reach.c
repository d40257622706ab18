/* SPDX-License-Identifier: MIT */
#include "engine/reach.h"

#include <string.h>

#include "base/addr.h"
#include "base/log.h"

static void add(coo_reach *r, const coo_netif *i, coo_addr to)
{
	coo_dgram *g = &r->v[r->n];

	if (r->n == COO_REACH_MAX)
		return;
	memset(g, 0, sizeof(*g));
	g->peer = to;
	g->local = i->addr;
	g->ifindex = i->index;
	r->n++;
}

static coo_addr group(uint8_t second, uint16_t last, uint32_t scope)
{
	coo_addr a;

	memset(&a, 0, sizeof(a));
	a.family = 6;
	a.ip[0] = 0xff;
	a.ip[1] = second;
	a.ip[14] = (uint8_t)(last >> 8);
	a.ip[15] = (uint8_t)last;
	a.scope = scope;
	return a;
}

static void add_v4(coo_reach *r, const coo_netif *i)
{
	if (i->use != COO_NETIF_USED || !i->broadcast.family) {
		coo_log(COO_LOG_INFO, "no broadcast on %s: it %s", i->name,
			coo_netif_use_text(i->use));
		return;
	}
	add(r, i, i->broadcast);
	add(r, i, coo_addr_v4(255, 255, 255, 255, 0));
}

static void add_v6(coo_reach *r, const coo_netif *i)
{
	bool usable = i->use == COO_NETIF_USED || i->use == COO_NETIF_NO_BROADCAST;

	if (!usable || !i->up || !coo_addr_is_link_local(&i->addr))
		return;
	add(r, i, group(0x02, 0x0001, i->index));
	add(r, i, group(0x15, 0x0979, 0));
}

void coo_reach_find(coo_reach *r, const coo_netifs *ifs, const coo_addr *bind)
{
	bool bound = bind->family && !coo_addr_is_any(bind);

	r->n = 0;
	for (size_t k = 0; k < ifs->n; k++) {
		const coo_netif *i = &ifs->v[k];

		if (bound && !coo_addr_eq_ip(&i->addr, bind))
			continue;
		if (i->addr.family == 4)
			add_v4(r, i);
		else
			add_v6(r, i);
	}
}

static bool has(const coo_reach *r, const coo_dgram *g)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].ifindex == g->ifindex && coo_addr_eq_ip(&r->v[i].peer, &g->peer) &&
		    coo_addr_eq_ip(&r->v[i].local, &g->local))
			return true;
	}
	return false;
}

bool coo_reach_has_more(const coo_reach *now, const coo_reach *before)
{
	for (size_t i = 0; i < now->n; i++) {
		if (!has(before, &now->v[i]))
			return true;
	}
	return false;
}
