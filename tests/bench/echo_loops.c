/* SPDX-License-Identifier: MIT */
#include "bench/echo_loops.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { BATCH = 64, BIG = 65536 };

void echo_plain_loop(int fd)
{
	static uint8_t buf[BIG];
	struct sockaddr_in from;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n >= 0 && sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len) < 0)
			continue;
	}
}

static uint16_t segment_size(struct msghdr *m)
{
	int size = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(c), sizeof(size));
	}
	return (uint16_t)size;
}

void echo_bare_loop(int fd)
{
	static uint8_t buf[BATCH][BIG];
	static struct mmsghdr m[BATCH];
	static struct iovec iov[BATCH];
	static struct sockaddr_in name[BATCH];
	static _Alignas(struct cmsghdr) uint8_t ctrl[BATCH][64];
	int on = 1;

	setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buf[i], BIG };
		m[i].msg_hdr = (struct msghdr){ &name[i], sizeof(name[i]), &iov[i], 1,
						ctrl[i],  sizeof(ctrl[i]), 0 };
	}
	for (;;) {
		int n, sent = 0;

		n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			uint16_t size = segment_size(&m[i].msg_hdr);
			struct cmsghdr *c = (struct cmsghdr *)(void *)ctrl[i];

			iov[i].iov_len = m[i].msg_len;
			m[i].msg_hdr.msg_controllen = 0;
			if (size && size < m[i].msg_len) {
				m[i].msg_hdr.msg_controllen = CMSG_SPACE(sizeof(size));
				c->cmsg_level = SOL_UDP;
				c->cmsg_type = UDP_SEGMENT;
				c->cmsg_len = CMSG_LEN(sizeof(size));
				memcpy(CMSG_DATA(c), &size, sizeof(size));
			}
		}
		while (sent < n) {
			int done = sendmmsg(fd, m + sent, (unsigned)(n - sent), 0);

			sent += done > 0 ? done : 1;
		}
		for (int i = 0; i < n; i++) {
			iov[i].iov_len = BIG;
			m[i].msg_hdr.msg_namelen = sizeof(name[i]);
			m[i].msg_hdr.msg_controllen = sizeof(ctrl[i]);
		}
	}
}
