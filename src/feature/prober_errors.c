/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h> /* needs struct timespec before itself */

#include "base/addr.h"
#include "feature/prober_impl.h"
#include "proto/echo.h"
#include "proto/stamp.h"

/* One message of a socket's error queue: an ICMP error with the probe it is about, or the kernel's
 * send time with the frame it sent. */
struct queued {
	struct sock_extended_err err;
	bool has_err, has_stamp;
	struct timespec stamp;
	coo_addr from;
	coo_span data;
};

static enum coo_icmp_kind kind_v4(const struct sock_extended_err *e)
{
	if (e->ee_type == ICMP_TIME_EXCEEDED)
		return COO_ICMP_TTL;
	if (e->ee_type != ICMP_DEST_UNREACH)
		return COO_ICMP_OTHER;
	switch (e->ee_code) {
	case ICMP_PORT_UNREACH:
		return COO_ICMP_PORT;
	case ICMP_HOST_UNREACH:
	case ICMP_HOST_UNKNOWN:
		return COO_ICMP_HOST;
	case ICMP_NET_UNREACH:
	case ICMP_NET_UNKNOWN:
		return COO_ICMP_NET;
	case ICMP_FRAG_NEEDED:
		return COO_ICMP_TOO_BIG;
	case ICMP_NET_ANO:
	case ICMP_HOST_ANO:
	case ICMP_PKT_FILTERED:
		return COO_ICMP_PROHIBITED;
	default:
		return COO_ICMP_OTHER;
	}
}

static enum coo_icmp_kind kind_v6(const struct sock_extended_err *e)
{
	if (e->ee_type == ICMP6_TIME_EXCEEDED)
		return COO_ICMP_TTL;
	if (e->ee_type == ICMP6_PACKET_TOO_BIG)
		return COO_ICMP_TOO_BIG;
	if (e->ee_type != ICMP6_DST_UNREACH)
		return COO_ICMP_OTHER;
	switch (e->ee_code) {
	case ICMP6_DST_UNREACH_NOPORT:
		return COO_ICMP_PORT;
	case ICMP6_DST_UNREACH_ADDR:
		return COO_ICMP_HOST;
	case ICMP6_DST_UNREACH_NOROUTE:
		return COO_ICMP_NET;
	case ICMP6_DST_UNREACH_ADMIN:
		return COO_ICMP_PROHIBITED;
	default:
		return COO_ICMP_OTHER;
	}
}

static void read_error(struct queued *q, const struct cmsghdr *c)
{
	struct sockaddr_storage from;
	size_t n = c->cmsg_len - CMSG_LEN(sizeof(q->err));

	memcpy(&q->err, CMSG_DATA(c), sizeof(q->err));
	q->has_err = true;
	memset(&from, 0, sizeof(from));
	memcpy(&from, (const uint8_t *)CMSG_DATA(c) + sizeof(q->err),
	       n < sizeof(from) ? n : sizeof(from));
	if (!coo_addr_from_sockaddr((const struct sockaddr *)&from, &q->from))
		memset(&q->from, 0, sizeof(q->from));
}

static bool read_queue(coo_prober *p, coo_flow *f, struct queued *q)
{
	struct iovec iov = { .iov_base = p->err_memory, .iov_len = p->rx_size };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = p->err_ctrl,
			    .msg_controllen = PROBE_CTRL };
	ssize_t n = recvmsg(f->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return false;
	memset(q, 0, sizeof(*q));
	q->data = coo_span_of(p->err_memory, (size_t)n);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == SOL_SOCKET &&
		    (c->cmsg_type == SCM_TIMESTAMPING || c->cmsg_type == SCM_TIMESTAMPNS)) {
			memcpy(&q->stamp, CMSG_DATA(c), sizeof(q->stamp));
			q->has_stamp = q->stamp.tv_sec != 0;
		} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
			read_error(q, c);
		}
	}
	return q->has_err;
}

/* The number of the probe whose payload stands at the end of data (a frame) or is data. */
static bool probe_number(const coo_prober *p, const coo_flow *f, coo_span data, bool is_frame,
			 uint32_t *seq)
{
	coo_probe probe;

	if (is_frame) {
		if (data.n < f->spec.size)
			return false;
		data = coo_span_skip(data, data.n - f->spec.size);
	}
	if (p->cfg.mode == COO_PROBE_STAMP && data.n >= 4) {
		*seq = coo_be32(data.p);
		return true;
	}
	if (p->cfg.mode != COO_PROBE_ECHO)
		return false;
	/* an ICMP error may quote no more than the header: the checksum cannot be asked for */
	coo_ignore(coo_probe_decode(data, f->session, 0, &probe) == COO_PROBE_INTACT);
	*seq = probe.seq;
	return probe.session == f->session;
}

static void icmp_error(coo_prober *p, coo_flow *f, const struct queued *q)
{
	coo_probe_event ev = { .kind = COO_PING_ICMP, .seq = UINT64_MAX, .from = q->from };
	uint32_t seq;

	ev.icmp = q->err.ee_origin == SO_EE_ORIGIN_ICMP6 ? kind_v6(&q->err) : kind_v4(&q->err);
	f->icmp[ev.icmp]++;
	if (probe_number(p, f, q->data, false, &seq)) {
		ev.seq = seq;
		if (coo_account_refused(&f->account, seq))
			coo_series_lost(&f->series, coo_account_sent_at(&f->account, seq));
	}
	prober_tell(p, f, &ev);
}

void coo_prober_errors(coo_prober *p, coo_flow *f)
{
	struct queued q;
	uint32_t seq;

	while (read_queue(p, f, &q)) {
		if (q.err.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) {
			coo_time tx = q.has_stamp ? coo_prober_stamp(p, &q.stamp) : 0;

			if (tx && probe_number(p, f, q.data, true, &seq))
				coo_account_stamp(&f->account, seq, tx);
		} else if (q.err.ee_origin == SO_EE_ORIGIN_ICMP ||
			   q.err.ee_origin == SO_EE_ORIGIN_ICMP6) {
			icmp_error(p, f, &q);
		}
	}
}
