/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_ACCOUNT_H
#define COO_FEATURE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feature/histogram.h"
#include "proto/time.h"

/*
 * The books of an echo test: what was sent, what became of it. Pure: time comes as an argument, the
 * memory is given at init and does not grow.
 *
 * Every probe is in exactly one of these states, so that at any moment
 *
 *     sent = received + lost + corrupted + pending
 *
 *   received   its first intact answer came within late_after
 *   corrupted  in time came only answers that were changed on the way
 *   lost       nothing of the two within late_after (or an ICMP error said so)
 *   pending    younger than late_after and not answered yet; 0 after coo_account_finish
 *
 * Beside these stand counts of datagrams: late (the first answer of a probe that was already lost:
 * it stays lost), duplicate (a further intact answer of one probe), damaged (every changed answer),
 * foreign (none of ours). None of them is ever counted as received.
 *
 * RTT is of received probes alone. IPDV (RFC 3393) is |RTT(i) - RTT(i-1)| for probes sent one after
 * the other and both received. Jitter is RFC 3550 6.4.1: J += (|D| - J) / 16 over answers in the
 * order of their arrival. Reordered (RFC 4737 3.3): received with a lower number than the highest
 * received before it.
 */
enum coo_slot_state {
	COO_SLOT_FREE,
	COO_SLOT_PENDING,
	COO_SLOT_RECEIVED,
	COO_SLOT_CORRUPTED,
	COO_SLOT_LOST,
	COO_SLOT_LATE, /* lost, and answered since */
};

typedef struct coo_slot {
	coo_time sent; /* as written into the probe */
	coo_time tx;   /* as the kernel stamped it, or 0 */
	uint64_t rtt;
	uint8_t state;
} coo_slot;

enum coo_verdict {
	COO_VERDICT_RECEIVED,
	COO_VERDICT_LATE,
	COO_VERDICT_DUPLICATE,
	COO_VERDICT_CORRUPTED,
	COO_VERDICT_FOREIGN,
};

typedef struct coo_account {
	coo_slot *slots;
	uint64_t mask;
	coo_time late_after;
	uint64_t first_seq, next_seq, oldest; /* oldest: below it nothing is pending */
	uint64_t next_expected;		      /* RFC 4737's NextExp */
	coo_time first_sent, last_sent, last_received;
	uint64_t sent, received, lost, corrupted;
	uint64_t late, duplicate, damaged, foreign, reordered;
	uint64_t reorder_extent; /* the farthest that an answer came behind, in probes */
	uint64_t overrun;	 /* given up early, for want of slots; in lost */
	uint64_t unplaced;	 /* damaged, and it cannot be told which probe it was */
	uint64_t icmp_lost;	 /* of lost: by an ICMP error */
	uint64_t clock_steps;	 /* answers that seemed to come before their probe */
	uint64_t bytes_sent, bytes_received;
	uint64_t last_rtt;
	double jitter;
	bool finished;
	coo_hist rtt, ipdv;
} coo_account;

/* What coo_account_answer found out about one datagram. */
typedef struct coo_answer {
	enum coo_verdict verdict;
	bool has_rtt, has_ipdv, reordered;
	uint64_t seq; /* unwrapped; valid unless foreign */
	uint64_t rtt;
	int64_t ipdv; /* RTT(seq) - RTT(seq - 1) */
} coo_answer;

/*
 * Begins with empty books over n_slots (a power of two) of the caller's memory, which bounds how
 * many of the latest probes are remembered. first_seq is the number of the first probe: on the wire
 * only its low 32 bits are seen.
 */
void coo_account_init(coo_account *a, coo_slot *slots, size_t n_slots, coo_time late_after,
		      uint64_t first_seq);

/* Books a probe of n bytes that was sent at now and returns its number. */
uint64_t coo_account_sent(coo_account *a, coo_time now, size_t n);

/* The kernel's send time of a probe, on the same clock; ignored where the probe is not known. */
void coo_account_stamp(coo_account *a, uint32_t wire_seq, coo_time tx);

/* Books an intact answer that came at now. */
coo_answer coo_account_answer(coo_account *a, uint32_t wire_seq, coo_time now, size_t n);

/*
 * Books a damaged answer. Its number and its send time are what the damaged header says; where one
 * of them fits the books, the probe is known. Returns the answer with its seq where that is so.
 */
coo_answer coo_account_damaged(coo_account *a, uint32_t wire_seq, coo_time sent, coo_time now);

void coo_account_foreign(coo_account *a);

/* An ICMP error for a probe came: it is lost, unless it was settled before. True where it was
 * pending. */
bool coo_account_refused(coo_account *a, uint32_t wire_seq);

/* Settles what is older than late_after at now; calls lost (if not NULL) for each. */
typedef void coo_account_lost_fn(void *user, uint64_t seq, coo_time sent);
void coo_account_expire(coo_account *a, coo_time now, coo_account_lost_fn *lost, void *user);

/* When the oldest pending probe becomes lost; COO_NEVER where nothing is pending. */
coo_time coo_account_deadline(coo_account *a);

/* Settles the rest at the end of a run: what still waits is lost. Later answers are late. */
void coo_account_finish(coo_account *a, coo_account_lost_fn *lost, void *user);

/* When a probe that is still remembered was sent, else 0. */
coo_time coo_account_sent_at(coo_account *a, uint64_t seq);

/* When its round trip began: the kernel's send stamp where there is one. 0: not remembered. */
coo_time coo_account_begin_of(coo_account *a, uint64_t seq);

bool coo_account_is_pending(coo_account *a, uint64_t seq);

/* Whether its round trip began at the kernel's send stamp. */
bool coo_account_is_stamped(coo_account *a, uint64_t seq);

uint64_t coo_account_pending(const coo_account *a);

/* lost / (sent - pending), 0…1; 0 where nothing is settled yet. */
double coo_account_loss(const coo_account *a);

#endif
