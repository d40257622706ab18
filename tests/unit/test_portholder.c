/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/portholder.h"
#include "support/test.h"

/* A socket bound to a port of the kernel's choice; listens where it is TCP. */
static int bound(int family, int type, uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	struct sockaddr_in in;
	int fd = socket(family, type, 0), one = 1;

	if (fd < 0)
		return -1;
	memset(&ss, 0, sizeof(ss));
	ss.ss_family = (sa_family_t)family;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&ss, n) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 1) != 0) ||
	    getsockname(fd, (struct sockaddr *)&ss, &n) != 0) {
		close(fd);
		return -1;
	}
	memcpy(&in, &ss, sizeof(in)); /* the port stands at the same place in both */
	*port = ntohs(in.sin_port);
	return fd;
}

/* What the kernel calls this process: not the file's name where a tool runs it. */
static const char *own_name(char name[64])
{
	FILE *f = fopen("/proc/self/comm", "re");

	if (!f || !fgets(name, 64, f))
		fail_msg("no /proc/self/comm");
	fclose(f);
	name[strcspn(name, "\n")] = '\0';
	return name;
}

static void check_own(int family, int type, enum coo_port_kind kind)
{
	coo_portholder h;
	char name[64];
	uint16_t port = 0;
	int fd = bound(family, type, &port);

	if (fd < 0)
		skip(); /* a system without IPv6 */
	assert_true(coo_portholder_find(kind, port, &h));
	assert_int_equal(h.pid, getpid());
	assert_int_equal(h.uid, getuid());
	assert_string_equal(h.program, own_name(name));
	close(fd);
}

static void our_own_udp_port_is_ours(void **state)
{
	(void)state;
	check_own(AF_INET, SOCK_DGRAM, COO_PORT_UDP);
}

static void our_own_udp6_port_is_ours(void **state)
{
	(void)state;
	check_own(AF_INET6, SOCK_DGRAM, COO_PORT_UDP);
}

static void our_own_tcp_port_is_ours(void **state)
{
	(void)state;
	check_own(AF_INET, SOCK_STREAM, COO_PORT_TCP);
}

static void our_own_tcp6_port_is_ours(void **state)
{
	(void)state;
	check_own(AF_INET6, SOCK_STREAM, COO_PORT_TCP);
}

/* Port 0 is nobody's: a search that matches everything would find somebody. */
static void a_port_that_cannot_be_held_has_no_holder(void **state)
{
	coo_portholder h;

	(void)state;
	assert_false(coo_portholder_find(COO_PORT_UDP, 0, &h));
	assert_false(coo_portholder_find(COO_PORT_TCP, 0, &h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_udp_port_is_ours),
		cmocka_unit_test(our_own_udp6_port_is_ours),
		cmocka_unit_test(our_own_tcp_port_is_ours),
		cmocka_unit_test(our_own_tcp6_port_is_ours),
		cmocka_unit_test(a_port_that_cannot_be_held_has_no_holder),
	};

#ifndef __linux__
	return 77; /* /proc is Linux's */
#endif
	return cmocka_run_group_tests_name("portholder", tests, NULL, NULL);
}
