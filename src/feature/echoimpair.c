/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "feature/responder_impl.h"

/*
 * The echo loop that does harm on purpose: one datagram at a time, answers wait in a queue. All
 * answers are delayed alike, so the queue is in order of time; the one that is to be reordered
 * waits beside it until the next answer has gone in, or for a while where none follows.
 */
enum { HELD_MAX = 4096, HELD_BYTES = 65536 };
#define REORDER_WAIT COO_MS(100)

struct held {
	coo_time due;
	echo_name name;
	socklen_t name_len;
	size_t n, ctrl_len;
	uint8_t *data;
	_Alignas(struct cmsghdr) uint8_t ctrl[ECHO_CTRL];
};

struct queue {
	echo_worker *w;
	uint8_t *memory; /* (HELD_MAX + 1) times HELD_BYTES, mapped, touched as far as it is used */
	struct held *ring;
	size_t head, used;
	struct held behind; /* n SIZE_MAX: none */
};

static void transmit(echo_worker *w, struct held *h)
{
	struct iovec iov = { .iov_base = h->data, .iov_len = h->n };
	struct msghdr m = { .msg_name = &h->name,
			    .msg_namelen = h->name_len,
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = h->ctrl_len ? h->ctrl : NULL,
			    .msg_controllen = h->ctrl_len };

	if (sendmsg(w->fd, &m, 0) < 0) {
		COUNT(w->counts.send_errors, 1);
		return;
	}
	COUNT(w->counts.tx, 1);
	COUNT(w->counts.tx_bytes, h->n);
}

static void copy_held(struct held *to, const struct held *from)
{
	uint8_t *data = to->data;

	*to = *from;
	to->data = data;
	memcpy(data, from->data, from->n);
}

/* A full queue drops, as a full router does. */
static void push(struct queue *q, const struct held *h, coo_time due)
{
	struct held *slot = &q->ring[(q->head + q->used) % HELD_MAX];

	if (q->used == HELD_MAX) {
		COUNT(q->w->counts.dropped, 1);
		return;
	}
	copy_held(slot, h);
	slot->due = due;
	q->used++;
}

static void release_behind(struct queue *q, coo_time due)
{
	if (q->behind.n == SIZE_MAX)
		return;
	push(q, &q->behind, due);
	q->behind.n = SIZE_MAX;
}

static void flush_due(struct queue *q, coo_time now)
{
	if (q->behind.n != SIZE_MAX && q->behind.due <= now)
		release_behind(q, now);
	while (q->used && q->ring[q->head].due <= now) {
		transmit(q->w, &q->ring[q->head]);
		q->head = (q->head + 1) % HELD_MAX;
		q->used--;
	}
}

static int wait_ms(const struct queue *q, coo_time now, struct timespec *ts)
{
	coo_time next = q->used ? q->ring[q->head].due : COO_NEVER;

	if (q->behind.n != SIZE_MAX && q->behind.due < next)
		next = q->behind.due;
	if (next == COO_NEVER)
		return -1;
	next = next > now ? next - now : 0;
	ts->tv_sec = (time_t)(next / COO_SEC(1));
	ts->tv_nsec = (long)(next % COO_SEC(1));
	return 0;
}

static void harm(struct queue *q, struct held *h, coo_time now)
{
	coo_fate f = coo_impair_next(&q->w->impair);
	coo_time due = now + q->w->impair.delay;

	if (f.drop) {
		COUNT(q->w->counts.dropped, 1);
		return;
	}
	if (f.corrupt && h->n) {
		h->data[f.bit / 8 % h->n] ^= (uint8_t)(1u << f.bit % 8);
		COUNT(q->w->counts.corrupted, 1);
	}
	if (f.reorder && q->behind.n == SIZE_MAX) {
		copy_held(&q->behind, h);
		q->behind.due = due + REORDER_WAIT;
	} else {
		push(q, h, due);
		if (q->behind.n != SIZE_MAX)
			COUNT(q->w->counts.reordered, 1);
		release_behind(q, due);
	}
	if (f.dup) {
		push(q, h, due);
		COUNT(q->w->counts.duplicated, 1);
	}
}

/* The fast loop's road for one datagram, with the answer put aside instead of sent. */
static void take_one(struct queue *q)
{
	echo_worker *w = q->w;
	struct msghdr *m = &w->rx[0].msg_hdr;
	struct held h = { .data = w->rx_iov[0].iov_base };
	echo_item it = { .data = h.data };
	enum coo_guard_verdict v;
	coo_time now = coo_clock_now();
	ssize_t n;

	m->msg_namelen = sizeof(echo_name);
	m->msg_controllen = ECHO_CTRL;
	n = recvmsg(w->fd, m, MSG_DONTWAIT);
	if (n < 0 || coo_echo_stopped(w))
		return;
	it.n = h.n = (size_t)n;
	coo_echo_read_ctrl(m, &it);
	if (!coo_echo_take(w, 1))
		return;
	COUNT(w->counts.rx, 1);
	COUNT(w->counts.rx_bytes, n);
	v = coo_echo_judge(w, &it, &w->names[0], m->msg_namelen, now);
	coo_echo_show(w, &it, v);
	if (v != COO_GUARD_OK) {
		COUNT(w->counts.refused[v], 1);
		return;
	}
	if (w->r->cfg.upper)
		coo_impair_upper(it.data, it.n);
	h.name = w->names[0];
	h.name_len = m->msg_namelen;
	h.ctrl_len = coo_echo_write_ctrl(w, &it, h.ctrl);
	harm(q, &h, now);
}

static bool open_queue(struct queue *q)
{
	size_t size = (size_t)(HELD_MAX + 1) * HELD_BYTES;

	q->ring = calloc(HELD_MAX, sizeof(*q->ring));
	q->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!q->ring || q->memory == MAP_FAILED)
		return false;
	for (size_t i = 0; i < HELD_MAX; i++)
		q->ring[i].data = q->memory + i * HELD_BYTES;
	q->behind.data = q->memory + (size_t)HELD_MAX * HELD_BYTES;
	q->behind.n = SIZE_MAX;
	return true;
}

void coo_echo_impaired_loop(echo_worker *w)
{
	struct queue q = { .w = w };

	if (open_queue(&q)) {
		while (!coo_echo_stopped(w)) {
			struct pollfd p = { .fd = w->fd, .events = POLLIN };
			struct timespec ts;
			int forever = wait_ms(&q, coo_clock_now(), &ts);

			if (ppoll(&p, 1, forever ? NULL : &ts, NULL) > 0)
				take_one(&q);
			flush_due(&q, coo_clock_now());
		}
		flush_due(&q, COO_NEVER - 1);
	}
	free(q.ring);
	if (q.memory && q.memory != MAP_FAILED)
		munmap(q.memory, (size_t)(HELD_MAX + 1) * HELD_BYTES);
}
