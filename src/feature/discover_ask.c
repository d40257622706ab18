/* SPDX-License-Identifier: MIT */
/* Whom discovery asks, and when again. */
#include "feature/discover_impl.h"

enum { ASK_AGAIN_MAX = 3 };

#define PASS_EVERY COO_MS(1100)

/* --- asking everybody ------------------------------------------------------------------------- */

/* 内网通 answers the plain form alone, which goes out from the second round on. */
static unsigned rounds_asked(const coo_discover *d, const coo_peer *p)
{
	return p->client == COO_CLIENT_SHIYELINE ? d->rounds - 1 : d->rounds;
}

/*
 * Whether somebody may have been missed in every round so far. q is the part of the rounds that
 * peers who do answer left unanswered; of N found, about N q^rounds like them were not.
 */
static bool may_have_missed(const coo_discover *d)
{
	double asked = 0, answered = 0, missed;
	size_t i = 0, n = 0;
	const coo_peer *p;

	while ((p = coo_peers_next(d->peers, &i)) != NULL) {
		const struct coo_discover_record *r = coo_discover_record_of(d, p);

		if (!coo_discover_is_there(d, p) || r->answered == 0)
			continue;
		n++;
		asked += rounds_asked(d, p);
		answered += r->answered;
	}
	if (asked <= answered)
		return false;
	missed = (double)n;
	for (unsigned k = 0; k < d->rounds; k++)
		missed *= (asked - answered) / asked;
	return missed > 0.002;
}

void coo_discover_ask_everybody(coo_discover *d, coo_time now)
{
	coo_node_seek(d->node, NULL, false, now);
	/* behind the full form, so that who understands both answers that one */
	if (d->rounds > 0 && d->cfg.usual_port)
		coo_node_seek(d->node, NULL, true, now);
	d->last_ask = d->rounds == 0 ? now + COO_DISCOVER_WAKE_UP : now;
	d->rounds++;
}

/*
 * Who understands UTF-8 but heard only the plain form has answered with legacy names, in a
 * character set that it does not tell: asked again, in the full form. False where there is nobody.
 */
static bool ask_again(coo_discover *d, coo_time now)
{
	size_t i = 0;
	const coo_peer *p;
	bool any = false;

	while ((p = coo_peers_next(d->peers, &i)) != NULL) {
		struct coo_discover_record *r = coo_discover_record_of(d, p);

		if (!coo_discover_is_there(d, p) || p->has_utf8 || r->answered == 0 ||
		    r->asked_again == ASK_AGAIN_MAX || coo_client_is_gbk((coo_client)p->client) ||
		    !(p->status & COO_OPT_ENTRY_CAPUTF8))
			continue;
		r->asked_again++;
		coo_node_seek(d->node, &p->addr, false, now);
		any = true;
	}
	if (any)
		d->last_ask = now;
	return any;
}

static coo_time later_of(coo_time a, coo_time b)
{
	return a > b ? a : b;
}

bool coo_discover_lists_over(const coo_discover *d, coo_time now)
{
	coo_time rest = d->cfg.wait < PASS_EVERY ? d->cfg.wait : PASS_EVERY;

	return !d->cfg.host_lists || now >= d->list_at + rest;
}

/* One step of the rounds; true when they are over. */
bool coo_discover_step_rounds(coo_discover *d, coo_time now)
{
	coo_time end = later_of(d->started + d->cfg.wait, d->last_ask + d->longest + COO_MS(50));

	if (d->rounds == 0 || (d->rounds < d->planned && now >= d->last_ask + COO_DISCOVER_ROUND)) {
		coo_discover_ask_everybody(d, now);
		return false;
	}
	if (now < end)
		return false;
	if (d->rounds >= 3 * d->planned || !may_have_missed(d))
		return !ask_again(d, now);
	if (now >= d->last_ask + COO_DISCOVER_ROUND)
		coo_discover_ask_everybody(d, now);
	return false;
}

/* --- asking address by address ---------------------------------------------------------------- */

static void ask(coo_discover *d, const coo_addr *to, coo_time now)
{
	coo_node_seek(d->node, to, false, now);
	d->credit -= 1000;
	if (d->pass > 0 && d->cfg.usual_port) {
		coo_node_seek(d->node, to, true, now);
		d->credit -= d->credit >= 1000 ? 1000 : d->credit;
	}
	d->last_ask = now;
}

/* Asks as many as the rate allows for one tick; false at the end of the pass. */
static bool step_pass(coo_discover *d, coo_time now)
{
	coo_addr to;

	/* what is asked faster than it leaves would be lost in the node's queue */
	if (coo_driver_is_full(d->cfg.driver))
		return true;
	d->credit += coo_discover_rate(d) * COO_DISCOVER_TICK_MS;
	while (d->credit >= 1000) {
		if (!coo_sweep_next(&d->sweep, now, &to))
			return false;
		ask(d, &to, now);
	}
	return true;
}

/* A small sweep goes on as long as a pass finds somebody whom the one before had missed. */
static bool wants_pass(const coo_discover *d)
{
	if (d->sweep.answered == d->sweep.total)
		return false;
	return d->pass + 1 < d->passes || (d->pass + 1 < 3 * d->passes && d->passes > 1 &&
					   d->pass > 0 && d->sweep.answered > d->answered_before);
}

bool coo_discover_step_sweep(coo_discover *d, coo_time now)
{
	coo_time rest = d->cfg.wait < PASS_EVERY ? d->cfg.wait : PASS_EVERY;

	if (d->sweep.at < d->sweep.total && step_pass(d, now))
		return false;
	if (d->sweep.unsent == d->sweep.total) /* nothing left, so nothing can come */
		return true;
	if (now < d->last_ask + rest)
		return false;
	if (wants_pass(d)) {
		d->pass++;
		d->answered_before = d->sweep.answered;
		d->credit = 0;
		coo_sweep_restart(&d->sweep);
		return false;
	}
	if (d->sweep.answered == d->sweep.total)
		return true;
	return now >= d->started + d->cfg.wait &&
	       now >= d->last_ask + (d->pass > 0 ? rest : d->cfg.wait);
}
