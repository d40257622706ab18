/* SPDX-License-Identifier: MIT */
#include "cli/recv_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "cli/out.h"
#include "cli/transfer.h"
#include "cli/xalloc.h"

enum { QUESTIONS_MAX = 64 };

struct recv_ask {
	uv_poll_t poll;
	bool open;
	struct offer *waiting[QUESTIONS_MAX]; /* the first one is on the terminal */
	size_t n;
	void (*on_answer)(void *user, const struct offer *o, bool yes);
	void *user;
};

static void ask(const struct offer *o)
{
	char addr[COO_ADDR_TEXT_CAP], size[TRANSFER_SIZE_CAP];
	char *who = out_safe_dup(coo_span_str(o->nick), COO_UTF8_ONE_LINE);

	transfer_clear_line();
	fprintf(stderr, "%s (%s) offers", who, coo_addr_ip_text(&o->from, addr));
	for (size_t i = 0; i < o->n && i < 8; i++) {
		char *name = out_safe_dup(coo_span_str(o->v[i].name), COO_UTF8_ONE_LINE);

		fprintf(stderr, "%s %s (%s)", i ? "," : "", name,
			o->v[i].is_dir ? "folder" : transfer_size(o->v[i].size, size));
		free(name);
	}
	if (o->n > 8)
		fprintf(stderr, " and %zu more", o->n - 8);
	fputs(". Fetch? [y/N] ", stderr);
	fflush(stderr);
	free(who);
}

/* Takes the first one out; gives it. */
static struct offer *pop(struct recv_ask *a)
{
	struct offer *o = a->waiting[0];

	a->n--;
	memmove(a->waiting, a->waiting + 1, a->n * sizeof(a->waiting[0]));
	return o;
}

static void on_line(uv_poll_t *poll, int status, int events)
{
	struct recv_ask *a = poll->data;
	char line[256];
	ssize_t n = status < 0 ? 0 : read(STDIN_FILENO, line, sizeof(line));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		uv_poll_stop(poll); /* the terminal is gone: nothing is accepted any more */
	while (a->n > 0) {
		struct offer *o = pop(a);

		a->on_answer(a->user, o, n > 0 && (line[0] == 'y' || line[0] == 'Y'));
		free(o);
		if (n > 0)
			break;
	}
	if (a->n > 0)
		ask(a->waiting[0]);
}

struct recv_ask *recv_ask_new(uv_loop_t *loop,
			      void (*on_answer)(void *user, const struct offer *o, bool yes),
			      void *user)
{
	struct recv_ask *a = xcalloc(1, sizeof(*a));

	a->on_answer = on_answer;
	a->user = user;
	a->poll.data = a;
	if (uv_poll_init(loop, &a->poll, STDIN_FILENO) == 0) {
		a->open = true;
		uv_poll_start(&a->poll, UV_READABLE, on_line);
	}
	return a;
}

void recv_ask_put(struct recv_ask *a, const struct offer *o)
{
	if (!a->open || a->n == QUESTIONS_MAX) {
		a->on_answer(a->user, o, false);
		return;
	}
	a->waiting[a->n] = xcalloc(1, sizeof(*o));
	*a->waiting[a->n++] = *o;
	if (a->n == 1)
		ask(o);
}

size_t recv_ask_pending(const struct recv_ask *a)
{
	return a->n;
}

void recv_ask_stop(struct recv_ask *a)
{
	while (a->n > 0)
		free(pop(a));
	if (a->open)
		uv_close((uv_handle_t *)&a->poll, NULL);
	a->open = false;
}

void recv_ask_free(struct recv_ask *a)
{
	free(a);
}
