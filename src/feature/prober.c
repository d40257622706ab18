/* SPDX-License-Identifier: MIT */
#include "feature/prober.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "feature/prober_impl.h"

/* Above this, a kernel stamp for every probe costs more than it tells. */
enum { TX_STAMPS_MAX_RATE = 5000 };

/* Probes that may leave before answers are looked for again. */
enum { SENT_AT_ONCE = 64 };

#define POLL_EVERY COO_MS(100)
#define LINGER_MIN COO_MS(2)
#define SPIN_MIN COO_US(20)
#define SPIN_MAX COO_US(300)

static const char *const icmp_keys[] = {
#define ICMP_KEY(name, key) key,
	COO_ICMP_LIST(ICMP_KEY)
#undef ICMP_KEY
};

const char *coo_icmp_key(enum coo_icmp_kind k)
{
	return (size_t)k < COO_ICMP_COUNT ? icmp_keys[k] : "other";
}

static void wire_up(coo_prober *p)
{
	for (size_t i = 0; i < PROBE_BATCH; i++) {
		p->iov[i].iov_base = p->rx_memory + i * p->rx_size;
		p->iov[i].iov_len = p->rx_size;
		p->rx[i].msg_hdr.msg_name = &p->names[i];
		p->rx[i].msg_hdr.msg_namelen = sizeof(p->names[i]);
		p->rx[i].msg_hdr.msg_iov = &p->iov[i];
		p->rx[i].msg_hdr.msg_iovlen = 1;
		p->rx[i].msg_hdr.msg_control = p->ctrl[i];
		p->rx[i].msg_hdr.msg_controllen = PROBE_CTRL;
	}
}

static coo_err take_memory(coo_prober *p, const coo_flow_spec *specs, size_t n)
{
	p->rx_size = 2048;
	for (size_t i = 0; i < n; i++) {
		if (specs[i].size + 256 > p->rx_size)
			p->rx_size = specs[i].size + 256;
	}
	p->flows = calloc(n, sizeof(*p->flows));
	p->fds = calloc(n, sizeof(*p->fds));
	p->rx_memory = calloc(PROBE_BATCH, p->rx_size);
	p->err_memory = calloc(1, p->rx_size);
	if (!p->flows || !p->fds || !p->rx_memory || !p->err_memory)
		return COO_ENOMEM;
	for (size_t i = 0; i < n; i++)
		p->flows[i].fd = -1;
	p->n = n;
	wire_up(p);
	return COO_OK;
}

static coo_err open_flows(coo_prober *p, const coo_flow_spec *specs, size_t *bad)
{
	for (size_t i = 0; i < p->n; i++) {
		coo_err e;

		p->flows[i].spec = specs[i];
		if (bad)
			*bad = i;
		e = coo_prober_open_flow(p, &p->flows[i]);
		if (e != COO_OK)
			return e;
		p->fds[i].fd = p->flows[i].fd;
		p->fds[i].events = POLLIN;
	}
	return COO_OK;
}

coo_err coo_prober_open(const coo_prober_cfg *cfg, const coo_flow_spec *specs, size_t n,
			coo_prober **out, size_t *bad)
{
	coo_prober *p;
	coo_err e;

	if (n == 0 || n > COO_FLOWS_MAX)
		return COO_EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return COO_ENOMEM;
	p->cfg = *cfg;
	p->step = cfg->interval / n;
	p->tx_stamps = !cfg->user_clock && !cfg->window && p->step &&
		       COO_SEC(1) / p->step <= TX_STAMPS_MAX_RATE;
	p->own_error = coo_clock_error();
	coo_hist_init(&p->timer);
	e = take_memory(p, specs, n);
	if (e == COO_OK)
		e = open_flows(p, specs, bad);
	if (e == COO_OK)
		e = coo_prober_train_open(p);
	if (e != COO_OK) {
		int saved = errno;

		coo_prober_close(p);
		errno = saved;
		return e;
	}
	*out = p;
	return COO_OK;
}

void coo_prober_close(coo_prober *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		coo_prober_close_flow(&p->flows[i]);
	free(p->flows);
	free(p->fds);
	free(p->rx_memory);
	free(p->err_memory);
	free(p->train);
	free(p);
}

static coo_time deadline_of(const coo_prober *p, uint64_t k)
{
	return p->start + k / p->n * p->cfg.interval + k % p->n * p->step;
}

static bool all_proved(const coo_prober *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!p->flows[i].proved)
			return false;
	}
	return true;
}

/* Until every target has answered once, no more than one probe for each is sent. */
static void hold_back(coo_prober *p, coo_time now)
{
	if (p->k < p->n)
		return;
	if (all_proved(p)) {
		/* the schedule begins here, as if the first round had just been */
		p->cfg.must_prove = false;
		p->start = now - (p->k / p->n) * p->cfg.interval;
		return;
	}
	for (size_t i = 0; i < p->n; i++) {
		coo_flow *f = &p->flows[i];

		if (!f->proved && coo_account_pending(&f->account) == 0) {
			p->refused = true;
			p->sending = false;
		}
	}
}

static bool is_held(const coo_prober *p)
{
	return p->cfg.must_prove && p->k >= p->n;
}

/* How many probes of every flow are due at now; 1 where it is the turn of one flow. */
static size_t rounds_due(const coo_prober *p, coo_time now)
{
	coo_time first = deadline_of(p, p->k);
	uint64_t n;

	if (!p->train_max || p->k % p->n != 0 || p->cfg.must_prove || now >= p->stop_sending)
		return 1;
	n = (now - first + p->step) / p->cfg.interval;
	if (p->cfg.count && n > p->cfg.count - p->k / p->n)
		n = p->cfg.count - p->k / p->n;
	return n < p->train_max ? (size_t)n : p->train_max;
}

/* Those that are late leave together, flow by flow. */
static void send_rounds(coo_prober *p, size_t n)
{
	for (size_t i = 0; i < p->n; i++) {
		coo_time deadline = deadline_of(p, p->k + i);

		if (coo_prober_send_train(p, &p->flows[i], n, deadline))
			continue;
		for (size_t j = 0; j < n; j++, deadline += p->cfg.interval)
			coo_prober_send(p, &p->flows[i], deadline);
	}
	p->k += n * p->n;
}

/* Open loop: what is due leaves, whatever came back. */
static void send_due(coo_prober *p)
{
	uint64_t enough = p->k + SENT_AT_ONCE;

	if (is_held(p)) {
		hold_back(p, coo_clock_now());
		return;
	}
	while (p->k < enough) {
		coo_time deadline = deadline_of(p, p->k), now = coo_clock_now();
		size_t rounds;

		if (deadline >= p->stop_sending || (p->cfg.count && p->k / p->n >= p->cfg.count)) {
			p->sending = false;
			return;
		}
		if (deadline > now || is_held(p))
			return;
		rounds = rounds_due(p, now);
		if (rounds > 1) {
			send_rounds(p, rounds);
			continue;
		}
		coo_prober_send(p, &p->flows[p->k % p->n], deadline);
		p->k++;
	}
}

/* Closed loop: keeps the window of each flow full; one probe until the target has answered. */
static void send_window(coo_prober *p)
{
	bool more = false;

	if (coo_clock_now() >= p->stop_sending) {
		p->sending = false;
		return;
	}
	for (size_t i = 0; i < p->n; i++) {
		coo_flow *f = &p->flows[i];
		uint64_t window = f->proved ? p->cfg.window : 1;

		while (coo_account_pending(&f->account) < window &&
		       (!p->cfg.count || f->account.sent < p->cfg.count)) {
			uint64_t errors = f->send_errors;

			coo_prober_send(p, f, 0);
			if (f->send_errors != errors)
				break;
		}
		more |= !p->cfg.count || f->account.sent < p->cfg.count;
	}
	p->sending = more;
}

struct lost_context {
	coo_prober *p;
	coo_flow *f;
};

static void on_lost(void *user, uint64_t seq, coo_time sent)
{
	const struct lost_context *c = user;
	coo_probe_event ev = { .kind = COO_PING_LOST,
			       .seq = seq,
			       .from = c->f->spec.target,
			       .size = c->f->spec.size,
			       .sent = sent };

	coo_series_lost(&c->f->series, sent);
	prober_tell(c->p, c->f, &ev);
}

static coo_time expire(coo_prober *p, coo_time now)
{
	coo_time next = COO_NEVER;

	for (size_t i = 0; i < p->n; i++) {
		coo_flow *f = &p->flows[i];
		struct lost_context c = { p, f };
		coo_time d;

		coo_account_expire(&f->account, now, on_lost, &c);
		d = coo_account_deadline(&f->account);
		if (d < next)
			next = d;
	}
	return next;
}

static uint64_t pending(const coo_prober *p)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += coo_account_pending(&p->flows[i].account);
	return n;
}

/* until: when the next probe is due, which answers must not hold up. */
static void receive_ready(coo_prober *p, int ready, coo_time until)
{
	for (size_t i = 0; i < p->n && ready > 0; i++) {
		if (!p->fds[i].revents)
			continue;
		ready--;
		coo_prober_receive(p, &p->flows[i], until);
		if (p->fds[i].revents & POLLERR)
			coo_prober_errors(p, &p->flows[i]);
	}
}

/* How early to wake up for a deadline: what the last wake-ups were late, and a little more. */
static void learn_spin(coo_prober *p, coo_time meant, coo_time woke)
{
	coo_time late = woke > meant ? woke - meant : 0, want = late * 2 + SPIN_MIN;

	want = (p->spin * 7 + want) / 8;
	if (want > SPIN_MAX)
		want = SPIN_MAX;
	if (p->step && want > p->step / 2 && p->step / 2 > SPIN_MIN)
		want = p->step / 2;
	p->spin = want;
}

/* Sleeps until something comes or until wake; the last stretch before a send is spent awake. */
static void wait_until(coo_prober *p, coo_time wake, bool precise)
{
	coo_time now = coo_clock_now(), until = precise ? wake : COO_NEVER, sleep;
	struct timespec ts;
	int ready;

	sleep = wake > now ? wake - now : 0;
	if (precise && sleep) {
		sleep = sleep > p->spin ? sleep - p->spin : 0;
		wake -= p->spin;
	}
	if (sleep > POLL_EVERY)
		sleep = POLL_EVERY;
	ts.tv_sec = 0;
	ts.tv_nsec = (long)sleep;
	ready = ppoll(p->fds, (nfds_t)p->n, &ts, NULL);
	if (ready > 0)
		receive_ready(p, ready, until);
	else if (precise && sleep && now + sleep + COO_US(1) >= wake)
		learn_spin(p, wake, coo_clock_now());
}

static coo_time slowest(const coo_prober *p)
{
	coo_time max = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->flows[i].account.rtt.max > max)
			max = p->flows[i].account.rtt.max;
	}
	return max;
}

/* When the last probe stops to be answered in time. */
static coo_time last_deadline(const coo_prober *p)
{
	coo_time last = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->flows[i].account.last_sent > last)
			last = p->flows[i].account.last_sent;
	}
	return coo_time_add(last, p->cfg.late_after);
}

/* Once nothing is pending, duplicates of the last probes get a moment to show themselves; after a
 * broadcast, of which the first answer settles the probe, every host gets its whole time. */
static void linger(coo_prober *p, coo_time now)
{
	coo_time patience = 2 * slowest(p);

	if (p->lingering)
		return;
	p->lingering = true;
	if (patience < LINGER_MIN)
		patience = LINGER_MIN;
	if (patience > p->cfg.late_after)
		patience = p->cfg.late_after;
	now = coo_time_add(now, patience);
	if (p->cfg.broadcast && last_deadline(p) > now)
		now = last_deadline(p);
	if (p->end > now)
		p->end = now;
}

static void ask_owner(coo_prober *p, coo_time now)
{
	int wish = p->cfg.poll ? p->cfg.poll(p->cfg.ctx) : 0;
	coo_time patience = COO_MS(20);

	if (wish < 2)
		return;
	p->sending = false;
	if (3 * slowest(p) > patience)
		patience = 3 * slowest(p);
	if (wish >= 3 || patience > p->cfg.late_after)
		patience = wish >= 3 ? 0 : p->cfg.late_after;
	if (!p->interrupted || wish >= 3)
		p->end = coo_time_add(now, patience);
	p->interrupted = true;
}

static void report(coo_prober *p, coo_time now)
{
	if (!p->cfg.report_every || now < p->next_report)
		return;
	while (p->next_report <= now)
		p->next_report += p->cfg.report_every;
	p->cfg.on_report(p->cfg.ctx);
}

static void turn(coo_prober *p)
{
	coo_time now, wake, next_send;

	if (p->sending && p->cfg.window)
		send_window(p);
	else if (p->sending)
		send_due(p);
	now = coo_clock_now();
	wake = expire(p, now);
	report(p, now);
	next_send = p->sending && !p->cfg.window && !is_held(p) ? deadline_of(p, p->k) : COO_NEVER;
	if (p->cfg.report_every && p->next_report < wake)
		wake = p->next_report;
	if (p->end < wake)
		wake = p->end;
	if (next_send < wake)
		wait_until(p, next_send, true);
	else
		wait_until(p, wake, false);
}

static void begin(coo_prober *p)
{
	coo_time width = p->cfg.interval > COO_MS(1) ? p->cfg.interval : COO_MS(1);

	coo_ignore(prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL));
	p->wall_base = p->wall_now = coo_prober_offset(&p->start, 0);
	p->end = COO_NEVER;
	p->spin = 2 * SPIN_MIN;
	p->stop_sending = p->cfg.duration ? coo_time_add(p->start, p->cfg.duration) : COO_NEVER;
	p->next_report = p->start + p->cfg.report_every;
	p->sending = true;
	for (size_t i = 0; i < p->n; i++)
		coo_series_init(&p->flows[i].series, p->start, width);
}

coo_err coo_prober_run(coo_prober *p)
{
	coo_time asked = 0, now;

	begin(p);
	do {
		turn(p);
		now = coo_clock_now();
		if (now - asked > POLL_EVERY / 2) {
			ask_owner(p, now);
			asked = now;
		}
		if (!p->sending && pending(p) == 0)
			linger(p, now);
	} while (now < p->end);
	p->end = now;
	/* what an impatient user cut off is pending, neither received nor lost */
	for (size_t i = 0; i < p->n && pending(p) == 0; i++)
		coo_account_finish(&p->flows[i].account, NULL, NULL);
	return p->refused ? COO_ELIMIT : COO_OK;
}

size_t coo_prober_flows(const coo_prober *p)
{
	return p->n;
}

const coo_flow *coo_prober_flow(const coo_prober *p, size_t i)
{
	return &p->flows[i];
}

const coo_hist *coo_prober_timer(const coo_prober *p)
{
	return &p->timer;
}

coo_time coo_prober_started(const coo_prober *p)
{
	return p->start;
}

coo_time coo_prober_elapsed(const coo_prober *p)
{
	return (p->end != COO_NEVER ? p->end : coo_clock_now()) - p->start;
}

enum coo_probe_clock coo_flow_clock(const coo_flow *f)
{
	if (f->user_times || f->account.received == 0)
		return COO_CLOCK_USER;
	return f->kernel_rx ? COO_CLOCK_KERNEL_RX : COO_CLOCK_KERNEL;
}

size_t coo_flow_overhead(const coo_flow *f)
{
	return (f->spec.target.family == 6 ? 40 : 20) + 8;
}
