/* SPDX-License-Identifier: MIT */
#include "feature/echosock.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"

#define NETS_MAX_AGE COO_SEC(5)

void coo_echosock_set(int fd, int level, int name, int value)
{
	coo_ignore(setsockopt(fd, level, name, &value, sizeof(value)));
}

static bool bind_to(const coo_echosock_cfg *cfg, int fd, const coo_addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = coo_addr_to_sockaddr(a, &ss);

	if (cfg->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, cfg->device,
				      (socklen_t)strlen(cfg->device)) != 0)
		return false;
	return bind(fd, (struct sockaddr *)&ss, len) == 0;
}

int coo_echosock_open(const coo_echosock_cfg *cfg, const coo_addr *a)
{
	int fd = socket(a->family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return -1;
	if (cfg->shared)
		coo_echosock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (a->family == 6)
		coo_echosock_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (coo_addr_is_any(a) && a->family == 6)
		coo_echosock_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	else if (coo_addr_is_any(a))
		coo_echosock_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (cfg->options)
		cfg->options(cfg->user, fd, a);
	if (bind_to(cfg, fd, a))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

void coo_echosock_port(int fd, coo_addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	coo_addr bound;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	    coo_addr_from_sockaddr((const struct sockaddr *)&ss, &bound))
		a->port = bound.port;
}

static void read_v4(coo_echodest *d, const struct cmsghdr *c)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	memset(&d->local, 0, sizeof(d->local));
	d->local.family = 4;
	memcpy(&d->local.ip, &info.ipi_addr, 4);
	/* where the address in the header is not the one of ours it came to, others got it too */
	d->to_many =
	    memcmp(&info.ipi_addr, &info.ipi_spec_dst, 4) != 0 || coo_addr_is_multicast(&d->local);
}

static void read_v6(coo_echodest *d, const struct cmsghdr *c)
{
	struct in6_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	memset(&d->local, 0, sizeof(d->local));
	d->local.family = 6;
	memcpy(d->local.ip, &info.ipi6_addr, 16);
	d->ifindex = info.ipi6_ifindex;
	d->to_many = coo_addr_is_multicast(&d->local);
}

bool coo_echodest_read(coo_echodest *d, const struct cmsghdr *c)
{
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
		read_v4(d, c);
	else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
		read_v6(d, c);
	else
		return false;
	d->known = true;
	return true;
}

uint8_t *coo_echosock_put_cmsg(uint8_t *ctrl, int level, int type, const void *data, size_t n)
{
	struct cmsghdr c;

	memset(&c, 0, sizeof(c));
	c.cmsg_level = level;
	c.cmsg_type = type;
	c.cmsg_len = CMSG_LEN(n);
	memset(ctrl, 0, CMSG_SPACE(n));
	memcpy(ctrl, &c, sizeof(c));
	memcpy(ctrl + CMSG_LEN(0), data, n);
	return ctrl + CMSG_SPACE(n);
}

uint8_t *coo_echodest_write(const coo_echodest *d, uint8_t *ctrl)
{
	struct in_pktinfo v4;
	struct in6_pktinfo v6;

	if (!d->known || d->to_many)
		return ctrl;
	if (d->local.family == 4) {
		memset(&v4, 0, sizeof(v4));
		memcpy(&v4.ipi_spec_dst, d->local.ip, 4);
		return coo_echosock_put_cmsg(ctrl, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
	}
	memset(&v6, 0, sizeof(v6));
	memcpy(&v6.ipi6_addr, d->local.ip, 16);
	v6.ipi6_ifindex = d->ifindex;
	return coo_echosock_put_cmsg(ctrl, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
}

bool coo_echonets_on_link(void *user, const coo_addr *a, coo_time now)
{
	coo_echonets *n = user;

	if (n->read == 0 || now - n->read > NETS_MAX_AGE) {
		coo_netifs fresh;

		n->read = now;
		if (coo_netifs_read(NULL, 0, &fresh, NULL) == COO_OK) {
			coo_netifs_free(&n->ifs);
			n->ifs = fresh;
		}
	}
	return coo_netifs_on_link(&n->ifs, a);
}

void coo_echonets_free(coo_echonets *n)
{
	coo_netifs_free(&n->ifs);
	n->read = 0;
}
