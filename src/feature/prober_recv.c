/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "feature/prober_impl.h"
#include "proto/cmd.h"
#include "proto/echo.h"
#include "proto/packet.h"
#include "proto/stamp.h"

/* Answers read at once while a probe is due soon: as many as take a few µs. */
enum { PACED_BATCH = 8 };

/* Steps of the wall clock beyond what NTP's slewing does between two looks. */
#define STEP_MAX COO_MS(1)

/* How long reading three clocks takes, when it is not interrupted, and what is bearable. */
#define GAP_GOOD COO_US(1)
#define GAP_MAX COO_US(20)

/* One datagram with what the kernel said of it. */
struct arrival {
	coo_span data;
	coo_addr from;
	coo_time at; /* monotonic */
	bool by_kernel;
	int ttl;
};

coo_time coo_prober_stamp(const coo_prober *p, const struct timespec *ts)
{
	int64_t wall = (int64_t)(COO_SEC(ts->tv_sec) + (coo_time)ts->tv_nsec);
	int64_t mono = wall - p->wall_now;

	return mono > 0 ? (coo_time)mono : 0;
}

int64_t coo_prober_offset(coo_time *now, int64_t known)
{
	int64_t best = known;
	coo_time gap = UINT64_MAX, before, after;

	/* whoever is interrupted between the two clocks compares different moments */
	for (int tries = 0; tries < 4 && gap > GAP_GOOD; tries++) {
		int64_t wall;

		before = coo_clock_now();
		wall = (int64_t)coo_clock_wall();
		after = coo_clock_now();
		*now = after;
		if (after - before < gap) {
			gap = after - before;
			best = wall - (int64_t)(before + gap / 2);
		}
	}
	return gap <= GAP_MAX || known == 0 ? best : known;
}

/* Looks at both clocks; true where the wall clock was set since the last look. */
static bool compare_clocks(coo_prober *p, coo_time *now)
{
	int64_t before = p->wall_now, d;

	p->wall_now = coo_prober_offset(now, before);
	d = p->wall_now - before;
	return d > (int64_t)STEP_MAX || d < -(int64_t)STEP_MAX;
}

static void read_ctrl(const coo_prober *p, struct msghdr *m, struct arrival *a, bool stepped)
{
	struct timespec ts;
	coo_time stamp;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
			memcpy(&a->ttl, CMSG_DATA(c), sizeof(a->ttl));
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS &&
			   !stepped) {
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			stamp = coo_prober_stamp(p, &ts);
			/* never after it was read, and not long before */
			if (stamp && stamp <= a->at && a->at - stamp < COO_SEC(10)) {
				a->at = stamp;
				a->by_kernel = true;
			}
		}
	}
}

static void note_clock(coo_flow *f, const struct arrival *a, coo_probe_event *ev)
{
	if (!a->by_kernel) {
		f->user_times++;
		ev->clock = COO_CLOCK_USER;
	} else if (coo_account_is_stamped(&f->account, ev->seq)) {
		f->kernel_both++;
		ev->clock = COO_CLOCK_KERNEL;
	} else {
		f->kernel_rx++;
		ev->clock = COO_CLOCK_KERNEL_RX;
	}
}

static void tell_answer(coo_prober *p, coo_flow *f, const struct arrival *a, const coo_answer *r,
			coo_probe_event *ev)
{
	static const enum coo_probe_event_kind kinds[] = {
		[COO_VERDICT_RECEIVED] = COO_PING_RECEIVED,
		[COO_VERDICT_LATE] = COO_PING_LATE,
		[COO_VERDICT_DUPLICATE] = COO_PING_DUPLICATE,
		[COO_VERDICT_CORRUPTED] = COO_PING_CORRUPTED,
		[COO_VERDICT_FOREIGN] = COO_PING_FOREIGN,
	};

	ev->kind = kinds[r->verdict];
	ev->seq = r->seq;
	ev->from = a->from;
	ev->size = a->data.n;
	ev->has_rtt = r->has_rtt;
	ev->rtt = r->rtt;
	ev->has_ipdv = r->has_ipdv;
	ev->ipdv = r->ipdv;
	ev->reordered = r->reordered;
	ev->ttl = a->ttl;
	ev->sent = coo_account_sent_at(&f->account, r->seq);
	if (r->verdict == COO_VERDICT_RECEIVED) {
		f->proved = true;
		if (a->ttl)
			f->ttl = a->ttl;
		coo_series_received(&f->series, ev->sent, r->rtt);
		note_clock(f, a, ev);
	} else if (r->verdict == COO_VERDICT_LATE && ev->sent) {
		coo_series_late(&f->series, ev->sent);
	} else if (r->verdict == COO_VERDICT_CORRUPTED && ev->sent) {
		coo_series_corrupted(&f->series, ev->sent);
	}
	prober_tell(p, f, ev);
}

static void foreign(coo_prober *p, coo_flow *f, const struct arrival *a)
{
	coo_answer r = { .verdict = COO_VERDICT_FOREIGN, .seq = UINT64_MAX };
	coo_probe_event ev = { 0 };

	coo_account_foreign(&f->account);
	tell_answer(p, f, a, &r, &ev);
}

/* One probe, many answers: each host has books of its own, the flow's count the first answer. */
static coo_replier *replier_of(coo_flow *f, const coo_addr *from)
{
	coo_replier *r;

	for (size_t i = 0; i < f->n_repliers; i++) {
		if (coo_addr_eq(&f->repliers[i].addr, from))
			return &f->repliers[i];
	}
	if (f->n_repliers == COO_REPLIERS_MAX) {
		f->repliers_over++;
		return NULL;
	}
	r = &f->repliers[f->n_repliers++];
	r->addr = *from;
	return r;
}

static void take_broadcast(coo_prober *p, coo_flow *f, const struct arrival *a, uint32_t seq)
{
	coo_time begin = coo_account_begin_of(&f->account, seq);
	coo_replier *r = begin && seq < COO_BROADCASTS_MAX ? replier_of(f, &a->from) : NULL;
	coo_probe_event ev = { 0 };
	coo_answer first = { .verdict = COO_VERDICT_RECEIVED, .seq = seq, .has_rtt = true };

	if (!r) {
		foreign(p, f, a);
		return;
	}
	if (r->seen >> seq & 1) {
		r->duplicate++;
		first.verdict = COO_VERDICT_DUPLICATE;
		first.has_rtt = false;
		f->account.duplicate++;
		tell_answer(p, f, a, &first, &ev);
		return;
	}
	r->seen |= UINT64_C(1) << seq;
	first.rtt = a->at > begin ? a->at - begin : 0;
	if (first.rtt > p->cfg.late_after) {
		r->late++;
		first.verdict = COO_VERDICT_LATE;
		f->account.late++;
		tell_answer(p, f, a, &first, &ev);
		return;
	}
	if (r->received == 0 || first.rtt < r->rtt_min)
		r->rtt_min = first.rtt;
	if (first.rtt > r->rtt_max)
		r->rtt_max = first.rtt;
	r->rtt_sum += first.rtt;
	r->received++;
	if (coo_account_is_pending(&f->account, seq))
		first = coo_account_answer(&f->account, seq, a->at, a->data.n);
	tell_answer(p, f, a, &first, &ev);
}

static void take_echo(coo_prober *p, coo_flow *f, const struct arrival *a)
{
	coo_probe probe;
	coo_probe_event ev = { 0 };
	coo_answer r;

	switch (coo_probe_decode(a->data, f->session, f->spec.size, &probe)) {
	case COO_PROBE_INTACT:
		if (p->cfg.broadcast) {
			take_broadcast(p, f, a, probe.seq);
			return;
		}
		r = coo_account_answer(&f->account, probe.seq, a->at, a->data.n);
		break;
	case COO_PROBE_DAMAGED:
		r = coo_account_damaged(&f->account, probe.seq, probe.sent, a->at);
		break;
	case COO_PROBE_FOREIGN:
	default:
		foreign(p, f, a);
		return;
	}
	tell_answer(p, f, a, &r, &ev);
}

static void book_oneway(coo_prober *p, coo_flow *f, const struct arrival *a, const coo_answer *r,
			const coo_stamp_reply *s, coo_probe_event *ev)
{
	coo_time now = coo_clock_wall();
	uint64_t t1 = prober_wall(p, coo_account_begin_of(&f->account, r->seq));
	uint64_t t2, t3, t4 = prober_wall(p, a->at);

	t2 = s->error.ptp ? coo_ptp_to_unix(s->received) : coo_ntp_to_unix(s->received, now);
	t3 = s->error.ptp ? coo_ptp_to_unix(s->time) : coo_ntp_to_unix(s->time, now);
	ev->has_oneway = true;
	ev->up = (int64_t)(t2 - t1);
	ev->down = (int64_t)(t4 - t3);
	coo_oneway_add(&f->oneway, r->seq, s, t1, t2, t3, t4, p->own_error);
}

static void take_stamp(coo_prober *p, coo_flow *f, const struct arrival *a)
{
	coo_stamp_reply s;
	coo_probe_event ev = { 0 };
	coo_answer r;
	coo_time sent;

	if (coo_stamp_get_reply(a->data, &s) != COO_OK) {
		foreign(p, f, a);
		return;
	}
	sent = coo_account_sent_at(&f->account, s.sender_seq);
	if (sent && coo_ntp_from_unix(prober_wall(p, sent)) == s.sender_time) {
		r = coo_account_answer(&f->account, s.sender_seq, a->at, a->data.n);
		if (r.verdict == COO_VERDICT_RECEIVED)
			book_oneway(p, f, a, &r, &s, &ev);
	} else {
		sent = coo_ntp_to_unix(s.sender_time, coo_clock_wall()) - (uint64_t)p->wall_base;
		r = coo_account_damaged(&f->account, s.sender_seq, sent, a->at);
	}
	tell_answer(p, f, a, &r, &ev);
}

/* A messenger's answer does not name its question: it is taken for the latest. */
static void take_peer(coo_prober *p, coo_flow *f, const struct arrival *a)
{
	coo_probe_event ev = { 0 };
	coo_packet packet;
	coo_answer r;

	if (coo_packet_decode(a->data, &packet) != COO_OK ||
	    coo_packet_cmd(&packet) != COO_CMD_SENDINFO || f->account.sent == 0) {
		foreign(p, f, a);
		return;
	}
	r = coo_account_answer(&f->account, (uint32_t)(f->account.next_seq - 1), a->at, a->data.n);
	tell_answer(p, f, a, &r, &ev);
}

static bool is_ours(const coo_prober *p, const coo_flow *f, coo_span data)
{
	coo_probe probe;

	return p->cfg.mode == COO_PROBE_ECHO &&
	       coo_probe_decode(data, f->session, f->spec.size, &probe) == COO_PROBE_INTACT;
}

static void take(coo_prober *p, coo_flow *f, const struct arrival *a)
{
	if (!p->cfg.broadcast && !coo_addr_eq(&a->from, &f->spec.target)) {
		if (is_ours(p, f, a->data)) {
			f->wrong_source = true;
			f->wrong_addr = a->from;
		}
		foreign(p, f, a);
		return;
	}
	switch (p->cfg.mode) {
	case COO_PROBE_ECHO:
		take_echo(p, f, a);
		return;
	case COO_PROBE_STAMP:
		take_stamp(p, f, a);
		return;
	case COO_PROBE_PEER:
		take_peer(p, f, a);
		return;
	}
}

static void reset(coo_prober *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p->rx[i].msg_hdr.msg_namelen = sizeof(p->names[i]);
		p->rx[i].msg_hdr.msg_controllen = PROBE_CTRL;
	}
}

static void take_batch(coo_prober *p, coo_flow *f, size_t n)
{
	coo_time now;
	bool stepped = compare_clocks(p, &now);

	if (stepped)
		f->account.clock_steps++;
	if (p->tx_stamps)
		coo_prober_errors(p, f); /* send stamps, which come before the answers */
	for (size_t i = 0; i < n; i++) {
		struct arrival a = { .data = coo_span_of(p->iov[i].iov_base, p->rx[i].msg_len),
				     .at = now };

		if (!coo_addr_from_sockaddr((const struct sockaddr *)&p->names[i], &a.from))
			continue;
		read_ctrl(p, &p->rx[i].msg_hdr, &a, stepped);
		take(p, f, &a);
	}
}

void coo_prober_receive(coo_prober *p, coo_flow *f, coo_time until)
{
	unsigned most = until == COO_NEVER ? PROBE_BATCH : PACED_BATCH;

	for (int turn = 0; turn < 8; turn++) {
		int n = recvmmsg(f->fd, p->rx, most, MSG_DONTWAIT, NULL);

		if (n < 0 && (errno == ECONNREFUSED || errno == EHOSTUNREACH ||
			      errno == ENETUNREACH || errno == EINTR)) {
			coo_prober_errors(p, f);
			continue;
		}
		if (n <= 0)
			return;
		take_batch(p, f, (size_t)n);
		reset(p, (size_t)n);
		if ((unsigned)n < most || coo_clock_now() >= until)
			return;
	}
}
