/* SPDX-License-Identifier: MIT */
#include "feature/relay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/addr.h"
#include "proto/buf.h"

enum {
	MAX_MAILBOXES = 64,
	NAME_ROOM = 24, /* for a slash and the name of a mailbox */
	MAX_LETTER = 2048,
	MAX_PATH = sizeof(((struct sockaddr_un *)0)->sun_path)
};

struct coo_relay {
	int fd;
	char path[MAX_PATH];
	uv_poll_t poll;
	coo_relay_fn *fn;
	void *user;
};

/*
 * The places for mailboxes, best first: a program started by cron has no runtime directory, so a
 * sender there uses the second, and a listener looks into both.
 */
enum { PLACES = 2 };

static bool place(unsigned which, char dir[MAX_PATH])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	coo_buf b;

	coo_buf_init(&b, dir, MAX_PATH - NAME_ROOM);
	if (which == 0) {
		if (!runtime || *runtime != '/')
			return false;
		coo_buf_put_str(&b, runtime);
		coo_buf_put_str(&b, "/coo");
	} else {
		coo_buf_put_str(&b, "/tmp/coo-");
		coo_buf_put_u64(&b, getuid());
	}
	coo_buf_put_byte(&b, 0);
	return coo_buf_ok(&b);
}

/* In /tmp anybody could have made it: ours alone, and no link, or not at all. */
static bool is_safe(const char *dir)
{
	struct stat st;

	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == getuid() &&
	       (st.st_mode & 077) == 0;
}

/* The first place that is there, or can be made, and is safe. */
static bool own_place(char dir[MAX_PATH])
{
	for (unsigned i = 0; i < PLACES; i++) {
		if (place(i, dir) && (mkdir(dir, 0700) == 0 || errno == EEXIST) && is_safe(dir))
			return true;
	}
	return false;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void to_path(struct sockaddr_un *un, const char *path)
{
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, strlen(path));
}

/* A letter is the text of the address, a line feed, and the datagram. */
static void on_letter(uv_poll_t *poll, int status, int events)
{
	coo_relay *r = poll->data;
	char letter[MAX_LETTER], text[COO_ADDR_TEXT_CAP];
	ssize_t n = recv(r->fd, letter, sizeof(letter), 0);
	coo_span rest, line;
	coo_addr from;

	(void)status;
	(void)events;
	if (n <= 0)
		return;
	rest = coo_span_of(letter, (size_t)n);
	if (!coo_span_cut(&rest, '\n', &line) || line.n >= sizeof(text))
		return;
	memcpy(text, line.p, line.n);
	text[line.n] = '\0';
	if (coo_addr_parse(text, 0, &from) == COO_OK)
		r->fn(r->user, &from, rest);
}

static bool mailbox_path(char path[MAX_PATH], const char *dir, const char *name)
{
	coo_buf b;

	coo_buf_init(&b, path, MAX_PATH);
	coo_buf_put_str(&b, dir);
	coo_buf_put_byte(&b, '/');
	coo_buf_put_str(&b, name);
	coo_buf_put_byte(&b, 0);
	return coo_buf_ok(&b);
}

static const char *own_name(char name[NAME_ROOM])
{
	coo_buf b;

	coo_buf_init(&b, name, NAME_ROOM);
	coo_buf_put_str(&b, "send-");
	coo_buf_put_u64(&b, (uint64_t)getpid());
	coo_buf_put_byte(&b, 0);
	return name;
}

coo_err coo_relay_open(uv_loop_t *loop, coo_relay_fn *fn, void *user, coo_relay **out)
{
	char dir[MAX_PATH], name[NAME_ROOM];
	struct sockaddr_un un;
	coo_relay *r;

	if (!own_place(dir))
		return COO_ENOENT;
	r = calloc(1, sizeof(*r));
	if (!r)
		return COO_ENOMEM;
	r->fn = fn;
	r->user = user;
	if (!mailbox_path(r->path, dir, own_name(name))) {
		free(r);
		return COO_ENOENT;
	}
	to_path(&un, r->path);
	unlink(r->path); /* of a process that had this number before */
	r->fd = unix_socket();
	if (r->fd < 0 || bind(r->fd, (const struct sockaddr *)&un, sizeof(un)) != 0) {
		if (r->fd >= 0)
			close(r->fd);
		free(r);
		return COO_ESYS;
	}
	uv_poll_init(loop, &r->poll, r->fd);
	r->poll.data = r;
	uv_poll_start(&r->poll, UV_READABLE, on_letter);
	*out = r;
	return COO_OK;
}

static void on_closed(uv_handle_t *h)
{
	coo_relay *r = h->data;

	close(r->fd);
	free(r);
}

void coo_relay_close(coo_relay *r)
{
	if (!r)
		return;
	unlink(r->path);
	uv_close((uv_handle_t *)&r->poll, on_closed);
}

static void post(int fd, const char *path, const void *letter, size_t n)
{
	struct sockaddr_un un;

	to_path(&un, path);
	/* a mailbox that nobody reads any more belonged to a process that was killed */
	if (sendto(fd, letter, n, 0, (const struct sockaddr *)&un, sizeof(un)) < 0 &&
	    errno == ECONNREFUSED)
		unlink(path);
}

static void post_all(int fd, const char *dir, const void *letter, size_t n)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	char path[MAX_PATH];
	int posted = 0;

	while (d && posted < MAX_MAILBOXES && (e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "send-", 5) != 0 || !mailbox_path(path, dir, e->d_name))
			continue;
		post(fd, path, letter, n);
		posted++;
	}
	if (d)
		closedir(d);
}

void coo_relay_forward(const coo_addr *from, coo_span dgram)
{
	char dir[MAX_PATH], text[COO_ADDR_TEXT_CAP];
	uint8_t letter[MAX_LETTER];
	coo_buf b;
	int fd;

	coo_buf_init(&b, letter, sizeof(letter));
	coo_buf_put_str(&b, coo_addr_text(from, text));
	coo_buf_put_byte(&b, '\n');
	coo_buf_put(&b, dgram);
	fd = coo_buf_ok(&b) ? unix_socket() : -1;
	if (fd < 0)
		return;
	for (unsigned i = 0; i < PLACES; i++) {
		if (place(i, dir) && is_safe(dir))
			post_all(fd, dir, b.p, b.n);
	}
	close(fd);
}
