/* SPDX-License-Identifier: MIT */
#include "feature/discover.h"

#include <stdlib.h>
#include <string.h>

#include "feature/discover_impl.h"

/*
 * The kernel keeps an address that does not answer ARP for three seconds, 1,024 of them where
 * nobody changed that, and then drops what goes to any further one without telling.
 */
enum { RATE_DEFAULT = 500, RATE_ON_LINK = 160, FEW_ON_LINK = 512 };

enum { SMALL_SWEEP = 1024, MEDIUM_SWEEP = 4096 };

#define WAIT_DEFAULT COO_SEC(3)
#define LIST_RETRY COO_SEC(3)  /* when the node asks for lists again */
#define ASK_MINUTE COO_SEC(60) /* when staying */
#define DELAY_MAX COO_MS(4200) /* the official client's on a large LAN, PROTOCOL.md 5.3 */

const char *coo_found_by_name(enum coo_found_by by)
{
	switch (by) {
	case COO_FOUND_HEARD:
		return "heard";
	case COO_FOUND_LIST:
		return "host list";
	case COO_FOUND_SWEEP:
		return "sweep";
	case COO_FOUND_BROADCAST:
		return "broadcast";
	}
	return "?";
}

coo_err coo_discover_new(const coo_discover_cfg *cfg, coo_discover **out)
{
	coo_discover *d = calloc(1, sizeof(*d));

	if (!d)
		return COO_ENOMEM;
	d->cfg = *cfg;
	d->node = coo_driver_node(cfg->driver);
	d->peers = coo_node_peers(d->node);
	d->records = calloc(d->peers->cap, sizeof(*d->records));
	d->timer = calloc(1, sizeof(*d->timer));
	if (!d->records || !d->timer) {
		free(d->records);
		free(d->timer);
		free(d);
		return COO_ENOMEM;
	}
	if (!d->cfg.wait)
		d->cfg.wait = WAIT_DEFAULT;
	uv_timer_init(coo_driver_loop(cfg->driver), d->timer);
	d->timer->data = d;
	*out = d;
	return COO_OK;
}

static void on_closed(uv_handle_t *h)
{
	free(h);
}

void coo_discover_free(coo_discover *d)
{
	if (!d)
		return;
	uv_close((uv_handle_t *)d->timer, on_closed);
	coo_sweep_free(&d->sweep);
	free(d->records);
	free(d);
}

coo_err coo_discover_add(coo_discover *d, const coo_cidr *net, uint16_t port)
{
	size_t before = d->sweep.total;
	coo_err e = coo_sweep_add(&d->sweep, net, port);

	if (e == COO_OK && coo_netifs_on_link(coo_driver_netifs(d->cfg.driver), &net->base))
		d->on_link += d->sweep.total - before;
	return e;
}

size_t coo_discover_addresses(const coo_discover *d)
{
	return d->sweep.total;
}

unsigned coo_discover_rate(const coo_discover *d)
{
	if (d->cfg.rate)
		return d->cfg.rate;
	return d->on_link > FEW_ON_LINK ? RATE_ON_LINK : RATE_DEFAULT;
}

/* --- who is there ----------------------------------------------------------------------------- */

size_t coo_discover_count(const coo_discover *d)
{
	size_t i = 0, n = 0;
	const coo_peer *p;

	while ((p = coo_peers_next(d->peers, &i)) != NULL)
		n += coo_discover_is_there(d, p);
	return n;
}

coo_found coo_discover_of(const coo_discover *d, const coo_peer *peer)
{
	const struct coo_discover_record *r = coo_discover_record_of(d, peer);
	coo_found f;

	f.peer = peer;
	f.by = (enum coo_found_by)r->by;
	f.rtt = r->rtt;
	return f;
}

bool coo_discover_next(const coo_discover *d, size_t *i, coo_found *out)
{
	const coo_peer *p;

	while ((p = coo_peers_next(d->peers, i)) != NULL) {
		if (coo_discover_is_there(d, p)) {
			*out = coo_discover_of(d, p);
			return true;
		}
	}
	return false;
}

unsigned coo_discover_rounds(const coo_discover *d)
{
	return d->rounds;
}

coo_time coo_discover_longest(const coo_discover *d)
{
	return d->longest;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void note_answer(coo_discover *d, struct coo_discover_record *r, enum coo_found_by by,
			coo_time asked, coo_time now)
{
	coo_time took = now > asked ? now - asked : 1;

	if (r->rtt == 0)
		r->rtt = took;
	if (took > d->longest && took <= DELAY_MAX)
		d->longest = took;
	if (by > r->by)
		r->by = (uint8_t)by;
	if (r->last_round != d->rounds) {
		r->last_round = d->rounds;
		r->answered++;
	}
}

/* As the repeated question, which those who have only just come answer, too (PROTOCOL.md 9). */
static void ask_list(coo_discover *d, struct coo_discover_record *r, const coo_addr *to,
		     coo_time now)
{
	if (!d->cfg.host_lists || r->asked_list)
		return;
	r->asked_list = true;
	d->list_at = now;
	coo_node_ask(d->node, to, COO_CMD_BR_ISGETLIST2 | COO_OPT_LIST_RETRY, now);
}

static void on_entry(coo_discover *d, const coo_event *ev)
{
	struct coo_discover_record *r = coo_discover_record_of(d, ev->peer);
	coo_time now = coo_driver_now(d->cfg.driver), asked = 0;

	if (ev->type == COO_EV_PEER_UP || !r->used)
		memset(r, 0, sizeof(*r));
	r->used = true;
	if (r->by < COO_FOUND_HEARD)
		r->by = COO_FOUND_HEARD;
	if (coo_packet_cmd(&ev->packet) != COO_CMD_ANSENTRY)
		return;
	if (coo_sweep_answer(&d->sweep, &ev->rx.from, &asked)) {
		if (asked != COO_NEVER)
			note_answer(d, r, COO_FOUND_SWEEP, asked, now);
		ask_list(d, r, &ev->rx.from, now);
	} else if (d->rounds > 0 && now >= d->last_ask) {
		/* before, the first question is still under way: it answers one of an earlier run
		 */
		note_answer(d, r, COO_FOUND_BROADCAST, d->last_ask, now);
	}
}

static void finish(coo_discover *d)
{
	if (d->is_done)
		return;
	d->is_done = true;
	if (d->phase == PHASE_ASKING && !d->cfg.stay)
		d->phase = PHASE_DONE;
	d->cfg.on_done(d->cfg.user);
}

/* The server of a list has us on it, too: we were heard there when we asked. */
static bool is_us(const coo_discover *d, const coo_peer *p)
{
	return p->n_addrs > 0 && p->addr.port == coo_driver_local(d->cfg.driver).port &&
	       coo_netifs_is_own(coo_driver_netifs(d->cfg.driver), &p->addr);
}

/* A page of a list: who stands on it is marked by the node, without an event each. */
static void on_list(coo_discover *d)
{
	size_t i = 0;
	const coo_peer *p;

	d->list_at = coo_driver_now(d->cfg.driver);
	while ((p = coo_peers_next(d->peers, &i)) != NULL) {
		struct coo_discover_record *r = coo_discover_record_of(d, p);

		if (p->how != COO_HOW_LIST || r->used || is_us(d, p))
			continue;
		memset(r, 0, sizeof(*r));
		r->used = true;
		r->by = COO_FOUND_LIST;
	}
}

static void stop_if_enough(coo_discover *d)
{
	if (d->cfg.enough && coo_discover_count(d) >= d->cfg.enough)
		finish(d);
}

void coo_discover_on_event(coo_discover *d, const coo_event *ev)
{
	if (ev->type == COO_EV_LIST && d->phase < PHASE_LEAVING) {
		on_list(d);
		stop_if_enough(d);
		return;
	}
	if (!ev->peer || !ev->peer->used || d->phase >= PHASE_LEAVING)
		return;
	if (ev->type != COO_EV_PEER_UP && ev->type != COO_EV_PEER_CHANGE &&
	    ev->type != COO_EV_PEER_SEEN)
		return;
	on_entry(d, ev);
	stop_if_enough(d);
}

void coo_discover_unsent(coo_discover *d, const coo_addr *to, int error)
{
	if (d->phase < PHASE_LEAVING && coo_sweep_fail(&d->sweep, to))
		d->error = error;
}

size_t coo_discover_n_unsent(const coo_discover *d)
{
	return d->sweep.unsent;
}

int coo_discover_error(const coo_discover *d)
{
	return d->sweep.unsent ? d->error : 0;
}

/* --- leaving ---------------------------------------------------------------------------------- */

/* Clients that know us by our address alone would strike the one off who holds the usual port. */
static bool knows_names(const coo_peer *p)
{
	return p->client == COO_CLIENT_IPMSG || p->client == COO_CLIENT_COO ||
	       p->client == COO_CLIENT_UNKNOWN;
}

static bool step_goodbyes(coo_discover *d, coo_time now)
{
	size_t sent = 0, most = coo_discover_rate(d) * COO_DISCOVER_TICK_MS / 1000 + 1;
	const coo_peer *p;

	while (sent < most) {
		p = coo_peers_next(d->peers, &d->leave_at);
		if (!p)
			return true;
		if (!coo_discover_is_there(d, p) || (!d->cfg.usual_port && !knows_names(p)) ||
		    coo_discover_record_of(d, p)->by == COO_FOUND_LIST) /* never heard of us */
			continue;
		coo_node_ask(d->node, &p->addr, COO_CMD_BR_EXIT, now);
		sent++;
	}
	return false;
}

static void step_leaving(coo_discover *d, coo_time now)
{
	bool by_broadcast = d->cfg.everybody && d->cfg.usual_port;

	if (!by_broadcast && !step_goodbyes(d, now))
		return;
	if (!coo_node_is_idle(d->node))
		return;
	d->phase = PHASE_LEFT;
	uv_timer_stop(d->timer);
	if (d->on_left)
		d->on_left(d->cfg.user);
}

void coo_discover_leave(coo_discover *d, void (*on_left)(void *user))
{
	coo_time now = coo_driver_now(d->cfg.driver);

	if (d->phase >= PHASE_LEAVING)
		return;
	d->phase = PHASE_LEAVING;
	d->is_done = true;
	d->on_left = on_left;
	/* a sweep was not announced: it answers no more, and says goodbye to each */
	if (!d->cfg.everybody || d->cfg.usual_port)
		coo_node_leave(d->node, now);
	coo_driver_kick(d->cfg.driver);
}

/* --- the clock -------------------------------------------------------------------------------- */

static void step_asking(coo_discover *d, coo_time now)
{
	bool over = true;

	if (d->is_done) { /* staying: one more round now and then */
		if (d->cfg.everybody && now >= d->last_ask + ASK_MINUTE)
			coo_discover_ask_everybody(d, now);
		return;
	}
	if (d->sweep.total > 0)
		over = coo_discover_step_sweep(d, now);
	if (d->cfg.everybody)
		over = coo_discover_step_rounds(d, now) && over;
	if (over && coo_discover_lists_over(d, now))
		finish(d);
}

static void on_tick(uv_timer_t *timer)
{
	coo_discover *d = timer->data;
	coo_time now = coo_driver_now(d->cfg.driver);

	if (d->phase == PHASE_ASKING)
		step_asking(d, now);
	else if (d->phase == PHASE_LEAVING)
		step_leaving(d, now);
	if (d->phase != PHASE_LEFT)
		coo_driver_kick(d->cfg.driver);
}

static unsigned planned_rounds(coo_time wait)
{
	coo_time more =
	    wait > COO_DISCOVER_WAKE_UP ? (wait - COO_DISCOVER_WAKE_UP) / COO_DISCOVER_ROUND : 0;

	return more < 99 ? 1 + (unsigned)more : 100;
}

void coo_discover_start(coo_discover *d)
{
	d->started = d->last_ask = coo_driver_now(d->cfg.driver);
	d->planned = planned_rounds(d->cfg.wait);
	d->passes = d->cfg.passes		     ? d->cfg.passes
		    : d->sweep.total <= SMALL_SWEEP  ? 3
		    : d->sweep.total <= MEDIUM_SWEEP ? 2
						     : 1;
	if (d->cfg.host_lists) { /* by broadcast where there is one; of a sweep, who answers */
		coo_node_ask_list(d->node, NULL, COO_NEVER, d->started);
		d->list_at =
		    d->started + (d->cfg.everybody && d->cfg.wait >= LIST_RETRY ? LIST_RETRY : 0);
	}
	uv_timer_start(d->timer, on_tick, 0, COO_DISCOVER_TICK_MS);
}
