/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "feature/responder_impl.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { JOIN_BYTES = 65000 }; /* of answers in one train */

size_t coo_echo_write_ctrl(const echo_worker *w, const echo_item *it, uint8_t *ctrl)
{
	uint8_t *at = ctrl;
	uint16_t segment = (uint16_t)it->segment;

	if (it->datagrams > 1)
		at = coo_echosock_put_cmsg(at, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	if (w->wild)
		at = coo_echodest_write(&it->dest, at);
	return (size_t)(at - ctrl);
}

/*
 * Answers that go to one sender and have one size leave as one train: the kernel walks its path
 * once and cuts them apart again at the end. Only where the socket has one address, so that nothing
 * but the size has to be told.
 */
static bool joins(echo_worker *w, const echo_item *it, const echo_name *name, socklen_t len)
{
	const struct msghdr *m = w->n_tx ? &w->tx[w->n_tx - 1].msg_hdr : NULL;

	if (!m || w->wild || it->datagrams > 1 || it->n == 0 || it->n > w->join_max)
		return false;
	if (m->msg_control || m->msg_iov->iov_len != it->n || m->msg_namelen != len ||
	    (m->msg_iovlen + 1) * it->n > JOIN_BYTES)
		return false;
	return memcmp(m->msg_name, name, name->any.ss_family == AF_INET ? 8 : len) == 0;
}

void coo_echo_enqueue(echo_worker *w, size_t i, const echo_item *it)
{
	struct iovec *iov = &w->tx_iov[w->n_iov++];
	socklen_t len = w->rx[i].msg_hdr.msg_namelen;
	struct msghdr *tx;

	iov->iov_base = it->data;
	iov->iov_len = it->n;
	if (joins(w, it, &w->names[i], len)) {
		w->tx[w->n_tx - 1].msg_hdr.msg_iovlen++;
		return;
	}
	tx = &w->tx[w->n_tx].msg_hdr;
	tx->msg_name = &w->names[i];
	tx->msg_namelen = len;
	tx->msg_iov = iov;
	tx->msg_iovlen = 1;
	tx->msg_controllen = 0;
	tx->msg_control = NULL;
	if (w->wild || it->datagrams > 1) {
		tx->msg_controllen = coo_echo_write_ctrl(w, it, w->tx_ctrl[w->n_tx]);
		tx->msg_control = tx->msg_controllen ? w->tx_ctrl[w->n_tx] : NULL;
	}
	w->n_tx++;
}

/* The joined ones get their segment size. */
static void seal(echo_worker *w)
{
	for (size_t i = 0; i < w->n_tx; i++) {
		struct msghdr *m = &w->tx[i].msg_hdr;
		uint16_t segment = (uint16_t)m->msg_iov->iov_len;
		uint8_t *end;

		if (m->msg_iovlen == 1)
			continue;
		end = coo_echosock_put_cmsg(w->tx_ctrl[i], SOL_UDP, UDP_SEGMENT, &segment,
					    sizeof(segment));
		m->msg_control = w->tx_ctrl[i];
		m->msg_controllen = (size_t)(end - w->tx_ctrl[i]);
	}
}

static size_t segment_of(const struct msghdr *m)
{
	const struct cmsghdr *c = m->msg_controllen ? CMSG_FIRSTHDR(m) : NULL;
	uint16_t segment;

	if (!c || c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_SEGMENT)
		return 0;
	memcpy(&segment, (const uint8_t *)c + CMSG_LEN(0), sizeof(segment));
	return segment;
}

static size_t datagrams_of(const struct msghdr *m, size_t *bytes)
{
	size_t segment = segment_of(m);

	*bytes = m->msg_iovlen * m->msg_iov->iov_len; /* joined ones are of one size */
	return segment ? (*bytes + segment - 1) / segment : 1;
}

/* h: the header to send with, but for the data. */
static void send_pieces(echo_worker *w, struct msghdr h, const struct iovec *whole, size_t segment)
{
	struct iovec one;

	h.msg_iov = &one;
	h.msg_iovlen = 1;
	for (size_t at = 0; at < whole->iov_len; at += segment) {
		one.iov_base = (uint8_t *)whole->iov_base + at;
		one.iov_len = whole->iov_len - at < segment ? whole->iov_len - at : segment;
		if (sendmsg(w->fd, &h, 0) < 0) {
			COUNT(w->counts.send_errors, 1);
			continue;
		}
		COUNT(w->counts.tx, 1);
		COUNT(w->counts.tx_bytes, one.iov_len);
	}
}

/* A train that cannot leave as one (another device, a longer path): datagram by datagram. */
static void send_apart(echo_worker *w, const struct msghdr *m, size_t segment)
{
	size_t skip = CMSG_SPACE(sizeof(uint16_t));
	struct msghdr h = *m;

	h.msg_controllen -= skip;
	h.msg_control = h.msg_controllen ? (uint8_t *)m->msg_control + skip : NULL;
	for (size_t i = 0; i < m->msg_iovlen; i++)
		send_pieces(w, h, &m->msg_iov[i], segment);
}

static void send_failed(echo_worker *w, struct msghdr *m)
{
	size_t segment = segment_of(m), bytes;

	if (segment && errno != EAGAIN && errno != ENOBUFS) {
		if (m->msg_iovlen > 1) /* too long for the device, or it cannot at all */
			w->join_max = errno == EIO ? 0 : segment - 1;
		send_apart(w, m, segment);
		return;
	}
	COUNT(w->counts.send_errors, datagrams_of(m, &bytes));
}

static void sent_one(echo_worker *w, const struct msghdr *m)
{
	size_t bytes;

	COUNT(w->counts.tx, datagrams_of(m, &bytes));
	COUNT(w->counts.tx_bytes, bytes);
}

void coo_echo_send(echo_worker *w)
{
	size_t at = 0, n = w->n_tx;

	seal(w);
	if (n == 1) {
		if (sendmsg(w->fd, &w->tx[0].msg_hdr, 0) >= 0)
			sent_one(w, &w->tx[0].msg_hdr);
		else
			send_failed(w, &w->tx[0].msg_hdr);
		return;
	}
	while (at < n) {
		int done = sendmmsg(w->fd, w->tx + at, (unsigned)(n - at), 0);

		for (int i = 0; i < done; i++)
			sent_one(w, &w->tx[at + (size_t)i].msg_hdr);
		if (done > 0) {
			at += (size_t)done;
			continue;
		}
		if (errno == EINTR)
			continue;
		send_failed(w, &w->tx[at++].msg_hdr);
	}
}
