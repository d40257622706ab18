/* SPDX-License-Identifier: MIT */
#include "engine/netif.h"

#include <string.h>

#include "base/addr.h"

/* Beginnings of the names that containers and virtual machines give their side of the wire. */
static const char *const virtual_names[] = { "docker", "br-",	 "veth", "virbr", "vboxnet",
					     "vmnet",  "podman", "cni",	 "lxcbr", "lxdbr" };

static bool is_virtual(const char *name)
{
	for (size_t i = 0; i < COO_ARRAY_LEN(virtual_names); i++) {
		if (strncmp(name, virtual_names[i], strlen(virtual_names[i])) == 0)
			return true;
	}
	return false;
}

static bool is_named(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

enum coo_netif_use coo_netif_decide(const coo_netif *i, const char *const *names, size_t n_names)
{
	bool named = is_named(i->name, names, n_names);

	if (n_names > 0 && !named)
		return COO_NETIF_NOT_NAMED;
	if (!i->up)
		return COO_NETIF_DOWN;
	if (i->loopback && !named)
		return COO_NETIF_LOOPBACK;
	if (!named && is_virtual(i->name))
		return COO_NETIF_VIRTUAL;
	if (i->addr.family == 4 ? i->broadcast.family == 0 : !i->multicast)
		return COO_NETIF_NO_BROADCAST;
	return COO_NETIF_USED;
}

const char *coo_netif_use_text(enum coo_netif_use use)
{
	switch (use) {
	case COO_NETIF_USED:
		return "is used";
	case COO_NETIF_DOWN:
		return "is down";
	case COO_NETIF_LOOPBACK:
		return "is loopback";
	case COO_NETIF_VIRTUAL:
		return "is virtual";
	case COO_NETIF_NOT_NAMED:
		return "was not named";
	case COO_NETIF_NO_BROADCAST:
		return "has no broadcast";
	}
	return "is unknown";
}

unsigned coo_netif_prefix_bits(const uint8_t *mask, size_t n)
{
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++) {
		for (unsigned bit = 0x80; bit; bit >>= 1) {
			if (!(mask[i] & bit))
				return bits;
			bits++;
		}
	}
	return bits;
}

/* The bits of byte i that belong to the host where the network has prefix bits. */
static uint8_t host_bits(unsigned prefix, unsigned i)
{
	unsigned net = prefix > i * 8 ? prefix - i * 8 : 0;

	return (uint8_t)(net >= 8 ? 0 : 0xffu >> net);
}

bool coo_netif_directed_broadcast(const coo_addr *a, unsigned prefix, coo_addr *out)
{
	coo_addr b = *a;

	if (a->family != 4 || prefix > 30)
		return false;
	for (unsigned i = 0; i < 4; i++)
		b.ip[i] |= host_bits(prefix, i);
	b.port = 0;
	*out = b;
	return true;
}

static bool same_network(const coo_netif *i, const coo_addr *a)
{
	if (i->addr.family != a->family)
		return false;
	if (a->family == 6 && coo_addr_is_link_local(a) && a->scope != i->index)
		return false;
	for (unsigned k = 0; k < (a->family == 4 ? 4u : 16u); k++) {
		if ((i->addr.ip[k] ^ a->ip[k]) & ~host_bits(i->prefix, k) & 0xff)
			return false;
	}
	return true;
}

bool coo_netifs_on_link(const coo_netifs *n, const coo_addr *a)
{
	for (size_t i = 0; i < n->n; i++) {
		if (n->v[i].up && same_network(&n->v[i], a))
			return true;
	}
	return false;
}

bool coo_netifs_is_own(const coo_netifs *n, const coo_addr *a)
{
	if (coo_addr_is_loopback(a))
		return true;
	for (size_t i = 0; i < n->n; i++) {
		if (coo_addr_eq_ip(&n->v[i].addr, a))
			return true;
	}
	return false;
}

bool coo_netifs_is_broadcast(const coo_netifs *n, const coo_addr *a)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	if (a->family != 4)
		return false;
	if (memcmp(a->ip, all, 4) == 0)
		return true;
	for (size_t i = 0; i < n->n; i++) {
		if (n->v[i].broadcast.family == 4 && coo_addr_eq_ip(&n->v[i].broadcast, a))
			return true;
	}
	return false;
}
