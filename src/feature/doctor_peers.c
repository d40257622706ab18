/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "feature/doctor_int.h"
#include "proto/dialect.h"

enum {
	LISTED = 8,
	LIST_CAP = 320,
	NAME_CAP = 2 * DOCTOR_NAME_MAX + COO_ADDR_TEXT_CAP + 8,
};

#define BROADCASTS ((unsigned)(ROUND_DIRECTED | ROUND_LIMITED | ROUND_AGAIN))

/* --- asking ----------------------------------------------------------------------------------- */

static size_t count(const struct doctor *d, unsigned rounds)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_peers; i++)
		n += (d->peers[i].rounds & rounds) != 0;
	return n;
}

/* The target and whom this machine spoke with lately join those who were heard. */
static void add_candidates(struct doctor *d)
{
	coo_neighbour near[DOCTOR_ASK_MAX];
	size_t n = coo_neighbours_read(near, COO_ARRAY_LEN(near));

	if (d->cfg.target.family == 4 && !coo_netifs_is_own(&d->ifs, &d->cfg.target))
		coo_ignore(coo_doctor_peer_of(d, &d->cfg.target) == NULL);
	for (size_t i = 0; i < n; i++) {
		if (coo_netifs_on_link(&d->ifs, &near[i].addr))
			coo_ignore(coo_doctor_peer_of(d, &near[i].addr) == NULL);
	}
}

static size_t ask_silent(struct doctor *d)
{
	size_t asked = 0;

	for (size_t i = 0; i < d->n_peers && asked < DOCTOR_ASK_MAX; i++) {
		struct doctor_peer *p = &d->peers[i];
		coo_addr to = p->addr;

		if (p->rounds & BROADCASTS)
			continue;
		to.port = coo_addr_eq_ip(&to, &d->cfg.target) ? d->cfg.target.port : d->cfg.port;
		p->asked = true;
		coo_doctor_ask_one(d, &to, false);
		if (d->port_ours)
			coo_doctor_ask_one(d, &to, true);
		asked++;
	}
	return asked;
}

/* Whether the same peer answered a broadcast from another address: one answer is enough. */
static bool answered_elsewhere(const struct doctor *d, const struct doctor_peer *p)
{
	for (size_t i = 0; i < d->n_peers; i++) {
		const struct doctor_peer *q = &d->peers[i];

		if (q != p && q->user_n && (q->rounds & BROADCASTS) && coo_doctor_same_name(p, q))
			return true;
	}
	return false;
}

static bool is_only_unicast(const struct doctor *d, const struct doctor_peer *p)
{
	return p->rounds == ROUND_UNICAST && !p->off_link && d->port_ours &&
	       !answered_elsewhere(d, p);
}

static size_t only_unicast(const struct doctor *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_peers; i++)
		n += is_only_unicast(d, &d->peers[i]);
	return n;
}

static void ask_all(struct doctor *d)
{
	coo_doctor_ask_broadcast(d, ROUND_DIRECTED);
	coo_doctor_ask_broadcast(d, ROUND_LIMITED);
	if (count(d, ROUND_DIRECTED) == 0 && count(d, ROUND_LIMITED) > 0)
		coo_doctor_ask_broadcast(d, ROUND_DIRECTED);
}

/*
 * One question to each of the two broadcast addresses, so that it shows which of them works; those
 * who do not answer are asked each for itself. What would be a fault is tried again first: a LAN
 * loses packets.
 */
void coo_doctor_rounds(struct doctor *d)
{
	if (d->faulty[COO_CHECK_FIREWALL_IN] || d->faulty[COO_CHECK_FIREWALL_OUT])
		return;	  /* the answer is known, and waiting would not change it */
	if (d->port_ours) /* other questions are not answered when they are broadcast */
		ask_all(d);
	add_candidates(d);
	d->round = ROUND_UNICAST;
	if (ask_silent(d) == 0)
		return;
	coo_doctor_listen(d, d->cfg.wait);
	if (only_unicast(d) > 0)
		coo_doctor_ask_broadcast(d, ROUND_AGAIN);
}

/* --- judging ---------------------------------------------------------------------------------- */

/* "zhang@PC01 (10.0.0.7)" */
static const char *name_of(const struct doctor_peer *p, char text[NAME_CAP])
{
	char addr[COO_ADDR_TEXT_CAP];
	coo_buf b;

	coo_buf_init(&b, text, NAME_CAP - 1);
	if (p->user_n) {
		coo_buf_put(&b, coo_span_of(p->user, p->user_n));
		coo_buf_put_byte(&b, '@');
		coo_buf_put(&b, coo_span_of(p->host, p->host_n));
		coo_buf_put_str(&b, " (");
	}
	coo_buf_put_str(&b, coo_addr_ip_text(&p->addr, addr));
	coo_buf_put_str(&b, p->user_n ? ")" : "");
	text[b.n] = '\0';
	return text;
}

static void list_peers(const struct doctor *d, char text[LIST_CAP])
{
	char addr[COO_ADDR_TEXT_CAP];
	size_t n = 0;
	coo_buf b;

	coo_buf_init(&b, text, LIST_CAP - 1);
	for (size_t i = 0; i < d->n_peers && n < LISTED; i++) {
		if (!(d->peers[i].rounds & BROADCASTS))
			continue;
		coo_buf_put_str(&b, n++ ? ", " : "");
		coo_buf_put_str(&b, coo_addr_ip_text(&d->peers[i].addr, addr));
	}
	coo_buf_put_str(&b, n < count(d, BROADCASTS) ? " …" : "");
	text[b.n] = '\0';
}

static void judge_peers(struct doctor *d)
{
	size_t n = count(d, BROADCASTS);
	char who[LIST_CAP];

	if (n > 0) {
		list_peers(d, who);
		coo_doctor_say(d, COO_CHECK_PEERS, COO_SOUND, NULL,
			       "%zu answered our broadcast: %s (hosts behind a router never do: "
			       "broadcasts end there, and coo peers CIDR finds those)",
			       n, who);
		return;
	}
	if (!d->port_ours) {
		coo_doctor_say(
		    d, COO_CHECK_PEERS, COO_UNTOLD, NULL,
		    "nobody was asked by broadcast: who holds the port is on line, and a "
		    "second one here would confuse the others; end it first for these checks");
		return;
	}
	coo_doctor_say(d, COO_CHECK_PEERS, COO_UNTOLD,
		       "see that a messenger runs on another host of this network; hosts behind a "
		       "router are found by their addresses alone: coo peers CIDR, coo doctor ADDR",
		       d->round == 0
			   ? "nobody was asked, since a firewall here drops the messenger's "
			     "packets"
			   : "nobody answered our broadcast");
}

static void judge_mask(struct doctor *d)
{
	char name[NAME_CAP], mine[COO_ADDR_TEXT_CAP];
	const coo_netif *i = d->links[0].i;
	static const char *const cure =
	    "compare address and mask with a host that works (coo iface, ipconfig), and set "
	    "the same mask here";

	if (d->faulty[COO_CHECK_BROADCAST] || d->faulty[COO_CHECK_ROUTE])
		return;
	for (size_t k = 0; k < d->n_peers; k++) {
		const struct doctor_peer *p = &d->peers[k];

		if (!p->off_link || !(p->rounds & BROADCASTS))
			continue;
		coo_doctor_say(
		    d, COO_CHECK_MASK, COO_FAULT, cure,
		    "%s answered our broadcast, which no router passes on, but is not in our "
		    "network %s/%u: the mask is too long here, or too short there",
		    name_of(p, name), coo_addr_ip_text(&i->addr, mine), i->prefix);
		return;
	}
	if (count(d, ROUND_LIMITED) > 0 && count(d, ROUND_DIRECTED) == 0)
		coo_doctor_say(
		    d, COO_CHECK_MASK, COO_FAULT, cure,
		    "%zu answered what went to 255.255.255.255, but nobody what went to %s: "
		    "the mask of %u bits is probably not that of the others",
		    count(d, ROUND_LIMITED), coo_addr_ip_text(&i->broadcast, mine), i->prefix);
	else if (count(d, ROUND_DIRECTED) > 0)
		coo_doctor_say(d, COO_CHECK_MASK, COO_SOUND, NULL,
			       "others have the same broadcast address");
}

bool coo_doctor_should_answer(const struct doctor *d, const struct doctor_peer *p)
{
	coo_client c = coo_client_of(coo_span_of(p->version, p->version_n));

	return d->port_ours || c == COO_CLIENT_IPMSG || c == COO_CLIENT_COO;
}

static const char *const cure_unicast =
    "let its firewall accept UDP 2425 from its network, and look for a switch or access point "
    "that keeps broadcasts back (client isolation); it can be reached by its address meanwhile";

static void judge_only_unicast(struct doctor *d, const struct doctor_peer *p)
{
	char name[NAME_CAP];

	name_of(p, name);
	if (p->spoke_first)
		coo_doctor_say(
		    d, COO_CHECK_STATEFUL, COO_FAULT,
		    "on that host, allow the messenger in its firewall for private and public "
		    "networks: what it lets in now are answers, for a minute after it spoke",
		    "%s answers only after it has spoken itself", name);
	else
		coo_doctor_say(d, COO_CHECK_UNICAST_ONLY, COO_FAULT, cure_unicast,
			       "%s answers when it is asked by its address, but no broadcast",
			       name);
}

static void judge_one_way(struct doctor *d, const struct doctor_peer *p)
{
	char name[NAME_CAP];

	coo_doctor_say(
	    d, COO_CHECK_ONE_WAY, COO_FAULT,
	    "let the firewall of that host accept UDP 2425 from here; where it does, look "
	    "for a filter in the switch or router between",
	    "%s is heard but does not answer: what we send does not reach it", name_of(p, name));
}

/* Several that answer only when asked directly, and our own broadcast unheard: it is us. */
static bool judge_ourselves(struct doctor *d)
{
	size_t n = only_unicast(d);

	if (n < 2 || count(d, BROADCASTS) > 0 || !d->faulty[COO_CHECK_ECHO])
		return false;
	coo_doctor_say(
	    d, COO_CHECK_STATEFUL, COO_FAULT,
	    "let UDP port 2425 in here, not answers alone: ufw allow 2425, or firewall-cmd "
	    "--add-port=2425/udp --permanent && firewall-cmd --reload",
	    "%zu hosts reach us only after we wrote to each: a firewall here lets in "
	    "answers alone",
	    n);
	return true;
}

static void judge_paths(struct doctor *d)
{
	bool ourselves = judge_ourselves(d);

	for (size_t i = 0; i < d->n_peers; i++) {
		const struct doctor_peer *p = &d->peers[i];

		if (p->off_link)
			continue;
		if (is_only_unicast(d, p) && !ourselves)
			judge_only_unicast(d, p);
		else if (p->rounds == 0 && p->spoke && p->asked && coo_doctor_should_answer(d, p))
			judge_one_way(d, p);
	}
}

static void judge_charset(struct doctor *d)
{
	char name[NAME_CAP];

	for (size_t i = 0; i < d->n_peers; i++) {
		const struct doctor_peer *p = &d->peers[i];

		if (p->lie)
			coo_doctor_say(d, COO_CHECK_PEER_CHARSET, COO_FAULT,
				       "set the encoding in that client's preferences to what it "
				       "writes; here --charset tells what to take its messages for",
				       "%s: %s", name_of(p, name), p->lie);
	}
}

static bool is_us(const struct doctor *d, const struct doctor_peer *p)
{
	return p->user_n > 0 &&
	       coo_span_eq_nocase(coo_span_of(p->user, p->user_n), d->cfg.legacy.user) &&
	       coo_span_eq_nocase(coo_span_of(p->host, p->host_n), d->cfg.legacy.host);
}

static void judge_identity(struct doctor *d)
{
	char name[NAME_CAP];

	for (size_t i = 0; i < d->n_peers; i++) {
		const struct doctor_peer *p = &d->peers[i];

		name_of(p, name);
		if (is_us(d, p))
			coo_doctor_say(
			    d, COO_CHECK_IDENTITY, COO_FAULT,
			    "give one of the two another host or user name (coo: --user, "
			    "--host)",
			    "%s has the same user and host name as we", name);
		else if (d->twins[i])
			coo_doctor_say(
			    d, COO_CHECK_IDENTITY, COO_FAULT,
			    "give each host its own name (copies of one installation often "
			    "share it): others take them for one and send to either",
			    "%s shares its user and host name with another host", name);
	}
}

void coo_doctor_judge(struct doctor *d)
{
	judge_peers(d);
	judge_mask(d);
	judge_paths(d);
	judge_charset(d);
	judge_identity(d);
}
