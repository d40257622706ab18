/* SPDX-License-Identifier: MIT */
#include "feature/dirwalk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/attach.h"
#include "proto/utf8.h"

static coo_err push(coo_dirwalk *w, int fd)
{
	struct stat st;
	DIR *d;

	if (fstat(fd, &st) != 0 || !(d = fdopendir(fd))) {
		close(fd);
		return COO_ESYS;
	}
	w->at[w->depth].dir = d;
	w->at[w->depth].dev = st.st_dev;
	w->at[w->depth].ino = st.st_ino;
	w->at[w->depth].mtime = st.st_mtime > 0 ? (uint64_t)st.st_mtime : 0;
	w->depth++;
	return COO_OK;
}

coo_err coo_dirwalk_open(coo_dirwalk *w, const char *path, bool follow_links)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow_links ? 0 : O_NOFOLLOW));

	memset(w, 0, sizeof(*w));
	w->follow_links = follow_links;
	return fd < 0 ? COO_ESYS : push(w, fd);
}

void coo_dirwalk_close(coo_dirwalk *w)
{
	while (w->depth > 0)
		closedir(w->at[--w->depth].dir);
}

static bool is_ancestor(const coo_dirwalk *w, const struct stat *st)
{
	for (unsigned i = 0; i < w->depth; i++) {
		if (w->at[i].dev == st->st_dev && w->at[i].ino == st->st_ino)
			return true;
	}
	return false;
}

static void skip(coo_dirwalk_entry *e, const char *why)
{
	e->what = COO_DIRWALK_SKIPPED;
	e->why = why;
}

static void open_dir(coo_dirwalk *w, int fd, const struct stat *st, coo_dirwalk_entry *e)
{
	const char *why = NULL;

	if (w->depth == COO_DIRSTREAM_DEPTH_MAX)
		why = "it lies too deep";
	else if (is_ancestor(w, st))
		why = "it leads back to a folder it is in";
	if (why) {
		close(fd);
		skip(e, why);
	} else if (push(w, fd) != COO_OK) {
		skip(e, "it cannot be read");
	} else {
		e->what = COO_DIRWALK_ENTER;
		e->mtime = w->at[w->depth - 1].mtime;
	}
}

static void open_entry(coo_dirwalk *w, coo_dirwalk_entry *e)
{
	int at = dirfd(w->at[w->depth - 1].dir);
	int fd = openat(at, e->name,
			O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
			    (w->follow_links ? 0 : O_NOFOLLOW));
	struct stat st;

	if (fd < 0) {
		skip(e, errno == ELOOP ? "it is a symbolic link" : "it cannot be read");
		return;
	}
	if (fstat(fd, &st) != 0) {
		close(fd);
		skip(e, "it cannot be read");
	} else if (S_ISDIR(st.st_mode)) {
		open_dir(w, fd, &st, e);
	} else if (!S_ISREG(st.st_mode)) {
		close(fd);
		skip(e, "it is neither file nor folder");
	} else {
		e->what = COO_DIRWALK_FILE;
		e->fd = fd;
		e->size = (uint64_t)st.st_size;
		e->mtime = st.st_mtime > 0 ? (uint64_t)st.st_mtime : 0;
		e->changed = st.st_mtim;
	}
}

static void leave(coo_dirwalk *w, coo_dirwalk_entry *e)
{
	e->what = COO_DIRWALK_LEAVE;
	e->mtime = w->at[--w->depth].mtime;
	closedir(w->at[w->depth].dir);
}

static bool is_passed_over(const coo_dirwalk *w, const char *name)
{
	return name[0] == '.' &&
	       (w->skip_hidden || strcmp(name, ".") == 0 || strcmp(name, "..") == 0);
}

void coo_dirwalk_next(coo_dirwalk *w, coo_dirwalk_entry *e)
{
	const struct dirent *d;
	coo_span name;

	memset(e, 0, sizeof(*e));
	e->fd = -1;
	if (w->depth == 0) {
		e->what = COO_DIRWALK_END;
		return;
	}
	do
		d = readdir(w->at[w->depth - 1].dir);
	while (d && is_passed_over(w, d->d_name));
	if (!d) {
		leave(w, e);
		return;
	}
	name = coo_span_head(coo_span_str(d->d_name), sizeof(e->name) - 1);
	memcpy(e->name, name.p, name.n);
	if (!coo_attach_name_ok(name) || !coo_utf8_valid(name))
		skip(e, "its name cannot be sent");
	else if (!w->follow_links && d->d_type == DT_LNK)
		skip(e, "it is a symbolic link");
	else if (d->d_type == DT_FIFO || d->d_type == DT_SOCK || d->d_type == DT_CHR ||
		 d->d_type == DT_BLK)
		skip(e, "it is neither file nor folder");
	else
		open_entry(w, e);
}
