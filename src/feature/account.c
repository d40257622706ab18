/* SPDX-License-Identifier: MIT */
#include "feature/account.h"

#include <string.h>

void coo_account_init(coo_account *a, coo_slot *slots, size_t n_slots, coo_time late_after,
		      uint64_t first_seq)
{
	memset(a, 0, sizeof(*a));
	memset(slots, 0, n_slots * sizeof(*slots));
	a->slots = slots;
	a->mask = n_slots - 1;
	a->late_after = late_after;
	a->first_seq = a->next_seq = a->oldest = a->next_expected = first_seq;
	coo_hist_init(&a->rtt);
	coo_hist_init(&a->ipdv);
}

static coo_slot *slot_of(coo_account *a, uint64_t seq)
{
	return &a->slots[seq & a->mask];
}

/* Whether the books still know this number. */
static bool is_known(const coo_account *a, uint64_t seq)
{
	return seq >= a->first_seq && seq < a->next_seq && a->next_seq - seq <= a->mask + 1;
}

/* The latest number sent whose low 32 bits are these; next_seq or more where there is none. */
static uint64_t unwrap(const coo_account *a, uint32_t wire_seq)
{
	uint32_t behind = (uint32_t)a->next_seq - wire_seq;

	if (behind == 0 || behind > a->next_seq - a->first_seq)
		return UINT64_MAX;
	return a->next_seq - behind;
}

static void lose(coo_account *a, uint64_t seq)
{
	slot_of(a, seq)->state = COO_SLOT_LOST;
	a->lost++;
}

uint64_t coo_account_sent(coo_account *a, coo_time now, size_t n)
{
	uint64_t seq = a->next_seq;
	coo_slot *s = slot_of(a, seq);

	if (s->state == COO_SLOT_PENDING) {
		lose(a, seq - a->mask - 1);
		a->overrun++;
	}
	s->sent = now;
	s->tx = 0;
	s->rtt = 0;
	s->state = COO_SLOT_PENDING;
	if (a->sent == 0)
		a->first_sent = now;
	a->last_sent = now;
	a->next_seq++;
	a->sent++;
	a->bytes_sent += n;
	if (a->next_seq - a->oldest > a->mask + 1)
		a->oldest = a->next_seq - a->mask - 1;
	return seq;
}

void coo_account_stamp(coo_account *a, uint32_t wire_seq, coo_time tx)
{
	uint64_t seq = unwrap(a, wire_seq);

	if (is_known(a, seq) && tx >= slot_of(a, seq)->sent)
		slot_of(a, seq)->tx = tx;
}

/* RFC 3393 over neighbours: an answer closes the pair with the probe before it and, after
 * reordering, the one behind it. */
static void book_ipdv(coo_account *a, coo_answer *out)
{
	const coo_slot *before = slot_of(a, out->seq - 1), *after = slot_of(a, out->seq + 1);

	if (out->seq > a->first_seq && is_known(a, out->seq - 1) &&
	    before->state == COO_SLOT_RECEIVED) {
		out->has_ipdv = true;
		out->ipdv = (int64_t)(out->rtt - before->rtt);
		coo_hist_add(&a->ipdv, out->ipdv < 0 ? (uint64_t)-out->ipdv : (uint64_t)out->ipdv);
	}
	if (is_known(a, out->seq + 1) && after->state == COO_SLOT_RECEIVED)
		coo_hist_add(&a->ipdv,
			     after->rtt > out->rtt ? after->rtt - out->rtt : out->rtt - after->rtt);
}

static void book_jitter(coo_account *a, uint64_t rtt)
{
	double d = (double)rtt - (double)a->last_rtt;

	if (a->received > 0)
		a->jitter += ((d < 0 ? -d : d) - a->jitter) / 16;
	a->last_rtt = rtt;
}

static void book_order(coo_account *a, coo_answer *out)
{
	if (out->seq >= a->next_expected) {
		a->next_expected = out->seq + 1;
		return;
	}
	out->reordered = true;
	a->reordered++;
	if (a->next_expected - 1 - out->seq > a->reorder_extent)
		a->reorder_extent = a->next_expected - 1 - out->seq;
}

static void book_received(coo_account *a, coo_slot *s, coo_answer *out)
{
	if (s->state == COO_SLOT_CORRUPTED)
		a->corrupted--;
	s->state = COO_SLOT_RECEIVED;
	s->rtt = out->rtt;
	out->verdict = COO_VERDICT_RECEIVED;
	coo_hist_add(&a->rtt, out->rtt);
	book_jitter(a, out->rtt);
	book_order(a, out);
	book_ipdv(a, out);
	a->received++;
}

/* A first answer too late, or too late for a verdict: the probe is lost, the answer late. */
static void book_late(coo_account *a, coo_slot *s, coo_answer *out)
{
	if (s->state == COO_SLOT_PENDING)
		a->lost++;
	else if (s->state == COO_SLOT_CORRUPTED) {
		out->verdict = COO_VERDICT_DUPLICATE;
		a->duplicate++;
		return;
	}
	s->state = COO_SLOT_LATE;
	out->verdict = COO_VERDICT_LATE;
	a->late++;
}

static uint64_t rtt_of(coo_account *a, const coo_slot *s, coo_time now)
{
	coo_time from = s->tx ? s->tx : s->sent;

	if (now < from) {
		/* The send stamp may lie a little behind an answer that took no time at all. */
		if (now < s->sent)
			a->clock_steps++;
		return now > s->sent ? now - s->sent : 0;
	}
	return now - from;
}

coo_answer coo_account_answer(coo_account *a, uint32_t wire_seq, coo_time now, size_t n)
{
	coo_answer out = { .verdict = COO_VERDICT_FOREIGN, .seq = unwrap(a, wire_seq) };
	coo_slot *s;

	if (out.seq == UINT64_MAX) {
		a->foreign++;
		return out;
	}
	a->bytes_received += n;
	if (now > a->last_received)
		a->last_received = now;
	if (!is_known(a, out.seq)) { /* so old that its slot serves another probe */
		out.verdict = COO_VERDICT_LATE;
		a->late++;
		return out;
	}
	s = slot_of(a, out.seq);
	if (s->state == COO_SLOT_RECEIVED || s->state == COO_SLOT_LATE) {
		out.verdict = COO_VERDICT_DUPLICATE;
		a->duplicate++;
		return out;
	}
	out.has_rtt = true;
	out.rtt = rtt_of(a, s, now);
	if (s->state == COO_SLOT_LOST || a->finished || out.rtt > a->late_after)
		book_late(a, s, &out);
	else
		book_received(a, s, &out);
	return out;
}

/* Send times rise with the numbers: the probe of a send time is found by halving. */
static uint64_t find_sent(coo_account *a, coo_time sent)
{
	uint64_t low =
	    a->next_seq - a->first_seq > a->mask + 1 ? a->next_seq - a->mask - 1 : a->first_seq;
	uint64_t high = a->next_seq;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (slot_of(a, mid)->sent < sent)
			low = mid + 1;
		else
			high = mid;
	}
	return low < a->next_seq && slot_of(a, low)->sent == sent ? low : UINT64_MAX;
}

coo_answer coo_account_damaged(coo_account *a, uint32_t wire_seq, coo_time sent, coo_time now)
{
	coo_answer out = { .verdict = COO_VERDICT_CORRUPTED, .seq = unwrap(a, wire_seq) };
	uint64_t by_time;
	coo_slot *s;

	a->damaged++;
	if (now > a->last_received)
		a->last_received = now;
	if (!is_known(a, out.seq) || slot_of(a, out.seq)->sent != sent) {
		by_time = find_sent(a, sent);
		if (by_time != UINT64_MAX)
			out.seq = by_time;
	}
	if (!is_known(a, out.seq)) {
		a->unplaced++;
		out.seq = UINT64_MAX;
		return out;
	}
	s = slot_of(a, out.seq);
	if (s->state == COO_SLOT_PENDING && !a->finished && rtt_of(a, s, now) <= a->late_after) {
		s->state = COO_SLOT_CORRUPTED;
		a->corrupted++;
	}
	return out;
}

void coo_account_foreign(coo_account *a)
{
	a->foreign++;
}

bool coo_account_refused(coo_account *a, uint32_t wire_seq)
{
	uint64_t seq = unwrap(a, wire_seq);

	if (!is_known(a, seq) || slot_of(a, seq)->state != COO_SLOT_PENDING)
		return false;
	lose(a, seq);
	a->icmp_lost++;
	return true;
}

/* Moves oldest over what is settled; false where nothing is pending. */
static bool find_pending(coo_account *a)
{
	while (a->oldest < a->next_seq && slot_of(a, a->oldest)->state != COO_SLOT_PENDING)
		a->oldest++;
	return a->oldest < a->next_seq;
}

void coo_account_expire(coo_account *a, coo_time now, coo_account_lost_fn *lost, void *user)
{
	while (find_pending(a)) {
		coo_time sent = slot_of(a, a->oldest)->sent;

		if (now <= coo_time_add(sent, a->late_after))
			return;
		lose(a, a->oldest);
		if (lost)
			lost(user, a->oldest, sent);
	}
}

coo_time coo_account_deadline(coo_account *a)
{
	if (!find_pending(a))
		return COO_NEVER;
	return coo_time_add(coo_time_add(slot_of(a, a->oldest)->sent, a->late_after), 1);
}

void coo_account_finish(coo_account *a, coo_account_lost_fn *lost, void *user)
{
	uint64_t damaged;

	if (a->finished)
		return;
	while (find_pending(a)) {
		lose(a, a->oldest);
		if (lost)
			lost(user, a->oldest, slot_of(a, a->oldest)->sent);
	}
	a->finished = true;
	/* Damaged answers that no probe could be told for stand for one lost probe each. */
	damaged = a->unplaced < a->lost - a->icmp_lost ? a->unplaced : a->lost - a->icmp_lost;
	a->lost -= damaged;
	a->corrupted += damaged;
}

coo_time coo_account_sent_at(coo_account *a, uint64_t seq)
{
	return is_known(a, seq) ? slot_of(a, seq)->sent : 0;
}

coo_time coo_account_begin_of(coo_account *a, uint64_t seq)
{
	const coo_slot *s = slot_of(a, seq);

	if (!is_known(a, seq))
		return 0;
	return s->tx ? s->tx : s->sent;
}

bool coo_account_is_pending(coo_account *a, uint64_t seq)
{
	return is_known(a, seq) && slot_of(a, seq)->state == COO_SLOT_PENDING;
}

bool coo_account_is_stamped(coo_account *a, uint64_t seq)
{
	return is_known(a, seq) && slot_of(a, seq)->tx != 0;
}

uint64_t coo_account_pending(const coo_account *a)
{
	return a->sent - a->received - a->lost - a->corrupted;
}

double coo_account_loss(const coo_account *a)
{
	uint64_t settled = a->sent - coo_account_pending(a);

	return settled ? (double)a->lost / (double)settled : 0;
}
