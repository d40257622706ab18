/* SPDX-License-Identifier: MIT */
#include "base/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/buf.h"
#include "proto/num.h"
#include "proto/utf8.h"

#define SIDECAR_CAP 1024
#define STEM_MAX 200 /* with ".<16 hex>.part.id" still below 255 */
#define MAGIC "coo-partial 1"

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* FNV-1a, NULs included, so that no two fields run into each other. */
static uint64_t identity(const coo_partial_id *id)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	h = mix(h, id->peer, strlen(id->peer) + 1);
	h = mix(h, id->name, strlen(id->name) + 1);
	h = mix(h, &id->size, sizeof(id->size));
	return mix(h, &id->mtime, sizeof(id->mtime));
}

static void make_names(const coo_partial_id *id, coo_partial *p)
{
	coo_span stem = coo_span_str(id->name);
	coo_buf b;

	coo_buf_init(&b, p->name, sizeof(p->name));
	coo_buf_put(&b, coo_span_head(stem, coo_utf8_truncate(stem, STEM_MAX)));
	coo_buf_put_byte(&b, '.');
	coo_buf_put_hex(&b, identity(id), 16);
	coo_buf_put(&b, coo_span_of(".part", 6));
	coo_buf_init(&b, p->sidecar, sizeof(p->sidecar));
	coo_buf_put_str(&b, p->name);
	coo_buf_put(&b, coo_span_of(".id", 4));
}

static void put_line(coo_buf *b, const char *key, const char *value)
{
	coo_buf_put_str(b, key);
	coo_buf_put_byte(b, ' ');
	coo_buf_put_str(b, value);
	coo_buf_put_byte(b, '\n');
}

static void put_number(coo_buf *b, const char *key, uint64_t value)
{
	coo_buf_put_str(b, key);
	coo_buf_put_byte(b, ' ');
	coo_buf_put_u64(b, value);
	coo_buf_put_byte(b, '\n');
}

static coo_err write_sidecar(int at, const coo_partial_id *id, const coo_partial *p)
{
	uint8_t text[SIDECAR_CAP];
	ssize_t n;
	coo_buf b;
	int fd;

	coo_buf_init(&b, text, sizeof(text));
	coo_buf_put_str(&b, MAGIC "\n");
	put_line(&b, "peer", id->peer);
	put_line(&b, "name", id->name);
	put_number(&b, "packet", id->packet);
	put_number(&b, "id", id->id);
	put_number(&b, "size", id->size);
	put_number(&b, "mtime", id->mtime);
	if (!coo_buf_ok(&b))
		return COO_EINVAL;
	coo_ignore(unlinkat(at, p->sidecar, 0) != 0);
	fd = openat(at, p->sidecar, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return COO_ESYS;
	n = write(fd, b.p, b.n);
	close(fd);
	if (n == (ssize_t)b.n)
		return COO_OK;
	if (n >= 0)
		errno = ENOSPC;
	return COO_ESYS;
}

/* The value behind "key " at the start of the next line. */
static bool take_line(coo_span *text, const char *key, coo_span *value)
{
	coo_span word;

	return coo_span_cut(text, '\n', value) && coo_span_cut(value, ' ', &word) &&
	       coo_span_eq_str(word, key);
}

static bool take_number(coo_span *text, const char *key, uint64_t *value)
{
	coo_span digits;

	return take_line(text, key, &digits) && coo_num_dec(digits, UINT64_MAX, value);
}

/* Whether the sidecar tells of the same file: packet and id change when it is offered anew, and
 * what was received of it is compared with what is sent, so those two may differ. */
static bool same_file(coo_span text, const coo_partial_id *id)
{
	coo_span magic, peer, name;
	uint64_t packet, file, size, mtime;

	return coo_span_cut(&text, '\n', &magic) && coo_span_eq_str(magic, MAGIC) &&
	       take_line(&text, "peer", &peer) && coo_span_eq_str(peer, id->peer) &&
	       take_line(&text, "name", &name) && coo_span_eq_str(name, id->name) &&
	       take_number(&text, "packet", &packet) && take_number(&text, "id", &file) &&
	       take_number(&text, "size", &size) && size == id->size &&
	       take_number(&text, "mtime", &mtime) && mtime == id->mtime;
}

static bool sidecar_matches(int at, const coo_partial_id *id, const coo_partial *p)
{
	uint8_t text[SIDECAR_CAP];
	ssize_t n;
	int fd;

	if (coo_path_reopen(at, p->sidecar, &fd) != COO_OK)
		return false;
	n = read(fd, text, sizeof(text));
	close(fd);
	return n > 0 && same_file(coo_span_of(text, (size_t)n), id);
}

static coo_err open_part(int at, coo_partial *p)
{
	coo_err e = coo_path_reopen(at, p->name, &p->fd);

	if (e != COO_ENOENT)
		return e;
	p->fd = openat(at, p->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return p->fd < 0 ? COO_ESYS : COO_OK;
}

static coo_err take_over(int at, const coo_partial_id *id, coo_partial *p)
{
	struct stat st;

	if (flock(p->fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? COO_EFULL : COO_ESYS;
	if (fstat(p->fd, &st) != 0)
		return COO_ESYS;
	if (st.st_size > 0 && (uint64_t)st.st_size <= id->size && sidecar_matches(at, id, p))
		p->have = (uint64_t)st.st_size;
	else if (st.st_size > 0 && ftruncate(p->fd, 0) != 0)
		return COO_ESYS;
	return write_sidecar(at, id, p);
}

coo_err coo_partial_open(int at, const coo_partial_id *id, coo_partial *out)
{
	int saved;
	coo_err e;

	memset(out, 0, sizeof(*out));
	make_names(id, out);
	e = open_part(at, out);
	if (e != COO_OK) {
		out->fd = -1;
		return e;
	}
	e = take_over(at, id, out);
	if (e == COO_EFULL) { /* another's */
		close(out->fd);
		out->fd = -1;
	} else if (e != COO_OK) {
		saved = errno;
		coo_partial_close(out, at); /* on a full disk nothing empty stays */
		errno = saved;
	}
	return e;
}

coo_err coo_partial_restart(coo_partial *p)
{
	p->have = 0;
	return ftruncate(p->fd, 0) == 0 && lseek(p->fd, 0, SEEK_SET) == 0 ? COO_OK : COO_ESYS;
}

coo_err coo_partial_publish(coo_partial *p, int at, const coo_partial_id *id,
			    char made[COO_PATH_NAME_CAP])
{
	coo_err e;

	coo_path_set_mtime(p->fd, id->mtime);
	e = coo_path_sync(p->fd);
	if (e == COO_OK)
		e = coo_path_publish(at, p->name, id->name, made);
	if (e != COO_OK)
		return e;
	coo_ignore(unlinkat(at, p->sidecar, 0) != 0);
	close(p->fd);
	p->fd = -1;
	return coo_path_sync(at);
}

void coo_partial_close(coo_partial *p, int at)
{
	struct stat st;

	if (p->fd < 0)
		return;
	if (fstat(p->fd, &st) == 0 && st.st_size == 0) {
		coo_ignore(unlinkat(at, p->name, 0) != 0);
		coo_ignore(unlinkat(at, p->sidecar, 0) != 0);
	}
	close(p->fd);
	p->fd = -1;
}
