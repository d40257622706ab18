/* SPDX-License-Identifier: MIT */
#include "cli/listen_hook.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/listen_reply.h"
#include "cli/out.h"
#include "cli/xalloc.h"
#include "feature/hook.h"
#include "proto/utf8.h"

struct listen_hook {
	struct net *net;
	coo_hook *hook;
	bool reply;
	uint64_t refused;
	void (*on_idle)(void *user);
	void *user;
};

enum { MAX_ENV = 16, VALUE_CAP = 1024 };

struct env {
	char *v[MAX_ENV + 1];
	size_t n;
};

COO_PRINTF(3, 4) static void add(struct env *e, const char *name, const char *fmt, ...)
{
	char value[VALUE_CAP];
	size_t cap;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	cap = strlen(name) + strlen(value) + 2;
	if (e->n == MAX_ENV)
		return;
	e->v[e->n] = xcalloc(cap, 1);
	snprintf(e->v[e->n++], cap, "%s=%s", name, value);
}

/* Names from the network, as they are but without NULs; a script has to quote them like any other
 * text. */
static void add_span(struct env *e, const char *name, coo_span s)
{
	s = coo_span_head(s, coo_utf8_truncate(s, VALUE_CAP - 1));
	add(e, name, "%.*s", (int)s.n, s.n ? (const char *)s.p : "");
}

static void fill_env(struct env *e, const coo_message *m)
{
	char addr[COO_ADDR_TEXT_CAP];

	add_span(e, "COO_FROM", m->from.nick.n ? m->from.nick : m->from.user);
	add_span(e, "COO_FROM_USER", m->from.user);
	add_span(e, "COO_FROM_HOST", m->from.host);
	add_span(e, "COO_FROM_NICK", m->from.nick);
	add_span(e, "COO_FROM_GROUP", m->from.group);
	add(e, "COO_FROM_CLIENT", "%s", coo_client_name(m->from.client));
	add(e, "COO_FROM_PORT", "%u", (unsigned)m->from.addr.port);
	add(e, "COO_ADDR", "%s", coo_addr_ip_text(&m->from.addr, addr));
	add(e, "COO_PACKET_NO", "%" PRIu64, m->packet_no);
	add(e, "COO_TEXT_CHARSET", "%s", m->charset);
	add(e, "COO_IS_BROADCAST", "%d", m->broadcast);
	add(e, "COO_IS_AUTOMATIC", "%d", m->automatic);
	add(e, "COO_IS_SEALED", "%d", m->sealed);
}

static void on_done(void *user, const coo_hook_ticket *t, int status, coo_span output)
{
	struct listen_hook *h = user;
	coo_rx rx;

	output = coo_span_trim_end(output, '\n');
	if (status != 0)
		say_warn("the --exec program ended with status %d", status);
	if (h->reply && t->may_reply && output.n > 0) {
		if (!coo_utf8_valid(output) || coo_span_find(output, 0) < output.n) {
			say_warn(
			    "what the --exec program printed is not UTF-8 text; no answer is sent");
		} else {
			memset(&rx, 0, sizeof(rx));
			rx.from = t->from;
			rx.local = t->local;
			listen_reply(h->net, &rx, t->client, output);
			coo_driver_kick(h->net->driver);
		}
	}
	h->on_idle(h->user);
}

struct listen_hook *listen_hook_new(struct net *n, const char *command, coo_time timeout,
				    bool reply, void (*on_idle)(void *user), void *user)
{
	struct listen_hook *h = xcalloc(1, sizeof(*h));
	const coo_hook_cfg cfg = {
		.loop = &n->loop,
		.command = command,
		.timeout = timeout,
		.want_output = reply,
		.on_done = on_done,
		.user = h,
	};

	h->net = n;
	h->reply = reply;
	h->on_idle = on_idle;
	h->user = user;
	if (coo_hook_new(&cfg, &h->hook) != COO_OK) {
		say_error("--exec names no program");
		free(h);
		return NULL;
	}
	return h;
}

void listen_hook_run(struct listen_hook *h, const coo_event *ev, const coo_message *m)
{
	coo_hook_ticket t;
	struct env e;

	memset(&t, 0, sizeof(t));
	memset(&e, 0, sizeof(e));
	t.from = ev->rx.from;
	if (!ev->rx.was_broadcast)
		t.local = ev->rx.local;
	t.client = m->from.client;
	t.may_reply = listen_may_reply(m);
	fill_env(&e, m);
	if (coo_hook_run(h->hook, &t, m->text, (const char *const *)e.v) != COO_OK &&
	    h->refused++ == 0)
		say_warn(
		    "too many messages wait for the --exec program; some are not handed to it");
	for (size_t i = 0; i < e.n; i++)
		free(e.v[i]);
}

size_t listen_hook_pending(const struct listen_hook *h)
{
	return coo_hook_pending(h->hook);
}

void listen_hook_free(struct listen_hook *h)
{
	if (!h)
		return;
	if (h->refused)
		say_warn("%" PRIu64 " messages were not handed to the --exec program", h->refused);
	coo_hook_free(h->hook);
	free(h);
}
