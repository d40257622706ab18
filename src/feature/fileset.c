/* SPDX-License-Identifier: MIT */
#include "feature/fileset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/utf8.h"

coo_fileset *coo_fileset_new(bool follow_links)
{
	coo_fileset *set = calloc(1, sizeof(*set));

	if (set) {
		set->refs = 1;
		set->follow_links = follow_links;
	}
	return set;
}

void coo_fileset_ref(coo_fileset *set)
{
	set->refs++;
}

void coo_fileset_unref(coo_fileset *set)
{
	if (!set || --set->refs > 0)
		return;
	for (size_t i = 0; i < set->n; i++)
		free(set->v[i].path);
	free(set->v);
	free(set);
}

/* The last component of a path without slashes at its end; empty for "/". */
static coo_span last_component(const char *path)
{
	coo_span s = coo_span_trim_end(coo_span_str(path), '/');
	size_t at = s.n;

	while (at > 0 && s.p[at - 1] != '/')
		at--;
	return coo_span_skip(s, at);
}

static coo_err set_name(coo_fileset_file *f, const char *path)
{
	coo_span name = last_component(path);

	if (!coo_attach_name_ok(name) || !coo_utf8_valid(name) || name.n >= sizeof(f->name))
		return COO_EFORMAT;
	memcpy(f->name, name.p, name.n);
	f->name[name.n] = '\0';
	return COO_OK;
}

/* "." and "a/.." say nothing about the name of a folder: those are resolved first. */
static coo_err find_name(coo_fileset_file *f, const char *path)
{
	coo_span name = last_component(path);
	char *real;
	coo_err e;

	if (!coo_span_eq_str(name, ".") && !coo_span_eq_str(name, ".."))
		return set_name(f, path);
	real = realpath(path, NULL);
	if (!real)
		return COO_ESYS;
	e = set_name(f, real);
	free(real);
	return e;
}

static coo_err grow(coo_fileset *set)
{
	size_t cap = set->cap ? set->cap * 2 : 4;
	void *v;

	if (set->n == COO_FILESET_MAX)
		return COO_EFULL;
	if (set->n < set->cap)
		return COO_OK;
	v = realloc(set->v, cap * sizeof(*set->v));
	if (!v)
		return COO_ENOMEM;
	set->v = v;
	set->cap = cap;
	return COO_OK;
}

coo_err coo_fileset_add(coo_fileset *set, const char *path)
{
	coo_fileset_file *f;
	struct stat st;
	coo_err e = grow(set);

	if (e != COO_OK)
		return e;
	f = &set->v[set->n];
	if ((set->follow_links ? stat : lstat)(path, &st) != 0)
		return COO_ESYS;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return COO_EUNSAFE;
	memset(f, 0, sizeof(*f));
	e = find_name(f, path);
	if (e != COO_OK)
		return e;
	f->path = strdup(path);
	if (!f->path)
		return COO_ENOMEM;
	f->id = set->n;
	f->type = S_ISDIR(st.st_mode) ? COO_FILE_DIR : COO_FILE_REGULAR;
	f->size = S_ISDIR(st.st_mode) ? 0 : (uint64_t)st.st_size;
	f->mtime = st.st_mtime > 0 ? (uint64_t)st.st_mtime : 0;
	set->n++;
	return COO_OK;
}

const coo_fileset_file *coo_fileset_find(const coo_fileset *set, uint64_t id)
{
	return id < set->n ? &set->v[id] : NULL;
}

static void replace_colons(coo_buf *name)
{
	for (size_t i = 0; i < name->n; i++) {
		if (name->p[i] == ':')
			name->p[i] = ';';
	}
}

coo_err coo_fileset_put(const coo_fileset *set, const coo_text_plan *plan, coo_buf *out,
			size_t *lost)
{
	for (size_t i = 0; i < set->n; i++) {
		const coo_fileset_file *f = &set->v[i];
		uint8_t mem[4 * COO_PATH_NAME_CAP];
		coo_attach a;
		coo_buf name;
		coo_err e;

		memset(&a, 0, sizeof(a));
		a.id = f->id;
		a.size = f->size;
		a.mtime = f->mtime;
		a.attr = f->type;
		coo_buf_init(&name, mem, sizeof(mem));
		e = coo_charset_encode(plan->cs, coo_span_str(f->name), &name, lost);
		if (e != COO_OK)
			return e;
		if (plan->client == COO_CLIENT_IPTUX)
			replace_colons(&name);
		a.name = coo_buf_span(&name);
		e = coo_attach_put(out, &a);
		if (e != COO_OK)
			return e;
	}
	return COO_OK;
}
