/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/rng.h"
#include "feature/prober_impl.h"
#include "proto/echo.h"

enum { WANT_BUFFER = 4 << 20, SLOTS_MIN = 256, SLOTS_MAX = 1 << 20 };

static void set_option(int fd, int level, int name, int value)
{
	coo_ignore(setsockopt(fd, level, name, &value, sizeof(value)));
}

static void set_v4(const coo_prober_cfg *cfg, const coo_flow *f)
{
	set_option(f->fd, IPPROTO_IP, IP_RECVERR, 1);
	set_option(f->fd, IPPROTO_IP, IP_RECVTTL, 1);
	set_option(f->fd, IPPROTO_IP, IP_MTU_DISCOVER,
		   f->spec.df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
	if (cfg->dscp >= 0)
		set_option(f->fd, IPPROTO_IP, IP_TOS, cfg->dscp << 2);
	if (cfg->ttl > 0) {
		set_option(f->fd, IPPROTO_IP, IP_TTL, cfg->ttl);
		set_option(f->fd, IPPROTO_IP, IP_MULTICAST_TTL, cfg->ttl);
	}
}

static void set_v6(const coo_prober_cfg *cfg, const coo_flow *f)
{
	set_option(f->fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	set_option(f->fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	set_option(f->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	set_option(f->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		   f->spec.df ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
	set_option(f->fd, IPPROTO_IPV6, IPV6_DONTFRAG, f->spec.df);
	if (cfg->dscp >= 0)
		set_option(f->fd, IPPROTO_IPV6, IPV6_TCLASS, cfg->dscp << 2);
	if (cfg->ttl > 0) {
		set_option(f->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, cfg->ttl);
		set_option(f->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, cfg->ttl);
	}
}

static void set_options(coo_prober *p, const coo_flow *f)
{
	int size = WANT_BUFFER;

	if (setsockopt(f->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		set_option(f->fd, SOL_SOCKET, SO_RCVBUF, size);
	set_option(f->fd, SOL_SOCKET, SO_SNDBUF, size);
	if (f->spec.target.family == 6)
		set_v6(&p->cfg, f);
	else
		set_v4(&p->cfg, f);
	if (p->cfg.broadcast)
		set_option(f->fd, SOL_SOCKET, SO_BROADCAST, 1);
	if (!p->cfg.user_clock)
		set_option(f->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (p->tx_stamps)
		set_option(f->fd, SOL_SOCKET, SO_TIMESTAMPING,
			   SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
}

static bool bind_flow(const coo_prober_cfg *cfg, coo_flow *f)
{
	struct sockaddr_storage ss;
	socklen_t len;
	coo_addr a = cfg->bind, bound;

	if (cfg->device && setsockopt(f->fd, SOL_SOCKET, SO_BINDTODEVICE, cfg->device,
				      (socklen_t)strlen(cfg->device)) != 0)
		return false;
	if (!a.family)
		a.family = f->spec.target.family;
	len = coo_addr_to_sockaddr(&a, &ss);
	if (bind(f->fd, (struct sockaddr *)&ss, len) != 0)
		return false;
	len = sizeof(ss);
	if (getsockname(f->fd, (struct sockaddr *)&ss, &len) == 0 &&
	    coo_addr_from_sockaddr((const struct sockaddr *)&ss, &bound))
		f->local_port = bound.port;
	return true;
}

/* Room to remember twice what may be on its way at once. */
static size_t slots_for(const coo_prober_cfg *cfg)
{
	double rate = cfg->interval ? 1e9 / (double)cfg->interval : 1e6;
	double want = 2 * rate * (double)cfg->late_after / 1e9 + 8 * (double)cfg->window;
	size_t n = SLOTS_MIN;

	if (cfg->window)
		want = 64 * (double)cfg->window + 65536;
	while (n < SLOTS_MAX && (double)n < want)
		n *= 2;
	return n;
}

static void fill_payload(const coo_prober_cfg *cfg, coo_flow *f)
{
	if (cfg->fill_random)
		coo_rng_bytes(f->payload, f->spec.size);
	for (size_t i = 0; !cfg->fill_random && cfg->fill_n && i < f->spec.size; i++)
		f->payload[i] = cfg->fill[i % cfg->fill_n];
}

coo_err coo_prober_open_flow(coo_prober *p, coo_flow *f)
{
	size_t n_slots = slots_for(&p->cfg);

	f->payload = calloc(1, f->spec.size + 1);
	f->slots = calloc(n_slots, sizeof(*f->slots));
	if (p->cfg.broadcast)
		f->repliers = calloc(COO_REPLIERS_MAX, sizeof(*f->repliers));
	if (!f->payload || !f->slots || (p->cfg.broadcast && !f->repliers))
		return COO_ENOMEM;
	f->session = coo_rng_u64();
	fill_payload(&p->cfg, f);
	coo_account_init(&f->account, f->slots, n_slots, p->cfg.late_after, 0);
	coo_oneway_init(&f->oneway, p->cfg.stateful);
	f->fd = socket(f->spec.target.family == 6 ? AF_INET6 : AF_INET,
		       SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->fd < 0)
		return COO_ESYS;
	set_options(p, f);
	return bind_flow(&p->cfg, f) ? COO_OK : COO_ESYS;
}

void coo_prober_close_flow(coo_flow *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->payload);
	free(f->slots);
	free(f->repliers);
}
