/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/sendfile.h>
#endif

#include "feature/filesend_int.h"

/* A file of at most this size goes through the buffer with its record: one send for many files. */
#define SMALL_FILE (32u << 10)

static coo_err refuse(struct coo_sendbody *b, coo_err e, const char *why)
{
	b->why = why;
	return e;
}

static coo_err open_file(struct coo_sendbody *b, const coo_fileset *set, const coo_fileset_file *f,
			 uint64_t offset)
{
	struct stat st;

	b->fd = open(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
				  (set->follow_links ? 0 : O_NOFOLLOW));
	if (b->fd < 0 || fstat(b->fd, &st) != 0)
		return refuse(b, COO_ESYS, "the file cannot be opened any more");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != f->size)
		return refuse(b, COO_EUNSAFE, "the file has changed since it was offered");
	/* half of the old file and half of the new one would be neither */
	if (st.st_mtime > 0 && (uint64_t)st.st_mtime != f->mtime)
		return refuse(b, COO_EUNSAFE, "the file has changed since it was offered");
	if (offset > f->size)
		return refuse(b, COO_ERANGE, "asked to begin behind the end of the file");
	b->at = (off_t)offset;
	b->left = f->size - offset;
	b->size = f->size;
	b->changed = st.st_mtim;
	return COO_OK;
}

/* Whether somebody wrote into the open file since. */
static bool has_changed(const struct coo_sendbody *b)
{
	struct stat st;

	return fstat(b->fd, &st) != 0 || (uint64_t)st.st_size != b->size ||
	       st.st_mtim.tv_sec != b->changed.tv_sec || st.st_mtim.tv_nsec != b->changed.tv_nsec;
}

static coo_span wire_name(struct coo_sendbody *b, const char *name, uint8_t *mem, size_t cap)
{
	coo_buf out;

	if (b->utf8 || !b->names)
		return coo_span_str(name);
	coo_buf_init(&out, mem, cap);
	coo_ignore(coo_charset_encode(b->names, coo_span_str(name), &out, NULL) != COO_OK);
	return coo_buf_span(&out);
}

/* The rest of the buffer as a writer; what it took is added by commit. */
static coo_buf tail(struct coo_sendbody *b)
{
	coo_buf out;

	coo_buf_init(&out, b->buffer + b->have, COO_SEND_BUFFER - b->have);
	return out;
}

static coo_err put_dir(struct coo_sendbody *b, const char *name, uint64_t mtime)
{
	uint8_t mem[4 * COO_PATH_NAME_CAP];
	coo_buf out = tail(b);
	coo_err e = coo_dirstream_put_dir(&out, wire_name(b, name, mem, sizeof(mem)), mtime);

	b->have += out.n;
	return e;
}

static coo_err put_file(struct coo_sendbody *b, const char *name, uint64_t size, uint64_t mtime)
{
	uint8_t mem[4 * COO_PATH_NAME_CAP];
	coo_buf out = tail(b);
	coo_err e = coo_dirstream_put_file(&out, wire_name(b, name, mem, sizeof(mem)), size, mtime);

	b->have += out.n;
	return e;
}

static coo_err put_up(struct coo_sendbody *b, uint64_t mtime)
{
	coo_buf out = tail(b);
	coo_err e = coo_dirstream_put_up(&out, mtime);

	b->have += out.n;
	return e;
}

coo_err coo_sendbody_open(struct coo_sendbody *b, const coo_fileset *set, const coo_fileset_file *f,
			  enum coo_request_kind kind, uint64_t offset)
{
	coo_err e = COO_OK;

	b->fd = -1;
	b->is_dir = kind == COO_REQUEST_DIR;
	if (f->type == COO_FILE_DIR && !b->is_dir)
		return refuse(b, COO_EUNSAFE, "a folder cannot be fetched as a file");
	if (b->is_dir && !(b->buffer = malloc(COO_SEND_BUFFER)))
		return refuse(b, COO_ENOMEM, "out of memory");
	if (f->type == COO_FILE_REGULAR)
		e = open_file(b, set, f, offset);
	else if (coo_dirwalk_open(&b->walk, f->path, set->follow_links) != COO_OK)
		return refuse(b, COO_ESYS, "the folder cannot be opened any more");
	b->walk.skip_hidden = set->skip_hidden;
	if (e != COO_OK || !b->is_dir)
		return e;
	b->walking = f->type == COO_FILE_DIR;
	b->ended = !b->walking;
	/* Windows asks for single files with GETDIRFILES where encryption is possible: one record
	 */
	return b->walking ? put_dir(b, f->name, f->mtime) : put_file(b, f->name, f->size, f->mtime);
}

void coo_sendbody_close(struct coo_sendbody *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	if (b->walking)
		coo_dirwalk_close(&b->walk);
	b->walking = false;
	free(b->buffer);
	b->buffer = NULL;
}

/* Reads a small file whole behind its record. */
static coo_err read_small(struct coo_sendbody *b, int fd, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = read(fd, b->buffer + b->have + n, size - n);

		if (got <= 0)
			return refuse(b, COO_EFORMAT, "a file became shorter while it was sent");
		n += (size_t)got;
	}
	b->have += size;
	b->sent += size;
	return COO_OK;
}

static coo_err add_file(struct coo_sendbody *b, const coo_dirwalk_entry *entry)
{
	coo_err e = put_file(b, entry->name, entry->size, entry->mtime);

	b->files++;
	if (e == COO_OK && entry->size > SMALL_FILE) {
		b->fd = entry->fd;
		b->at = 0;
		b->left = b->size = entry->size;
		b->changed = entry->changed;
		memcpy(b->name, entry->name, sizeof(b->name));
		return COO_OK;
	}
	if (e == COO_OK)
		e = read_small(b, entry->fd, (size_t)entry->size);
	close(entry->fd);
	return e;
}

static coo_err add_entry(struct coo_sendbody *b)
{
	coo_dirwalk_entry entry;

	coo_dirwalk_next(&b->walk, &entry);
	switch (entry.what) {
	case COO_DIRWALK_ENTER:
		return put_dir(b, entry.name, entry.mtime);
	case COO_DIRWALK_FILE:
		return add_file(b, &entry);
	case COO_DIRWALK_LEAVE:
		return put_up(b, entry.mtime);
	case COO_DIRWALK_SKIPPED:
		if (b->skipped)
			b->skipped(b->user, entry.name, entry.why);
		return COO_OK;
	case COO_DIRWALK_END:
		b->ended = true;
		break;
	}
	return COO_OK;
}

/* Fills the buffer with records until it is nearly full or a large file has to go out by itself. */
static coo_err gather(struct coo_sendbody *b)
{
	coo_err e = COO_OK;

	b->have = b->done = 0;
	while (e == COO_OK && !b->ended && b->fd < 0 &&
	       b->have + COO_DIRSTREAM_HEADER_MAX + SMALL_FILE <= COO_SEND_BUFFER)
		e = add_entry(b);
	return e;
}

static coo_err push_buffer(struct coo_sendbody *b, int sock)
{
	int more = b->fd >= 0 ? MSG_MORE : 0;
	ssize_t n =
	    send(sock, b->buffer + b->done, b->have - b->done, MSG_NOSIGNAL | MSG_DONTWAIT | more);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? COO_EMORE : COO_ESYS;
	b->done += (size_t)n;
	return COO_OK;
}

#ifdef __linux__
static ssize_t move_bytes(int sock, int fd, off_t *at, size_t n)
{
	return sendfile(sock, fd, at, n);
}
#else
static ssize_t move_bytes(int sock, int fd, off_t *at, size_t n)
{
	uint8_t block[64 << 10];
	ssize_t got = pread(fd, block, n < sizeof(block) ? n : sizeof(block), *at), out;

	if (got <= 0)
		return got;
	out = send(sock, block, (size_t)got, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (out > 0)
		*at += out;
	return out;
}
#endif

static coo_err push_file(struct coo_sendbody *b, int sock, size_t max)
{
	size_t want = b->left < max ? (size_t)b->left : max;
	bool altered = want == b->left && has_changed(b);
	ssize_t n;

	/* without its last bytes nobody takes it for a whole one; a folder would be lost with it */
	if (altered && !b->walking)
		return refuse(b, COO_EFORMAT, "the file changed while it was sent");
	n = want ? move_bytes(sock, b->fd, &b->at, want) : 0;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? COO_EMORE : COO_ESYS;
	if (n == 0 && want > 0)
		return refuse(b, COO_EFORMAT, "the file became shorter while it was sent");
	b->left -= (uint64_t)n;
	b->sent += (uint64_t)n;
	if (b->left == 0) {
		if (altered && b->altered)
			b->altered(b->user, b->name);
		close(b->fd);
		b->fd = -1;
		b->ended = b->ended || !b->walking;
	}
	return COO_OK;
}

coo_err coo_sendbody_step(struct coo_sendbody *b, int sock, size_t max)
{
	coo_err e = COO_OK;
	uint64_t until = b->sent + max;

	/* a slice ends with the socket full or with max bytes out; records count little */
	for (unsigned turns = 0; e == COO_OK && b->sent < until && turns < 16; turns++) {
		if (b->done < b->have)
			e = push_buffer(b, sock);
		else if (b->fd >= 0)
			e = push_file(b, sock, (size_t)(until - b->sent));
		else if (!b->ended && b->is_dir)
			e = gather(b);
		else
			return COO_ENOENT;
	}
	return e == COO_EMORE ? COO_OK : e;
}
