/* SPDX-License-Identifier: MIT */
#include "cli/find.h"

#include <stdlib.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/out.h"
#include "cli/show.h"
#include "cli/xalloc.h"
#include "feature/relay.h"

struct entry {
	uint8_t *p;
	size_t n;
	uint64_t told; /* hash of what was told of the peer last */
};

struct finding {
	const struct find_wish *wish;
	struct found *out;
	struct net net;
	coo_discover *discover;
	coo_relay *relay;
	struct entry *entries; /* by place in the node's table */
	uint8_t *scratch;
	bool stopping;
};

/* --- what was found --------------------------------------------------------------------------- */

static coo_span keep(uint8_t **at, coo_span s)
{
	coo_span kept = coo_span_of(*at, s.n);

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return kept;
}

static bool speaks_v4(const struct finding *f)
{
	const coo_netifs *ifs = coo_driver_netifs(f->net.driver);

	for (size_t i = 0; i < ifs->n; i++) {
		if (ifs->v[i].addr.family == 4 && !ifs->v[i].loopback && ifs->v[i].up)
			return true;
	}
	return false;
}

/* Of several addresses the IPv4 one, which every client can be reached at, where we have one. */
static coo_addr best_address(struct finding *f, const coo_peer *peer)
{
	const coo_peers *peers = coo_node_peers(net_node(&f->net));
	bool v4 = speaks_v4(f);

	for (size_t i = 0; i < peer->n_addrs; i++) {
		const coo_addr *a = coo_peer_addr(peers, peer, i);

		if ((a->family == 4) == v4)
			return *a;
	}
	return peer->n_addrs ? peer->addr : coo_addr_v4(0, 0, 0, 0, 0);
}

/* Fills *p with copies of its own. */
static bool take_peer(struct finding *f, const coo_peer *peer, struct found_peer *p)
{
	const coo_peers *peers = coo_node_peers(net_node(&f->net));
	const struct entry *entry = &f->entries[coo_peers_index(peers, peer)];
	coo_found found = coo_discover_of(f->discover, peer);
	coo_time now = coo_driver_now(f->net.driver);
	coo_peer_view *v = &p->view;
	coo_span *spans[] = { &v->user, &v->host, &v->nick, &v->group, &v->version };
	coo_buf scratch;
	uint8_t *at;

	memset(p, 0, sizeof(*p));
	coo_buf_init(&scratch, f->scratch, COO_MESSAGE_SCRATCH);
	if (coo_peer_view_of(f->net.text, peers, peer, &scratch, v) != COO_OK)
		return false;
	v->addr = best_address(f, peer);
	at = p->bytes = xcalloc(1, scratch.n + entry->n + strlen(v->charset) + 1);
	for (size_t i = 0; i < COO_ARRAY_LEN(spans); i++)
		*spans[i] = keep(&at, *spans[i]);
	p->entry = keep(&at, coo_span_of(entry->p, entry->n));
	memcpy(at, v->charset, strlen(v->charset)); /* its name may end with the net */
	v->charset = (const char *)at;
	p->by = found.by;
	p->rtt = found.rtt;
	if (p->by == COO_FOUND_LIST)
		v->last_heard = 0; /* it was not heard here: somebody else says that it is there */
	p->age = v->last_heard ? now - v->last_heard : 0;
	return true;
}

static void collect(struct finding *f)
{
	size_t i = 0, n = coo_discover_count(f->discover);
	coo_found found;

	f->out->v = xcalloc(n + 1, sizeof(*f->out->v));
	while (f->out->n < n && coo_discover_next(f->discover, &i, &found)) {
		if (take_peer(f, found.peer, &f->out->v[f->out->n]))
			f->out->n++;
	}
}

void found_free(struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].bytes);
	free(f->v);
}

/* --- events ----------------------------------------------------------------------------------- */

static struct entry *entry_of(struct finding *f, const coo_peer *peer)
{
	return &f->entries[coo_peers_index(coo_node_peers(net_node(&f->net)), peer)];
}

static void keep_entry(struct finding *f, const coo_event *ev)
{
	struct entry *e = entry_of(f, ev->peer);

	if (ev->dgram.n == 0)
		return;
	e->p = xrealloc(e->p, ev->dgram.n, 1);
	e->n = ev->dgram.n;
	memcpy(e->p, ev->dgram.p, e->n);
}

/* A change that does not show, such as one more address that is not the one to use, is not told. */
static void tell(struct finding *f, const coo_event *ev, char sign)
{
	struct entry *e = entry_of(f, ev->peer);
	struct found_peer p;
	uint64_t h;

	if (!f->wish->on_peer || f->stopping || !take_peer(f, ev->peer, &p))
		return;
	h = show_peer_hash(&p.view);
	if (sign != '~' || h != e->told)
		f->wish->on_peer(f->wish->user, sign, &p);
	e->told = h;
	free(p.bytes);
}

static void take_event(struct finding *f, const coo_event *ev)
{
	if (ev->type == COO_EV_LIST) {
		coo_discover_on_event(f->discover, ev);
		return;
	}
	if (!ev->peer || !ev->peer->used)
		return;
	if (ev->type == COO_EV_PEER_DOWN) {
		tell(f, ev, '-');
		return;
	}
	if (ev->type != COO_EV_PEER_UP && ev->type != COO_EV_PEER_CHANGE &&
	    ev->type != COO_EV_PEER_SEEN)
		return;
	keep_entry(f, ev);
	coo_discover_on_event(f->discover, ev);
	if (ev->type != COO_EV_PEER_SEEN)
		tell(f, ev, ev->type == COO_EV_PEER_UP ? '+' : '~');
}

static void on_left(void *user)
{
	struct finding *f = user;

	uv_stop(&f->net.loop);
}

static void leave(struct finding *f)
{
	if (f->stopping)
		return;
	f->stopping = true;
	coo_discover_leave(f->discover, on_left);
}

/* Who watches is told of each before it ends, so discovery does not end it. */
static bool is_enough(const struct finding *f)
{
	return f->wish->on_peer && f->wish->enough &&
	       coo_discover_count(f->discover) >= f->wish->enough;
}

static void on_event(void *user, const coo_event *ev)
{
	struct finding *f = user;

	if (f->stopping)
		return;
	take_event(f, ev);
	if (is_enough(f))
		leave(f);
}

static void on_turn(void *user)
{
	(void)user;
	out_flush();
}

static void on_unsent(void *user, const coo_addr *to, int error)
{
	struct finding *f = user;

	coo_discover_unsent(f->discover, to, error);
}

static void on_done(void *user)
{
	struct finding *f = user;
	size_t asked = coo_discover_addresses(f->discover);

	/* who could ask nobody has nobody to watch */
	if (!f->wish->on_peer || (asked > 0 && coo_discover_n_unsent(f->discover) == asked))
		leave(f);
}

static void on_stop(void *user)
{
	struct finding *f = user;

	f->out->interrupted = true;
	leave(f);
}

void find_teach(struct net *n, const coo_addr *from, coo_span entry)
{
	coo_rx rx;

	if (entry.n == 0)
		return;
	memset(&rx, 0, sizeof(rx));
	rx.from = *from;
	rx.foreign = true;
	coo_node_recv(net_node(n), &rx, entry, coo_driver_now(n->driver));
	coo_driver_kick(n->driver);
}

/* An answer that came to the listener which holds the port. */
static void on_letter(void *user, const coo_addr *from, coo_span dgram)
{
	struct finding *f = user;

	find_teach(&f->net, from, dgram);
}

/* --- opening and closing ---------------------------------------------------------------------- */

static bool asks_everybody(const struct find_wish *w)
{
	return !w->nets || w->nets->n == 0;
}

/* As "coo send" does: whoever runs on this machine answers to any port, and the usual one is left
 * to a listener that may be about to start. */
static bool needs_usual_port(const struct find_wish *w)
{
	for (size_t i = 0; !asks_everybody(w) && i < w->nets->n; i++) {
		if (!coo_addr_is_loopback(&w->nets->v[i].net.base))
			return true;
	}
	return asks_everybody(w);
}

/* Who stays has to answer entries as others do, or those who come later never hear of it; what it
 * cannot show it does not acknowledge, so that its sender learns that nobody read it. */
static int open_net(struct finding *f, const struct common *c)
{
	bool watches = f->wish->on_peer != NULL;
	const struct net_wish wish = {
		.port_optional = true,
		.any_port = !needs_usual_port(f->wish),
		.apart = true,
		.no_broadcast = !asks_everybody(f->wish),
		.member = watches,
		.max_peers = f->wish->max_peers,
		.on_event = on_event,
		.on_turn = on_turn,
		.on_unsent = on_unsent,
		.on_stop = on_stop,
		.user = f,
	};
	int code = net_open(&f->net, c, &wish);

	if (code == 0 && watches)
		coo_node_refuse_messages(net_node(&f->net));
	return code;
}

static void open_mailbox(struct finding *f, const struct common *c)
{
	if (!f->net.ephemeral)
		return;
	say_info("port %u is held by another program, so this is asked from another port: 内网通 "
		 "does not answer that, and iptux only where a \"coo listen\" holds the port",
		 (unsigned)c->port);
	if (coo_relay_open(&f->net.loop, on_letter, f, &f->relay) != COO_OK)
		say_note("answers that go to port %u are not seen here: no runtime directory",
			 (unsigned)c->port);
}

static int say_too_wide(const struct find_net *n, coo_err e)
{
	char text[COO_ADDR_TEXT_CAP];

	coo_addr_ip_text(&n->net.base, text);
	if (e == COO_ERANGE)
		say_error("%s/%u is wider than a /%u: asking each address would take hours and "
			  "look like an attack; name the networks that are in use",
			  text, n->net.bits, n->net.base.family == 4 ? 12u : 112u);
	else if (e == COO_ELIMIT)
		say_error("%s/%u makes more than 1048576 addresses in all; ask in several runs",
			  text, n->net.bits);
	else
		say_error("%s/%u cannot be asked: %s", text, n->net.bits, coo_err_text(e));
	return EXIT_REFUSED;
}

static int add_nets(struct finding *f)
{
	for (size_t i = 0; !asks_everybody(f->wish) && i < f->wish->nets->n; i++) {
		const struct find_net *n = &f->wish->nets->v[i];
		coo_err e = coo_discover_add(f->discover, &n->net, n->port);

		if (e != COO_OK)
			return say_too_wide(n, e);
	}
	return 0;
}

static int open_discover(struct finding *f, const struct common *c)
{
	const struct find_wish *w = f->wish;
	coo_discover_cfg cfg = {
		.driver = f->net.driver,
		.everybody = asks_everybody(w),
		.usual_port = coo_driver_local(f->net.driver).port == net_target_port(c),
		.host_lists = w->host_lists,
		.stay = w->on_peer != NULL,
		.wait = w->wait,
		.rate = w->rate,
		.passes = w->passes,
		.enough = w->on_peer ? 0 : w->enough,
		.on_done = on_done,
		.user = f,
	};

	if (cfg.everybody && coo_driver_n_broadcast(f->net.driver) == 0) {
		say_error("no interface here can broadcast (\"-v\" says why); give the addresses "
			  "or networks to ask, such as 10.0.0.0/24");
		return EXIT_SYSTEM;
	}
	if (coo_discover_new(&cfg, &f->discover) != COO_OK) {
		say_error("out of memory");
		return EXIT_SYSTEM;
	}
	return add_nets(f);
}

static void say_duration(struct finding *f)
{
	size_t n = coo_discover_addresses(f->discover);
	unsigned rate = coo_discover_rate(f->discover);

	if (n / rate >= 10)
		say_info("asking %zu addresses, %u a second: about %zu s", n, rate, n / rate);
}

static void run_loop(struct finding *f)
{
	coo_time start = coo_driver_now(f->net.driver);

	f->out->addr = coo_driver_local(f->net.driver);
	f->out->other_port = f->net.ephemeral;
	if (f->wish->command)
		out_start(f->wish->command, &f->out->addr);
	say_duration(f);
	out_flush();
	coo_discover_start(f->discover);
	uv_run(&f->net.loop, UV_RUN_DEFAULT);
	f->out->took = coo_driver_now(f->net.driver) - start;
	f->out->asked = coo_discover_addresses(f->discover);
	f->out->unsent = coo_discover_n_unsent(f->discover);
	f->out->error = coo_discover_error(f->discover);
	collect(f);
}

static void close_all(struct finding *f)
{
	for (size_t i = 0; i < coo_node_peers(net_node(&f->net))->cap; i++)
		free(f->entries[i].p);
	free(f->entries);
	free(f->scratch);
	coo_relay_close(f->relay);
	coo_discover_free(f->discover);
	net_close(&f->net);
}

int find_peers(const struct common *c, const struct find_wish *wish, struct found *out)
{
	struct finding f;
	int code;

	memset(&f, 0, sizeof(f));
	memset(out, 0, sizeof(*out));
	f.wish = wish;
	f.out = out;
	code = open_net(&f, c);
	if (code)
		return code;
	f.entries = xcalloc(coo_node_peers(net_node(&f.net))->cap, sizeof(*f.entries));
	f.scratch = xcalloc(1, COO_MESSAGE_SCRATCH);
	code = open_discover(&f, c);
	if (code == 0) {
		open_mailbox(&f, c);
		run_loop(&f);
	}
	close_all(&f);
	return code;
}
