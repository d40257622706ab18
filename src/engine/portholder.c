/* SPDX-License-Identifier: MIT */
#include "engine/portholder.h"

#ifdef __linux__

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/num.h"

enum {
	INODES_MAX = 16,     /* sockets on one port: v4, v6 and SO_REUSEPORT */
	LINES_MAX = 1 << 18, /* of /proc/net/…; no machine has more sockets than ports times some */
	PROCESSES_MAX = 1 << 17,
	FDS_MAX = 1 << 16,
	TCP_LISTEN = 0x0a,
};

struct sockets {
	uint64_t inode[INODES_MAX];
	size_t n;
	uint32_t uid;
};

/* Fields are set apart by any number of blanks. */
static bool next_field(coo_span *line, coo_span *field)
{
	do {
		if (!coo_span_next(line, ' ', field))
			return false;
	} while (field->n == 0);
	return true;
}

/*
 * "  12: 0100007F:0979 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000  0 34567 …":
 * slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode.
 */
static void read_line(coo_span line, enum coo_port_kind kind, uint16_t port, struct sockets *found)
{
	coo_span f[10], address;
	uint64_t have, state, uid, inode;

	for (size_t i = 0; i < 10; i++) {
		if (!next_field(&line, &f[i]))
			return;
	}
	if (!coo_span_cut(&f[1], ':', &address) || !coo_num_hex(f[1], UINT16_MAX, &have) ||
	    !coo_num_hex(f[3], UINT8_MAX, &state) || !coo_num_dec(f[7], UINT32_MAX, &uid) ||
	    !coo_num_dec(f[9], UINT64_MAX, &inode))
		return;
	if (have != port || inode == 0 || (kind == COO_PORT_TCP && state != TCP_LISTEN))
		return;
	found->uid = (uint32_t)uid;
	if (found->n < INODES_MAX)
		found->inode[found->n++] = inode;
}

static void read_table(const char *path, enum coo_port_kind kind, uint16_t port,
		       struct sockets *found)
{
	FILE *f = fopen(path, "re");
	char line[512];

	for (unsigned i = 0; f && i < LINES_MAX && fgets(line, sizeof(line), f); i++)
		read_line(coo_span_str(line), kind, port, found);
	if (f)
		fclose(f);
}

/* The inode of "socket:[34567]". */
static bool socket_inode(coo_span link, uint64_t *inode)
{
	coo_span head = coo_span_str("socket:[");

	if (!coo_span_has_prefix(link, head) || link.p[link.n - 1] != ']')
		return false;
	link = coo_span_head(link, link.n - 1);
	return coo_num_dec(coo_span_skip(link, head.n), UINT64_MAX, inode);
}

static bool is_wanted(int fds, const char *name, const struct sockets *found)
{
	char link[64];
	uint64_t inode = 0;
	ssize_t n = readlinkat(fds, name, link, sizeof(link));

	if (n <= 0 || !socket_inode(coo_span_of(link, (size_t)n), &inode))
		return false;
	for (size_t i = 0; i < found->n; i++) {
		if (found->inode[i] == inode)
			return true;
	}
	return false;
}

/* Whether the process whose /proc directory is open as process holds one of the sockets. */
static bool holds(int process, const struct sockets *found)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	bool yes = false;

	for (unsigned i = 0; d && i < FDS_MAX && !yes && (e = readdir(d)) != NULL; i++)
		yes = is_wanted(fd, e->d_name, found);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return yes;
}

static void read_program(int process, char program[64])
{
	int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, program, 63) : 0;

	if (fd >= 0)
		close(fd);
	program[n > 0 ? n : 0] = '\0';
	program[strcspn(program, "\n")] = '\0';
}

static bool try_process(int proc, const char *name, const struct sockets *found,
			coo_portholder *out)
{
	uint64_t pid;
	bool yes;
	int process;

	if (!coo_num_dec(coo_span_str(name), UINT32_MAX, &pid))
		return false;
	process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process < 0)
		return false;
	yes = holds(process, found);
	if (yes) {
		out->pid = (uint32_t)pid;
		read_program(process, out->program);
	}
	close(process);
	return yes;
}

static void find_process(const struct sockets *found, coo_portholder *out)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	for (unsigned i = 0; d && i < PROCESSES_MAX && (e = readdir(d)) != NULL; i++) {
		if (try_process(dirfd(d), e->d_name, found, out))
			break;
	}
	if (d)
		closedir(d);
}

bool coo_portholder_find(enum coo_port_kind kind, uint16_t port, coo_portholder *out)
{
	bool tcp = kind == COO_PORT_TCP;
	struct sockets found;

	memset(&found, 0, sizeof(found));
	read_table(tcp ? "/proc/net/tcp" : "/proc/net/udp", kind, port, &found);
	read_table(tcp ? "/proc/net/tcp6" : "/proc/net/udp6", kind, port, &found);
	if (found.n == 0)
		return false;
	memset(out, 0, sizeof(*out));
	out->uid = found.uid;
	find_process(&found, out);
	return true;
}

#else

bool coo_portholder_find(enum coo_port_kind kind, uint16_t port, coo_portholder *out)
{
	(void)kind;
	(void)port;
	(void)out;
	return false;
}

#endif
