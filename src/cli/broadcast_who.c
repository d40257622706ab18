/* SPDX-License-Identifier: MIT */
/* Who gets a broadcast, and whether that is meant. */
#include "cli/broadcast_who.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/find.h"
#include "cli/out.h"
#include "cli/peer_list.h"
#include "cli/show.h"

static bool matches(const char *glob, coo_span name)
{
	char text[4 * COO_PEER_NAME_MAX + 1];

	if (name.n >= sizeof(text))
		return false;
	if (name.n)
		memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	return fnmatch(glob, text, 0) == 0;
}

static bool is_in(const struct str_list *groups, coo_span group)
{
	for (size_t i = 0; i < groups->n; i++) {
		if (coo_span_eq(group, coo_span_str(groups->v[i])))
			return true;
	}
	return groups->n == 0;
}

static bool is_called(const struct str_list *globs, const coo_peer_view *p)
{
	for (size_t i = 0; i < globs->n; i++) {
		const char *glob = globs->v[i];

		if (matches(glob, p->nick) || matches(glob, p->user) || matches(glob, p->host))
			return true;
	}
	return globs->n == 0;
}

static bool is_wanted(const struct broadcast_opts *o, const coo_peer_view *p)
{
	return is_in(&o->groups, p->group) && is_called(&o->match, p);
}

/* Leaves those that are wanted. */
static void narrow(const struct broadcast_opts *o, struct found *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (is_wanted(o, &f->v[i].view))
			f->v[n++] = f->v[i];
		else
			free(f->v[i].bytes);
	}
	f->n = n;
}

static bool take_targets(struct targets *t, const struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct found_peer *p = &f->v[i];
		char *name = show_peer_name(&p->view);
		bool ok = targets_add_addr(t, name, &p->view.addr, p->entry);

		free(name);
		if (!ok)
			return false;
	}
	return true;
}

static int check_found(const struct broadcast_opts *o, const struct found *f)
{
	if (f->interrupted)
		return EXIT_NOBODY;
	if (o->dry_run) {
		peer_list_print(f, PEER_LIST_TABLE);
		say_info("%zu would get it", f->n);
	}
	if (f->n == 0) {
		say_error("nobody was found%s",
			  o->groups.n || o->match.n ? " who matches; \"coo peers\" lists all" : "");
		return EXIT_NOBODY;
	}
	if (o->max && f->n > o->max) {
		say_error("%zu would get it, more than --max %llu", f->n,
			  (unsigned long long)o->max);
		return EXIT_REFUSED;
	}
	return 0;
}

int broadcast_find(const struct broadcast_opts *o, struct broadcast_who *w)
{
	const struct find_wish wish = { .command = "broadcast", .wait = o->find };
	struct found found;
	int code;

	if (!o->each && !o->dry_run && !o->max)
		return 0;
	code = find_peers(&o->common, &wish, &found);
	if (code == 0) {
		narrow(o, &found);
		w->looked = true;
		w->found = found.n;
		peer_list_sort(&found, 0);
		code = check_found(o, &found);
	}
	if (code == 0 && o->each && !take_targets(&w->targets, &found))
		code = EXIT_REFUSED;
	if (code == 0 && o->each)
		w->found = w->targets.n;
	found_free(&found);
	return code;
}

static bool confirm(const char *question)
{
	FILE *tty = fopen("/dev/tty", "r+e");
	char line[16] = "";
	bool yes;

	if (!tty)
		return true; /* no terminal: a script knows what it does */
	fprintf(tty, "%s [y/N] ", question);
	fflush(tty);
	yes = fgets(line, sizeof(line), tty) && (line[0] == 'y' || line[0] == 'Y');
	fclose(tty);
	return yes;
}

int broadcast_confirm(const struct broadcast_opts *o, size_t n)
{
	char question[128];

	if (o->yes || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return 0;
	if (o->each)
		snprintf(question, sizeof(question), "Send this to %zu people?", n);
	else
		snprintf(question, sizeof(question), "Send this to everybody on the network?");
	if (confirm(question))
		return 0;
	say_error("not confirmed, so nothing was sent; --yes sends without asking");
	return EXIT_REFUSED;
}
