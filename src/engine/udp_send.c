/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "engine/udp_impl.h"

/* Starts the one control message of m with n bytes of data; returns where the data goes. */
static void *add_control(struct msghdr *m, int level, int type, size_t n)
{
	struct cmsghdr *c;

	m->msg_controllen = COO_UDP_CONTROL;
	c = CMSG_FIRSTHDR(m);
	memset(c, 0, CMSG_SPACE(n));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	m->msg_controllen = CMSG_SPACE(n);
	return CMSG_DATA(c);
}

static void put_source_v4(struct msghdr *m, const coo_dgram *d)
{
#if defined(IP_PKTINFO)
	struct in_pktinfo info;

	memset(&info, 0, sizeof(info));
	info.ipi_ifindex = (__typeof__(info.ipi_ifindex))d->ifindex;
	if (d->local.family == 4)
		memcpy(&info.ipi_spec_dst, d->local.ip, 4);
	memcpy(add_control(m, IPPROTO_IP, IP_PKTINFO, sizeof(info)), &info, sizeof(info));
#elif defined(IP_SENDSRCADDR)
	if (d->local.family == 4)
		memcpy(add_control(m, IPPROTO_IP, IP_SENDSRCADDR, 4), d->local.ip, 4);
#else
	(void)m;
	(void)d;
#endif
}

static void put_source_v6(struct msghdr *m, const coo_dgram *d)
{
	struct in6_pktinfo info;

	memset(&info, 0, sizeof(info));
	info.ipi6_ifindex = d->ifindex;
	if (d->local.family == 6)
		memcpy(&info.ipi6_addr, d->local.ip, 16);
	memcpy(add_control(m, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(info)), &info, sizeof(info));
}

/* Place i of the batch describes d; the bytes are not copied. */
static void load(coo_udp *u, unsigned i, const coo_dgram *d)
{
	struct msghdr *m = &u->tx[i].msg_hdr;
	coo_udp_slot *slot = &u->tx_slots[i];

	slot->iov.iov_base = (void *)(uintptr_t)d->data.p;
	slot->iov.iov_len = d->data.n;
	m->msg_namelen = coo_addr_to_sockaddr(&d->peer, &slot->peer);
	m->msg_control = slot->control.bytes;
	m->msg_controllen = 0;
	if (d->local.family || d->ifindex) {
		if (d->peer.family == 6)
			put_source_v6(m, d);
		else
			put_source_v4(m, d);
	}
	if (m->msg_controllen == 0)
		m->msg_control = NULL;
}

/* Sends what stands in places first … first + n - 1; returns how many went, or -1 and errno. */
static int push(coo_udp *u, unsigned first, unsigned n)
{
#ifdef COO_UDP_HAS_MMSG
	if (n > 1)
		return sendmmsg(u->fd, u->tx + first, n, 0);
#endif
	(void)n;
	return sendmsg(u->fd, &u->tx[first].msg_hdr, 0) < 0 ? -1 : 1;
}

static bool is_full(int error)
{
	return error == EAGAIN || error == ENOBUFS;
}

static void note_sent(coo_udp *u, const coo_dgram *d, size_t n, int *failed)
{
	for (size_t i = 0; i < n; i++) {
		u->stats.tx_bytes += d[i].data.n;
		if (failed)
			failed[i] = 0;
	}
	u->stats.tx += n;
}

static void note_failed(coo_udp *u, int error, int *failed)
{
	if (error == EMSGSIZE)
		u->stats.tx_too_long++;
	else
		u->stats.tx_unreachable++;
	if (failed)
		*failed = error;
}

/*
 * At most a batch. Returns how many were dealt with. ECONNREFUSED speaks of an earlier datagram and
 * says nothing of this one, which is tried again.
 */
static unsigned send_batch(coo_udp *u, const coo_dgram *d, unsigned n, int *failed)
{
	unsigned done = 0, stale = 0;

	for (unsigned i = 0; i < n; i++)
		load(u, i, &d[i]);
	while (done < n) {
		int sent = push(u, done, n - done), error = errno;
		int *at = failed ? failed + done : NULL;

		if (sent > 0) {
			note_sent(u, d + done, (size_t)sent, at);
			done += (unsigned)sent;
		} else if (is_full(error)) {
			u->stats.tx_again++;
			break;
		} else if (error == ECONNREFUSED && stale++ < COO_UDP_ERRORS_MAX) {
			u->stats.rx_error++;
		} else if (error != EINTR) {
			note_failed(u, error, at);
			done++;
		}
	}
	return done;
}

size_t coo_udp_send(coo_udp *u, const coo_dgram *dgrams, size_t n, int *failed)
{
	size_t done = 0;

	while (done < n) {
		size_t left = n - done;
		unsigned want = left < u->batch ? (unsigned)left : u->batch;
		unsigned sent = send_batch(u, dgrams + done, want, failed ? failed + done : NULL);

		done += sent;
		if (sent < want)
			break;
	}
	return done;
}
