/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_DOCTOR_INT_H
#define COO_FEATURE_DOCTOR_INT_H

/* What the files of the doctor share; nobody else includes this. */

#include "base/addr.h"
#include "engine/netif.h"
#include "engine/probe.h"
#include "engine/udp.h"
#include "feature/doctor.h"
#include "proto/packet.h"

enum {
	DOCTOR_PEERS_MAX = 1024,
	DOCTOR_LINKS_MAX = 32,
	DOCTOR_NAME_MAX = 64,
	DOCTOR_VERSION_MAX = 48,
	DOCTOR_ASK_MAX = 256, /* hosts asked by unicast */
};

/* Rounds of questions; a peer remembers in which it answered. */
enum doctor_round {
	ROUND_DIRECTED = 1, /* to the broadcast address of the network */
	ROUND_LIMITED = 2,  /* to 255.255.255.255 */
	ROUND_UNICAST = 4,
	ROUND_AGAIN = 8, /* both broadcasts once more */
};

/* A sender of packets, by address. */
struct doctor_peer {
	coo_addr addr;
	char user[DOCTOR_NAME_MAX], host[DOCTOR_NAME_MAX], mac[16];
	char version[DOCTOR_VERSION_MAX];
	uint8_t user_n, host_n, mac_n, version_n;
	uint64_t last_no;
	uint64_t nick_hash;
	unsigned rounds;	 /* enum doctor_round */
	bool spoke, spoke_first; /* unasked; before its first answer */
	bool asked;		 /* by unicast */
	bool off_link;
	const char *lie; /* which character set it says and which it writes, or NULL */
};

/* An interface address in use. */
struct doctor_link {
	const coo_netif *i;
	enum coo_route route;
	bool heard;	 /* own broadcast to the messenger's port */
	bool heard_else; /* … to another port */
	int error;	 /* errno of sending to the messenger's port */
};

struct doctor {
	coo_doctor_cfg cfg;
	coo_doctor_sum sum;
	coo_netifs ifs;
	struct doctor_link links[DOCTOR_LINKS_MAX];
	size_t n_links;
	coo_udp *main;	 /* on the messenger's port, or any where that is taken */
	coo_udp *second; /* on any port */
	bool port_ours;
	uint32_t first_no, n_no; /* packet numbers: reserved, used */
	enum doctor_round round;
	struct doctor_peer *peers;
	size_t n_peers;
	bool faulty[COO_CHECKS];
	bool twins[DOCTOR_PEERS_MAX]; /* peer i shares its identity with another host */
};

/* doctor.c */
COO_PRINTF(5, 6)
void coo_doctor_say(struct doctor *d, enum coo_check c, enum coo_health h, const char *cure,
		    const char *fmt, ...);
bool coo_doctor_stopped(const struct doctor *d);

/* doctor_local.c: this machine alone */
void coo_doctor_clock(struct doctor *d);
void coo_doctor_charsets(struct doctor *d);
void coo_doctor_state(struct doctor *d);

/* doctor_link.c: interfaces, ports, routes, firewall; false where nothing can be sent at all */
bool coo_doctor_interfaces(struct doctor *d);
void coo_doctor_ports(struct doctor *d);
void coo_doctor_routes(struct doctor *d);
void coo_doctor_firewall(struct doctor *d);
void coo_doctor_echo(struct doctor *d);

/* doctor_air.c: sending and hearing */
bool coo_doctor_open(struct doctor *d);
void coo_doctor_close(struct doctor *d);
void coo_doctor_hear_ourselves(struct doctor *d);
void coo_doctor_ask_broadcast(struct doctor *d, enum doctor_round round);
void coo_doctor_ask_one(struct doctor *d, const coo_addr *to, bool plain);
void coo_doctor_listen(struct doctor *d, coo_time duration);
void coo_doctor_leave(struct doctor *d);

/* doctor_hear.c: what a datagram tells of its sender */
void coo_doctor_take(struct doctor *d, const coo_dgram *g);
bool coo_doctor_same_name(const struct doctor_peer *a, const struct doctor_peer *b);
struct doctor_peer *coo_doctor_peer_at(struct doctor *d, const coo_addr *a);
/* The same, added where it is new; NULL where there is no more room. */
struct doctor_peer *coo_doctor_peer_of(struct doctor *d, const coo_addr *a);

/* doctor_peers.c: the others */
void coo_doctor_rounds(struct doctor *d);
void coo_doctor_judge(struct doctor *d);
/* Whether a peer that did not answer our question had a duty to. */
bool coo_doctor_should_answer(const struct doctor *d, const struct doctor_peer *p);

/* doctor_target.c: the peer in question */
void coo_doctor_target(struct doctor *d);

#endif
