/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proto/buf.h"
#include "proto/utf8.h"

#define NAME_MAX_BYTES (COO_PATH_NAME_CAP - 1)
#define RECEIVED_MAX 765 /* Windows: 255 characters of 3 bytes */
#define EXTENSION_MAX 16
#define TRIES 9999

static coo_span last_component(coo_span s)
{
	size_t at = s.n;

	while (at > 0 && s.p[at - 1] != '/' && s.p[at - 1] != '\\')
		at--;
	return coo_span_skip(s, at);
}

/* C0, DEL and C1: a name must not move a cursor nor end a line. */
static bool has_control(coo_span s)
{
	uint32_t cp;
	size_t n;

	while ((n = coo_utf8_next(s, &cp)) > 0) {
		if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f))
			return true;
		s = coo_span_skip(s, n);
	}
	return false;
}

/* CON, PRN, AUX, NUL, COM1–9, LPT1–9, with or without an extension and blanks before it. */
static bool is_reserved(coo_span name)
{
	static const char *const devices[] = { "CON", "PRN", "AUX", "NUL" };
	coo_span stem = coo_span_trim_end(coo_span_head(name, coo_span_find(name, '.')), ' ');

	for (size_t i = 0; i < COO_ARRAY_LEN(devices); i++) {
		if (coo_span_eq_nocase(stem, coo_span_str(devices[i])))
			return true;
	}
	return stem.n == 4 && stem.p[3] >= '1' && stem.p[3] <= '9' &&
	       (coo_span_eq_nocase(coo_span_head(stem, 3), coo_span_str("COM")) ||
		coo_span_eq_nocase(coo_span_head(stem, 3), coo_span_str("LPT")));
}

/* Where the extension begins, its dot included; the end where there is none worth keeping. */
static size_t extension_at(coo_span name)
{
	size_t at = name.n;

	while (at > 0 && name.p[at - 1] != '.')
		at--;
	return at > 1 && name.n - (at - 1) <= EXTENSION_MAX ? at - 1 : name.n;
}

/* Writes stem + middle + extension, the stem cut so that all fits. */
static void compose(coo_span name, const char *middle, char out[COO_PATH_NAME_CAP])
{
	size_t dot = extension_at(name);
	coo_span stem = coo_span_head(name, dot), extension = coo_span_skip(name, dot);
	size_t room = NAME_MAX_BYTES - extension.n - strlen(middle);
	coo_buf b;

	coo_buf_init(&b, out, NAME_MAX_BYTES);
	coo_buf_put(&b, coo_span_head(stem, coo_utf8_truncate(stem, room)));
	coo_buf_put_str(&b, middle);
	coo_buf_put(&b, extension);
	out[b.n] = '\0';
}

coo_err coo_path_accept(coo_span name, enum coo_path_kind kind, char out[COO_PATH_NAME_CAP])
{
	coo_span base = last_component(name);

	if (!coo_utf8_valid(name))
		return COO_ECHARSET;
	if (kind == COO_PATH_MEMBER && base.n != name.n)
		return COO_EUNSAFE;
	if (base.n == 0 || base.n > RECEIVED_MAX || has_control(base) || is_reserved(base))
		return COO_EUNSAFE;
	/* "." and ".." end in a dot as well */
	if (base.p[base.n - 1] == '.' || base.p[base.n - 1] == ' ')
		return COO_EUNSAFE;
	compose(base, "", out);
	return COO_OK;
}

void coo_path_numbered(const char *name, unsigned n, char out[COO_PATH_NAME_CAP])
{
	uint8_t mem[24];
	coo_buf middle;

	coo_buf_init(&middle, mem, sizeof(mem));
	if (n >= 2) {
		coo_buf_put_str(&middle, " (");
		coo_buf_put_u64(&middle, n);
		coo_buf_put_byte(&middle, ')');
	}
	coo_buf_put_byte(&middle, '\0');
	compose(coo_span_str(name), (const char *)mem, out);
}

coo_err coo_path_open_root(const char *path, int *fd)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? COO_ESYS : COO_OK;
}

static coo_err try_dir(int at, const char *name, int *fd)
{
	if (mkdirat(at, name, 0755) != 0)
		return COO_ESYS;
	*fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 ? COO_ESYS : COO_OK;
}

static coo_err try_file(int at, const char *name, int *fd)
{
	*fd = openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return *fd < 0 ? COO_ESYS : COO_OK;
}

static bool is_taken(int at, const char *name, unsigned n)
{
	char numbered[COO_PATH_NAME_CAP];
	struct stat st;

	coo_path_numbered(name, n, numbered);
	return fstatat(at, numbered, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * The next number to try when n is taken. Numbers are given in turn, so the first free one is
 * looked for by halves: a peer that sends one name ten thousand times must not cost fifty million
 * system calls.
 */
static unsigned next_number(int at, const char *name, unsigned n)
{
	unsigned taken = n, free_from = 2 * n;

	while (free_from <= TRIES && is_taken(at, name, free_from)) {
		taken = free_from;
		free_from *= 2;
	}
	while (free_from - taken > 1) {
		unsigned middle = taken + (free_from - taken) / 2;

		if (middle <= TRIES && is_taken(at, name, middle))
			taken = middle;
		else
			free_from = middle;
	}
	return free_from;
}

static coo_err make_unique(int at, const char *name, char made[COO_PATH_NAME_CAP], int *fd,
			   coo_err (*attempt)(int at, const char *name, int *fd))
{
	for (unsigned n = 1; n <= TRIES; n = next_number(at, name, n)) {
		coo_path_numbered(name, n, made);
		if (attempt(at, made, fd) == COO_OK)
			return COO_OK;
		if (errno != EEXIST)
			return COO_ESYS;
	}
	return COO_EFULL;
}

coo_err coo_path_make_dir(int at, const char *name, char made[COO_PATH_NAME_CAP], int *fd)
{
	return make_unique(at, name, made, fd, try_dir);
}

coo_err coo_path_make_file(int at, const char *name, char made[COO_PATH_NAME_CAP], int *fd)
{
	return make_unique(at, name, made, fd, try_file);
}

coo_err coo_path_reopen(int at, const char *name, int *fd)
{
	struct stat st;
	int f = openat(at, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (f < 0)
		return errno == ENOENT ? COO_ENOENT : errno == ELOOP ? COO_EUNSAFE : COO_ESYS;
	if (fstat(f, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    st.st_uid != geteuid()) {
		close(f);
		return COO_EUNSAFE;
	}
	*fd = f;
	return COO_OK;
}

/* For file systems and systems without RENAME_NOREPLACE: a second name, then without the first; a
 * directory, or a file where links are unknown, only after looking. */
static int rename_new_portable(int at, const char *from, const char *to)
{
	struct stat st;

	if (linkat(at, from, at, to, 0) == 0)
		return unlinkat(at, from, 0);
	if (errno == EEXIST)
		return -1;
	if (fstatat(at, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(at, from, at, to);
}

static int rename_new(int at, const char *from, const char *to)
{
#ifdef RENAME_NOREPLACE
	if (renameat2(at, from, at, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
#endif
	return rename_new_portable(at, from, to);
}

coo_err coo_path_publish(int at, const char *temp, const char *name, char made[COO_PATH_NAME_CAP])
{
	for (unsigned n = 1; n <= TRIES; n = next_number(at, name, n)) {
		coo_path_numbered(name, n, made);
		if (rename_new(at, temp, made) == 0)
			return COO_OK;
		if (errno != EEXIST && errno != ENOTEMPTY)
			return COO_ESYS;
	}
	return COO_EFULL;
}

coo_err coo_path_sync(int fd)
{
	if (fsync(fd) == 0 || errno == EINVAL || errno == ENOSYS || errno == ENOTSUP)
		return COO_OK;
	return COO_ESYS;
}

void coo_path_set_mtime(int fd, uint64_t mtime)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { .tv_sec = (time_t)mtime, .tv_nsec = 0 } };

	if (mtime > 0)
		coo_ignore(futimens(fd, times) != 0);
}

uint64_t coo_path_free_bytes(int fd)
{
	struct statvfs v;

	if (fstatvfs(fd, &v) != 0)
		return UINT64_MAX;
	return (uint64_t)v.f_bavail * (v.f_frsize ? v.f_frsize : v.f_bsize);
}
