/* SPDX-License-Identifier: MIT */
#include "cli/firewall_nft.h"
#include "feature/firewall.h"
#include "support/test.h"

static void begin(coo_fw *fw)
{
	coo_fw_query q = { 2425, "eth0", coo_addr_v4(10, 77, 0, 1, 0), 24 };

	coo_fw_init(fw, &q);
}

enum { A = COO_FW_ACCEPT, D = COO_FW_DROP, U = COO_FW_CONTINUE };

struct row {
	const char *name, *rules;
	int udp_in, tcp_in, udp_out;
};

static void check(const struct row *r, const coo_fw *fw)
{
	const char *why;
	int udp_in = (int)coo_fw_ask(fw, COO_FW_IN, COO_FW_UDP, &why);
	int tcp_in = (int)coo_fw_ask(fw, COO_FW_IN, COO_FW_TCP, NULL);
	int udp_out = (int)coo_fw_ask(fw, COO_FW_OUT, COO_FW_UDP, NULL);

	if (udp_in != r->udp_in || tcp_in != r->tcp_in || udp_out != r->udp_out)
		fail_msg("row \"%s\": in %d %d, out %d", r->name, udp_in, tcp_in, udp_out);
	if ((udp_in == COO_FW_DROP) != (why != NULL) && udp_in != COO_FW_CONTINUE)
		fail_msg("row \"%s\": %s", r->name, why ? why : "no reason");
}

#define HEAD "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
#define DROPS "*filter\n:INPUT DROP [9:99]\n:OUTPUT ACCEPT [0:0]\n"

static void rules_of_iptables_are_understood(void **state)
{
	static const struct row rows[] = {
		{ "nothing", "", A, A, A },
		{ "empty table", HEAD "COMMIT\n", A, A, A },
		{ "policy", DROPS "COMMIT\n", D, D, A },
		{ "port", HEAD "-A INPUT -p udp -m udp --dport 2425 -j DROP\nCOMMIT\n", D, A, A },
		{ "other port", HEAD "-A INPUT -p udp -m udp --dport 2426 -j DROP\n", A, A, A },
		{ "range",
		  HEAD "-A INPUT -p tcp -m tcp --dport 2000:3000 -j REJECT "
		       "--reject-with icmp-port-unreachable\n",
		  A, D, A },
		{ "ports", HEAD "-A INPUT -p udp -m multiport --dports 53,2425 -j DROP\n", D, A,
		  A },
		{ "out", HEAD "-A OUTPUT -p udp --dport 2425 -j REJECT\n", A, A, D },
		{ "accepted before",
		  DROPS "-A INPUT -i lo -j ACCEPT\n-A INPUT -p udp -m udp --dport 2425 -j ACCEPT\n",
		  A, D, A },
		{ "loopback alone", DROPS "-A INPUT -i lo -j ACCEPT\n", D, D, A },
		{ "established alone",
		  DROPS "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n", D, D,
		  A },
		{ "state", DROPS "-A INPUT -m state --state NEW -j ACCEPT\n", A, A, A },
		{ "our network", DROPS "-A INPUT -s 10.77.0.0/24 -j ACCEPT\n", A, A, A },
		{ "a larger one", DROPS "-A INPUT -s 10.0.0.0/8 -j ACCEPT\n", A, A, A },
		{ "another network", DROPS "-A INPUT -s 192.168.0.0/16 -j ACCEPT\n", D, D, A },
		{ "some of us", DROPS "-A INPUT -s 10.77.0.9/32 -j ACCEPT\n", U, U, A },
		{ "one of us dropped", HEAD "-A INPUT -s 10.77.0.9/32 -j DROP\n", U, U, A },
		{ "not", HEAD "-A INPUT ! -i eth0 -p udp -j DROP\n", A, A, A },
		{ "not another", HEAD "-A INPUT ! -i eth1 -p udp -j DROP\n", D, A, A },
		{ "interface by beginning", HEAD "-A INPUT -i eth+ -j DROP\n", D, D, A },
		{ "unknown condition", HEAD "-A INPUT -m recent --rcheck --name x -j DROP\n", U, U,
		  A },
		{ "unknown, but the end is the same",
		  DROPS "-A INPUT -m recent --rcheck --name x -j DROP\n", D, D, A },
		{ "chain",
		  HEAD
		  ":mine - [0:0]\n-A INPUT -j mine\n-A mine -p udp -j DROP\n-A mine -j RETURN\n",
		  D, A, A },
		{ "chain that returns",
		  DROPS ":mine - [0:0]\n-A INPUT -j mine\n-A INPUT -j ACCEPT\n-A mine -p tcp -j "
			"RETURN\n-A mine -j DROP\n",
		  D, A, A },
		{ "goto does not come back",
		  DROPS ":mine - [0:0]\n-A INPUT -g mine\n-A INPUT -j ACCEPT\n-A mine -p 255 -j "
			"ACCEPT\n",
		  D, D, A },
		{ "log goes on",
		  HEAD "-A INPUT -p udp -j LOG --log-prefix \"a -j ACCEPT \"\n-A INPUT -p udp -j "
		       "DROP\n",
		  D, A, A },
		{ "comment",
		  HEAD "-A INPUT -p udp -m comment --comment \"it's -j DROP\" -j ACCEPT\n", A, A,
		  A },
		{ "a chain that leads to itself",
		  HEAD ":mine - [0:0]\n-A INPUT -j mine\n-A mine -j mine\n", A, A, A },
		{ "nat drops nothing", "*nat\n:PREROUTING DROP [0:0]\n", A, A, A },
		{ "raw does", "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j DROP\n", D,
		  A, A },
		{ "cut off", HEAD "-A INPUT -p\n-A\n-A INPUT -j\n:", A, A, A },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_fw fw;

		begin(&fw);
		assert_int_equal(coo_firewall_iptables(&fw, coo_span_str(rows[i].rules)), COO_OK);
		check(&rows[i], &fw);
		coo_fw_fini(&fw);
	}
}

#define CHAIN(hook, policy)                                                                        \
	"{\"chain\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"" hook                         \
	"\",\"type\":\"filter\",\"hook\":\"" hook "\",\"policy\":\"" policy "\"}}"
#define RULE(chain, expr)                                                                          \
	"{\"rule\":{\"family\":\"inet\",\"table\":\"f\",\"chain\":\"" chain                        \
	"\",\"handle\":4,\"expr\":[" expr "]}}"
#define NFT(...) "{\"nftables\":[{\"metainfo\":{\"version\":\"1.0.6\"}}," __VA_ARGS__ "]}"
#define MATCH(op, left, right)                                                                     \
	"{\"match\":{\"op\":\"" op "\",\"left\":" left ",\"right\":" right "}}"
#define UDP_PORT "{\"payload\":{\"protocol\":\"udp\",\"field\":\"dport\"}}"
#define META(key) "{\"meta\":{\"key\":\"" key "\"}}"
#define CT_STATE "{\"ct\":{\"key\":\"state\"}}"
#define SOURCE "{\"payload\":{\"protocol\":\"ip\",\"field\":\"saddr\"}}"
#define DROP "{\"drop\":null}"
#define ACCEPT "{\"accept\":null}"

static void rules_of_nft_are_understood(void **state)
{
	static const struct row rows[] = {
		{ "nothing", "{\"nftables\":[]}", A, A, A },
		{ "policy", NFT(CHAIN("input", "drop")), D, D, A },
		{ "port",
		  NFT(CHAIN("input", "accept") "," RULE(
		      "input", MATCH("==", UDP_PORT, "2425") ",{\"counter\":null}," DROP)),
		  D, A, A },
		{ "another port",
		  NFT(CHAIN("input", "accept") "," RULE("input",
							MATCH("==", UDP_PORT, "53") "," DROP)),
		  A, A, A },
		{ "all but one port",
		  NFT(CHAIN("input", "accept") "," RULE("input",
							MATCH("!=", UDP_PORT, "53") "," DROP)),
		  D, D, A },
		{ "set with a range",
		  NFT(CHAIN("output", "accept") "," RULE(
		      "output",
		      MATCH("==", UDP_PORT, "{\"set\":[53,{\"range\":[2000,3000]}]}") "," DROP)),
		  A, A, D },
		{ "named set",
		  NFT(CHAIN("input", "accept") "," RULE(
		      "input", MATCH("==", UDP_PORT, "\"@ports\"") "," DROP)),
		  U, U, A },
		{ "protocol",
		  NFT(CHAIN("input", "drop") "," RULE(
		      "input", MATCH("==", META("l4proto"), "\"udp\"") "," ACCEPT)),
		  A, D, A },
		{ "loopback alone",
		  NFT(CHAIN("input", "drop") "," RULE(
		      "input", MATCH("==", META("iifname"), "\"lo\"") "," ACCEPT)),
		  D, D, A },
		{ "established alone",
		  NFT(CHAIN("input", "drop") "," RULE(
		      "input", MATCH("in", CT_STATE, "[\"established\",\"related\"]") "," ACCEPT)),
		  D, D, A },
		{ "our network",
		  NFT(CHAIN("input", "drop") "," RULE(
		      "input",
		      MATCH("==", SOURCE,
			    "{\"prefix\":{\"addr\":\"10.77.0.0\",\"len\":24}}") "," ACCEPT)),
		  A, A, A },
		{ "another network",
		  NFT(CHAIN("input", "drop") "," RULE(
		      "input",
		      MATCH("==", SOURCE,
			    "{\"prefix\":{\"addr\":\"10.78.0.0\",\"len\":24}}") "," ACCEPT)),
		  D, D, A },
		{ "map of states",
		  NFT(CHAIN("input", "accept") "," RULE(
		      "input",
		      "{\"vmap\":{\"key\":" CT_STATE ",\"data\":{\"set\":[[\"established\"," ACCEPT
		      "],[\"new\"," DROP "]]}}}")),
		  D, D, A },
		{ "chain",
		  NFT(CHAIN("input", "accept") "," RULE(
		      "input",
		      "{\"jump\":{\"target\":\"mine\"}}") "," RULE("mine", MATCH("==", UDP_PORT,
										 "2425") "," DROP)),
		  D, A, A },
		{ "limit",
		  NFT(CHAIN("input", "accept") "," RULE(
		      "input", "{\"limit\":{\"rate\":5,\"per\":\"second\"}}," DROP)),
		  U, U, A },
		{ "another family",
		  "{\"nftables\":[{\"chain\":{\"family\":\"ip6\",\"table\":\"f\",\"name\":\"c\","
		  "\"type\":\"filter\",\"hook\":\"input\",\"policy\":\"drop\"}}]}",
		  A, A, A },
		{ "odd shapes",
		  NFT("1,null,{\"rule\":7},{\"rule\":{\"family\":\"inet\",\"expr\":{}}}," RULE(
		      "input", "{\"match\":3},{\"vmap\":[]},{\"jump\":1},7")),
		  A, A, A },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_fw fw;

		begin(&fw);
		if (firewall_nft(&fw, coo_span_str(rows[i].rules)) != COO_OK)
			fail_msg("row \"%s\"", rows[i].name);
		check(&rows[i], &fw);
		coo_fw_fini(&fw);
	}
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const rows[] = { "", "{", "[]", "{\"nftables\":{}}", "table inet f" };

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_fw fw;

		begin(&fw);
		assert_int_equal(firewall_nft(&fw, coo_span_str(rows[i])), COO_EFORMAT);
		coo_fw_fini(&fw);
	}
}

static void more_rules_than_are_kept_make_it_uncertain(void **state)
{
	coo_fw_rule r;
	coo_fw fw;
	coo_err e = COO_OK;

	(void)state;
	begin(&fw);
	memset(&r, 0, sizeof(r));
	assert_int_equal(coo_fw_chain_of(&fw, "filter INPUT", &r.chain), COO_OK);
	for (size_t i = 0; i < 1000000 && e == COO_OK; i++)
		e = coo_fw_add(&fw, &r);
	assert_int_equal(e, COO_ELIMIT);
	assert_int_equal(coo_fw_ask(&fw, COO_FW_IN, COO_FW_UDP, NULL), COO_FW_CONTINUE);
	coo_fw_fini(&fw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_of_iptables_are_understood),
		cmocka_unit_test(rules_of_nft_are_understood),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(more_rules_than_are_kept_make_it_uncertain),
	};

	return cmocka_run_group_tests_name("firewall", tests, NULL, NULL);
}
