/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "feature/prober_impl.h"
#include "proto/echo.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/*
 * Where a busy machine let several probes of a flow become due, they leave as one train: the kernel
 * walks its path once and cuts them apart at the end. One at a time they would leave back to back,
 * too, but each would put off those behind it, and at high rates a gap of a millisecond makes ten
 * milliseconds of late probes.
 */
enum { TRAIN_BYTES = 65000 };

coo_err coo_prober_train_open(coo_prober *p)
{
	size_t most = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->flows[i].spec.size > most)
			most = p->flows[i].spec.size;
	}
	p->train_max = most ? TRAIN_BYTES / most : 0;
	if (p->train_max > PROBE_TRAIN)
		p->train_max = PROBE_TRAIN;
	/* a STAMP probe says when it leaves, one of a messenger has no certain size */
	if (p->cfg.mode != COO_PROBE_ECHO || p->cfg.broadcast || p->tx_stamps || p->train_max < 2)
		p->train_max = 0;
	if (!p->train_max)
		return COO_OK;
	p->train = malloc(p->train_max * most);
	return p->train ? COO_OK : COO_ENOMEM;
}

static size_t build(const coo_prober *p, const coo_flow *f, size_t n, coo_time now)
{
	size_t size = f->spec.size;

	for (size_t i = 0; i < n; i++) {
		coo_probe probe = { .session = f->session,
				    .seq = (uint32_t)(f->account.next_seq + i),
				    .sent = now };

		memcpy(p->train + i * size, f->payload, size);
		coo_ignore(coo_probe_encode(&probe, p->train + i * size, size));
	}
	return n * size;
}

static bool leave(const coo_prober *p, const coo_flow *f, size_t bytes)
{
	_Alignas(struct cmsghdr) uint8_t ctrl[CMSG_SPACE(sizeof(uint16_t))] = { 0 };
	uint16_t segment = (uint16_t)f->spec.size;
	struct iovec iov = { p->train, bytes };
	struct sockaddr_storage ss;
	struct msghdr m = { .msg_name = &ss,
			    .msg_namelen = coo_addr_to_sockaddr(&f->spec.target, &ss),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = ctrl,
			    .msg_controllen = sizeof(ctrl) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(c), &segment, sizeof(segment));
	return sendmsg(f->fd, &m, MSG_DONTWAIT) >= 0;
}

bool coo_prober_send_train(coo_prober *p, coo_flow *f, size_t n, coo_time deadline)
{
	coo_time now = coo_clock_now();

	if (!leave(p, f, build(p, f, n, now))) {
		/* what went wrong is told by the single probe that follows; what this kernel or
		 * this way cannot do at all is not tried again */
		if (errno == EINVAL || errno == EIO || errno == EMSGSIZE || errno == EOPNOTSUPP)
			p->train_max = 0;
		return false;
	}
	for (size_t i = 0; i < n; i++, deadline += p->cfg.interval) {
		coo_hist_add(&p->timer, now > deadline ? now - deadline : 0);
		coo_account_sent(&f->account, now, f->spec.size);
	}
	return true;
}
