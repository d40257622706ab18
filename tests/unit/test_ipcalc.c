/* SPDX-License-Identifier: MIT */
#include "base/addr.h"
#include "feature/ipcalc.h"
#include "support/test.h"

static coo_addr ip(const char *text)
{
	coo_addr a;

	if (coo_addr_parse(text, 0, &a) != COO_OK)
		fail_msg("%s is no address", text);
	return a;
}

static void an_address_has_its_kind_and_class(void **state)
{
	static const struct {
		const char *addr;
		enum coo_ip_kind kind;
		char class;
	} rows[] = {
		{ "8.8.8.8", COO_IP_PUBLIC, 'A' },
		{ "9.255.255.255", COO_IP_PUBLIC, 'A' },
		{ "10.0.0.0", COO_IP_PRIVATE, 'A' },
		{ "10.255.255.255", COO_IP_PRIVATE, 'A' },
		{ "11.0.0.0", COO_IP_PUBLIC, 'A' },
		{ "100.63.255.255", COO_IP_PUBLIC, 'A' },
		{ "100.64.0.0", COO_IP_SHARED, 'A' },
		{ "100.127.255.255", COO_IP_SHARED, 'A' },
		{ "100.128.0.0", COO_IP_PUBLIC, 'A' },
		{ "127.9.9.9", COO_IP_LOOPBACK, 'A' },
		{ "128.0.0.1", COO_IP_PUBLIC, 'B' },
		{ "169.254.7.7", COO_IP_LINK_LOCAL, 'B' },
		{ "172.15.255.255", COO_IP_PUBLIC, 'B' },
		{ "172.16.0.0", COO_IP_PRIVATE, 'B' },
		{ "172.31.255.255", COO_IP_PRIVATE, 'B' },
		{ "172.32.0.0", COO_IP_PUBLIC, 'B' },
		{ "192.0.2.9", COO_IP_DOCUMENTATION, 'C' },
		{ "192.168.255.1", COO_IP_PRIVATE, 'C' },
		{ "192.169.0.0", COO_IP_PUBLIC, 'C' },
		{ "203.0.113.5", COO_IP_DOCUMENTATION, 'C' },
		{ "223.255.255.255", COO_IP_PUBLIC, 'C' },
		{ "226.81.9.8", COO_IP_MULTICAST, 'D' },
		{ "240.0.0.1", COO_IP_RESERVED, 'E' },
		{ "255.255.255.255", COO_IP_BROADCAST, 'E' },
		{ "0.0.0.0", COO_IP_UNSPECIFIED, 'A' },
		{ "::1", COO_IP_LOOPBACK, 0 },
		{ "::", COO_IP_UNSPECIFIED, 0 },
		{ "fe80::1", COO_IP_LINK_LOCAL, 0 },
		{ "fd12::1", COO_IP_PRIVATE, 0 },
		{ "fbff::1", COO_IP_PUBLIC, 0 },
		{ "ff15::979", COO_IP_MULTICAST, 0 },
		{ "2001:db8::1", COO_IP_DOCUMENTATION, 0 },
		{ "2400::1", COO_IP_PUBLIC, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_addr a = ip(rows[i].addr);

		if (coo_ip_kind_of(&a) != rows[i].kind || coo_ip_class(&a) != rows[i].class)
			fail_msg("%s: %s, class %c", rows[i].addr,
				 coo_ip_kind_text(coo_ip_kind_of(&a)), coo_ip_class(&a));
	}
}

static void every_kind_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int a = COO_IP_PUBLIC; a <= COO_IP_RESERVED; a++) {
		assert_string_not_equal(coo_ip_kind_text((enum coo_ip_kind)a), "unknown");
		for (int b = COO_IP_PUBLIC; b < a; b++)
			assert_string_not_equal(coo_ip_kind_text((enum coo_ip_kind)a),
						coo_ip_kind_text((enum coo_ip_kind)b));
	}
}

static void a_network_has_mask_base_and_room(void **state)
{
	static const struct {
		const char *addr;
		unsigned prefix;
		const char *mask, *network;
		uint64_t hosts;
	} rows[] = {
		{ "10.1.2.3", 0, "0.0.0.0", "0.0.0.0", UINT64_C(4294967294) },
		{ "10.1.2.3", 8, "255.0.0.0", "10.0.0.0", 16777214 },
		{ "172.16.99.3", 12, "255.240.0.0", "172.16.0.0", 1048574 },
		{ "10.1.2.3", 16, "255.255.0.0", "10.1.0.0", 65534 },
		{ "192.168.1.77", 20, "255.255.240.0", "192.168.0.0", 4094 },
		{ "192.168.1.77", 24, "255.255.255.0", "192.168.1.0", 254 },
		{ "192.168.1.77", 26, "255.255.255.192", "192.168.1.64", 62 },
		{ "192.168.1.77", 30, "255.255.255.252", "192.168.1.76", 2 },
		{ "192.168.1.77", 31, "255.255.255.254", "192.168.1.76", 2 },
		{ "192.168.1.77", 32, "255.255.255.255", "192.168.1.77", 1 },
		{ "192.168.1.77", 99, "255.255.255.255", "192.168.1.77", 1 },
		{ "2001:db8:1:2:3::4", 64, "ffff:ffff:ffff:ffff::", "2001:db8:1:2::", UINT64_MAX },
		{ "2001:db8::ff", 120, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00",
		  "2001:db8::", 256 },
		{ "2001:db8::ff", 128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::ff",
		  1 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_addr a = ip(rows[i].addr), mask = ip(rows[i].mask), net = ip(rows[i].network);
		coo_addr got_mask = coo_ip_mask(a.family, rows[i].prefix);
		coo_addr got_net = coo_ip_network(&a, rows[i].prefix);

		if (!coo_addr_eq(&got_mask, &mask) || !coo_addr_eq(&got_net, &net) ||
		    coo_ip_hosts(a.family, rows[i].prefix) != rows[i].hosts)
			fail_msg("row %zu: %s/%u", i, rows[i].addr, rows[i].prefix);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_its_kind_and_class),
		cmocka_unit_test(every_kind_has_a_text_of_its_own),
		cmocka_unit_test(a_network_has_mask_base_and_room),
	};

	return cmocka_run_group_tests_name("ipcalc", tests, NULL, NULL);
}
