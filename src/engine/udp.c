/* SPDX-License-Identifier: MIT */
#include "engine/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "engine/udp_impl.h"

#define RCVBUF_DEFAULT ((size_t)4 << 20)
#define BUFFER_LEAST 4096 /* nothing smaller is asked for when the system refuses more */

static bool turn_on(int fd, int level, int name)
{
	int one = 1;

	return setsockopt(fd, level, name, &one, sizeof(one)) == 0;
}

/* A non-blocking, close-on-exec datagram socket, or -1. */
static int new_socket(int family)
{
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
	return socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
	int fd = socket(family, SOCK_DGRAM, 0);

	if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
#endif
}

/* Some systems refuse what is above their limit where others give the limit: ask for half, then. */
static void set_buffer(int fd, int name, size_t bytes)
{
	int want = bytes > 1 << 30 ? 1 << 30 : (int)bytes;

	while (setsockopt(fd, SOL_SOCKET, name, &want, sizeof(want)) != 0 && want > BUFFER_LEAST)
		want /= 2;
}

static void set_buffers(coo_udp *u, const coo_udp_opts *o)
{
	size_t rcv = o->rcvbuf ? o->rcvbuf : RCVBUF_DEFAULT;
	int got = 0;
	socklen_t n = sizeof(got);
	bool forced = false;

#ifdef SO_RCVBUFFORCE
	int want = rcv > 1 << 30 ? 1 << 30 : (int)rcv;

	forced = setsockopt(u->fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof(want)) == 0;
#endif
	if (!forced)
		set_buffer(u->fd, SO_RCVBUF, rcv);
	if (o->sndbuf)
		set_buffer(u->fd, SO_SNDBUF, o->sndbuf);
	if (getsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &got, &n) == 0 && got > 0)
		u->rcvbuf = (size_t)got;
}

static bool bind_device(int fd, int family, const char *device)
{
#if defined(SO_BINDTODEVICE)
	(void)family;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) == 0;
#elif defined(IP_BOUND_IF)
	unsigned index = if_nametoindex(device);

	return index != 0 &&
	       (family == AF_INET
		    ? setsockopt(fd, IPPROTO_IP, IP_BOUND_IF, &index, sizeof(index)) == 0
		    : setsockopt(fd, IPPROTO_IPV6, IPV6_BOUND_IF, &index, sizeof(index)) == 0);
#else
	(void)fd;
	(void)family;
	(void)device;
	errno = ENOTSUP;
	return false;
#endif
}

/* The address a datagram was sent to comes with it. */
static bool ask_for_destination(int fd, int family)
{
	if (family == AF_INET6)
		return turn_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
#if defined(IP_RECVDSTADDR) && defined(IP_RECVIF)
	return turn_on(fd, IPPROTO_IP, IP_RECVDSTADDR) && turn_on(fd, IPPROTO_IP, IP_RECVIF);
#else
	return turn_on(fd, IPPROTO_IP, IP_PKTINFO);
#endif
}

/* ff15::979 is site-wide: routers that forward it need more than the one hop of the default
 * (PROTOCOL.md 1). */
static void set_multicast_hops(int fd)
{
	int hops = 32;

	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
}

/* Only what the caller asked for by name is an error where the system lacks it. */
static bool set_options(coo_udp *u, const coo_udp_opts *o, int family)
{
	if ((o->reuse_addr && !turn_on(u->fd, SOL_SOCKET, SO_REUSEADDR)) ||
	    (o->reuse_port && !turn_on(u->fd, SOL_SOCKET, SO_REUSEPORT)) ||
	    (family == AF_INET6 && !turn_on(u->fd, IPPROTO_IPV6, IPV6_V6ONLY)) ||
	    (o->device && !bind_device(u->fd, family, o->device)) ||
	    (o->want_dst && !ask_for_destination(u->fd, family)))
		return false;
	if (!o->no_broadcast && family == AF_INET && !turn_on(u->fd, SOL_SOCKET, SO_BROADCAST))
		return false;
#ifdef SO_RXQ_OVFL
	(void)turn_on(u->fd, SOL_SOCKET, SO_RXQ_OVFL);
#endif
	if (o->want_stamp) {
#ifdef SO_TIMESTAMPNS
		(void)turn_on(u->fd, SOL_SOCKET, SO_TIMESTAMPNS);
#else
		(void)turn_on(u->fd, SOL_SOCKET, SO_TIMESTAMP);
#endif
	}
	if (family == AF_INET6)
		set_multicast_hops(u->fd);
	set_buffers(u, o);
	return true;
}

static bool bind_to(coo_udp *u, const coo_addr *a)
{
	struct sockaddr_storage ss;
	socklen_t n = coo_addr_to_sockaddr(a, &ss);

	if (bind(u->fd, (struct sockaddr *)&ss, n) != 0)
		return false;
	n = sizeof(ss);
	if (getsockname(u->fd, (struct sockaddr *)&ss, &n) != 0)
		return false;
	return coo_addr_from_sockaddr((struct sockaddr *)&ss, &u->local);
}

static void wire(coo_udp_msg *msgs, coo_udp_slot *slots, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		msgs[i].msg_hdr.msg_name = &slots[i].peer;
		msgs[i].msg_hdr.msg_iov = &slots[i].iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_control = slots[i].control.bytes;
	}
}

/* The buffers are not cleared: pages that no datagram ever touches take no memory. */
static bool take_memory(coo_udp *u)
{
	unsigned n = u->batch;

	u->buffers = malloc((size_t)n * COO_UDP_SLOT);
	u->got = calloc(n, sizeof(*u->got));
	u->rx = calloc(n, sizeof(*u->rx));
	u->tx = calloc(n, sizeof(*u->tx));
	u->rx_slots = calloc(n, sizeof(*u->rx_slots));
	u->tx_slots = calloc(n, sizeof(*u->tx_slots));
	if (!u->buffers || !u->got || !u->rx || !u->tx || !u->rx_slots || !u->tx_slots)
		return false;
	wire(u->rx, u->rx_slots, n);
	wire(u->tx, u->tx_slots, n);
	for (unsigned i = 0; i < n; i++) {
		u->rx_slots[i].iov.iov_base = u->buffers + (size_t)i * COO_UDP_SLOT;
		u->rx_slots[i].iov.iov_len = COO_UDP_SLOT;
	}
	return true;
}

coo_err coo_udp_open(const coo_udp_opts *opts, coo_udp **out)
{
	int family = opts->bind.family == 6 ? AF_INET6 : AF_INET, saved;
	coo_udp *u;

	if ((opts->bind.family != 4 && opts->bind.family != 6) || opts->batch > COO_UDP_BATCH_MAX)
		return COO_EINVAL;
	u = calloc(1, sizeof(*u));
	if (!u)
		return COO_ENOMEM;
	u->batch = opts->batch ? opts->batch : COO_UDP_BATCH;
	u->probe_every = u->probe_in = 1;
	u->fd = -1;
	if (!take_memory(u)) {
		coo_udp_close(u);
		return COO_ENOMEM;
	}
	u->fd = new_socket(family);
	if (u->fd >= 0 && set_options(u, opts, family) && bind_to(u, &opts->bind)) {
		*out = u;
		return COO_OK;
	}
	saved = errno;
	coo_udp_close(u);
	errno = saved;
	return COO_ESYS;
}

void coo_udp_close(coo_udp *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		close(u->fd);
	free(u->buffers);
	free(u->got);
	free(u->rx);
	free(u->tx);
	free(u->rx_slots);
	free(u->tx_slots);
	free(u);
}

int coo_udp_fd(const coo_udp *u)
{
	return u->fd;
}

coo_addr coo_udp_local(const coo_udp *u)
{
	return u->local;
}

size_t coo_udp_rcvbuf(const coo_udp *u)
{
	return u->rcvbuf;
}

const coo_udp_stats *coo_udp_get_stats(const coo_udp *u)
{
	return &u->stats;
}

static coo_err change_group(coo_udp *u, const coo_addr *group, uint32_t ifindex, int what)
{
	int level = group->family == 6 ? IPPROTO_IPV6 : IPPROTO_IP;
	struct group_req req;

	if (!coo_addr_is_multicast(group) || group->family != u->local.family)
		return COO_EINVAL;
	memset(&req, 0, sizeof(req));
	req.gr_interface = ifindex;
#ifdef SIN6_LEN /* a BSD, which looks at the length here */
	req.gr_group.ss_len = (uint8_t)coo_addr_to_sockaddr(group, &req.gr_group);
#else
	(void)coo_addr_to_sockaddr(group, &req.gr_group);
#endif
	return setsockopt(u->fd, level, what, &req, sizeof(req)) == 0 ? COO_OK : COO_ESYS;
}

coo_err coo_udp_join(coo_udp *u, const coo_addr *group, uint32_t ifindex)
{
	return change_group(u, group, ifindex, MCAST_JOIN_GROUP);
}

coo_err coo_udp_leave(coo_udp *u, const coo_addr *group, uint32_t ifindex)
{
	return change_group(u, group, ifindex, MCAST_LEAVE_GROUP);
}
