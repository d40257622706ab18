/* SPDX-License-Identifier: MIT */
/*
 * Answers that are owed: a heap of peers by time, in which every record knows its place. So each
 * peer is owed one answer at most however often it asks, and a host of any size needs four bytes
 * for each peer it can know, and no policy for a full queue.
 */
#include "proto/peer.h"

static coo_peer *at(const coo_peers *t, size_t place)
{
	return coo_peers_nth(t, t->owed[place]);
}

static void put(coo_peers *t, size_t place, uint32_t index)
{
	t->owed[place] = index;
	at(t, place)->owed_place = (uint32_t)place + 1;
}

static void swap(coo_peers *t, size_t a, size_t b)
{
	uint32_t index = t->owed[a];

	put(t, a, t->owed[b]);
	put(t, b, index);
}

static bool is_earlier(const coo_peers *t, size_t a, size_t b)
{
	return at(t, a)->answer_at < at(t, b)->answer_at;
}

static void rise(coo_peers *t, size_t i)
{
	for (; i > 0 && is_earlier(t, i, (i - 1) / 2); i = (i - 1) / 2)
		swap(t, i, (i - 1) / 2);
}

static void sink(coo_peers *t, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < t->owed_n && is_earlier(t, child + 1, child))
			child++;
		if (child >= t->owed_n || !is_earlier(t, child, i))
			return;
		swap(t, i, child);
		i = child;
	}
}

void coo_peers_owe(coo_peers *t, coo_peer *p, coo_time answer_at)
{
	p->answer_at = answer_at;
	put(t, t->owed_n, (uint32_t)coo_peers_index(t, p));
	rise(t, t->owed_n++);
}

coo_peer *coo_peers_first_owed(const coo_peers *t)
{
	return t->owed_n > 0 ? at(t, 0) : NULL;
}

void coo_peers_settle(coo_peers *t, coo_peer *p)
{
	size_t place;

	if (!coo_peer_owes(p))
		return;
	place = p->owed_place - 1;
	p->owed_place = 0;
	if (place == --t->owed_n)
		return;
	put(t, place, t->owed[t->owed_n]);
	rise(t, place);
	sink(t, place);
}

void coo_peers_settle_all(coo_peers *t)
{
	while (t->owed_n > 0)
		at(t, --t->owed_n)->owed_place = 0;
}
