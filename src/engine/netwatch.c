/* SPDX-License-Identifier: MIT */
#include "engine/netwatch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#endif

enum { SETTLE_MS = 300, LOOK_MS = 10000 };

struct coo_netwatch {
	void (*on_change)(void *user);
	void *user;
	int fd; /* -1: no messages from the kernel, only looking */
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles;
};

static void on_timer(uv_timer_t *timer)
{
	coo_netwatch *w = timer->data;

	w->on_change(w->user);
}

static void on_closed(uv_handle_t *h)
{
	coo_netwatch *w = h->data;

	if (--w->handles > 0)
		return;
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

#ifdef __linux__
static int open_messages(void)
{
	struct sockaddr_nl nl;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -1;
	memset(&nl, 0, sizeof(nl));
	nl.nl_family = AF_NETLINK;
	nl.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
	if (bind(fd, (const struct sockaddr *)&nl, sizeof(nl)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* What changed does not matter: whoever is told reads everything anew. */
static void on_message(uv_poll_t *poll, int status, int events)
{
	coo_netwatch *w = poll->data;
	char scratch[8192];

	(void)status;
	(void)events;
	while (recv(w->fd, scratch, sizeof(scratch), 0) > 0)
		;
	/* from the first change on: where they never cease, each would put the look off again */
	if (!uv_is_active((uv_handle_t *)&w->timer))
		uv_timer_start(&w->timer, on_timer, SETTLE_MS, 0);
}

static void watch(coo_netwatch *w, uv_loop_t *loop)
{
	w->fd = open_messages();
	if (w->fd < 0) {
		uv_timer_start(&w->timer, on_timer, LOOK_MS, LOOK_MS);
		return;
	}
	uv_poll_init(loop, &w->poll, w->fd);
	w->poll.data = w;
	w->handles++;
	uv_poll_start(&w->poll, UV_READABLE, on_message);
	uv_unref((uv_handle_t *)&w->poll);
}
#else
static void watch(coo_netwatch *w, uv_loop_t *loop)
{
	(void)loop;
	w->fd = -1;
	uv_timer_start(&w->timer, on_timer, LOOK_MS, LOOK_MS);
}
#endif

coo_err coo_netwatch_open(uv_loop_t *loop, void (*on_change)(void *user), void *user,
			  coo_netwatch **out)
{
	coo_netwatch *w = calloc(1, sizeof(*w));

	if (!w)
		return COO_ENOMEM;
	w->on_change = on_change;
	w->user = user;
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
	w->handles = 1;
	uv_unref((uv_handle_t *)&w->timer);
	watch(w, loop);
	*out = w;
	return COO_OK;
}

void coo_netwatch_close(coo_netwatch *w)
{
	if (!w)
		return;
	uv_close((uv_handle_t *)&w->timer, on_closed);
	if (w->fd >= 0)
		uv_close((uv_handle_t *)&w->poll, on_closed);
}
