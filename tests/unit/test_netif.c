/* SPDX-License-Identifier: MIT */
#include "base/addr.h"
#include "engine/netif.h"
#include "support/test.h"

static coo_addr ip(const char *text)
{
	coo_addr a;

	if (coo_addr_parse(text, 0, &a) != COO_OK)
		fail_msg("%s is no address", text);
	return a;
}

static coo_netif make(const char *name, const char *addr, unsigned prefix)
{
	coo_netif i;

	memset(&i, 0, sizeof(i));
	snprintf(i.name, sizeof(i.name), "%s", name);
	i.index = 7;
	i.addr = ip(addr);
	i.prefix = prefix;
	i.up = i.running = i.multicast = true;
	if (!coo_netif_directed_broadcast(&i.addr, prefix, &i.broadcast))
		i.broadcast.family = 0;
	return i;
}

static void broadcast_is_computed_from_address_and_prefix(void **state)
{
	static const struct {
		const char *addr;
		unsigned prefix;
		const char *want; /* NULL: none */
	} rows[] = {
		{ "10.1.2.3", 8, "10.255.255.255" },
		{ "10.1.2.3", 16, "10.1.255.255" },
		{ "192.168.1.77", 24, "192.168.1.255" },
		{ "192.168.1.77", 26, "192.168.1.127" },
		{ "192.168.1.77", 20, "192.168.15.255" },
		{ "192.168.1.77", 30, "192.168.1.79" },
		{ "192.168.1.77", 31, NULL },
		{ "192.168.1.77", 32, NULL },
		{ "1.2.3.4", 0, "255.255.255.255" },
		{ "fe80::1", 64, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_addr a = ip(rows[i].addr), got, want;
		bool ok = coo_netif_directed_broadcast(&a, rows[i].prefix, &got);

		if (ok != (rows[i].want != NULL))
			fail_msg("row %zu", i);
		if (!ok)
			continue;
		want = ip(rows[i].want);
		if (!coo_addr_eq(&got, &want))
			fail_msg("row %zu", i);
	}
}

static void prefix_counts_leading_ones(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits <= 128; bits++) {
		uint8_t mask[16] = { 0 };

		for (unsigned b = 0; b < bits; b++)
			mask[b / 8] |= (uint8_t)(0x80 >> b % 8);
		assert_int_equal(coo_netif_prefix_bits(mask, 16), bits);
	}
	assert_int_equal(coo_netif_prefix_bits((const uint8_t *)"\xff\x00\xff\x00", 4), 8);
}

static void each_interface_is_used_or_has_its_reason(void **state)
{
	static const char *const eth[] = { "eth1", "docker0", "lo" };
	coo_netif i = make("eth0", "192.168.1.7", 24);

	(void)state;
	assert_int_equal(coo_netif_decide(&i, NULL, 0), COO_NETIF_USED);
	assert_int_equal(coo_netif_decide(&i, eth, 3), COO_NETIF_NOT_NAMED);
	i.up = false;
	assert_int_equal(coo_netif_decide(&i, NULL, 0), COO_NETIF_DOWN);
	i = make("eth1", "192.168.1.7", 32);
	assert_int_equal(coo_netif_decide(&i, eth, 3), COO_NETIF_NO_BROADCAST);
	i = make("docker0", "172.17.0.1", 16);
	assert_int_equal(coo_netif_decide(&i, NULL, 0), COO_NETIF_VIRTUAL);
	assert_int_equal(coo_netif_decide(&i, eth, 3), COO_NETIF_USED);
	i = make("br-0123456789ab", "172.18.0.1", 16);
	assert_int_equal(coo_netif_decide(&i, NULL, 0), COO_NETIF_VIRTUAL);
	i = make("br0", "192.168.1.7", 24); /* a real bridge with the machine's own address */
	assert_int_equal(coo_netif_decide(&i, NULL, 0), COO_NETIF_USED);
	i = make("lo", "127.0.0.1", 8);
	i.loopback = true;
	assert_int_equal(coo_netif_decide(&i, NULL, 0), COO_NETIF_LOOPBACK);
	assert_int_equal(coo_netif_decide(&i, eth, 3), COO_NETIF_USED);
	i = make("eth0", "fe80::1", 64);
	assert_int_equal(coo_netif_decide(&i, NULL, 0), COO_NETIF_USED);
	i.multicast = false;
	assert_int_equal(coo_netif_decide(&i, NULL, 0), COO_NETIF_NO_BROADCAST);
}

static void every_reason_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int a = COO_NETIF_USED; a <= COO_NETIF_NO_BROADCAST; a++) {
		for (int b = COO_NETIF_USED; b < a; b++)
			assert_string_not_equal(coo_netif_use_text((enum coo_netif_use)a),
						coo_netif_use_text((enum coo_netif_use)b));
	}
}

static void addresses_are_told_apart(void **state)
{
	static const struct {
		const char *addr;
		bool on_link, own, broadcast;
	} rows[] = {
		{ "192.168.1.7", true, true, false },
		{ "192.168.1.8", true, false, false },
		{ "192.168.1.255", true, false, true },
		{ "192.168.2.7", false, false, false },
		{ "10.0.15.255", true, false, true },
		{ "10.0.16.0", false, false, false },
		{ "255.255.255.255", false, false, true },
		{ "127.3.2.1", true, true, false },
		{ "127.255.255.255", true, true, true },
		{ "10.9.0.1", false, true, false },
		{ "::1", false, true, false },
		{ "2001:db8::5", true, false, false },
		{ "2001:db9::5", false, false, false },
	};
	coo_netif list[] = { make("eth0", "192.168.1.7", 24), make("eth1", "10.0.0.1", 20),
			     make("lo", "127.0.0.1", 8), make("eth2", "10.9.0.1", 24),
			     make("eth0", "2001:db8::1", 64) };
	coo_netifs n = { list, COO_ARRAY_LEN(list) };

	(void)state;
	list[3].up = false;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_addr a = ip(rows[i].addr);

		if (coo_netifs_on_link(&n, &a) != rows[i].on_link ||
		    coo_netifs_is_own(&n, &a) != rows[i].own ||
		    coo_netifs_is_broadcast(&n, &a) != rows[i].broadcast)
			fail_msg("row \"%s\"", rows[i].addr);
	}
}

static void a_link_local_address_belongs_to_its_zone(void **state)
{
	coo_netif list[] = { make("eth0", "fe80::1", 64) };
	coo_netifs n = { list, 1 };
	coo_addr a = ip("fe80::2");

	(void)state;
	a.scope = 7;
	assert_true(coo_netifs_on_link(&n, &a));
	a.scope = 8;
	assert_false(coo_netifs_on_link(&n, &a));
}

static const coo_netif *find(const coo_netifs *n, const coo_addr *a)
{
	for (size_t i = 0; i < n->n; i++) {
		if (coo_addr_eq_ip(&n->v[i].addr, a))
			return &n->v[i];
	}
	return NULL;
}

static void the_system_has_a_loopback_interface(void **state)
{
	coo_addr loopback = ip("127.0.0.1"), all = ip("127.255.255.255");
	const coo_netif *lo;
	const char *bad = NULL, *name;
	coo_netifs n = { NULL, 0 }, named = { NULL, 0 };

	(void)state;
	assert_int_equal(coo_netifs_read(NULL, 0, &n, &bad), COO_OK);
	lo = find(&n, &loopback);
	assert_non_null(lo);
	assert_true(lo->up && lo->loopback && !lo->has_mac);
	assert_int_equal(lo->prefix, 8);
	assert_int_not_equal(lo->index, 0);
	assert_true(lo->mtu >= 1500);
	assert_true(coo_addr_eq(&lo->broadcast, &all));
	assert_int_equal(lo->use, COO_NETIF_LOOPBACK);
	name = lo->name;
	assert_int_equal(coo_netifs_read(&name, 1, &named, &bad), COO_OK);
	assert_int_equal(named.n, n.n);
	for (size_t i = 0; i < named.n; i++) {
		bool same = strcmp(named.v[i].name, name) == 0;

		assert_int_equal(named.v[i].use == COO_NETIF_NOT_NAMED, !same);
	}
	assert_int_equal(find(&named, &loopback)->use, COO_NETIF_USED);
	coo_netifs_free(&named);
	coo_netifs_free(&n);
	coo_netifs_free(&n);
	coo_netifs_free(NULL);
}

static void a_name_that_no_interface_has_is_told(void **state)
{
	static const char *const names[] = { "lo", "no-such-if0" };
	const char *bad = NULL;
	coo_netifs n = { NULL, 0 };

	(void)state;
	assert_int_equal(coo_netifs_read(names + 1, 1, &n, &bad), COO_ENOENT);
	assert_ptr_equal(bad, names[1]);
	assert_null(n.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broadcast_is_computed_from_address_and_prefix),
		cmocka_unit_test(prefix_counts_leading_ones),
		cmocka_unit_test(each_interface_is_used_or_has_its_reason),
		cmocka_unit_test(every_reason_has_a_text_of_its_own),
		cmocka_unit_test(addresses_are_told_apart),
		cmocka_unit_test(a_link_local_address_belongs_to_its_zone),
		cmocka_unit_test(the_system_has_a_loopback_interface),
		cmocka_unit_test(a_name_that_no_interface_has_is_told),
	};

	return cmocka_run_group_tests_name("netif", tests, NULL, NULL);
}
