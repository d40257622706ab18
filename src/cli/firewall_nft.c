/* SPDX-License-Identifier: MIT */
#include "cli/firewall_nft.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

/* What a match of one rule means for each packet in question. */
struct match {
	uint8_t proto[COO_FW_PROTOS];
};

static struct match both(enum coo_fw_tri t)
{
	return (struct match){ { (uint8_t)t, (uint8_t)t } };
}

static struct match and_match(struct match a, struct match b)
{
	for (int p = 0; p < COO_FW_PROTOS; p++)
		a.proto[p] = a.proto[p] < b.proto[p] ? a.proto[p] : b.proto[p];
	return a;
}

static struct match or_match(struct match a, struct match b)
{
	for (int p = 0; p < COO_FW_PROTOS; p++)
		a.proto[p] = a.proto[p] > b.proto[p] ? a.proto[p] : b.proto[p];
	return a;
}

static struct match not_match(struct match a)
{
	for (int p = 0; p < COO_FW_PROTOS; p++)
		a.proto[p] = (uint8_t)coo_fw_not((enum coo_fw_tri)a.proto[p]);
	return a;
}

static const char *str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* --- one value on the left, one on the right ---------------------------------------------------
 */

static enum coo_fw_tri is_port(const coo_fw_query *q, const json_t *right)
{
	const json_t *range = json_object_get(right, "range");

	if (json_is_integer(right))
		return json_integer_value(right) == q->port ? COO_FW_YES : COO_FW_NO;
	if (json_array_size(range) != 2 || !json_is_integer(json_array_get(range, 0)) ||
	    !json_is_integer(json_array_get(range, 1)))
		return COO_FW_MAYBE;
	return q->port >= json_integer_value(json_array_get(range, 0)) &&
		       q->port <= json_integer_value(json_array_get(range, 1))
		   ? COO_FW_YES
		   : COO_FW_NO;
}

static struct match is_proto(const json_t *right)
{
	const char *s = json_string_value(right);
	json_int_t n = json_integer_value(right);
	struct match m = both(COO_FW_NO);

	if (!s && !json_is_integer(right))
		return both(COO_FW_MAYBE);
	m.proto[COO_FW_UDP] = (s ? is(s, "udp") : n == 17) ? COO_FW_YES : COO_FW_NO;
	m.proto[COO_FW_TCP] = (s ? is(s, "tcp") : n == 6) ? COO_FW_YES : COO_FW_NO;
	return m;
}

static enum coo_fw_tri is_address(const coo_fw_query *q, const json_t *right)
{
	const json_t *prefix = json_object_get(right, "prefix");
	char text[COO_ADDR_TEXT_CAP + 8];
	int n;

	if (json_is_string(right))
		return coo_fw_is_address(q, json_string_value(right));
	if (!prefix)
		return COO_FW_MAYBE;
	n = snprintf(text, sizeof(text), "%s/%" JSON_INTEGER_FORMAT, str(prefix, "addr"),
		     json_integer_value(json_object_get(prefix, "len")));
	return n > 0 && (size_t)n < sizeof(text) ? coo_fw_is_address(q, text) : COO_FW_MAYBE;
}

/* "th dport" is of every protocol, "udp dport" of one. */
static struct match is_payload(const coo_fw_query *q, const json_t *left, const json_t *right)
{
	const char *protocol = str(left, "protocol"), *field = str(left, "field");
	struct match m = both(COO_FW_MAYBE);

	if (is(protocol, "ip") && is(field, "protocol"))
		return is_proto(right);
	if (is(protocol, "ip") && (is(field, "saddr") || is(field, "daddr")))
		return both(is_address(q, right));
	if (is(protocol, "ip6") || is(protocol, "icmp") || is(protocol, "icmpv6"))
		return both(COO_FW_NO);
	if (is(field, "dport"))
		m = both(is_port(q, right));
	if (is(protocol, "udp") || is(protocol, "tcp"))
		m.proto[is(protocol, "udp") ? COO_FW_TCP : COO_FW_UDP] = COO_FW_NO;
	return m;
}

static struct match is_meta(const coo_fw_query *q, const json_t *left, const json_t *right)
{
	const char *key = str(left, "key"), *value = json_string_value(right);

	if (is(key, "l4proto"))
		return is_proto(right);
	if (!value)
		return both(COO_FW_MAYBE);
	if (is(key, "iif") || is(key, "iifname") || is(key, "oif") || is(key, "oifname"))
		return both(coo_fw_is_interface(q, coo_span_str(value)));
	if (is(key, "nfproto"))
		return both(is(value, "ipv4") ? COO_FW_YES : COO_FW_NO);
	return both(COO_FW_MAYBE);
}

static struct match is_state(const json_t *left, const json_t *right)
{
	const char *value = json_string_value(right);

	if (!is(str(left, "key"), "state") || !value)
		return both(COO_FW_MAYBE);
	return both(is(value, "new") ? COO_FW_YES : COO_FW_NO);
}

static struct match is_one(const coo_fw_query *q, const json_t *left, const json_t *right)
{
	const char *value = json_string_value(right);
	const json_t *o;

	if (value && value[0] == '@') /* a named set: its contents stand elsewhere */
		return both(COO_FW_MAYBE);
	if ((o = json_object_get(left, "payload")))
		return is_payload(q, o, right);
	if ((o = json_object_get(left, "meta")))
		return is_meta(q, o, right);
	if ((o = json_object_get(left, "ct")))
		return is_state(o, right);
	return both(COO_FW_MAYBE);
}

/* right may be a list or a set of values, any of which will do. */
static struct match is_any(const coo_fw_query *q, const json_t *left, const json_t *right)
{
	const json_t *set = json_is_array(right) ? right : json_object_get(right, "set");
	struct match m = both(COO_FW_NO);

	if (!json_is_array(set))
		return is_one(q, left, right);
	for (size_t i = 0; i < json_array_size(set); i++) {
		const json_t *one = json_array_get(set, i), *elem = json_object_get(one, "elem");

		m = or_match(m, is_one(q, left, elem ? json_object_get(elem, "val") : one));
	}
	return m;
}

static struct match match_of(const coo_fw_query *q, const json_t *m)
{
	const char *op = str(m, "op");
	struct match got = is_any(q, json_object_get(m, "left"), json_object_get(m, "right"));

	if (is(op, "==") || is(op, "in"))
		return got;
	return is(op, "!=") ? not_match(got) : both(COO_FW_MAYBE);
}

/* --- rules -------------------------------------------------------------------------------------
 */

static coo_err chain_index(coo_fw *fw, const json_t *o, const char *name, uint32_t *index)
{
	char text[COO_FW_NAME_CAP];
	int n = snprintf(text, sizeof(text), "%s %s %s", str(o, "family"), str(o, "table"), name);

	if (n < 0 || (size_t)n >= sizeof(text)) {
		fw->incomplete = true;
		return COO_ELIMIT;
	}
	return coo_fw_chain_of(fw, text, index);
}

/* Whether stmt is a verdict; *r is completed then. */
static bool verdict_of(coo_fw *fw, const json_t *rule, const json_t *stmt, coo_fw_rule *r)
{
	static const struct {
		const char *name;
		enum coo_fw_verdict verdict;
	} known[] = {
		{ "accept", COO_FW_ACCEPT }, { "drop", COO_FW_DROP }, { "reject", COO_FW_DROP },
		{ "return", COO_FW_RETURN }, { "jump", COO_FW_JUMP }, { "goto", COO_FW_GOTO },
	};

	for (size_t i = 0; i < COO_ARRAY_LEN(known); i++) {
		const json_t *o = json_object_get(stmt, known[i].name);

		if (!o)
			continue;
		r->verdict = (uint8_t)known[i].verdict;
		if (known[i].verdict != COO_FW_JUMP && known[i].verdict != COO_FW_GOTO)
			return true;
		return chain_index(fw, rule, str(o, "target"), &r->target) == COO_OK;
	}
	return false;
}

static coo_err add(coo_fw *fw, coo_fw_rule *r, struct match m)
{
	memcpy(r->match, m.proto, sizeof(r->match));
	return coo_fw_add(fw, r);
}

/* "ct state vmap { established : accept, invalid : drop }": a rule for each pair. */
static coo_err add_map(coo_fw *fw, const json_t *rule, const json_t *map, coo_fw_rule *r,
		       struct match so_far)
{
	const json_t *set = json_object_get(json_object_get(map, "data"), "set");
	const json_t *key = json_object_get(map, "key");
	coo_err e = COO_OK;

	for (size_t i = 0; i < json_array_size(set) && e == COO_OK; i++) {
		const json_t *pair = json_array_get(set, i);
		struct match m = is_one(&fw->query, key, json_array_get(pair, 0));

		if (verdict_of(fw, rule, json_array_get(pair, 1), r))
			e = add(fw, r, and_match(so_far, m));
	}
	return e;
}

/* Statements that let a packet pass as it is. */
static bool is_harmless(const json_t *stmt)
{
	static const char *const names[] = { "counter", "log", "mangle", "notrack", "flow" };

	for (size_t i = 0; i < COO_ARRAY_LEN(names); i++) {
		if (json_object_get(stmt, names[i]))
			return true;
	}
	return false;
}

static void describe(const json_t *rule, coo_fw_rule *r)
{
	const char *comment = str(rule, "comment");

	snprintf(r->text, sizeof(r->text), "%s %s %s handle %" JSON_INTEGER_FORMAT "%s%s",
		 str(rule, "family"), str(rule, "table"), str(rule, "chain"),
		 json_integer_value(json_object_get(rule, "handle")), *comment ? ", " : "",
		 comment);
}

static coo_err add_rule(coo_fw *fw, const json_t *rule)
{
	const json_t *expr = json_object_get(rule, "expr");
	struct match m = both(COO_FW_YES);
	coo_fw_rule r;
	coo_err e;

	memset(&r, 0, sizeof(r));
	describe(rule, &r);
	e = chain_index(fw, rule, str(rule, "chain"), &r.chain);
	for (size_t i = 0; i < json_array_size(expr) && e == COO_OK; i++) {
		const json_t *stmt = json_array_get(expr, i), *o;

		if ((o = json_object_get(stmt, "match")))
			m = and_match(m, match_of(&fw->query, o));
		else if ((o = json_object_get(stmt, "vmap")))
			e = add_map(fw, rule, o, &r, m);
		else if (verdict_of(fw, rule, stmt, &r))
			return add(fw, &r, m);
		else if (!is_harmless(stmt))
			m = and_match(m, both(COO_FW_MAYBE));
	}
	return e;
}

static enum coo_fw_hook hook_of(const char *hook)
{
	if (is(hook, "input") || is(hook, "prerouting"))
		return COO_FW_IN;
	if (is(hook, "output") || is(hook, "postrouting"))
		return COO_FW_OUT;
	return COO_FW_NO_HOOK;
}

static coo_err add_chain(coo_fw *fw, const json_t *chain)
{
	uint32_t index;
	coo_err e = chain_index(fw, chain, str(chain, "name"), &index);

	if (e != COO_OK || is(str(chain, "type"), "nat"))
		return e;
	fw->chains[index].hook = (uint8_t)hook_of(str(chain, "hook"));
	fw->chains[index].policy_drop = is(str(chain, "policy"), "drop");
	return COO_OK;
}

static coo_err add_object(coo_fw *fw, const json_t *o)
{
	const json_t *chain = json_object_get(o, "chain"), *rule = json_object_get(o, "rule");
	const char *family = str(chain ? chain : rule, "family");

	if (!is(family, "ip") && !is(family, "inet"))
		return COO_OK;
	return chain ? add_chain(fw, chain) : add_rule(fw, rule);
}

coo_err firewall_nft(coo_fw *fw, coo_span json)
{
	json_t *root = json_loadb((const char *)json.p, json.n, 0, NULL);
	const json_t *list = json_object_get(root, "nftables");
	coo_err e = json_is_array(list) ? COO_OK : COO_EFORMAT;

	for (size_t i = 0; i < json_array_size(list) && e == COO_OK; i++)
		e = add_object(fw, json_array_get(list, i));
	json_decref(root);
	return e == COO_ELIMIT ? COO_OK : e; /* what was kept is marked as incomplete */
}
