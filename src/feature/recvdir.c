/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "feature/filerecv_int.h"
#include "proto/utf8.h"

#define DEFAULT_ENTRIES 100000

void coo_recvdir_init(struct coo_recvdir *r, int dir, const char *name,
		      const coo_fetch_limits *limits, coo_charset *names, bool names_first)
{
	memset(r, 0, sizeof(*r));
	r->dir = dir;
	r->limits = limits;
	r->names = names;
	r->names_first = names_first;
	r->fd = r->root = -1;
	memcpy(r->name, name, strlen(name) + 1);
	coo_dirstream_init(&r->stream);
}

static coo_err refuse(struct coo_recvdir *r, coo_err e, const char *why)
{
	r->why = why;
	return e;
}

/* The name as it came, safe to show. */
static coo_err refuse_name(struct coo_recvdir *r, coo_span name)
{
	coo_buf b;

	coo_buf_init(&b, r->why_text, sizeof(r->why_text) - 1);
	coo_buf_put_str(&b, "a name in the folder is not safe: ");
	coo_utf8_escape(&b, coo_span_head(name, 60), COO_UTF8_ONE_LINE);
	r->why_text[b.n] = '\0';
	return refuse(r, COO_EUNSAFE, r->why_text);
}

static coo_err accept_name(struct coo_recvdir *r, coo_span wire, char out[COO_PATH_NAME_CAP])
{
	uint8_t mem[COO_DIRSTREAM_HEADER_MAX * 4];
	bool is_utf8 = coo_utf8_valid(wire);
	size_t bad = 0;
	coo_buf utf8;

	coo_buf_init(&utf8, mem, sizeof(mem));
	if (r->names && (!is_utf8 || r->names_first) &&
	    coo_charset_decode(r->names, wire, &utf8, &bad) == COO_OK && !(is_utf8 && bad > 0))
		wire = coo_buf_span(&utf8);
	if (coo_path_accept(wire, COO_PATH_MEMBER, out) != COO_OK)
		return refuse_name(r, wire);
	return COO_OK;
}

static coo_err count_entry(struct coo_recvdir *r)
{
	uint64_t max = r->limits->max_entries ? r->limits->max_entries : DEFAULT_ENTRIES;

	if (r->entries >= max)
		return refuse(r, COO_ELIMIT, "the folder has too many entries");
	r->entries++;
	return COO_OK;
}

/* "photos.part", so that nobody takes half a folder for a whole one. */
static coo_err make_root(struct coo_recvdir *r, int *fd)
{
	char wanted[COO_PATH_NAME_CAP];
	coo_span stem = coo_span_str(r->name);
	coo_err e;
	coo_buf b;

	coo_buf_init(&b, wanted, sizeof(wanted));
	coo_buf_put(&b, coo_span_head(stem, coo_utf8_truncate(stem, 240)));
	coo_buf_put(&b, coo_span_of(".part", 6));
	e = coo_path_make_dir(r->dir, wanted, r->temp, fd);
	if (e == COO_OK && (r->root = dup(*fd)) < 0)
		e = COO_ESYS;
	return e;
}

static coo_err enter(struct coo_recvdir *r, const coo_dirstream_event *ev)
{
	char name[COO_PATH_NAME_CAP], made[COO_PATH_NAME_CAP];
	int fd = -1;
	coo_err e = accept_name(r, ev->name, name);

	if (e == COO_OK)
		e = count_entry(r);
	if (e != COO_OK)
		return e;
	/* the folder itself has the name of the offer, whatever the stream calls it */
	if (r->depth == 0)
		e = make_root(r, &fd);
	else
		e = coo_path_make_dir(r->at[r->depth - 1].fd, name, made, &fd);
	if (e != COO_OK)
		return refuse(r, e, "a folder cannot be made");
	r->at[r->depth].fd = fd;
	r->at[r->depth].mtime = ev->mtime;
	if (r->depth == 0)
		r->root_mtime = ev->mtime;
	r->depth++;
	r->folders++;
	return COO_OK;
}

static void leave(struct coo_recvdir *r)
{
	r->depth--;
	coo_path_set_mtime(r->at[r->depth].fd, r->at[r->depth].mtime);
	close(r->at[r->depth].fd);
}

static coo_err begin_file(struct coo_recvdir *r, const coo_dirstream_event *ev)
{
	char name[COO_PATH_NAME_CAP], made[COO_PATH_NAME_CAP];
	const coo_fetch_limits *l = r->limits;
	coo_err e;

	if (r->depth == 0)
		return refuse(r, COO_EFORMAT, "the peer sent a file where a folder was offered");
	e = accept_name(r, ev->name, name);
	if (e == COO_OK)
		e = count_entry(r);
	if (e != COO_OK)
		return e;
	if (l->max_file && ev->size > l->max_file)
		return refuse(r, COO_ELIMIT, "a file in the folder is larger than allowed");
	if (l->max_total && (r->bytes > l->max_total || ev->size > l->max_total - r->bytes))
		return refuse(r, COO_ELIMIT, "the folder is larger than allowed");
	e = coo_path_make_file(r->at[r->depth - 1].fd, name, made, &r->fd);
	if (e != COO_OK)
		return refuse(r, e, "a file cannot be made");
	r->mtime = ev->mtime;
	r->files++;
	return COO_OK;
}

static coo_err write_all(struct coo_recvdir *r, coo_span in)
{
	while (in.n > 0) {
		ssize_t n = write(r->fd, in.p, in.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return refuse(r, COO_ESYS, "a file cannot be written");
		r->bytes += (uint64_t)n;
		in = coo_span_skip(in, (size_t)n);
	}
	return COO_OK;
}

static void end_file(struct coo_recvdir *r)
{
	coo_path_set_mtime(r->fd, r->mtime);
	close(r->fd);
	r->fd = -1;
}

static coo_err take(struct coo_recvdir *r, const coo_dirstream_event *ev)
{
	switch (ev->what) {
	case COO_DIRSTREAM_DIR:
		return enter(r, ev);
	case COO_DIRSTREAM_FILE:
		return begin_file(r, ev);
	case COO_DIRSTREAM_DATA:
		return write_all(r, ev->data);
	case COO_DIRSTREAM_FILE_END:
		end_file(r);
		return COO_OK;
	case COO_DIRSTREAM_UP:
		leave(r);
		return COO_OK;
	case COO_DIRSTREAM_OTHER:
		return count_entry(r);
	case COO_DIRSTREAM_END:
		while (r->depth > 0)
			leave(r);
		return COO_OK;
	}
	return COO_EINVAL;
}

coo_err coo_recvdir_feed(struct coo_recvdir *r, coo_span in)
{
	coo_dirstream_event ev;
	coo_err e;

	for (;;) {
		e = coo_dirstream_next(&r->stream, &in, &ev);
		if (e == COO_EMORE)
			return e;
		if (e == COO_ELIMIT)
			return refuse(r, e, "the folder is deeper than 64 levels");
		if (e != COO_OK)
			return refuse(r, COO_EFORMAT, "the peer sent a broken folder stream");
		e = take(r, &ev);
		if (e != COO_OK || ev.what == COO_DIRSTREAM_END)
			return e;
	}
}

coo_err coo_recvdir_publish(struct coo_recvdir *r, char made[COO_PATH_NAME_CAP])
{
	coo_err e = COO_OK;

	coo_path_set_mtime(r->root, r->root_mtime);
#ifdef __linux__
	if (syncfs(r->root) != 0)
		e = COO_ESYS;
#else
	sync();
#endif
	if (e == COO_OK)
		e = coo_path_publish(r->dir, r->temp, r->name, made);
	if (e == COO_OK)
		r->temp[0] = '\0';
	return e == COO_OK ? coo_path_sync(r->dir) : e;
}

void coo_recvdir_close(struct coo_recvdir *r)
{
	if (r->fd >= 0)
		close(r->fd);
	while (r->depth > 0)
		close(r->at[--r->depth].fd);
	if (r->root >= 0)
		close(r->root);
	r->fd = r->root = -1;
	/* nothing came, or what came is published: then there is none of that name */
	if (r->temp[0])
		coo_ignore(unlinkat(r->dir, r->temp, AT_REMOVEDIR));
}
