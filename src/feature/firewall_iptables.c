/* SPDX-License-Identifier: MIT */
#include "feature/firewall.h"

#include "base/addr.h"
#include "proto/buf.h"
#include "proto/num.h"

/* One "-A CHAIN …" on its way to a rule. */
struct line {
	coo_fw *fw;
	coo_span rest;
	const char *table;
	coo_fw_rule rule;
	bool negated; /* a "!" stands before the next condition */
};

enum { TABLE_CAP = 16 };

/* The next word; quotes are kept together and taken off. */
static bool next_word(coo_span *s, coo_span *word)
{
	while (s->n && s->p[0] == ' ')
		*s = coo_span_skip(*s, 1);
	if (s->n == 0)
		return false;
	if (s->p[0] == '"') {
		*s = coo_span_skip(*s, 1);
		return coo_span_cut(s, '"', word);
	}
	return coo_span_next(s, ' ', word);
}

static void narrow(struct line *l, enum coo_fw_proto p, enum coo_fw_tri t)
{
	if (l->negated)
		t = coo_fw_not(t);
	l->rule.match[p] = (uint8_t)coo_fw_and((enum coo_fw_tri)l->rule.match[p], t);
}

static void narrow_all(struct line *l, enum coo_fw_tri t)
{
	for (int p = 0; p < COO_FW_PROTOS; p++)
		narrow(l, (enum coo_fw_proto)p, t);
}

static void on_protocol(struct line *l, coo_span v)
{
	bool all = coo_span_eq_str(v, "all") || coo_span_eq_str(v, "0");
	bool udp = coo_span_eq_str(v, "udp") || coo_span_eq_str(v, "17");
	bool tcp = coo_span_eq_str(v, "tcp") || coo_span_eq_str(v, "6");

	narrow(l, COO_FW_UDP, all || udp ? COO_FW_YES : COO_FW_NO);
	narrow(l, COO_FW_TCP, all || tcp ? COO_FW_YES : COO_FW_NO);
}

/* "2425", "2000:3000", ":1024" */
static enum coo_fw_tri has_port(coo_span range, uint16_t port)
{
	uint64_t from = 0, to = UINT16_MAX;
	coo_span head;

	if (!coo_span_cut(&range, ':', &head)) {
		if (!coo_num_dec(range, UINT16_MAX, &from))
			return COO_FW_MAYBE;
		return from == port ? COO_FW_YES : COO_FW_NO;
	}
	if ((head.n && !coo_num_dec(head, UINT16_MAX, &from)) ||
	    (range.n && !coo_num_dec(range, UINT16_MAX, &to)))
		return COO_FW_MAYBE;
	return port >= from && port <= to ? COO_FW_YES : COO_FW_NO;
}

static void on_ports(struct line *l, coo_span v)
{
	enum coo_fw_tri any = COO_FW_NO;
	coo_span range;

	while (coo_span_next(&v, ',', &range))
		any = coo_fw_or(any, has_port(range, l->fw->query.port));
	narrow_all(l, any);
}

static void on_state(struct line *l, coo_span v)
{
	enum coo_fw_tri any = COO_FW_NO;
	coo_span state;

	while (coo_span_next(&v, ',', &state)) {
		if (coo_span_eq_str(state, "NEW"))
			any = COO_FW_YES;
	}
	narrow_all(l, any);
}

static void on_interface(struct line *l, coo_span v)
{
	narrow_all(l, coo_fw_is_interface(&l->fw->query, v));
}

static void on_address(struct line *l, coo_span v)
{
	char text[COO_ADDR_TEXT_CAP];

	if (v.n >= sizeof(text)) {
		narrow_all(l, COO_FW_MAYBE);
		return;
	}
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	narrow_all(l, coo_fw_is_address(&l->fw->query, text));
}

/* "filter INPUT" */
static coo_err chain_named(struct line *l, coo_span name, uint32_t *index)
{
	char text[COO_FW_NAME_CAP];
	coo_buf b;

	coo_buf_init(&b, text, sizeof(text) - 1);
	coo_buf_put_str(&b, l->table);
	coo_buf_put_byte(&b, ' ');
	coo_buf_put(&b, name);
	if (!coo_buf_ok(&b))
		return COO_ELIMIT;
	text[b.n] = '\0';
	return coo_fw_chain_of(l->fw, text, index);
}

static coo_err on_target(struct line *l, coo_span v, enum coo_fw_verdict jump)
{
	static const struct {
		const char *name;
		enum coo_fw_verdict verdict;
	} known[] = {
		{ "ACCEPT", COO_FW_ACCEPT },  { "DROP", COO_FW_DROP },
		{ "REJECT", COO_FW_DROP },    { "RETURN", COO_FW_RETURN },
		{ "LOG", COO_FW_CONTINUE },   { "NFLOG", COO_FW_CONTINUE },
		{ "MARK", COO_FW_CONTINUE },  { "CONNMARK", COO_FW_CONTINUE },
		{ "TRACE", COO_FW_CONTINUE }, { "NOTRACK", COO_FW_CONTINUE },
		{ "CT", COO_FW_CONTINUE },
	};

	for (size_t i = 0; i < COO_ARRAY_LEN(known); i++) {
		if (coo_span_eq_str(v, known[i].name)) {
			l->rule.verdict = (uint8_t)known[i].verdict;
			return COO_OK;
		}
	}
	l->rule.verdict = (uint8_t)jump;
	return chain_named(l, v, &l->rule.target);
}

struct option {
	const char *name;
	void (*take)(struct line *l, coo_span value);
};

static const struct option conditions[] = {
	{ "-p", on_protocol },
	{ "--dport", on_ports },
	{ "--dports", on_ports },
	{ "--ctstate", on_state },
	{ "--state", on_state },
	{ "-i", on_interface },
	{ "-o", on_interface },
	{ "-s", on_address },
	{ "-d", on_address },
	{ "--comment", NULL },
	{ "-m", NULL },
	{ "--reject-with", NULL },
	{ "--log-prefix", NULL },
	{ "--log-level", NULL },
	{ "--set-xmark", NULL },
	{ "--nflog-prefix", NULL },
	{ "--nflog-group", NULL },
};

/* A word that is no option we know leaves the rule uncertain. */
static void on_condition(struct line *l, coo_span word)
{
	coo_span value;

	for (size_t i = 0; i < COO_ARRAY_LEN(conditions); i++) {
		if (!coo_span_eq_str(word, conditions[i].name))
			continue;
		if (next_word(&l->rest, &value) && conditions[i].take)
			conditions[i].take(l, value);
		return;
	}
	l->negated = false;
	narrow_all(l, COO_FW_MAYBE);
}

static coo_err parse_rule(struct line *l)
{
	coo_span word, value;
	coo_err e = COO_OK;

	while (e == COO_OK && next_word(&l->rest, &word)) {
		if (coo_span_eq_str(word, "!")) {
			l->negated = true;
			continue;
		}
		if (coo_span_eq_str(word, "-j") && next_word(&l->rest, &value))
			e = on_target(l, value, COO_FW_JUMP);
		else if (coo_span_eq_str(word, "-g") && next_word(&l->rest, &value))
			e = on_target(l, value, COO_FW_GOTO);
		else
			on_condition(l, word);
		l->negated = false;
	}
	return e;
}

static coo_err add_rule(coo_fw *fw, const char *table, coo_span text)
{
	struct line l;
	coo_span word;
	coo_err e;
	size_t n = text.n < COO_FW_TEXT_CAP - 1 ? text.n : COO_FW_TEXT_CAP - 1;

	memset(&l, 0, sizeof(l));
	l.fw = fw;
	l.table = table;
	l.rest = coo_span_skip(text, 3); /* "-A " */
	l.rule.match[COO_FW_UDP] = l.rule.match[COO_FW_TCP] = COO_FW_YES;
	memcpy(l.rule.text, text.p, n);
	if (!next_word(&l.rest, &word))
		return COO_OK;
	e = chain_named(&l, word, &l.rule.chain);
	if (e == COO_OK)
		e = parse_rule(&l);
	return e == COO_OK ? coo_fw_add(fw, &l.rule) : e;
}

static enum coo_fw_hook hook_of(coo_span chain)
{
	if (coo_span_eq_str(chain, "INPUT") || coo_span_eq_str(chain, "PREROUTING"))
		return COO_FW_IN;
	if (coo_span_eq_str(chain, "OUTPUT") || coo_span_eq_str(chain, "POSTROUTING"))
		return COO_FW_OUT;
	return COO_FW_NO_HOOK;
}

/* ":INPUT DROP [0:0]" */
static coo_err add_chain(coo_fw *fw, const char *table, coo_span text)
{
	struct line l;
	coo_span name, policy;
	uint32_t index;
	coo_err e;

	memset(&l, 0, sizeof(l));
	l.fw = fw;
	l.table = table;
	text = coo_span_skip(text, 1);
	if (!next_word(&text, &name) || !next_word(&text, &policy))
		return COO_OK;
	e = chain_named(&l, name, &index);
	if (e != COO_OK)
		return e;
	fw->chains[index].hook = (uint8_t)hook_of(name);
	fw->chains[index].policy_drop = coo_span_eq_str(policy, "DROP");
	return COO_OK;
}

/* Tables in which a packet can be lost; nat sees only the first one and drops nothing. */
static void begin_table(coo_span name, char table[TABLE_CAP])
{
	static const char *const tables[] = { "raw", "mangle", "filter" };

	table[0] = '\0';
	for (size_t i = 0; i < COO_ARRAY_LEN(tables); i++) {
		if (coo_span_eq_str(name, tables[i]))
			memcpy(table, tables[i], strlen(tables[i]) + 1);
	}
}

coo_err coo_firewall_iptables(coo_fw *fw, coo_span text)
{
	char table[TABLE_CAP] = "";
	coo_span line;
	coo_err e = COO_OK;

	while (e == COO_OK && coo_span_next(&text, '\n', &line)) {
		if (line.n == 0)
			continue;
		if (line.p[0] == '*')
			begin_table(coo_span_skip(line, 1), table);
		else if (table[0] && line.p[0] == ':')
			e = add_chain(fw, table, line);
		else if (table[0] && coo_span_has_prefix(line, coo_span_str("-A ")))
			e = add_rule(fw, table, line);
	}
	return e == COO_ELIMIT ? COO_OK : e; /* what was kept is marked as incomplete */
}
