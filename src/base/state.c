/* SPDX-License-Identifier: MIT */
#include "base/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/state_impl.h"
#include "proto/buf.h"

/* Joins two parts and ends the text; false where it does not fit or the first part is missing. */
static bool join(const char *first, const char *second, char *out, size_t cap)
{
	coo_buf b;

	if (!first || first[0] == '\0')
		return false;
	coo_buf_init(&b, out, cap);
	coo_buf_put_str(&b, first);
	coo_buf_put_str(&b, second);
	coo_buf_put_byte(&b, 0);
	return coo_buf_ok(&b);
}

coo_err coo_state_dir(char dir[COO_STATE_DIR_CAP])
{
	const char *own = getenv("COO_STATE_DIR"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (own && own[0] != '\0')
		return join(own, "", dir, COO_STATE_DIR_CAP) ? COO_OK : COO_ENOENT;
	if (xdg && xdg[0] == '/' && join(xdg, "/coo", dir, COO_STATE_DIR_CAP))
		return COO_OK;
	if (home && home[0] == '/' && join(home, "/.local/state/coo", dir, COO_STATE_DIR_CAP))
		return COO_OK;
	return COO_ENOENT;
}

/* Makes the directory and what is missing above it. */
static bool make_directories(char *dir)
{
	for (char *at = dir + 1; *at; at++) {
		bool ok;

		if (*at != '/')
			continue;
		*at = '\0';
		ok = mkdir(dir, 0700) == 0 || errno == EEXIST || errno == EROFS || errno == EACCES;
		*at = '/';
		if (!ok)
			return false;
	}
	return mkdir(dir, 0700) == 0 || errno == EEXIST;
}

coo_err coo_state_open_dir(bool make, int *fd)
{
	char dir[COO_STATE_DIR_CAP];
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	coo_err err = coo_state_dir(dir);

	if (err) {
		errno = ENOENT;
		return err;
	}
	*fd = open(dir, flags);
	if (*fd < 0 && errno == ENOENT && make && make_directories(dir))
		*fd = open(dir, flags);
	if (*fd >= 0)
		return COO_OK;
	return errno == ENOENT && !make ? COO_ENOENT : COO_ESYS;
}

static bool is_safe(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= COO_STATE_NAME_MAX && name[0] != '.' && !strchr(name, '/');
}

coo_err coo_state_read_fd(int fd, void *mem, size_t cap, size_t *n)
{
	uint8_t *at = mem, extra;
	size_t have = 0;

	for (;;) {
		bool full = have == cap;
		ssize_t got = read(fd, full ? &extra : at + have, full ? 1 : cap - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return COO_ESYS;
		if (got == 0)
			break;
		if (full)
			return COO_ELIMIT;
		have += (size_t)got;
	}
	*n = have;
	return COO_OK;
}

coo_err coo_state_read(const char *name, void *mem, size_t cap, size_t *n)
{
	int dir, fd, saved;
	coo_err err;

	if (!is_safe(name))
		return COO_EUNSAFE;
	err = coo_state_open_dir(false, &dir);
	if (err)
		return err;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	saved = errno;
	close(dir);
	errno = saved;
	if (fd < 0)
		return errno == ENOENT ? COO_ENOENT : COO_ESYS;
	err = coo_state_read_fd(fd, mem, cap, n);
	saved = errno;
	close(fd);
	errno = saved;
	return err;
}

bool coo_state_write_fd(int fd, coo_span bytes)
{
	while (bytes.n > 0) {
		ssize_t put = write(fd, bytes.p, bytes.n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		bytes = coo_span_skip(bytes, (size_t)put);
	}
	return true;
}

/* ".name.0123456789abcdef": no reader takes a name that begins with a dot. */
static void temporary_name(const char *name, char out[COO_STATE_NAME_MAX + 20])
{
	coo_buf b;

	coo_buf_init(&b, out, COO_STATE_NAME_MAX + 20);
	coo_buf_put_byte(&b, '.');
	coo_buf_put_str(&b, name);
	coo_buf_put_byte(&b, '.');
	coo_buf_put_hex(&b, coo_rng_u64(), 16);
	coo_buf_put_byte(&b, 0);
}

static coo_err write_in(int dir, const char *name, coo_span bytes)
{
	char temporary[COO_STATE_NAME_MAX + 20];
	bool ok;
	int fd, saved;

	temporary_name(name, temporary);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return COO_ESYS;
	ok = coo_state_write_fd(fd, bytes) && fsync(fd) == 0;
	saved = errno;
	if (close(fd) != 0 && ok) {
		saved = errno;
		ok = false;
	}
	if (ok && renameat(dir, temporary, dir, name) == 0) {
		(void)fsync(dir); /* not every file system can, and the data is safe by now */
		return COO_OK;
	}
	if (ok)
		saved = errno;
	(void)unlinkat(dir, temporary, 0);
	errno = saved;
	return COO_ESYS;
}

coo_err coo_state_write(const char *name, coo_span bytes)
{
	int dir, saved;
	coo_err err;

	if (!is_safe(name))
		return COO_EUNSAFE;
	err = coo_state_open_dir(true, &dir);
	if (err)
		return err;
	err = write_in(dir, name, bytes);
	saved = errno;
	close(dir);
	errno = saved;
	return err;
}
