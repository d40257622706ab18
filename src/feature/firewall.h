/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_FIREWALL_H
#define COO_FEATURE_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * What packet filter rules do to the messenger: enough of a model to answer whether a first UDP
 * datagram or TCP connection of a neighbour gets in, and ours out. A condition that is not
 * understood makes its rule uncertain, never certain. Rules come from coo_firewall_iptables here,
 * and from whoever else can read a form of them.
 */
enum coo_fw_tri { COO_FW_NO, COO_FW_MAYBE, COO_FW_YES };
enum coo_fw_proto { COO_FW_UDP, COO_FW_TCP, COO_FW_PROTOS };
enum coo_fw_hook { COO_FW_IN, COO_FW_OUT, COO_FW_NO_HOOK };
enum coo_fw_verdict {
	COO_FW_CONTINUE,
	COO_FW_ACCEPT,
	COO_FW_DROP,
	COO_FW_JUMP,
	COO_FW_GOTO,
	COO_FW_RETURN
};

/* The packets in question. */
typedef struct coo_fw_query {
	uint16_t port;	    /* destination port, both ways */
	const char *ifname; /* through this interface; borrowed */
	coo_addr own;	    /* our address there */
	unsigned prefix;
} coo_fw_query;

enum { COO_FW_TEXT_CAP = 160, COO_FW_NAME_CAP = 128 };

typedef struct coo_fw_rule {
	uint32_t chain, target; /* target: of JUMP and GOTO */
	uint8_t verdict;
	uint8_t match[COO_FW_PROTOS]; /* enum coo_fw_tri */
	char text[COO_FW_TEXT_CAP];   /* for people */
} coo_fw_rule;

typedef struct coo_fw_chain {
	char name[COO_FW_NAME_CAP]; /* with its table, so that it is unique */
	uint8_t hook;		    /* where packets enter it, or COO_FW_NO_HOOK */
	bool policy_drop;
} coo_fw_chain;

typedef struct coo_fw {
	coo_fw_query query;
	coo_fw_chain *chains;
	coo_fw_rule *rules;
	size_t n_chains, n_rules, cap_chains, cap_rules;
	bool incomplete; /* there were more than we keep */
} coo_fw;

/* fw begins empty. */
void coo_fw_init(coo_fw *fw, const coo_fw_query *query);
void coo_fw_fini(coo_fw *fw);

/* The chain of that name, made where there is none; its index. COO_ELIMIT, COO_ENOMEM. */
COO_MUST_CHECK coo_err coo_fw_chain_of(coo_fw *fw, const char *name, uint32_t *index);

/* Appends a copy of r to its chain. */
COO_MUST_CHECK coo_err coo_fw_add(coo_fw *fw, const coo_fw_rule *r);

/* What iptables-save prints (tables raw, mangle and filter). Lines it does not know are passed
 * over. */
COO_MUST_CHECK coo_err coo_firewall_iptables(coo_fw *fw, coo_span text);

/* Conditions. */
enum coo_fw_tri coo_fw_not(enum coo_fw_tri t);
enum coo_fw_tri coo_fw_and(enum coo_fw_tri a, enum coo_fw_tri b);
enum coo_fw_tri coo_fw_or(enum coo_fw_tri a, enum coo_fw_tri b);
/* Interface by name; a last '*' or '+' stands for anything. */
enum coo_fw_tri coo_fw_is_interface(const coo_fw_query *q, coo_span pattern);
/* An address of our network ("10.0.0.0/8", "10.1.2.3"): MAYBE where it is some of us. */
enum coo_fw_tri coo_fw_is_address(const coo_fw_query *q, const char *cidr);

/* What becomes of such a packet: ACCEPT, DROP, or CONTINUE where that depends. *why (may be NULL)
 * is the rule or the chain that drops or may drop it, borrowed from fw, or NULL. */
enum coo_fw_verdict coo_fw_ask(const coo_fw *fw, enum coo_fw_hook hook, enum coo_fw_proto proto,
			       const char **why);

#endif
