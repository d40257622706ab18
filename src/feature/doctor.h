/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_DOCTOR_H
#define COO_FEATURE_DOCTOR_H

#include <signal.h>
#include <stdint.h>

#include "feature/firewall.h"
#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/node.h"
#include "proto/time.h"

/*
 * Walks the path that a message takes, on this machine, on its networks and to one peer, and says
 * of each step whether it is sound. A code belongs to one check for ever: append, never renumber.
 * X(identifier, number, name); coo-doctor(1) lists them.
 */
#define COO_CHECK_LIST(X)                                                                          \
	X(INTERFACE, 1, "interface")                                                               \
	X(BROADCAST, 2, "broadcast-address")                                                       \
	X(MASK, 3, "mask")                                                                         \
	X(PORT_UDP, 4, "udp-port")                                                                 \
	X(PORT_TCP, 5, "tcp-port")                                                                 \
	X(ROUTE, 6, "broadcast-route")                                                             \
	X(ECHO, 7, "own-broadcast")                                                                \
	X(FIREWALL_IN, 8, "firewall-in")                                                           \
	X(FIREWALL_OUT, 9, "firewall-out")                                                         \
	X(FIREWALL_TCP, 10, "firewall-tcp")                                                        \
	X(PEERS, 11, "peers")                                                                      \
	X(UNICAST_ONLY, 12, "unicast-only")                                                        \
	X(STATEFUL, 13, "stateful-firewall")                                                       \
	X(ONE_WAY, 14, "one-way")                                                                  \
	X(PEER_CHARSET, 15, "peer-charset")                                                        \
	X(IDENTITY, 16, "identity")                                                                \
	X(BUFFER, 17, "receive-buffer")                                                            \
	X(CLOCK, 18, "clock")                                                                      \
	X(CHARSET, 19, "charset-conversion")                                                       \
	X(STATE, 20, "state")                                                                      \
	X(TARGET, 21, "target-udp")                                                                \
	X(TARGET_TCP, 22, "target-tcp")                                                            \
	X(NETWORK, 23, "target-network")

enum coo_check {
#define COO_CHECK_ENUM(id, number, name) COO_CHECK_##id,
	COO_CHECK_LIST(COO_CHECK_ENUM)
#undef COO_CHECK_ENUM
	    COO_CHECKS
};

/* "COO-D01" and "interface"; static storage. */
const char *coo_check_code(enum coo_check c);
const char *coo_check_name(enum coo_check c);

enum coo_health {
	COO_SOUND,
	COO_FAULT,
	COO_UNTOLD, /* could not be found out, or does not matter here: the detail says why */
};

typedef struct coo_finding {
	enum coo_check check;
	enum coo_health health;
	const char *detail; /* a sentence; holds names from the network as they came: escape it */
	const char *cure;   /* what helps, or NULL */
} coo_finding;

enum coo_rules { COO_RULES_NONE, COO_RULES_FORBIDDEN, COO_RULES_READ };

typedef struct coo_doctor_cfg {
	uint16_t port;		  /* of the messenger: 2425 */
	const char *const *names; /* interfaces, as for coo_netifs_read; borrowed */
	size_t n_names;
	coo_names utf8, legacy; /* how we introduce ourselves; borrowed */
	coo_span version;
	coo_addr target;  /* the peer in question, with port, or family 0 */
	coo_time wait;	  /* for answers to each round of questions; 0: 2 s */
	size_t rcvbuf;	  /* bytes to ask for; 0: what everything else asks for */
	const coo_fw *fw; /* the packet filter's rules where they could be read; borrowed */
	enum coo_rules rules;
	const volatile sig_atomic_t *stop;		  /* becomes other than 0 to end early */
	void (*report)(void *user, const coo_finding *f); /* f ends with the call */
	void *user;
} coo_doctor_cfg;

typedef struct coo_doctor_sum {
	unsigned sound, faults, untold;
	bool complete; /* not ended early */
} coo_doctor_sum;

/*
 * Examines, reporting each finding as it is made; takes three or four times cfg->wait. Where the
 * port is free it goes on line for that time, and leaves; where another program holds it, it only
 * asks for version information, which changes nothing for anybody. COO_ENOENT: no interface of the
 * name *bad.
 */
COO_MUST_CHECK coo_err coo_doctor_run(const coo_doctor_cfg *cfg, coo_doctor_sum *sum,
				      const char **bad);

#endif
