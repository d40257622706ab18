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
 * answers are delayed alike, so the queue is in order of time; those that are to be reordered wait
 * beside it until an answer that is not has gone in, or for a while where none follows.
 */
enum { HELD_MAX = 4096, BEHIND_MAX = 64, SLOTS = HELD_MAX + BEHIND_MAX, HELD_BYTES = 65536 };
#define REORDER_WAIT COO_MS(100)

struct held {
	coo_time due;
	bool copy; /* of one that is counted itself */
	echo_name name;
	socklen_t name_len;
	size_t n, ctrl_len;
	uint8_t *data;
	_Alignas(struct cmsghdr) uint8_t ctrl[ECHO_CTRL];
};

struct ring {
	struct held *slots;
	size_t cap, head, used;
};

struct queue {
	echo_worker *w;
	uint8_t *memory; /* SLOTS times HELD_BYTES, mapped, touched as far as it is used */
	struct held *slots;
	struct ring ready, behind;
};

static struct held *first(const struct ring *r)
{
	return r->used ? &r->slots[r->head] : NULL;
}

static void drop_first(struct ring *r)
{
	r->head = (r->head + 1) % r->cap;
	r->used--;
}

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

/* false where r is full. */
static bool put(struct ring *r, const struct held *h, coo_time due)
{
	struct held *slot = &r->slots[(r->head + r->used) % r->cap];
	uint8_t *data = slot->data;

	if (r->used == r->cap)
		return false;
	*slot = *h;
	slot->data = data;
	slot->due = due;
	memcpy(data, h->data, h->n);
	r->used++;
	return true;
}

/* A full queue drops, as a full router does. */
static void push(struct queue *q, const struct held *h, coo_time due)
{
	if (!put(&q->ready, h, due))
		COUNT(q->w->counts.dropped, 1);
}

static void flush_due(struct queue *q, coo_time now)
{
	struct held *h;

	while ((h = first(&q->behind)) && h->due <= now) {
		push(q, h, now);
		drop_first(&q->behind);
	}
	while ((h = first(&q->ready)) && h->due <= now) {
		transmit(q->w, h);
		drop_first(&q->ready);
	}
}

static int wait_ms(const struct queue *q, coo_time now, struct timespec *ts)
{
	const struct held *ready = first(&q->ready), *behind = first(&q->behind);
	coo_time next = ready ? ready->due : COO_NEVER;

	if (behind && behind->due < next)
		next = behind->due;
	if (next == COO_NEVER)
		return -1;
	next = next > now ? next - now : 0;
	ts->tv_sec = (time_t)(next / COO_SEC(1));
	ts->tv_nsec = (long)(next % COO_SEC(1));
	return 0;
}

/* What waited for an answer to go before it follows one. */
static void release_behind(struct queue *q, coo_time due)
{
	const struct held *h;

	while ((h = first(&q->behind))) {
		if (!h->copy)
			COUNT(q->w->counts.reordered, 1);
		push(q, h, due);
		drop_first(&q->behind);
	}
}

static void hold_back(struct queue *q, struct held *h, bool twice, coo_time due)
{
	coo_ignore(put(&q->behind, h, due + REORDER_WAIT));
	h->copy = true;
	if (twice)
		coo_ignore(put(&q->behind, h, due + REORDER_WAIT));
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
	if (f.dup)
		COUNT(q->w->counts.duplicated, 1);
	if (f.reorder && q->behind.used + 1 + f.dup <= q->behind.cap) {
		hold_back(q, h, f.dup, due);
		return;
	}
	push(q, h, due);
	release_behind(q, due);
	if (f.dup)
		push(q, h, due);
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
	q->slots = calloc(SLOTS, sizeof(*q->slots));
	q->memory = mmap(NULL, (size_t)SLOTS * HELD_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!q->slots || q->memory == MAP_FAILED)
		return false;
	for (size_t i = 0; i < SLOTS; i++)
		q->slots[i].data = q->memory + i * HELD_BYTES;
	q->ready = (struct ring){ .slots = q->slots, .cap = HELD_MAX };
	q->behind = (struct ring){ .slots = q->slots + HELD_MAX, .cap = BEHIND_MAX };
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
	free(q.slots);
	if (q.memory && q.memory != MAP_FAILED)
		munmap(q.memory, (size_t)SLOTS * HELD_BYTES);
}
