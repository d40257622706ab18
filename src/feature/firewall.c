/* SPDX-License-Identifier: MIT */
#include "feature/firewall.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "feature/ipcalc.h"

enum {
	CHAINS_MAX = 4096,
	RULES_MAX = 65536,
	DEPTH_MAX = 16,	      /* the kernel's own limit of jumps */
	VISITS_MAX = 1 << 20, /* rules looked at for one answer */
};

void coo_fw_init(coo_fw *fw, const coo_fw_query *query)
{
	memset(fw, 0, sizeof(*fw));
	fw->query = *query;
}

void coo_fw_fini(coo_fw *fw)
{
	free(fw->chains);
	free(fw->rules);
	memset(fw, 0, sizeof(*fw));
}

/* --- rules ------------------------------------------------------------------------------------ */

/* Room for one more of n things. */
static void *grow(void *p, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 32;
	void *q;

	if (n < *cap)
		return p;
	q = realloc(p, more * size);
	if (q)
		*cap = more;
	return q;
}

coo_err coo_fw_chain_of(coo_fw *fw, const char *name, uint32_t *index)
{
	size_t length = strlen(name);
	coo_fw_chain *grown;

	for (size_t i = 0; i < fw->n_chains; i++) {
		if (strcmp(fw->chains[i].name, name) == 0) {
			*index = (uint32_t)i;
			return COO_OK;
		}
	}
	if (fw->n_chains == CHAINS_MAX || length >= COO_FW_NAME_CAP) {
		fw->incomplete = true;
		return COO_ELIMIT;
	}
	grown = grow(fw->chains, fw->n_chains, &fw->cap_chains, sizeof(*grown));
	if (!grown)
		return COO_ENOMEM;
	fw->chains = grown;
	memset(&grown[fw->n_chains], 0, sizeof(*grown));
	memcpy(grown[fw->n_chains].name, name, length + 1);
	grown[fw->n_chains].hook = COO_FW_NO_HOOK;
	*index = (uint32_t)fw->n_chains++;
	return COO_OK;
}

coo_err coo_fw_add(coo_fw *fw, const coo_fw_rule *r)
{
	coo_fw_rule *grown;

	if (fw->n_rules == RULES_MAX) {
		fw->incomplete = true;
		return COO_ELIMIT;
	}
	grown = grow(fw->rules, fw->n_rules, &fw->cap_rules, sizeof(*grown));
	if (!grown)
		return COO_ENOMEM;
	fw->rules = grown;
	grown[fw->n_rules++] = *r;
	return COO_OK;
}

/* --- conditions ------------------------------------------------------------------------------- */

enum coo_fw_tri coo_fw_not(enum coo_fw_tri t)
{
	return t == COO_FW_YES ? COO_FW_NO : t == COO_FW_NO ? COO_FW_YES : COO_FW_MAYBE;
}

enum coo_fw_tri coo_fw_and(enum coo_fw_tri a, enum coo_fw_tri b)
{
	return a < b ? a : b;
}

enum coo_fw_tri coo_fw_or(enum coo_fw_tri a, enum coo_fw_tri b)
{
	return a > b ? a : b;
}

enum coo_fw_tri coo_fw_is_interface(const coo_fw_query *q, coo_span pattern)
{
	coo_span name = coo_span_str(q->ifname);
	bool open =
	    pattern.n > 0 && (pattern.p[pattern.n - 1] == '*' || pattern.p[pattern.n - 1] == '+');

	if (open)
		return coo_span_has_prefix(name, coo_span_head(pattern, pattern.n - 1)) ? COO_FW_YES
											: COO_FW_NO;
	return coo_span_eq(name, pattern) ? COO_FW_YES : COO_FW_NO;
}

enum coo_fw_tri coo_fw_is_address(const coo_fw_query *q, const char *cidr)
{
	coo_cidr net, ours;

	if (coo_cidr_parse(cidr, &net) != COO_OK)
		return COO_FW_MAYBE;
	if (net.base.family != q->own.family)
		return COO_FW_NO;
	if (net.bits <= q->prefix)
		return coo_cidr_has(&net, &q->own) ? COO_FW_YES : COO_FW_NO;
	ours.base = coo_ip_network(&q->own, q->prefix);
	ours.bits = q->prefix;
	return coo_cidr_has(&ours, &net.base) ? COO_FW_MAYBE : COO_FW_NO;
}

/* --- the walk --------------------------------------------------------------------------------- */

struct walk {
	const coo_fw *fw;
	enum coo_fw_proto proto;
	const char *why;
	bool maybe_accept, maybe_drop; /* uncertain, on the way to the verdict */
	unsigned visits;
};

static enum coo_fw_verdict walk_chain(struct walk *w, uint32_t chain, unsigned depth);

static void note_maybe(struct walk *w, const coo_fw_rule *r, enum coo_fw_verdict v)
{
	if (v == COO_FW_DROP && !w->why)
		w->why = r->text;
	w->maybe_drop = w->maybe_drop || v == COO_FW_DROP || v == COO_FW_RETURN;
	w->maybe_accept = w->maybe_accept || v == COO_FW_ACCEPT || v == COO_FW_RETURN;
}

/* A jump that is not certain to be taken makes all that it leads to uncertain. */
static enum coo_fw_verdict jump(struct walk *w, const coo_fw_rule *r, unsigned depth)
{
	enum coo_fw_verdict v;
	bool sure = r->match[w->proto] == COO_FW_YES;

	if (depth == DEPTH_MAX)
		return COO_FW_CONTINUE;
	v = walk_chain(w, r->target, depth + 1);
	if (sure && r->verdict == COO_FW_GOTO && v == COO_FW_CONTINUE)
		return COO_FW_RETURN;
	if (sure || v == COO_FW_CONTINUE)
		return v;
	note_maybe(w, r, v);
	return COO_FW_CONTINUE;
}

static enum coo_fw_verdict apply(struct walk *w, const coo_fw_rule *r, unsigned depth)
{
	enum coo_fw_verdict v = (enum coo_fw_verdict)r->verdict;

	if (v == COO_FW_JUMP || v == COO_FW_GOTO)
		return jump(w, r, depth);
	if (v == COO_FW_DROP && !w->why)
		w->why = r->text;
	if (r->match[w->proto] == COO_FW_YES)
		return v;
	note_maybe(w, r, v);
	return COO_FW_CONTINUE;
}

static enum coo_fw_verdict walk_chain(struct walk *w, uint32_t chain, unsigned depth)
{
	const coo_fw *fw = w->fw;

	for (size_t i = 0; i < fw->n_rules && w->visits < VISITS_MAX; i++, w->visits++) {
		const coo_fw_rule *r = &fw->rules[i];
		enum coo_fw_verdict v;

		if (r->chain != chain || r->match[w->proto] == COO_FW_NO)
			continue;
		v = apply(w, r, depth);
		if (v == COO_FW_RETURN)
			return COO_FW_CONTINUE;
		if (v != COO_FW_CONTINUE)
			return v;
	}
	return COO_FW_CONTINUE;
}

/* The verdict of one base chain; CONTINUE where it depends. */
static enum coo_fw_verdict ask_chain(const coo_fw *fw, uint32_t chain, enum coo_fw_proto proto,
				     const char **why)
{
	struct walk w = { fw, proto, NULL, false, false, 0 };
	enum coo_fw_verdict v = walk_chain(&w, chain, 0);

	if (v == COO_FW_CONTINUE)
		v = fw->chains[chain].policy_drop ? COO_FW_DROP : COO_FW_ACCEPT;
	if (v == COO_FW_DROP && !w.why)
		w.why = fw->chains[chain].name;
	*why = w.why;
	if (w.visits >= VISITS_MAX)
		return COO_FW_CONTINUE;
	/* what may have been dropped before an accept depends, and the other way round */
	return (v == COO_FW_DROP ? w.maybe_accept : w.maybe_drop) ? COO_FW_CONTINUE : v;
}

enum coo_fw_verdict coo_fw_ask(const coo_fw *fw, enum coo_fw_hook hook, enum coo_fw_proto proto,
			       const char **why)
{
	enum coo_fw_verdict all = COO_FW_ACCEPT;
	const char *reason = NULL, *text;

	for (uint32_t i = 0; i < fw->n_chains; i++) {
		enum coo_fw_verdict v;

		if (fw->chains[i].hook != hook)
			continue;
		v = ask_chain(fw, i, proto, &text);
		if (v == COO_FW_ACCEPT || all == COO_FW_DROP)
			continue;
		if (v == COO_FW_DROP || all == COO_FW_ACCEPT)
			reason = text;
		all = v;
	}
	if (why)
		*why = reason;
	return all == COO_FW_ACCEPT && fw->incomplete ? COO_FW_CONTINUE : all;
}
