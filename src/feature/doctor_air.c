/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "feature/doctor_int.h"
#include "proto/entry.h"

/* What a default Linux gives to a socket; less loses packets of a busy office. */
enum { BUFFER_LEAST = 212992, BUFFER_WANTED = 4 << 20, PACKET_CAP = 1024 };

/* --- sockets ---------------------------------------------------------------------------------- */

static void check_buffer(struct doctor *d)
{
	size_t got = coo_udp_rcvbuf(d->main);

	if (got >= BUFFER_LEAST)
		coo_doctor_say(d, COO_CHECK_BUFFER, COO_SOUND, NULL,
			       "the receive buffer has %zu bytes", got);
	else
		coo_doctor_say(
		    d, COO_CHECK_BUFFER, COO_FAULT,
		    "let the system give more: sysctl -w net.core.rmem_max=4194304, and a "
		    "file in /etc/sysctl.d to keep it",
		    "the receive buffer has %zu bytes where %d were asked for; when many "
		    "answer at once, packets are lost below %d",
		    got, d->cfg.rcvbuf ? (int)d->cfg.rcvbuf : BUFFER_WANTED, BUFFER_LEAST);
}

static coo_err open_on(struct doctor *d, uint16_t port, coo_udp **out)
{
	coo_udp_opts o;

	memset(&o, 0, sizeof(o));
	o.bind = coo_addr_v4(0, 0, 0, 0, port);
	o.rcvbuf = d->cfg.rcvbuf;
	o.want_dst = true;
	return coo_udp_open(&o, out);
}

bool coo_doctor_open(struct doctor *d)
{
	if (open_on(d, d->port_ours ? d->cfg.port : 0, &d->main) != COO_OK ||
	    open_on(d, 0, &d->second) != COO_OK) {
		coo_doctor_say(d, COO_CHECK_PORT_UDP, COO_FAULT, NULL,
			       "cannot open a UDP socket: %s", strerror(errno));
		coo_doctor_close(d);
		return false;
	}
	check_buffer(d);
	return true;
}

void coo_doctor_close(struct doctor *d)
{
	coo_udp_close(d->main);
	coo_udp_close(d->second);
	d->main = d->second = NULL;
}

static int send_one(coo_udp *u, const coo_addr *to, const coo_netif *via, coo_span data)
{
	int error = EAGAIN;
	coo_dgram g;

	memset(&g, 0, sizeof(g));
	g.peer = *to;
	g.data = data;
	if (via) {
		g.local = via->addr;
		g.ifindex = via->index;
	}
	return coo_udp_send(u, &g, 1, &error) == 1 ? error : EAGAIN;
}

/* --- packets ---------------------------------------------------------------------------------- */

/* names are in one character set each; with_block: in both. */
static void put_names(struct doctor *d, coo_buf *ext, bool with_block)
{
	coo_entry e;

	memset(&e, 0, sizeof(e));
	e.nick = d->cfg.legacy.nick.n ? d->cfg.legacy.nick : d->cfg.legacy.user;
	e.group = d->cfg.legacy.group;
	if (with_block) {
		e.has_block = true;
		e.un = d->cfg.utf8.user;
		e.hn = d->cfg.utf8.host;
		e.nn = d->cfg.utf8.nick.n ? d->cfg.utf8.nick : d->cfg.utf8.user;
		e.gn = d->cfg.utf8.group;
	}
	coo_entry_encode(ext, &e);
}

static coo_span make(struct doctor *d, uint32_t command, uint8_t mem[PACKET_CAP])
{
	uint8_t names[PACKET_CAP / 2];
	coo_packet p;
	coo_buf ext, out;

	memset(&p, 0, sizeof(p));
	coo_buf_init(&ext, names, sizeof(names));
	if ((command & COO_CMD_MASK) != COO_CMD_GETINFO)
		put_names(d, &ext, (command & COO_OPT_ENTRY_CAPUTF8) != 0);
	p.version = d->cfg.version;
	p.packet_no = d->first_no + d->n_no++;
	p.user = d->cfg.legacy.user;
	p.host = d->cfg.legacy.host;
	p.command = command;
	p.ext = coo_buf_ok(&ext) ? coo_buf_span(&ext) : coo_span_none();
	coo_buf_init(&out, mem, PACKET_CAP);
	if (coo_packet_encode(&out, &p) != COO_OK)
		return coo_span_none();
	return coo_buf_span(&out);
}

/*
 * Who holds the port is on line under our name, and a BR_ENTRY from another port would make the
 * others send there. A question for version information changes nothing for anybody.
 */
static uint32_t question(const struct doctor *d, bool plain)
{
	if (!d->port_ours)
		return COO_CMD_GETINFO;
	return plain ? COO_CMD_BR_ENTRY : COO_CMD_BR_ENTRY | COO_OPT_ENTRY_CAPUTF8;
}

static void broadcast(struct doctor *d, uint32_t command, unsigned rounds)
{
	coo_addr all = coo_addr_v4(255, 255, 255, 255, d->cfg.port);
	uint8_t mem[PACKET_CAP];
	coo_span packet = make(d, command, mem);

	for (size_t i = 0; i < d->n_links; i++) {
		const coo_netif *via = d->links[i].i;
		coo_addr to = via->broadcast;

		to.port = d->cfg.port;
		if (rounds & ROUND_DIRECTED)
			coo_ignore(send_one(d->main, &to, via, packet));
		if (rounds & ROUND_LIMITED)
			coo_ignore(send_one(d->main, &all, via, packet));
	}
}

void coo_doctor_ask_broadcast(struct doctor *d, enum doctor_round round)
{
	d->round = round;
	broadcast(d, question(d, false),
		  round == ROUND_AGAIN ? ROUND_DIRECTED | ROUND_LIMITED : (unsigned)round);
	coo_doctor_listen(d, d->cfg.wait);
}

/* plain: without options, which 内网通 wants (protocol.md 10). */
void coo_doctor_ask_one(struct doctor *d, const coo_addr *to, bool plain)
{
	uint8_t mem[PACKET_CAP];

	coo_ignore(send_one(d->main, to, NULL, make(d, question(d, plain), mem)));
}

void coo_doctor_leave(struct doctor *d)
{
	bool stopped = coo_doctor_stopped(d);

	if (!d->port_ours || d->round == 0)
		return;
	broadcast(d, COO_CMD_BR_EXIT, ROUND_DIRECTED | ROUND_LIMITED);
	if (!stopped)
		coo_doctor_listen(d, COO_MS(100));
	broadcast(d, COO_CMD_BR_EXIT, ROUND_DIRECTED | ROUND_LIMITED);
}

/* --- hearing ---------------------------------------------------------------------------------- */

/* An own packet, come back: which interface it was sent on and to which socket. */
static void take_own(struct doctor *d, const coo_dgram *g, bool on_main)
{
	for (size_t i = 0; i < d->n_links; i++) {
		struct doctor_link *l = &d->links[i];

		if (!coo_addr_eq_ip(&l->i->addr, &g->peer))
			continue;
		if (on_main && d->port_ours)
			l->heard = true;
		else
			l->heard_else = true;
	}
}

static void take_all(struct doctor *d, coo_udp *u)
{
	const coo_dgram *g;
	size_t n;

	for (unsigned turns = 0; turns < 64 && (n = coo_udp_recv(u, &g)) > 0; turns++) {
		for (size_t i = 0; i < n; i++) {
			if (!coo_netifs_is_own(&d->ifs, &g[i].peer))
				coo_doctor_take(d, &g[i]);
			else if (coo_netifs_is_broadcast(&d->ifs, &g[i].local))
				take_own(d, &g[i], u == d->main);
		}
	}
}

void coo_doctor_listen(struct doctor *d, coo_time duration)
{
	coo_time now = coo_clock_now(), end = coo_time_add(now, duration);

	for (; now < end && !coo_doctor_stopped(d); now = coo_clock_now()) {
		struct pollfd p[2] = { { coo_udp_fd(d->main), POLLIN, 0 },
				       { coo_udp_fd(d->second), POLLIN, 0 } };

		if (poll(p, 2, (int)((end - now) / COO_MS(1)) + 1) <= 0)
			continue;
		take_all(d, d->main);
		take_all(d, d->second);
	}
}

static bool all_heard(const struct doctor *d)
{
	for (size_t i = 0; i < d->n_links; i++) {
		if ((d->port_ours && !d->links[i].heard) || !d->links[i].heard_else)
			return false;
	}
	return true;
}

/*
 * A NOOPERATION, which everybody ignores, from the second socket to the messenger's port, and one
 * from the first to the second's. Only the first of them needs the port to be ours to be heard.
 */
static void call_ourselves(struct doctor *d, struct doctor_link *l)
{
	uint8_t mem[PACKET_CAP];
	coo_addr to = l->i->broadcast;

	to.port = d->cfg.port;
	l->error = send_one(d->second, &to, l->i, make(d, COO_CMD_NOOPERATION, mem));
	to.port = coo_udp_local(d->second).port;
	coo_ignore(send_one(d->main, &to, l->i, make(d, COO_CMD_NOOPERATION, mem)));
}

void coo_doctor_hear_ourselves(struct doctor *d)
{
	for (unsigned tries = 0; tries < 4 && !all_heard(d) && !coo_doctor_stopped(d); tries++) {
		for (size_t i = 0; i < d->n_links; i++)
			call_ourselves(d, &d->links[i]);
		coo_doctor_listen(d, COO_MS(60));
	}
}
