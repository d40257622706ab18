/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feature/filerecv_int.h"

coo_err coo_recvfile_open(struct coo_recvfile *r, int dir, const coo_partial_id *id)
{
	coo_err e = coo_partial_open(dir, id, &r->part);

	r->size = id->size;
	r->hashed = 0;
	r->hash_fd = -1;
	coo_sha256_init(&r->hash);
	if (e != COO_OK)
		return e;
	r->hash_fd = fcntl(r->part.fd, F_DUPFD_CLOEXEC, 0);
	if (r->hash_fd < 0)
		return COO_ESYS;
	/* without a size nothing tells a part from the whole */
	if (id->size == COO_FILE_SIZE_UNKNOWN && r->part.have > 0)
		e = coo_partial_restart(&r->part);
	r->begin = r->part.have > COO_RECV_RECHECK ? r->part.have - COO_RECV_RECHECK : 0;
	r->pos = r->begin;
	return e;
}

coo_err coo_recvfile_restart(struct coo_recvfile *r)
{
	r->begin = r->pos = r->hashed = 0;
	r->differs = false;
	coo_sha256_init(&r->hash);
	return coo_partial_restart(&r->part);
}

/* Compares in with what the part holds at pos. */
static coo_err compare(struct coo_recvfile *r, coo_span in)
{
	uint8_t kept[4096];

	while (in.n > 0) {
		size_t n = in.n < sizeof(kept) ? in.n : sizeof(kept);
		ssize_t got = pread(r->part.fd, kept, n, (off_t)r->pos);

		if (got < 0)
			return COO_ESYS;
		if (got == 0 || memcmp(kept, in.p, (size_t)got) != 0) {
			r->differs = true;
			return COO_EFORMAT;
		}
		r->pos += (uint64_t)got;
		in = coo_span_skip(in, (size_t)got);
	}
	return COO_OK;
}

static coo_err append(struct coo_recvfile *r, coo_span in)
{
	while (in.n > 0) {
		ssize_t n = pwrite(r->part.fd, in.p, in.n, (off_t)r->pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return COO_ESYS;
		r->pos += (uint64_t)n;
		in = coo_span_skip(in, (size_t)n);
	}
	return COO_OK;
}

coo_err coo_recvfile_feed(struct coo_recvfile *r, coo_span in, uint64_t max_file)
{
	coo_err e = COO_OK;

	if (in.n > r->size - r->pos)
		in = coo_span_head(in, (size_t)(r->size - r->pos));
	if (r->pos < r->part.have) {
		size_t known =
		    r->part.have - r->pos < in.n ? (size_t)(r->part.have - r->pos) : in.n;

		e = compare(r, coo_span_head(in, known));
		in = coo_span_skip(in, known);
	}
	if (e == COO_OK && max_file && in.n > 0 && (r->pos > max_file || in.n > max_file - r->pos))
		return COO_ELIMIT;
	if (e == COO_OK)
		e = append(r, in);
	if (e != COO_OK)
		return e;
	return r->pos == r->size ? COO_OK : COO_EMORE;
}

coo_err coo_recvfile_hash(struct coo_recvfile *r, uint64_t until)
{
	size_t cap = 256u << 10;
	uint8_t *block = malloc(cap);
	coo_err e = block ? COO_OK : COO_ENOMEM;

	while (e == COO_OK && r->hashed < until) {
		size_t want = until - r->hashed < cap ? (size_t)(until - r->hashed) : cap;
		ssize_t n = pread(r->hash_fd, block, want, (off_t)r->hashed);

		if (n > 0) {
			coo_sha256_update(&r->hash, block, (size_t)n);
			r->hashed += (uint64_t)n;
		} else if (n == 0 || errno != EINTR) {
			e = COO_ESYS;
		}
	}
	free(block);
	return e;
}

void coo_recvfile_close(struct coo_recvfile *r, int dir)
{
	coo_partial_close(&r->part, dir);
	if (r->hash_fd >= 0)
		close(r->hash_fd);
	r->hash_fd = -1;
}
