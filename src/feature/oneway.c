/* SPDX-License-Identifier: MIT */
#include "feature/oneway.h"

#include <string.h>

void coo_oneway_init(coo_oneway *o, bool stateful)
{
	memset(o, 0, sizeof(*o));
	o->stateful = stateful;
	o->bound = UINT64_MAX;
	coo_hist_init(&o->up.ipdv);
	coo_hist_init(&o->down.ipdv);
	coo_hist_init(&o->processing);
}

static void add_delay(coo_oneway_path *p, bool first, int64_t delay)
{
	int64_t d = delay - p->last;

	if (first || delay < p->min)
		p->min = delay;
	if (first || delay > p->max)
		p->max = delay;
	if (!first)
		coo_hist_add(&p->ipdv, (uint64_t)(d < 0 ? -d : d));
	p->last = delay;
	p->sum += (double)delay;
}

static void book_bound(coo_oneway *o, const coo_stamp_reply *r, uint64_t own_error)
{
	uint64_t theirs = coo_stamp_error_ns(r->error);

	if (!r->error.synced || own_error == UINT64_MAX || theirs == UINT64_MAX)
		return;
	if (o->bound == UINT64_MAX || theirs + own_error > o->bound)
		o->bound = theirs + own_error;
}

void coo_oneway_add(coo_oneway *o, uint64_t seq, const coo_stamp_reply *r, uint64_t t1, uint64_t t2,
		    uint64_t t3, uint64_t t4, uint64_t own_error)
{
	int64_t up = (int64_t)(t2 - t1), down = (int64_t)(t4 - t3);

	if (r->seq != (uint32_t)seq)
		o->stateful = true;
	o->answers++;
	if (seq + 1 > o->reach)
		o->reach = seq + 1;
	if (o->answers == 1 || (int32_t)(r->seq + 1 - o->got) > 0)
		o->got = r->seq + 1;
	add_delay(&o->up, o->answers == 1, up);
	add_delay(&o->down, o->answers == 1, down);
	if (t3 >= t2)
		coo_hist_add(&o->processing, t3 - t2);
	book_bound(o, r, own_error);
}

bool coo_oneway_loss(const coo_oneway *o, uint64_t *up, uint64_t *down)
{
	uint64_t got = o->got;

	if (o->answers == 0)
		return false;
	if (!o->stateful && o->answers < o->reach)
		return false; /* its number repeats ours: nothing tells the directions apart */
	if (got > o->reach)   /* it also counts what the network doubled on the way up */
		got = o->reach;
	*up = o->reach - got;
	*down = got > o->answers ? got - o->answers : 0;
	return true;
}
