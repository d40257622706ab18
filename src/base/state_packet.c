/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/state_impl.h"
#include "proto/buf.h"
#include "proto/num.h"

#define FILE_NAME "packet-no"
#define NUMBER_END UINT32_C(0x80000000) /* 2^31: the first number that is not used */
#define DAY UINT32_C(86400)
#define LOCK_TRIES 2000 /* a millisecond each; a holder needs microseconds */

static uint32_t block_size(uint32_t ahead)
{
	if (ahead <= DAY)
		return 4096;
	if (ahead <= 30 * DAY)
		return 256;
	return ahead <= 365 * DAY ? 16 : 1;
}

coo_state_block coo_state_next_block(uint64_t unix_seconds, uint32_t next)
{
	uint32_t now = (uint32_t)(unix_seconds % NUMBER_END);
	coo_state_block b;

	if (now == 0)
		now = 1;
	b.first = next > now ? next : now;
	b.n = block_size(b.first - now);
	if (b.first >= NUMBER_END || b.n > NUMBER_END - b.first) {
		b.first = now <= NUMBER_END - 4096 ? now : 1;
		b.n = 4096;
	}
	return b;
}

static uint64_t seconds_now(void)
{
	return coo_clock_wall() / COO_SEC(1);
}

/* Waits a bounded time: a holder that was stopped must not stop everybody else. */
static bool lock(int fd)
{
	const struct timespec pause = { 0, 1000000 };

	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		nanosleep(&pause, NULL);
	}
	errno = EWOULDBLOCK;
	return false;
}

static coo_err open_locked(bool make, int *fd)
{
	int dir, saved;
	coo_err err = coo_state_open_dir(make, &dir);

	if (err)
		return err;
	*fd = openat(dir, FILE_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	saved = errno;
	close(dir);
	errno = saved;
	if (*fd < 0)
		return COO_ESYS;
	if (lock(*fd))
		return COO_OK;
	saved = errno;
	close(*fd);
	errno = saved;
	return COO_ESYS;
}

/* The number in the file; 0 where there is none or it is damaged: the clock decides, then. */
static uint32_t read_next(int fd)
{
	uint8_t text[16];
	uint64_t v = 0;
	size_t n = 0;

	if (lseek(fd, 0, SEEK_SET) != 0 || coo_state_read_fd(fd, text, sizeof(text), &n))
		return 0;
	if (!coo_num_dec(coo_span_trim_end(coo_span_of(text, n), '\n'), NUMBER_END, &v))
		return 0;
	return (uint32_t)v;
}

/*
 * In place and without fsync: the lock keeps others out, and what a power failure may undo is
 * behind the clock when the machine is up again. Always eleven bytes, so that nothing stays behind
 * them.
 */
static bool write_next(int fd, uint32_t next)
{
	uint8_t text[11];

	for (size_t i = 0; i < 10; i++, next /= 10)
		text[9 - i] = (uint8_t)('0' + next % 10);
	text[10] = '\n';
	return lseek(fd, 0, SEEK_SET) == 0 &&
	       coo_state_write_fd(fd, coo_span_of(text, sizeof(text))) &&
	       ftruncate(fd, sizeof(text)) == 0;
}

coo_err coo_state_reserve(coo_state_block *block)
{
	uint64_t now = seconds_now();
	int fd = -1, saved;
	coo_err err;

	*block = coo_state_next_block(now, 0);
	err = open_locked(true, &fd);
	if (err)
		return err;
	*block = coo_state_next_block(now, read_next(fd));
	if (!write_next(fd, block->first + block->n))
		err = COO_ESYS;
	saved = errno;
	close(fd);
	errno = saved;
	return err;
}

void coo_state_give_back(const coo_state_block *block, uint32_t used)
{
	uint32_t next, end = block->first + used;
	int fd;

	if (used == block->n || open_locked(false, &fd))
		return;
	next = read_next(fd);
	/* back only where nobody has reserved since; forward whatever happened */
	if (used > block->n ? end > next : next == block->first + block->n)
		coo_ignore(write_next(fd, end));
	close(fd);
}

coo_err coo_state_packet_no(uint32_t *first)
{
	coo_state_block b;
	coo_err err = coo_state_reserve(&b);

	*first = b.first;
	return err;
}
