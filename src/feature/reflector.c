/* SPDX-License-Identifier: MIT */
#include "feature/reflector.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "feature/echosock.h"
#include "proto/stamp.h"

enum { SESSIONS = 256, PACKET = 9216, POLL_MS = 200 };

#define COUNT(field)                                                                               \
	__atomic_store_n(&(field), __atomic_load_n(&(field), __ATOMIC_RELAXED) + 1,                \
			 __ATOMIC_RELAXED)

struct session {
	coo_addr from;
	coo_time used;
	uint32_t next;
	uint16_t ssid;
};

struct coo_reflector {
	coo_reflector_cfg cfg;
	coo_addr local;
	int fd[2]; /* IPv4, IPv6; -1 where not open */
	bool stop, running;
	pthread_t thread;
	coo_guard guard;
	coo_echonets nets;
	struct session sessions[SESSIONS];
	coo_reflector_stats counts;
};

/* A request with what the kernel said of it. */
struct request {
	coo_stamp_request packet;
	struct sockaddr_storage name;
	socklen_t name_len;
	coo_addr from;
	uint8_t data[PACKET];
	size_t n;
	uint64_t received; /* ns since 1970 */
	uint8_t ttl;
	coo_echodest dest;
	_Alignas(struct cmsghdr) uint8_t ctrl[256], out_ctrl[COO_ECHO_CTRL];
};

static void set_options(void *user, int fd, const coo_addr *a)
{
	(void)user;
	coo_echosock_set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (a->family == 6)
		coo_echosock_set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	else
		coo_echosock_set(fd, IPPROTO_IP, IP_RECVTTL, 1);
}

static int open_socket(const coo_reflector_cfg *cfg, const coo_addr *a)
{
	coo_echosock_cfg socket_cfg = { .device = cfg->device, .options = set_options };

	return coo_echosock_open(&socket_cfg, a);
}

coo_err coo_reflector_open(const coo_reflector_cfg *cfg, coo_reflector **out)
{
	coo_guard_cfg guard = { .allow = cfg->allow,
				.n_allow = cfg->n_allow,
				.rate = cfg->rate,
				.max_size = cfg->max_size,
				.on_link = coo_echonets_on_link };
	coo_reflector *r = calloc(1, sizeof(*r));

	if (!r)
		return COO_ENOMEM;
	r->cfg = *cfg;
	r->local = cfg->bind;
	if (!r->local.family)
		r->local.family = 4;
	r->fd[1] = -1;
	r->fd[0] = open_socket(cfg, &r->local);
	if (r->fd[0] < 0) {
		free(r);
		return COO_ESYS;
	}
	coo_echosock_port(r->fd[0], &r->local);
	if (!cfg->bind.family) {
		coo_addr six = { .family = 6, .port = r->local.port };

		r->fd[1] = open_socket(cfg, &six); /* a host without IPv6 does without */
	}
	guard.user = &r->nets;
	guard.own_port = r->local.port;
	coo_guard_init(&r->guard, &guard);
	*out = r;
	return COO_OK;
}

static void read_stamp(struct request *q, const struct cmsghdr *c)
{
	struct timespec ts;

	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	q->received = COO_SEC(ts.tv_sec) + (uint64_t)ts.tv_nsec;
}

static void read_ctrl(struct request *q, struct msghdr *m)
{
	int hops;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			read_stamp(q, c);
		} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
			   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
			q->ttl = (uint8_t)hops;
		} else {
			coo_ignore(coo_echodest_read(&q->dest, c));
		}
	}
}

static bool receive(int fd, struct request *q)
{
	struct iovec iov = { .iov_base = q->data, .iov_len = sizeof(q->data) };
	struct msghdr m = { .msg_name = &q->name,
			    .msg_namelen = sizeof(q->name),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = q->ctrl,
			    .msg_controllen = sizeof(q->ctrl) };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	if (n < 0 || (m.msg_flags & MSG_TRUNC))
		return false;
	q->n = (size_t)n;
	q->name_len = m.msg_namelen;
	q->received = coo_clock_wall();
	q->ttl = 0;
	q->dest.known = q->dest.to_many = false;
	read_ctrl(q, &m);
	return coo_addr_from_sockaddr((const struct sockaddr *)&q->name, &q->from);
}

static enum coo_guard_verdict judge(coo_reflector *r, struct request *q, coo_time now)
{
	enum coo_guard_verdict v;
	coo_guard_source *s = coo_guard_find(&r->guard, &q->from, now, &v);

	if (v != COO_GUARD_OK)
		return v;
	if (q->dest.to_many)
		return COO_GUARD_BROADCAST;
	return coo_guard_admit(&r->guard, s, coo_span_of(q->data, q->n), q->n, 1, now);
}

static struct session *session_of(coo_reflector *r, const struct request *q, coo_time now)
{
	struct session *oldest = r->sessions;

	for (size_t i = 0; i < SESSIONS; i++) {
		struct session *s = &r->sessions[i];

		if (s->used && s->ssid == q->packet.ssid && coo_addr_eq(&s->from, &q->from)) {
			s->used = now;
			return s;
		}
		if (s->used < oldest->used)
			oldest = s;
	}
	if (!oldest->used)
		COUNT(r->counts.sessions);
	oldest->from = q->from;
	oldest->ssid = q->packet.ssid;
	oldest->next = 0;
	oldest->used = now;
	return oldest;
}

static coo_stamp_error clock_error(void)
{
	uint64_t error = coo_clock_error();

	return error == UINT64_MAX ? coo_stamp_error_of(COO_SEC(1), false)
				   : coo_stamp_error_of(error, true);
}

static void reflect(coo_reflector *r, int fd, struct request *q, coo_time now)
{
	coo_stamp_reply a = { .ssid = q->packet.ssid,
			      .error = clock_error(),
			      .received = coo_ntp_from_unix(q->received),
			      .sender_seq = q->packet.seq,
			      .sender_time = q->packet.time,
			      .sender_error = coo_stamp_error_encode(q->packet.error),
			      .sender_ttl = q->ttl };
	struct iovec iov = { .iov_base = q->data, .iov_len = q->n };
	struct msghdr m = {
		.msg_name = &q->name, .msg_namelen = q->name_len, .msg_iov = &iov, .msg_iovlen = 1
	};
	coo_buf b;

	m.msg_controllen = (size_t)(coo_echodest_write(&q->dest, q->out_ctrl) - q->out_ctrl);
	m.msg_control = m.msg_controllen ? q->out_ctrl : NULL;
	a.seq = r->cfg.stateless ? q->packet.seq : session_of(r, q, now)->next++;
	a.time = coo_ntp_from_unix(coo_clock_wall());
	/* over the request, so what stood behind it goes back as it came */
	coo_buf_init(&b, q->data, sizeof(q->data));
	coo_stamp_put_reply(&b, &a);
	if (sendmsg(fd, &m, 0) < 0)
		COUNT(r->counts.send_errors);
	else
		COUNT(r->counts.tx);
}

static void serve(coo_reflector *r, int fd, struct request *q)
{
	coo_time now = coo_clock_now();
	enum coo_guard_verdict v;

	while (receive(fd, q)) {
		COUNT(r->counts.rx);
		v = judge(r, q, now);
		if (v != COO_GUARD_OK)
			COUNT(r->counts.refused[v]);
		else if (coo_stamp_get_request(coo_span_of(q->data, q->n), &q->packet) != COO_OK)
			COUNT(r->counts.malformed);
		else
			reflect(r, fd, q, now);
	}
}

static void *run(void *user)
{
	coo_reflector *r = user;
	struct request q;

	memset(&q, 0, sizeof(q));
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		struct pollfd p[2] = { { .fd = r->fd[0], .events = POLLIN },
				       { .fd = r->fd[1], .events = POLLIN } };

		if (poll(p, 2, POLL_MS) <= 0)
			continue;
		for (int i = 0; i < 2; i++) {
			if (p[i].fd >= 0 && p[i].revents)
				serve(r, p[i].fd, &q);
		}
	}
	return NULL;
}

coo_err coo_reflector_start(coo_reflector *r)
{
	int e = pthread_create(&r->thread, NULL, run, r);

	if (e) {
		errno = e;
		return COO_ESYS;
	}
	r->running = true;
	return COO_OK;
}

void coo_reflector_stop(coo_reflector *r)
{
	__atomic_store_n(&r->stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++) {
		if (r->fd[i] >= 0)
			coo_ignore(shutdown(r->fd[i], SHUT_RD));
	}
	if (r->running)
		pthread_join(r->thread, NULL);
	r->running = false;
}

void coo_reflector_close(coo_reflector *r)
{
	if (!r)
		return;
	coo_reflector_stop(r);
	for (int i = 0; i < 2; i++) {
		if (r->fd[i] >= 0)
			close(r->fd[i]);
	}
	coo_echonets_free(&r->nets);
	free(r);
}

coo_addr coo_reflector_local(const coo_reflector *r)
{
	return r->local;
}

void coo_reflector_get_stats(const coo_reflector *r, coo_reflector_stats *out)
{
	*out = r->counts;
}
