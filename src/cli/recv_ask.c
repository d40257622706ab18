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
	bool open, shown; /* shown: the question is the last that stands on the terminal */
	struct offer *waiting[QUESTIONS_MAX]; /* the first one is on the terminal */
	size_t n;
	void (*on_answer)(void *user, const struct offer *o, bool yes);
	void *user;
};

static void ask(struct recv_ask *a)
{
	const struct offer *o = a->waiting[0];
	char addr[COO_ADDR_TEXT_CAP], size[TRANSFER_SIZE_CAP];
	char *who = out_safe_dup(coo_span_str(o->nick), COO_UTF8_ONE_LINE);

	transfer_clear_line();
	out_flush(); /* the message first, which is what the question is about */
	a->shown = true;
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

static void answer(struct recv_ask *a, bool yes)
{
	struct offer *o = pop(a);

	a->shown = false;
	a->on_answer(a->user, o, yes);
	free(o);
	recv_ask_again(a);
}

/* The terminal is gone: nothing is accepted any more. */
static void give_up(struct recv_ask *a)
{
	uv_close((uv_handle_t *)&a->poll, NULL);
	a->open = false;
	while (a->n > 0) {
		struct offer *o = pop(a);

		a->on_answer(a->user, o, false);
		free(o);
	}
}

/* -1: neither. An empty line is no, as the question says, and so is Ctrl-D. */
static int meaning(coo_span line)
{
	static const char *const yes[] = { "y", "yes" }, *const no[] = { "", "n", "no" };

	while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == ' '))
		line.n--;
	for (size_t i = 0; i < COO_ARRAY_LEN(yes); i++) {
		if (coo_span_eq_nocase(line, coo_span_str(yes[i])))
			return 1;
	}
	for (size_t i = 0; i < COO_ARRAY_LEN(no); i++) {
		if (coo_span_eq_nocase(line, coo_span_str(no[i])))
			return 0;
	}
	return -1;
}

static void on_line(uv_poll_t *poll, int status, int events)
{
	struct recv_ask *a = poll->data;
	char line[256];
	ssize_t n = status < 0 ? -1 : read(STDIN_FILENO, line, sizeof(line));
	int yes;

	(void)events;
	if (status == 0 && n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		give_up(a);
		return;
	}
	yes = meaning(coo_span_of(line, (size_t)n));
	if (a->n == 0)
		return;
	if (yes >= 0) {
		answer(a, yes);
	} else {
		fputs("Answer y or n. ", stderr);
		ask(a);
	}
}

void recv_ask_pause(struct recv_ask *a)
{
	if (a->shown)
		fputc('\n', stderr);
	a->shown = false;
}

void recv_ask_again(struct recv_ask *a)
{
	if (a->n > 0 && !a->shown)
		ask(a);
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
	recv_ask_again(a);
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
