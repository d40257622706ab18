/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "base/addr.h"
#include "engine/udp_impl.h"
#if defined(IP_RECVDSTADDR) && defined(IP_RECVIF)
#include <net/if_dl.h>
#endif

/* The kernel's counter is 32 bits wide and may pass zero. */
static void note_drops(coo_udp *u, uint32_t now)
{
	u->stats.rx_dropped += (uint32_t)(now - u->drops_seen);
	u->drops_seen = now;
}

static void read_ip(const struct cmsghdr *c, coo_dgram *d)
{
#if defined(IP_RECVDSTADDR) && defined(IP_RECVIF)
	if (c->cmsg_type == IP_RECVDSTADDR) {
		memcpy(d->local.ip, CMSG_DATA(c), 4);
		d->local.family = 4;
	} else if (c->cmsg_type == IP_RECVIF) {
		struct sockaddr_dl dl;

		memcpy(&dl, CMSG_DATA(c), offsetof(struct sockaddr_dl, sdl_data));
		d->ifindex = dl.sdl_index;
	}
#elif defined(IP_PKTINFO)
	struct in_pktinfo info;

	if (c->cmsg_type != IP_PKTINFO)
		return;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	memcpy(d->local.ip, &info.ipi_addr, 4);
	d->local.family = 4;
	d->ifindex = (uint32_t)info.ipi_ifindex;
#endif
}

static void read_ipv6(const struct cmsghdr *c, coo_dgram *d)
{
	struct in6_pktinfo info;

	if (c->cmsg_type != IPV6_PKTINFO)
		return;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	memcpy(d->local.ip, &info.ipi6_addr, 16);
	d->local.family = 6;
	d->ifindex = (uint32_t)info.ipi6_ifindex;
	if (coo_addr_is_link_local(&d->local))
		d->local.scope = d->ifindex;
}

static void read_socket(coo_udp *u, const struct cmsghdr *c, coo_dgram *d)
{
#ifdef SO_RXQ_OVFL
	if (c->cmsg_type == SO_RXQ_OVFL) {
		uint32_t drops;

		memcpy(&drops, CMSG_DATA(c), sizeof(drops));
		note_drops(u, drops);
	}
#else
	(void)u;
	(void)note_drops;
#endif
#ifdef SCM_TIMESTAMPNS
	if (c->cmsg_type == SCM_TIMESTAMPNS) {
		struct timespec ts;

		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		d->stamp = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	}
#else
	if (c->cmsg_type == SCM_TIMESTAMP) {
		struct timeval tv;

		memcpy(&tv, CMSG_DATA(c), sizeof(tv));
		d->stamp = (uint64_t)tv.tv_sec * 1000000000u + (uint64_t)tv.tv_usec * 1000u;
	}
#endif
}

static void read_control(coo_udp *u, struct msghdr *m, coo_dgram *d)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP)
			read_ip(c, d);
		else if (c->cmsg_level == IPPROTO_IPV6)
			read_ipv6(c, d);
		else if (c->cmsg_level == SOL_SOCKET)
			read_socket(u, c, d);
	}
	if (d->local.family)
		d->local.port = u->local.port;
}

/* Makes place i ready for the kernel to fill. */
static void arm(coo_udp *u, unsigned i)
{
	struct msghdr *m = &u->rx[i].msg_hdr;

	m->msg_namelen = sizeof(u->rx_slots[i].peer);
	m->msg_controllen = sizeof(u->rx_slots[i].control);
	m->msg_flags = 0;
}

/* Place i holds a datagram of n bytes: describe it. */
static void describe(coo_udp *u, unsigned i, size_t n)
{
	struct msghdr *m = &u->rx[i].msg_hdr;
	coo_dgram *d = &u->got[i];

	memset(d, 0, sizeof(*d));
	d->data = coo_span_of(u->rx_slots[i].iov.iov_base, n);
	d->truncated = (m->msg_flags & MSG_TRUNC) != 0;
	if (!coo_addr_from_sockaddr((struct sockaddr *)&u->rx_slots[i].peer, &d->peer))
		memset(&d->peer, 0, sizeof(d->peer));
	read_control(u, m, d);
	u->stats.rx++;
	u->stats.rx_bytes += n;
	u->stats.rx_truncated += d->truncated;
}

/* One datagram into place i by the cheapest call. Errors of the network are counted and passed. */
static bool take_one(coo_udp *u, unsigned i)
{
	for (unsigned errors = 0; errors < COO_UDP_ERRORS_MAX;) {
		ssize_t n;

		arm(u, i);
		n = recvmsg(u->fd, &u->rx[i].msg_hdr, 0);
		if (n >= 0) {
			describe(u, i, (size_t)n);
			return true;
		}
		if (errno == EAGAIN)
			return false;
		if (errno != EINTR) {
			u->stats.rx_error++;
			errors++;
		}
	}
	return false;
}

/* Fills the places from first on with what waits, in one call where the system has that. */
static unsigned take_more(coo_udp *u, unsigned first)
{
#ifdef COO_UDP_HAS_MMSG
	int n = -1;

	for (unsigned i = first; i < u->batch; i++)
		arm(u, i);
	for (unsigned errors = 0; n < 0 && errors < COO_UDP_ERRORS_MAX; errors++) {
		n = recvmmsg(u->fd, u->rx + first, u->batch - first, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EAGAIN)
			return 0;
		u->stats.rx_error += n < 0 && errno != EINTR;
	}
	for (unsigned i = 0; n > 0 && i < (unsigned)n; i++)
		describe(u, first + i, u->rx[first + i].msg_len);
	return n > 0 ? (unsigned)n : 0;
#else
	unsigned n = 0;

	while (first + n < u->batch && take_one(u, first + n))
		n++;
	return n;
#endif
}

/*
 * While more than one datagram waits at each turn (bursting), a turn is one call for the whole
 * batch. Otherwise a turn is one recvmsg, and only the first such turn, then the second, the fourth
 * … at last every sixteenth looks for more, so that one datagram at a time costs one call.
 */
static unsigned take_turn(coo_udp *u)
{
	unsigned n;

	if (u->bursting) {
		n = take_more(u, 0);
		u->bursting = n > 1;
		return n;
	}
	if (!take_one(u, 0))
		return 0;
	if (u->batch == 1 || --u->probe_in > 0)
		return 1;
	n = 1 + take_more(u, 1);
	u->bursting = n > 1;
	u->probe_every = u->bursting ? 1 : u->probe_every * 2;
	if (u->probe_every > COO_UDP_PROBE_MAX)
		u->probe_every = COO_UDP_PROBE_MAX;
	u->probe_in = u->probe_every;
	return n;
}

size_t coo_udp_recv(coo_udp *u, const coo_dgram **out)
{
	*out = u->got;
	return take_turn(u);
}
