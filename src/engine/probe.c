/* SPDX-License-Identifier: MIT */
#include "engine/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "proto/num.h"

static int open_socket(const coo_addr *a, int type)
{
	int fd = socket(a->family == 6 ? AF_INET6 : AF_INET, type, 0);

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int bind_to(int fd, const coo_addr *a)
{
	struct sockaddr_storage ss;
	socklen_t n = coo_addr_to_sockaddr(a, &ss);

	return bind(fd, (const struct sockaddr *)&ss, n);
}

static int connect_to(int fd, const coo_addr *a)
{
	struct sockaddr_storage ss;
	socklen_t n = coo_addr_to_sockaddr(a, &ss);

	return connect(fd, (const struct sockaddr *)&ss, n);
}

enum coo_route coo_probe_route(const coo_addr *from, const coo_addr *to)
{
	coo_addr source = *from, target = *to;
	enum coo_route route = COO_ROUTE_NONE;
	int fd = open_socket(from, SOCK_DGRAM), on = 1;

	source.port = 0;
	target.port = target.port ? target.port : 9;
	if (fd < 0)
		return COO_ROUTE_NONE;
	if (bind_to(fd, &source) == 0) {
		if (connect_to(fd, &target) == 0)
			route = COO_ROUTE_UNICAST;
		else if (errno == EACCES &&
			 setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0 &&
			 connect_to(fd, &target) == 0)
			route = COO_ROUTE_BROADCAST;
	}
	close(fd);
	return route;
}

bool coo_probe_source(const coo_addr *to, coo_addr *from)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	int fd = open_socket(to, SOCK_DGRAM);
	bool ok;

	if (fd < 0)
		return false;
	ok = connect_to(fd, to) == 0 && getsockname(fd, (struct sockaddr *)&ss, &n) == 0 &&
	     coo_addr_from_sockaddr((const struct sockaddr *)&ss, from);
	close(fd);
	return ok;
}

static int bind_port(int fd, const coo_addr *a)
{
	int on = 1;

	/* as every server does: connections that have just ended do not hold the port */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 || bind_to(fd, a) != 0 ||
	    listen(fd, 1) != 0)
		return errno;
	return 0;
}

int coo_probe_tcp_bind(uint16_t port)
{
	coo_addr any = coo_addr_v4(0, 0, 0, 0, port);
	int fd = open_socket(&any, SOCK_STREAM), error;

	if (fd < 0)
		return errno;
	error = bind_port(fd, &any);
	close(fd);
	return error;
}

/* Waits for an event on fd until the deadline; 0 or ETIMEDOUT. */
static int wait_for(int fd, short events, coo_time deadline)
{
	for (;;) {
		struct pollfd p = { fd, events, 0 };
		coo_time now = coo_clock_now();
		int n;

		if (now >= deadline)
			return ETIMEDOUT;
		n = poll(&p, 1, (int)((deadline - now) / COO_MS(1)) + 1);
		if (n > 0)
			return 0;
		if (n < 0)
			return errno; /* EINTR too: who interrupts wants an end */
	}
}

static int finish_connect(int fd, coo_time deadline)
{
	int error = wait_for(fd, POLLOUT, deadline);
	socklen_t n = sizeof(error);

	if (error)
		return error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error : errno;
}

int coo_probe_tcp(const coo_addr *to, coo_time timeout)
{
	int fd = open_socket(to, SOCK_STREAM), error = 0;

	if (fd < 0)
		return errno;
	if (connect_to(fd, to) != 0) {
		error = errno;
		if (error == EINPROGRESS)
			error = finish_connect(fd, coo_time_add(coo_clock_now(), timeout));
	}
	close(fd);
	return error;
}

int coo_probe_tcp_self(const coo_addr *own, uint16_t port, coo_time timeout)
{
	coo_addr at = *own;
	int fd, error;

	at.port = port;
	fd = open_socket(&at, SOCK_STREAM);
	if (fd < 0)
		return errno;
	error = bind_port(fd, &at);
	if (error == 0)
		error = coo_probe_tcp(&at, timeout);
	close(fd);
	return error;
}

/* Linux keeps "no such host" to itself unless it is asked for. */
static void want_errors(int fd, uint8_t family)
{
#if defined(IP_RECVERR) && defined(IPV6_RECVERR)
	int on = 1;

	if (family == 6)
		coo_ignore(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)) != 0);
	else
		coo_ignore(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) != 0);
#else
	(void)fd;
	(void)family;
#endif
}

int coo_probe_udp(const coo_addr *to, coo_span data, coo_time timeout)
{
	int fd = open_socket(to, SOCK_DGRAM), error = 0;
	uint8_t byte;

	if (fd < 0)
		return errno;
	want_errors(fd, to->family);
	if (connect_to(fd, to) != 0 || send(fd, data.p, data.n, 0) < 0)
		error = errno;
	else
		error = wait_for(fd, POLLIN, coo_time_add(coo_clock_now(), timeout));
	if (error == 0 && recv(fd, &byte, 1, 0) < 0)
		error = errno;
	close(fd);
	return error;
}

#ifdef __linux__

/* "10.77.0.2  0x1  0x2  1e:a7:63:36:92:fd  *  eth0": complete entries have flag 2. */
static bool parse_neighbour(coo_span line, coo_neighbour *out)
{
	coo_span field[4], part;
	uint64_t flags, byte;
	char text[COO_ADDR_TEXT_CAP];
	size_t n = 0;

	while (n < 4 && coo_span_next(&line, ' ', &field[n]))
		n += field[n].n > 0;
	if (n < 4 || field[0].n >= sizeof(text) ||
	    !coo_num_hex(coo_span_skip(field[2], 2), UINT32_MAX, &flags) || !(flags & 2))
		return false;
	memcpy(text, field[0].p, field[0].n);
	text[field[0].n] = '\0';
	if (coo_addr_parse(text, 0, &out->addr) != COO_OK)
		return false;
	for (size_t i = 0; i < 6; i++) {
		if (!coo_span_next(&field[3], ':', &part) || !coo_num_hex(part, UINT8_MAX, &byte))
			return false;
		out->mac[i] = (uint8_t)byte;
	}
	return true;
}

size_t coo_neighbours_read(coo_neighbour *out, size_t cap)
{
	FILE *f = fopen("/proc/net/arp", "re");
	char line[256];
	size_t n = 0;

	while (f && n < cap && fgets(line, sizeof(line), f))
		n += parse_neighbour(coo_span_trim_end(coo_span_str(line), '\n'), &out[n]);
	if (f)
		fclose(f);
	return n;
}

#else

size_t coo_neighbours_read(coo_neighbour *out, size_t cap)
{
	(void)out;
	(void)cap;
	return 0;
}

#endif
