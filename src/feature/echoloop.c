/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "feature/responder_impl.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
	SINGLES_TO_LEAVE_BATCHES = 16, /* wake-ups in a row with nothing but one datagram */
	SINGLES_BETWEEN_LOOKS = 8,     /* datagrams between two looks for more than one */
	BATCH_BYTES = 128 << 10,       /* of trains, in one batch */
	SMALL_BEFORE_MORE = 64,	       /* batches, after one that was larger */
};

bool coo_echo_stopped(const echo_worker *w)
{
	return __atomic_load_n(&w->r->stop, __ATOMIC_RELAXED);
}

bool coo_echo_take(echo_worker *w, size_t n)
{
	coo_responder *r = w->r;
	uint64_t before;

	if (r->cfg.count == 0)
		return true;
	before = __atomic_fetch_add(&r->seen, n, __ATOMIC_RELAXED);
	if (before >= r->cfg.count)
		return false;
	if (before + n >= r->cfg.count && r->cfg.on_done)
		r->cfg.on_done(r->cfg.user);
	return true;
}

static void read_segment(const struct cmsghdr *c, echo_item *it)
{
	int size;

	memcpy(&size, CMSG_DATA(c), sizeof(size));
	if (size > 0 && (size_t)size < it->n) {
		it->segment = (size_t)size;
		it->datagrams = (it->n + it->segment - 1) / it->segment;
	}
}

void coo_echo_read_ctrl(struct msghdr *m, echo_item *it)
{
	it->segment = it->n;
	it->datagrams = 1;
	it->dest.known = it->dest.to_many = false;
	for (struct cmsghdr *c = m->msg_controllen ? CMSG_FIRSTHDR(m) : NULL; c;
	     c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			read_segment(c, it);
		else
			coo_ignore(coo_echodest_read(&it->dest, c));
	}
}

static bool same_sender(const echo_worker *w, const echo_name *name, socklen_t len)
{
	/* port and address of IPv4 stand in the first eight bytes */
	size_t n = name->any.ss_family == AF_INET ? 8 : len;

	return w->last && w->last_len == len && memcmp(&w->last_name, name, n) == 0;
}

static void meet_sender(echo_worker *w, const echo_name *name, socklen_t len, coo_time now)
{
	coo_addr from;

	memset(&w->last_name, 0, sizeof(w->last_name));
	memcpy(&w->last_name, name, len < sizeof(*name) ? len : sizeof(*name));
	w->last_len = len;
	if (!coo_addr_from_sockaddr((const struct sockaddr *)name, &from))
		memset(&from, 0, sizeof(from));
	w->last = coo_guard_find(&w->guard, &from, now, &w->last_verdict);
}

enum coo_guard_verdict coo_echo_judge(echo_worker *w, const echo_item *it, const echo_name *name,
				      socklen_t name_len, coo_time now)
{
	if (!same_sender(w, name, name_len) || now - w->last->checked > COO_SEC(30))
		meet_sender(w, name, name_len, now);
	w->last->seen = now;
	if (w->last_verdict != COO_GUARD_OK)
		return w->last_verdict;
	if (it->dest.to_many && !w->r->cfg.answer_broadcast)
		return COO_GUARD_BROADCAST;
	return coo_guard_admit(&w->guard, w->last, coo_span_of(it->data, it->n), it->segment,
			       it->datagrams, now);
}

void coo_echo_show(echo_worker *w, const echo_item *it, enum coo_guard_verdict v)
{
	coo_responder *r = w->r;
	coo_addr from;

	if (!r->cfg.on_datagram)
		return;
	if (!coo_addr_from_sockaddr((const struct sockaddr *)&w->last_name, &from))
		return;
	pthread_mutex_lock(&r->talk);
	r->cfg.on_datagram(r->cfg.user, &from, coo_span_of(it->data, it->n), v);
	pthread_mutex_unlock(&r->talk);
}

static void prepare(echo_worker *w, size_t i, coo_time now)
{
	struct msghdr *rx = &w->rx[i].msg_hdr;
	echo_item it = { .data = w->rx_iov[i].iov_base, .n = w->rx[i].msg_len };
	enum coo_guard_verdict v;

	coo_echo_read_ctrl(rx, &it);
	if (!coo_echo_take(w, it.datagrams))
		return;
	COUNT(w->counts.rx, it.datagrams);
	COUNT(w->counts.rx_bytes, it.n);
	if (it.datagrams > 1)
		COUNT(w->counts.trains, 1);
	v = coo_echo_judge(w, &it, &w->names[i], rx->msg_namelen, now);
	coo_echo_show(w, &it, v);
	if (v != COO_GUARD_OK) {
		COUNT(w->counts.refused[v], it.datagrams);
		return;
	}
	if (w->r->cfg.upper)
		coo_impair_upper(it.data, it.n);
	coo_echo_enqueue(w, i, &it);
}

static void reset(echo_worker *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		w->rx[i].msg_hdr.msg_namelen = sizeof(echo_name);
		w->rx[i].msg_hdr.msg_controllen = ECHO_CTRL;
	}
}

/*
 * Trains fill their buffers of 64 kB each. A batch of a few saves as many calls as it takes, and
 * stays within the cache; what a larger one took of memory goes back.
 */
static void fit_batch(echo_worker *w, size_t n)
{
	unsigned longest = 1, fits;

	for (size_t i = 0; i < n; i++)
		longest = w->rx[i].msg_len > longest ? w->rx[i].msg_len : longest;
	fits = BATCH_BYTES / longest;
	if (fits >= ECHO_BATCH) {
		if (w->batch < ECHO_BATCH && ++w->small == SMALL_BEFORE_MORE)
			w->batch = ECHO_BATCH;
		return;
	}
	w->small = 0;
	if (fits >= w->batch)
		return;
	w->batch = fits > 2 ? fits : 2;
	coo_ignore(madvise(w->buffers + (size_t)w->batch * ECHO_BUFFER,
			   (size_t)(ECHO_BATCH - w->batch) * ECHO_BUFFER, MADV_DONTNEED));
}

static void answer(echo_worker *w, size_t n)
{
	coo_time now = coo_clock_now();

	w->n_tx = w->n_iov = 0;
	for (size_t i = 0; i < n; i++)
		prepare(w, i, now);
	coo_echo_send(w);
	reset(w, n);
	fit_batch(w, n);
}

static int receive_one(echo_worker *w, int flags)
{
	ssize_t n = recvmsg(w->fd, &w->rx[0].msg_hdr, flags);

	if (n < 0 || (n == 0 && coo_echo_stopped(w)))
		return -1;
	w->rx[0].msg_len = (unsigned)n;
	return 1;
}

static int receive(echo_worker *w, int flags)
{
	return recvmmsg(w->fd, w->rx, w->batch, flags, NULL);
}

/* Looks again and again for up to cfg.spin before the caller blocks. */
static int spin(echo_worker *w)
{
	coo_time until = coo_clock_now() + w->r->cfg.spin;
	int n;

	do {
		n = receive(w, MSG_DONTWAIT);
	} while (n <= 0 && !coo_echo_stopped(w) && coo_clock_now() < until);
	return n;
}

/*
 * A lone datagram is read with the cheapest call and answered at once. Every few of them there is a
 * look for more; where more wait, batches take over until they stay empty.
 */
static void fast_loop(echo_worker *w)
{
	unsigned singles = 0, since_look = 0;
	bool batches = false;

	while (!coo_echo_stopped(w)) {
		int n = w->r->cfg.spin ? spin(w) : -1;

		if (n <= 0)
			n = batches ? receive(w, MSG_WAITFORONE) : receive_one(w, 0);
		if (n <= 0 || coo_echo_stopped(w))
			continue; /* EINTR, an ICMP error of an earlier answer, or the end */
		answer(w, (size_t)n);
		if (batches) {
			singles = n == 1 && w->rx[0].msg_len < 8192 ? singles + 1 : 0;
			batches = singles < SINGLES_TO_LEAVE_BATCHES;
		} else if (++since_look >= SINGLES_BETWEEN_LOOKS) {
			since_look = 0;
			n = receive(w, MSG_DONTWAIT);
			if (n > 0)
				answer(w, (size_t)n);
			batches = n > 0;
			singles = 0;
		}
	}
}

void *coo_echo_worker_run(void *worker)
{
	echo_worker *w = worker;

	if (coo_impair_is_on(&w->impair))
		coo_echo_impaired_loop(w);
	else
		fast_loop(w);
	return NULL;
}
