/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#if defined(__linux__)
#include <netpacket/packet.h>
#elif defined(AF_LINK)
#include <net/if_dl.h>
#endif

#include "base/addr.h"
#include "engine/netif.h"

#define NETIFS_MAX 4096 /* addresses; nobody's machine has more by intent */

/* Without the label of an alias: "eth0:1" is eth0. */
static void copy_name(const char *from, char to[64])
{
	size_t n = strcspn(from, ":");

	if (n > 63)
		n = 63;
	memcpy(to, from, n);
	to[n] = '\0';
}

static bool is_ip(const struct ifaddrs *a)
{
	return a->ifa_addr &&
	       (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6);
}

static bool hardware_address(const struct ifaddrs *a, uint8_t mac[6])
{
#if defined(__linux__)
	struct sockaddr_ll ll;

	if (!a->ifa_addr || a->ifa_addr->sa_family != AF_PACKET)
		return false;
	memcpy(&ll, a->ifa_addr, sizeof(ll));
	if (ll.sll_halen != 6)
		return false;
	memcpy(mac, ll.sll_addr, 6);
	return true;
#elif defined(AF_LINK)
	const struct sockaddr_dl *dl = (const struct sockaddr_dl *)(const void *)a->ifa_addr;

	if (!dl || dl->sdl_family != AF_LINK || dl->sdl_alen != 6)
		return false;
	memcpy(mac, LLADDR(dl), 6);
	return true;
#else
	(void)a;
	(void)mac;
	return false;
#endif
}

static void find_mac(const struct ifaddrs *list, coo_netif *i)
{
	static const uint8_t none[6];

	for (const struct ifaddrs *a = list; a && !i->has_mac; a = a->ifa_next) {
		char name[64];

		copy_name(a->ifa_name, name);
		if (strcmp(name, i->name) == 0 && hardware_address(a, i->mac))
			i->has_mac = memcmp(i->mac, none, 6) != 0;
	}
}

static uint32_t read_mtu(int fd, const char *name)
{
	struct ifreq req;
	size_t n = strlen(name);

	memset(&req, 0, sizeof(req));
	if (fd < 0 || n >= sizeof(req.ifr_name))
		return 0;
	memcpy(req.ifr_name, name, n);
	return ioctl(fd, SIOCGIFMTU, &req) == 0 && req.ifr_mtu > 0 ? (uint32_t)req.ifr_mtu : 0;
}

/* Some systems shorten a mask behind its last one: what is missing are zeros. */
static unsigned read_prefix(const struct sockaddr *mask, int family)
{
	bool is_v4 = family == AF_INET;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	size_t n = is_v4 ? sizeof(v4) : sizeof(v6);

	if (!mask)
		return is_v4 ? 32 : 128;
#ifdef SIN6_LEN
	n = mask->sa_len < n ? mask->sa_len : n;
#endif
	memset(&v4, 0, sizeof(v4));
	memset(&v6, 0, sizeof(v6));
	if (is_v4) {
		memcpy(&v4, mask, n);
		return coo_netif_prefix_bits((const uint8_t *)&v4.sin_addr, 4);
	}
	memcpy(&v6, mask, n);
	return coo_netif_prefix_bits((const uint8_t *)&v6.sin6_addr, 16);
}

/*
 * A network of one or two addresses has no broadcast address whatever the system says; 0.0.0.0,
 * none at all, and the address itself, which Linux gives where none was set, are made good.
 * Loopback has one too: 127.255.255.255 reaches all that listen there.
 */
static void find_broadcast(const struct ifaddrs *a, coo_netif *i)
{
	coo_addr computed;

	if (!coo_netif_directed_broadcast(&i->addr, i->prefix, &computed) ||
	    !(a->ifa_flags & (IFF_BROADCAST | IFF_LOOPBACK)))
		return;
	if (!(a->ifa_flags & IFF_BROADCAST) || !a->ifa_broadaddr ||
	    !coo_addr_from_sockaddr(a->ifa_broadaddr, &i->broadcast) || i->broadcast.family != 4 ||
	    coo_addr_is_any(&i->broadcast) || coo_addr_eq_ip(&i->broadcast, &i->addr))
		i->broadcast = computed;
	i->broadcast.port = 0;
}

static bool fill(const struct ifaddrs *a, const struct ifaddrs *list, int fd, coo_netif *i)
{
	memset(i, 0, sizeof(*i));
	if (!coo_addr_from_sockaddr(a->ifa_addr, &i->addr))
		return false;
	copy_name(a->ifa_name, i->name);
	i->addr.port = 0;
	i->index = if_nametoindex(i->name);
	i->up = (a->ifa_flags & IFF_UP) != 0;
	i->running = (a->ifa_flags & IFF_RUNNING) != 0;
	i->loopback = (a->ifa_flags & IFF_LOOPBACK) != 0;
	i->multicast = (a->ifa_flags & IFF_MULTICAST) != 0;
	i->prefix = read_prefix(a->ifa_netmask, a->ifa_addr->sa_family);
	i->mtu = read_mtu(fd, i->name);
	find_broadcast(a, i);
	find_mac(list, i);
	return true;
}

/* The first name that no interface has, or NULL. An interface without addresses exists, too. */
static const char *unknown_name(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (if_nametoindex(names[i]) == 0)
			return names[i];
	}
	return NULL;
}

static coo_err collect(const struct ifaddrs *list, const char *const *names, size_t n_names,
		       coo_netifs *out)
{
	size_t cap = 0, n = 0;
	coo_netif *v;
	int fd;

	for (const struct ifaddrs *a = list; a && cap < NETIFS_MAX; a = a->ifa_next)
		cap += is_ip(a);
	v = calloc(cap ? cap : 1, sizeof(*v));
	if (!v)
		return COO_ENOMEM;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	for (const struct ifaddrs *a = list; a && n < cap; a = a->ifa_next) {
		if (is_ip(a) && fill(a, list, fd, &v[n])) {
			v[n].use = coo_netif_decide(&v[n], names, n_names);
			n++;
		}
	}
	if (fd >= 0)
		close(fd);
	out->v = v;
	out->n = n;
	return COO_OK;
}

coo_err coo_netifs_read(const char *const *names, size_t n_names, coo_netifs *out, const char **bad)
{
	const char *unknown = unknown_name(names, n_names);
	struct ifaddrs *list;
	coo_err err;

	if (unknown) {
		if (bad)
			*bad = unknown;
		return COO_ENOENT;
	}
	if (getifaddrs(&list) != 0)
		return COO_ESYS;
	err = collect(list, names, n_names, out);
	freeifaddrs(list);
	return err;
}

void coo_netifs_free(coo_netifs *n)
{
	if (!n)
		return;
	free(n->v);
	n->v = NULL;
	n->n = 0;
}
