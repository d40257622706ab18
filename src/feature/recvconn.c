/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "feature/filerecv_int.h"
#include "proto/packet.h"
#include "proto/request.h"

#define REQUEST_CAP 1024

coo_err coo_recv_check(const coo_fetch_opts *o, uint64_t have, coo_fetch_result *r)
{
	const coo_fetch_limits *l = &o->limits;
	uint64_t size = o->id.size, free_bytes = coo_path_free_bytes(o->dir);

	if (o->type == COO_FILE_DIR || size == COO_FILE_SIZE_UNKNOWN)
		size = have = 0;
	if (l->max_file && size > l->max_file) {
		r->why = "the file is larger than allowed";
		return COO_ELIMIT;
	}
	if (free_bytes < l->min_free || free_bytes - l->min_free < size - have) {
		r->why = "the file system has too little room";
		r->no_room = have > 0;
		return COO_ELIMIT;
	}
	return COO_OK;
}

int coo_recv_connect(const coo_fetch_opts *o)
{
	struct sockaddr_storage ss;
	coo_addr local = o->local;
	socklen_t n;
	int saved, fd = socket(o->peer.family == 6 ? AF_INET6 : AF_INET,
			       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* official clients serve only the address that the offer went to */
	local.port = 0;
	n = coo_addr_to_sockaddr(&local, &ss);
	if (local.family && bind(fd, (struct sockaddr *)&ss, n) != 0)
		goto fail;
	n = coo_addr_to_sockaddr(&o->peer, &ss);
	if (connect(fd, (struct sockaddr *)&ss, n) == 0 || errno == EINPROGRESS)
		return fd;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

coo_err coo_recv_request(int fd, const coo_fetch_opts *o, uint64_t offset, bool again)
{
	enum coo_request_kind kind = o->type == COO_FILE_DIR ? COO_REQUEST_DIR : COO_REQUEST_FILE;
	uint8_t mem[REQUEST_CAP], ext[96];
	coo_packet p;
	coo_buf b;

	memset(&p, 0, sizeof(p));
	coo_buf_init(&b, ext, sizeof(ext));
	coo_request_put(&b, kind, o->id.packet, o->id.id, offset);
	coo_buf_put_byte(&b, '\0');
	p.ext = coo_buf_span(&b);
	p.version = o->my_version;
	p.user = o->my_user;
	p.host = o->my_host;
	p.packet_no = o->packet_no + (again ? 1 : 0);
	p.command = (kind == COO_REQUEST_DIR ? COO_CMD_GETDIRFILES : COO_CMD_GETFILEDATA) |
		    (o->utf8 ? (uint32_t)COO_OPT_FILE_UTF8 : 0);
	coo_buf_init(&b, mem, sizeof(mem));
	if (coo_packet_encode(&b, &p) != COO_OK)
		return COO_EINVAL;
	if (send(fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)b.n)
		return COO_OK;
	return COO_ESYS;
}
