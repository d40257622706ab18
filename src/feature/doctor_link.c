/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/portholder.h"
#include "feature/doctor_int.h"
#include "feature/ipcalc.h"

/* --- interfaces ------------------------------------------------------------------------------- */

static bool is_usable(const coo_netif *i)
{
	return i->use == COO_NETIF_USED && i->running && i->addr.family == 4;
}

static const char *why_not(const coo_netif *i)
{
	return i->use == COO_NETIF_USED ? "has no carrier: nothing is plugged in"
					: coo_netif_use_text(i->use);
}

static const char *interface_cure(const coo_netif *i)
{
	switch (i->use) {
	case COO_NETIF_DOWN:
		return "bring it up: ip link set dev NAME up, or connect it in the network "
		       "settings";
	case COO_NETIF_VIRTUAL:
	case COO_NETIF_NOT_NAMED:
		return "name it with -I if it is to be used";
	case COO_NETIF_NO_BROADCAST:
		return "there is no broadcast on such a network: name the others by address, or "
		       "sweep their network (coo peers CIDR)";
	case COO_NETIF_USED:
	case COO_NETIF_LOOPBACK:
		break;
	}
	return "plug the cable in, or join the wireless network";
}

static void check_broadcast(struct doctor *d, const coo_netif *i)
{
	char have[COO_ADDR_TEXT_CAP], want[COO_ADDR_TEXT_CAP];
	coo_addr computed;

	if (!coo_netif_directed_broadcast(&i->addr, i->prefix, &computed))
		return;
	coo_addr_ip_text(&i->broadcast, have);
	coo_addr_ip_text(&computed, want);
	if (coo_addr_eq_ip(&i->broadcast, &computed))
		coo_doctor_say(d, COO_CHECK_BROADCAST, COO_SOUND, NULL, "%s broadcasts to %s",
			       i->name, have);
	else
		coo_doctor_say(
		    d, COO_CHECK_BROADCAST, COO_FAULT,
		    "set the address again with its own broadcast address: ip addr change "
		    "ADDR/PREFIX broadcast + dev NAME",
		    "%s broadcasts to %s, but its mask of %u bits makes that %s", i->name, have,
		    i->prefix, want);
}

static void use_interface(struct doctor *d, const coo_netif *i)
{
	char addr[COO_ADDR_TEXT_CAP];

	if (d->n_links == DOCTOR_LINKS_MAX)
		return;
	d->links[d->n_links++].i = i;
	coo_doctor_say(d, COO_CHECK_INTERFACE, COO_SOUND, NULL, "%s is up with %s/%u", i->name,
		       coo_addr_ip_text(&i->addr, addr), i->prefix);
	check_broadcast(d, i);
}

/* The first one that could have been used were it not for what is to be told. */
static void say_unused(struct doctor *d, const coo_netif *i, enum coo_health h)
{
	char addr[COO_ADDR_TEXT_CAP];

	if (i->addr.family != 4 || (i->use == COO_NETIF_LOOPBACK) ||
	    (h == COO_UNTOLD && i->use == COO_NETIF_NOT_NAMED))
		return;
	coo_doctor_say(d, COO_CHECK_INTERFACE, h, interface_cure(i),
		       "%s with %s/%u is not used: it %s", i->name,
		       coo_addr_ip_text(&i->addr, addr), i->prefix, why_not(i));
}

bool coo_doctor_interfaces(struct doctor *d)
{
	for (size_t i = 0; i < d->ifs.n; i++) {
		if (is_usable(&d->ifs.v[i]))
			use_interface(d, &d->ifs.v[i]);
	}
	for (size_t i = 0; i < d->ifs.n; i++) {
		if (!is_usable(&d->ifs.v[i]))
			say_unused(d, &d->ifs.v[i], d->n_links ? COO_UNTOLD : COO_FAULT);
	}
	if (d->n_links == 0 && !d->faulty[COO_CHECK_INTERFACE])
		coo_doctor_say(d, COO_CHECK_INTERFACE, COO_FAULT,
			       "connect to a network, or ask its DHCP server for an address",
			       "no interface but loopback has an IPv4 address");
	return d->n_links > 0;
}

/* --- ports ------------------------------------------------------------------------------------ */

static const char *const port_cure =
    "end that program, or give it or coo another port (--port); sending works "
    "meanwhile, but answers of some clients go to the program that holds the port";

static void say_holder(struct doctor *d, enum coo_check c, const char *proto,
		       const coo_portholder *h)
{
	unsigned port = d->cfg.port;

	if (strcmp(h->program, "coo") == 0)
		coo_doctor_say(
		    d, c, COO_SOUND, NULL,
		    "%s port %u is held by coo itself (pid %u), as it should while it runs", proto,
		    port, (unsigned)h->pid);
	else if (h->program[0])
		coo_doctor_say(d, c, COO_FAULT, port_cure, "%s port %u is held by %s (pid %u)",
			       proto, port, h->program, (unsigned)h->pid);
	else
		coo_doctor_say(d, c, COO_FAULT, port_cure,
			       "%s port %u is held by a program of user %u", proto, port,
			       (unsigned)h->uid);
}

static void check_port(struct doctor *d, enum coo_check c, enum coo_port_kind kind, int error)
{
	const char *proto = kind == COO_PORT_UDP ? "UDP" : "TCP";
	coo_portholder h;

	if (error == 0)
		coo_doctor_say(d, c, COO_SOUND, NULL, "%s port %u is free", proto,
			       (unsigned)d->cfg.port);
	else if (error == EADDRINUSE && coo_portholder_find(kind, d->cfg.port, &h))
		say_holder(d, c, proto, &h);
	else if (error == EADDRINUSE)
		coo_doctor_say(d, c, COO_FAULT, port_cure, "%s port %u is held by another program",
			       proto, (unsigned)d->cfg.port);
	else
		coo_doctor_say(
		    d, c, COO_FAULT,
		    "ports below 1024 need root or CAP_NET_BIND_SERVICE; 2425 needs neither",
		    "%s port %u cannot be opened: %s", proto, (unsigned)d->cfg.port,
		    strerror(error));
}

static int try_udp(uint16_t port)
{
	coo_udp_opts o;
	coo_udp *u;

	memset(&o, 0, sizeof(o));
	o.bind = coo_addr_v4(0, 0, 0, 0, port);
	if (coo_udp_open(&o, &u) != COO_OK)
		return errno;
	coo_udp_close(u);
	return 0;
}

void coo_doctor_ports(struct doctor *d)
{
	int error = try_udp(d->cfg.port);

	d->port_ours = error == 0;
	check_port(d, COO_CHECK_PORT_UDP, COO_PORT_UDP, error);
	check_port(d, COO_CHECK_PORT_TCP, COO_PORT_TCP, coo_probe_tcp_bind(d->cfg.port));
}

/* --- routes ----------------------------------------------------------------------------------- */

static void check_route(struct doctor *d, struct doctor_link *l)
{
	char addr[COO_ADDR_TEXT_CAP];

	l->route = coo_probe_route(&l->i->addr, &l->i->broadcast);
	coo_addr_ip_text(&l->i->broadcast, addr);
	if (l->route == COO_ROUTE_BROADCAST)
		coo_doctor_say(d, COO_CHECK_ROUTE, COO_SOUND, NULL,
			       "%s goes out of %s to everybody there", addr, l->i->name);
	else
		coo_doctor_say(
		    d, COO_CHECK_ROUTE, COO_FAULT,
		    "set the address again, which makes its routes anew: ip addr del … && "
		    "ip addr add ADDR/PREFIX broadcast + dev NAME; \"ip route show table "
		    "local\" lists them",
		    l->route == COO_ROUTE_UNICAST
			? "the routes take %s of %s for a single host, not for a broadcast"
			: "there is no route to %s, the broadcast address of %s",
		    addr, l->i->name);
}

void coo_doctor_routes(struct doctor *d)
{
	for (size_t i = 0; i < d->n_links; i++)
		check_route(d, &d->links[i]);
}

/* --- firewall --------------------------------------------------------------------------------- */

static const char *const cure_in = "let UDP port 2425 in from your network: \"ufw allow 2425\", "
				   "\"firewall-cmd --add-port=2425/udp "
				   "--permanent && firewall-cmd --reload\", or \"nft add rule … "
				   "udp dport 2425 accept\" before the "
				   "rule that drops it";
static const char *const cure_out =
    "let UDP port 2425 out: remove the rule, or accept \"udp dport 2425\" before it";
static const char *const cure_tcp =
    "let TCP port 2425 in and out, or files cannot be sent and received: \"ufw allow 2425/tcp\", "
    "\"firewall-cmd --add-port=2425/tcp --permanent && firewall-cmd --reload\"";

static bool heard_all(const struct doctor *d)
{
	for (size_t i = 0; i < d->n_links; i++) {
		if (!d->links[i].heard)
			return false;
	}
	return true;
}

static bool only_port_is_deaf(const struct doctor *d)
{
	for (size_t i = 0; i < d->n_links; i++) {
		if (d->port_ours && !d->links[i].heard && !d->links[i].error &&
		    d->links[i].heard_else)
			return true;
	}
	return false;
}

static bool send_forbidden(const struct doctor *d)
{
	for (size_t i = 0; i < d->n_links; i++) {
		if (d->links[i].error == EPERM)
			return true;
	}
	return false;
}

static enum coo_fw_verdict ask(const struct doctor *d, enum coo_fw_hook hook,
			       enum coo_fw_proto proto, const char **why)
{
	*why = NULL;
	if (d->cfg.rules != COO_RULES_READ)
		return COO_FW_CONTINUE;
	return coo_fw_ask(d->cfg.fw, hook, proto, why);
}

static const char *unread(const struct doctor *d)
{
	switch (d->cfg.rules) {
	case COO_RULES_NONE:
		return "no program here lists packet filter rules (nft, iptables-save)";
	case COO_RULES_FORBIDDEN:
		return "the rules can be read by root alone";
	case COO_RULES_READ:
		break;
	}
	return "the rules make it depend on more than is known here";
}

static void check_in(struct doctor *d)
{
	const char *why;
	enum coo_fw_verdict v = ask(d, COO_FW_IN, COO_FW_UDP, &why);

	if (v == COO_FW_DROP)
		coo_doctor_say(d, COO_CHECK_FIREWALL_IN, COO_FAULT, cure_in,
			       "a rule drops what comes to UDP port %u: %s", (unsigned)d->cfg.port,
			       why ? why : "?");
	else if (only_port_is_deaf(d))
		coo_doctor_say(
		    d, COO_CHECK_FIREWALL_IN, COO_FAULT, cure_in,
		    "our own broadcast to UDP port %u does not come back in, though one to "
		    "another port does",
		    (unsigned)d->cfg.port);
	else if (v == COO_FW_ACCEPT)
		coo_doctor_say(d, COO_CHECK_FIREWALL_IN, COO_SOUND, NULL,
			       "no rule drops UDP port %u", (unsigned)d->cfg.port);
	else if (d->port_ours && heard_all(d))
		coo_doctor_say(d, COO_CHECK_FIREWALL_IN, COO_SOUND, NULL,
			       "our own broadcast to UDP port %u came in; %s",
			       (unsigned)d->cfg.port, unread(d));
	else
		coo_doctor_say(d, COO_CHECK_FIREWALL_IN, COO_UNTOLD, cure_in,
			       "whether UDP port %u may come in cannot be told: %s%s%s",
			       (unsigned)d->cfg.port, unread(d), why ? ": " : "", why ? why : "");
}

static void check_out(struct doctor *d)
{
	const char *why;
	enum coo_fw_verdict v = ask(d, COO_FW_OUT, COO_FW_UDP, &why);

	if (v == COO_FW_DROP)
		coo_doctor_say(d, COO_CHECK_FIREWALL_OUT, COO_FAULT, cure_out,
			       "a rule drops what goes to UDP port %u: %s", (unsigned)d->cfg.port,
			       why ? why : "?");
	else if (send_forbidden(d))
		coo_doctor_say(
		    d, COO_CHECK_FIREWALL_OUT, COO_FAULT, cure_out,
		    "the system forbids to send to UDP port %u: a firewall rule drops it",
		    (unsigned)d->cfg.port);
	else
		coo_doctor_say(d, COO_CHECK_FIREWALL_OUT, COO_SOUND, NULL,
			       "UDP to port %u may leave", (unsigned)d->cfg.port);
}

/* A rule that spares connections to ourselves is seen by reading the rules only. */
static void check_tcp(struct doctor *d)
{
	const char *in, *out;
	enum coo_fw_verdict vin = ask(d, COO_FW_IN, COO_FW_TCP, &in);
	enum coo_fw_verdict vout = ask(d, COO_FW_OUT, COO_FW_TCP, &out);
	int error = coo_probe_tcp_self(&d->links[0].i->addr, d->cfg.port, COO_MS(700));
	unsigned port = d->cfg.port;

	if (vin == COO_FW_DROP || vout == COO_FW_DROP)
		coo_doctor_say(d, COO_CHECK_FIREWALL_TCP, COO_FAULT, cure_tcp,
			       "a rule drops TCP port %u: %s", port,
			       vin == COO_FW_DROP ? (in ? in : "?") : (out ? out : "?"));
	else if (error == ETIMEDOUT || error == EPERM || error == ECONNREFUSED)
		coo_doctor_say(d, COO_CHECK_FIREWALL_TCP, COO_FAULT, cure_tcp,
			       "not even this machine itself can connect to its own TCP port %u",
			       port);
	else if (vin == COO_FW_ACCEPT && vout == COO_FW_ACCEPT)
		coo_doctor_say(d, COO_CHECK_FIREWALL_TCP, COO_SOUND, NULL,
			       "no rule drops TCP port %u", port);
	else
		coo_doctor_say(d, COO_CHECK_FIREWALL_TCP, COO_UNTOLD, cure_tcp,
			       "whether TCP port %u may come in cannot be told: %s", port,
			       unread(d));
}

void coo_doctor_firewall(struct doctor *d)
{
	check_out(d);
	check_in(d);
	check_tcp(d);
}

/* --- our own broadcast ------------------------------------------------------------------------ */

/* The fault that explains why nothing was heard, or COO_CHECKS. */
static enum coo_check explanation(const struct doctor *d)
{
	static const enum coo_check causes[] = { COO_CHECK_ROUTE, COO_CHECK_FIREWALL_OUT,
						 COO_CHECK_FIREWALL_IN, COO_CHECK_BROADCAST };

	for (size_t i = 0; i < COO_ARRAY_LEN(causes); i++) {
		if (d->faulty[causes[i]])
			return causes[i];
	}
	return COO_CHECKS;
}

static void check_echo(struct doctor *d, const struct doctor_link *l)
{
	enum coo_check cause = explanation(d);

	if (l->heard || (!d->port_ours && l->heard_else))
		coo_doctor_say(d, COO_CHECK_ECHO, COO_SOUND, NULL,
			       "what we broadcast on %s is heard by a second socket", l->i->name);
	else if (cause != COO_CHECKS)
		coo_doctor_say(
		    d, COO_CHECK_ECHO, COO_UNTOLD, NULL,
		    "what we broadcast on %s is not heard by a second socket; %s explains "
		    "that",
		    l->i->name, coo_check_code(cause));
	else if (l->error)
		coo_doctor_say(d, COO_CHECK_ECHO, COO_FAULT,
			       "look at the address and the routes of the interface: coo iface, ip "
			       "route",
			       "cannot broadcast on %s: %s", l->i->name, strerror(l->error));
	else
		coo_doctor_say(d, COO_CHECK_ECHO, COO_FAULT, cure_in,
			       "what we broadcast on %s is not heard by a second socket here: most "
			       "likely a firewall drops what comes in",
			       l->i->name);
}

void coo_doctor_echo(struct doctor *d)
{
	for (size_t i = 0; i < d->n_links; i++)
		check_echo(d, &d->links[i]);
}
