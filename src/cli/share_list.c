/* SPDX-License-Identifier: MIT */
#include "cli/share_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "cli/xalloc.h"
#include "proto/attach.h"

enum {
	NAMES_MAX = 16384, /* of one list */
	NAME_ROOM = 48,	   /* what the list says of a file beside its name */
	TEXT_ROOM = 100,   /* for the text ahead of the list, and the end of it */
};

void share_list_free(struct share_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		coo_fileset_unref(l->sets[i]);
	free(l->sets);
}

/* The last set, or a new one where a name of n bytes does not fit its message; NULL: no memory. */
static coo_fileset *set_for(struct share_list *l, size_t n)
{
	coo_fileset *set = l->n ? l->sets[l->n - 1] : NULL;

	if (set && set->n < COO_FILESET_MAX && l->bytes + 2 * n + NAME_ROOM <= SHARE_LIST_BYTES)
		return set;
	set = coo_fileset_new(false);
	if (!set)
		return NULL;
	set->skip_hidden = true;
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 4;
		l->sets = xrealloc(l->sets, l->cap, sizeof(*l->sets));
	}
	l->sets[l->n++] = set;
	l->bytes = TEXT_ROOM;
	return set;
}

static const char *last_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* What is neither file nor folder, or has a name that cannot be sent, is left out. */
static void add_path(struct share_list *l, const char *path)
{
	size_t n = strlen(last_of(path));
	coo_fileset *set = set_for(l, n);

	if (set && coo_fileset_add(set, path) == COO_OK)
		l->bytes += 2 * n + NAME_ROOM; /* every colon is doubled */
}

/* A set that nothing could be added to is none. */
static void drop_empty(struct share_list *l)
{
	while (l->n > 0 && l->sets[l->n - 1]->n == 0)
		coo_fileset_unref(l->sets[--l->n]);
}

static char *join(const char *dir, const char *name)
{
	size_t cap = strlen(dir) + strlen(name) + 2;
	char *path = xcalloc(cap, 1);

	snprintf(path, cap, "%s/%s", dir, name);
	return path;
}

/* Paths of all that may be shared, until they are sorted. */
struct paths {
	char **v;
	size_t n, cap;
	bool is_cut; /* there are more */
};

static void note_path(struct paths *p, char *path)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 64;
		p->v = xrealloc(p->v, p->cap, sizeof(*p->v));
	}
	p->v[p->n++] = path;
}

/* Hidden files are not shared. */
static void note_all(struct paths *p, const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	if (!d) {
		say_warn("cannot read %s: %s", dir, strerror(errno));
		return;
	}
	while (!p->is_cut && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		p->is_cut = p->n == NAMES_MAX;
		if (!p->is_cut)
			note_path(p, join(dir, e->d_name));
	}
	closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(last_of(*(char *const *)a), last_of(*(char *const *)b));
}

void share_list_all(struct share_list *l, char *const *dirs, size_t n_dirs)
{
	struct paths p = { NULL, 0, 0, false };

	for (size_t i = 0; i < n_dirs; i++)
		note_all(&p, dirs[i]);
	if (p.n)
		qsort(p.v, p.n, sizeof(*p.v), by_name);
	for (size_t i = 0; i < p.n; i++) {
		add_path(l, p.v[i]);
		free(p.v[i]);
	}
	free(p.v);
	l->is_cut = p.is_cut;
	drop_empty(l);
}

static bool is_shared_name(coo_span name)
{
	return name.n > 0 && name.n < COO_PATH_NAME_CAP && name.p[0] != '.' &&
	       coo_attach_name_ok(name);
}

void share_list_named(struct share_list *l, char *const *dirs, size_t n_dirs, coo_span name)
{
	char text[COO_PATH_NAME_CAP];

	if (!is_shared_name(name))
		return;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	for (size_t i = 0; i < n_dirs; i++) {
		char *path = join(dirs[i], text);

		add_path(l, path);
		free(path);
	}
	drop_empty(l);
}
