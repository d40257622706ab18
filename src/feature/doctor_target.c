/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "feature/doctor_int.h"

static void judge_network(struct doctor *d, const char *name)
{
	const coo_netif *i = d->links[0].i;
	char mine[COO_ADDR_TEXT_CAP];

	if (coo_netifs_on_link(&d->ifs, &d->cfg.target))
		coo_doctor_say(d, COO_CHECK_NETWORK, COO_SOUND, NULL,
			       "%s is in our network, so broadcasts can reach it", name);
	else
		coo_doctor_say(
		    d, COO_CHECK_NETWORK, COO_FAULT,
		    "name it by its address, or sweep its network: coo peers CIDR; for it to "
		    "see you, it has to do the same (FeiQ: add the network in its settings)",
		    "%s is in another network than we (%s/%u): broadcasts end at the router "
		    "between, so neither sees the other by itself",
		    name, coo_addr_ip_text(&i->addr, mine), i->prefix);
}

/* The system gives up looking for a host on the link after three seconds. */
#define GIVE_UP COO_MS(3300)

/* Behind a router nobody who is careful answers with more bytes than the question had, so it is
 * filled up with NULs, which other clients send too (PROTOCOL.md 2). */
enum { ASK_BYTES = 200 };

/* A question from a socket of its own learns what the host's ICMP says. */
static int probe(struct doctor *d)
{
	static const char ask[] = ":coo:coo:64:";
	uint8_t mem[ASK_BYTES];
	coo_buf b;

	coo_buf_init(&b, mem, sizeof(mem));
	coo_buf_put_str(&b, "1:");
	coo_buf_put_u64(&b, d->first_no + d->n_no++);
	coo_buf_put_str(&b, ask);
	while (b.n < ASK_BYTES)
		coo_buf_put_byte(&b, 0);
	return coo_probe_udp(&d->cfg.target, coo_buf_span(&b),
			     d->cfg.wait > GIVE_UP ? d->cfg.wait : GIVE_UP);
}

/* What silence may mean beside a fault, or NULL. p: what is known of the target, or NULL. */
static const char *excuse(const struct doctor *d, const struct doctor_peer *p)
{
	if (!coo_netifs_on_link(&d->ifs, &d->cfg.target))
		return ": some clients answer such questions only within their own network; try "
		       "coo send";
	/* 内网通 answers no GETINFO (protocol.md 10), and FeiQ not always */
	if (!d->port_ours && !(p && coo_doctor_should_answer(d, p)))
		return ": while another program here holds the port, it is asked for its version "
		       "alone, which some clients never answer; try coo send";
	return NULL;
}

static void judge_silence(struct doctor *d, const char *name, int error)
{
	unsigned port = d->cfg.target.port;
	const char *may_be = excuse(d, coo_doctor_peer_at(d, &d->cfg.target));

	if (error == ECONNREFUSED)
		coo_doctor_say(d, COO_CHECK_TARGET, COO_FAULT,
			       "start the messenger there, or look for the port it uses (--port)",
			       "%s is there, but no messenger listens on its UDP port %u", name,
			       port);
	else if (error == EHOSTUNREACH || error == EHOSTDOWN)
		coo_doctor_say(
		    d, COO_CHECK_TARGET, COO_FAULT,
		    "see that it is on, has this address, and is on the same network or VLAN",
		    "%s cannot be reached: no host answers there", name);
	else if (error == ENETUNREACH)
		coo_doctor_say(d, COO_CHECK_TARGET, COO_FAULT,
			       "set a default gateway: ip route add default via ROUTER",
			       "there is no route to %s", name);
	else if (error == EPERM || error == EACCES)
		coo_doctor_say(d, COO_CHECK_TARGET, COO_FAULT, "see COO-D09",
			       "this machine does not let packets to %s out", name);
	else
		coo_doctor_say(
		    d, COO_CHECK_TARGET, may_be ? COO_UNTOLD : COO_FAULT,
		    "see that it is on and that its firewall lets UDP port 2425 in from here",
		    "%s does not answer on UDP port %u%s", name, port, may_be ? may_be : "");
}

static void judge_tcp(struct doctor *d, const char *name, bool reached)
{
	int error = coo_probe_tcp(&d->cfg.target, d->cfg.wait);
	unsigned port = d->cfg.target.port;

	if (error == 0)
		coo_doctor_say(d, COO_CHECK_TARGET_TCP, COO_SOUND, NULL, "%s takes TCP connections",
			       name);
	else if (error == ECONNREFUSED)
		coo_doctor_say(d, COO_CHECK_TARGET_TCP, COO_SOUND, NULL,
			       "TCP port %u of %s can be reached; nothing is offered there now",
			       port, name);
	else if (reached || error == EPERM || error == EACCES)
		coo_doctor_say(
		    d, COO_CHECK_TARGET_TCP, COO_FAULT,
		    "let the firewall there accept TCP port 2425, or files cannot be fetched "
		    "from it",
		    "%s answers on UDP, but its TCP port %u does not: %s", name, port,
		    error == ETIMEDOUT ? "the connection is dropped" : strerror(error));
	else
		coo_doctor_say(d, COO_CHECK_TARGET_TCP, COO_UNTOLD, NULL,
			       "TCP port %u of %s does not answer either", port, name);
}

/* What is asked of an address of our own never leaves the machine, so an answer would say nothing
 * of the network, and that there is none is no fault. */
static void judge_ourselves(struct doctor *d, const char *name)
{
	coo_doctor_say(
	    d, COO_CHECK_TARGET, COO_UNTOLD, NULL,
	    "%s is this machine, which the checks above are about; \"coo doctor\" on another host, "
	    "with an address of this one, tells whether it is reached from there",
	    name);
}

void coo_doctor_target(struct doctor *d)
{
	const struct doctor_peer *p;
	char name[COO_ADDR_TEXT_CAP];
	bool reached;
	int error;

	if (!d->cfg.target.family)
		return;
	coo_addr_ip_text(&d->cfg.target, name);
	if (coo_netifs_is_own(&d->ifs, &d->cfg.target)) {
		judge_ourselves(d, name);
		return;
	}
	if (d->cfg.target.family == 4)
		judge_network(d, name);
	p = coo_doctor_peer_at(d, &d->cfg.target);
	reached = p && p->rounds;
	error = reached ? 0 : probe(d);
	if (coo_doctor_stopped(d))
		return;
	if (error == 0)
		coo_doctor_say(d, COO_CHECK_TARGET, COO_SOUND, NULL, "%s answers on UDP port %u",
			       name, (unsigned)d->cfg.target.port);
	else
		judge_silence(d, name, error);
	judge_tcp(d, name, error == 0 || error == ECONNREFUSED);
}
