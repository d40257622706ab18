/* SPDX-License-Identifier: MIT */
#include "feature/responder.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "feature/responder_impl.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

enum { WANT_RCVBUF = 4 << 20 };
static void set_options(void *user, int fd, const coo_addr *a)
{
	const coo_responder_cfg *cfg = user;
	int size = WANT_RCVBUF;

	(void)a;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		coo_echosock_set(fd, SOL_SOCKET, SO_RCVBUF, size);
	coo_echosock_set(fd, SOL_SOCKET, SO_SNDBUF, size);
	if (!cfg->plain && !coo_impair_is_on(&cfg->impair) && !cfg->on_datagram)
		coo_echosock_set(fd, SOL_UDP, UDP_GRO, 1);
	if (cfg->answer_broadcast)
		coo_echosock_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
}

/* A bound socket, or -1 with errno. shared: others of this service bind the same port. */
static int open_socket(coo_responder_cfg *cfg, const coo_addr *a, bool shared)
{
	coo_echosock_cfg socket_cfg = {
		.device = cfg->device, .shared = shared, .options = set_options, .user = cfg
	};

	return coo_echosock_open(&socket_cfg, a);
}

static void wire_up(echo_worker *w)
{
	for (size_t i = 0; i < ECHO_BATCH; i++) {
		struct msghdr *rx = &w->rx[i].msg_hdr;

		w->rx_iov[i].iov_base = w->buffers + i * ECHO_BUFFER;
		w->rx_iov[i].iov_len = ECHO_BUFFER;
		rx->msg_name = &w->names[i];
		rx->msg_namelen = sizeof(w->names[i]);
		rx->msg_iov = &w->rx_iov[i];
		rx->msg_iovlen = 1;
		rx->msg_control = w->rx_ctrl[i];
		rx->msg_controllen = ECHO_CTRL;
	}
}

enum { BUFFERS_AT = (sizeof(echo_worker) + 4095) / 4096 * 4096 };
#define WORKER_BYTES (BUFFERS_AT + (size_t)ECHO_BATCH * ECHO_BUFFER)

/* Mapped, not from the heap: of its table of sources and of its buffers only what is used takes
 * memory. */
static echo_worker *new_worker(void)
{
	void *p = mmap(NULL, WORKER_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	echo_worker *w = p;

	if (p == MAP_FAILED)
		return NULL;
	w->buffers = (uint8_t *)p + BUFFERS_AT;
	return w;
}

static void free_worker(echo_worker *w)
{
	close(w->fd);
	coo_echonets_free(&w->nets);
	munmap(w, WORKER_BYTES);
}

/* Takes fd, also on failure. */
static coo_err add_worker(coo_responder *r, int fd, const coo_addr *a)
{
	coo_guard_cfg guard = { .allow = r->cfg.allow,
				.n_allow = r->cfg.n_allow,
				.rate = r->cfg.rate,
				.max_size = r->cfg.max_size,
				.own_port = r->local.port,
				.on_link = coo_echonets_on_link };
	echo_worker *w = new_worker(), **list;

	list = realloc(r->workers, (r->n_workers + 1) * sizeof(*list));
	if (list)
		r->workers = list;
	if (w)
		w->fd = fd;
	if (!w || !list) {
		if (w)
			free_worker(w);
		else
			close(fd);
		return COO_ENOMEM;
	}
	w->r = r;
	w->local = *a;
	w->wild = coo_addr_is_any(a);
	w->join_max = r->cfg.plain ? 0 : UINT16_MAX;
	w->batch = ECHO_BATCH;
	w->impair = r->cfg.impair;
	coo_impair_init(&w->impair, r->cfg.seed);
	guard.user = &w->nets;
	coo_guard_init(&w->guard, &guard);
	wire_up(w);
	r->workers[r->n_workers++] = w;
	return COO_OK;
}

static coo_err add_address(coo_responder *r, const coo_addr *a)
{
	for (unsigned i = 0; i < (r->cfg.threads ? r->cfg.threads : 1); i++) {
		int fd = open_socket(&r->cfg, a, true);
		coo_err e;

		if (fd < 0)
			return COO_ESYS;
		e = add_worker(r, fd, a);
		if (e != COO_OK)
			return e;
	}
	return COO_OK;
}

/* Each of the host's addresses gets sockets of its own. One that cannot be bound (an IPv6 address
 * still tentative) is served by the wild socket. */
static coo_err add_own_addresses(coo_responder *r)
{
	coo_netifs ifs;
	coo_err e = coo_netifs_read(r->cfg.device ? &r->cfg.device : NULL, r->cfg.device ? 1 : 0,
				    &ifs, NULL);

	if (e != COO_OK)
		return e;
	for (size_t i = 0; i < ifs.n && e == COO_OK; i++) {
		coo_addr a = ifs.v[i].addr;

		if (!ifs.v[i].up || a.family == 0)
			continue;
		if (r->cfg.device && strcmp(ifs.v[i].name, r->cfg.device) != 0)
			continue;
		a.port = r->local.port;
		e = add_address(r, &a);
		if (e == COO_ESYS)
			e = COO_OK;
	}
	coo_netifs_free(&ifs);
	return e;
}

static coo_err add_wild(coo_responder *r, uint8_t family)
{
	coo_addr a;
	int fd;

	memset(&a, 0, sizeof(a));
	a.family = family;
	a.port = r->local.port;
	fd = open_socket(&r->cfg, &a, true);
	if (fd < 0)
		return family == 6 ? COO_OK : COO_ESYS; /* a host without IPv6 */
	return add_worker(r, fd, &a);
}

/* SO_REUSEPORT would let a second coo of this user share the port without a word: ask first. */
static coo_err reserve_port(coo_responder *r)
{
	int fd = open_socket(&r->cfg, &r->local, false);

	if (fd < 0)
		return COO_ESYS;
	coo_echosock_port(fd, &r->local);
	close(fd);
	return COO_OK;
}

static coo_err open_all(coo_responder *r)
{
	coo_err e = reserve_port(r);

	if (e != COO_OK)
		return e;
	/* one place decides about every datagram where its fate hangs on its number */
	if (r->cfg.bind.family || coo_impair_is_on(&r->cfg.impair)) {
		e = add_address(r, &r->local);
		if (e == COO_OK && !r->cfg.bind.family)
			e = add_wild(r, 6);
		return e;
	}
	e = add_own_addresses(r);
	if (e == COO_OK)
		e = add_wild(r, 4);
	return e == COO_OK ? add_wild(r, 6) : e;
}

coo_err coo_responder_open(const coo_responder_cfg *cfg, coo_responder **out)
{
	coo_responder *r = calloc(1, sizeof(*r));
	coo_err e;

	if (!r)
		return COO_ENOMEM;
	r->cfg = *cfg;
	r->local = cfg->bind;
	if (!r->local.family)
		r->local.family = 4;
	pthread_mutex_init(&r->talk, NULL);
	e = open_all(r);
	if (e != COO_OK) {
		int saved = errno;

		coo_responder_close(r);
		errno = saved;
		return e;
	}
	*out = r;
	return COO_OK;
}

coo_err coo_responder_start(coo_responder *r)
{
	for (size_t i = 0; i < r->n_workers; i++) {
		echo_worker *w = r->workers[i];
		int e = pthread_create(&w->thread, NULL, coo_echo_worker_run, w);

		if (e) {
			coo_responder_stop(r);
			errno = e;
			return COO_ESYS;
		}
		w->running = true;
	}
	return COO_OK;
}

void coo_responder_stop(coo_responder *r)
{
	__atomic_store_n(&r->stop, true, __ATOMIC_RELAXED);
	/* Linux wakes readers of an unconnected socket too, though it says ENOTCONN. */
	for (size_t i = 0; i < r->n_workers; i++)
		coo_ignore(shutdown(r->workers[i]->fd, SHUT_RD));
	for (size_t i = 0; i < r->n_workers; i++) {
		if (r->workers[i]->running)
			pthread_join(r->workers[i]->thread, NULL);
		r->workers[i]->running = false;
	}
}

void coo_responder_close(coo_responder *r)
{
	if (!r)
		return;
	coo_responder_stop(r);
	for (size_t i = 0; i < r->n_workers; i++)
		free_worker(r->workers[i]);
	free(r->workers);
	pthread_mutex_destroy(&r->talk);
	free(r);
}

coo_addr coo_responder_local(const coo_responder *r)
{
	return r->local;
}

bool coo_responder_socket(const coo_responder *r, size_t n, coo_addr *out)
{
	if (n >= r->n_workers)
		return false;
	*out = r->workers[n]->local;
	return true;
}

/* The count that SO_RXQ_OVFL would put beside each datagram, asked for when it is wanted. */
static uint64_t kernel_drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}

static uint64_t rcvbuf_of(int fd)
{
	int size = 0;
	socklen_t len = sizeof(size);

	coo_ignore(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len));
	return (uint64_t)size;
}

#define ADD(field) out->field += __atomic_load_n(&w->counts.field, __ATOMIC_RELAXED)

void coo_responder_get_stats(const coo_responder *r, coo_responder_stats *out)
{
	memset(out, 0, sizeof(*out));
	out->sockets = r->n_workers;
	for (size_t i = 0; i < r->n_workers; i++) {
		const echo_worker *w = r->workers[i];

		ADD(rx);
		ADD(rx_bytes);
		ADD(tx);
		ADD(tx_bytes);
		ADD(trains);
		ADD(dropped);
		ADD(duplicated);
		ADD(reordered);
		ADD(corrupted);
		ADD(send_errors);
		for (size_t v = 0; v < COO_GUARD_COUNT; v++)
			ADD(refused[v]);
		out->kernel_drops += kernel_drops(w->fd);
		out->sources += coo_guard_active(&w->guard, coo_clock_now(), COO_SEC(60));
		out->rcvbuf = rcvbuf_of(w->fd);
	}
}
