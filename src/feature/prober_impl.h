/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_PROBER_IMPL_H
#define COO_FEATURE_PROBER_IMPL_H

/* What the prober's files share; nobody else includes this. */

#include <poll.h>
#include <sys/socket.h>

#include "feature/prober.h"

enum { PROBE_BATCH = 16, PROBE_CTRL = 256, PROBE_TRAIN = 32 };

struct coo_prober {
	coo_prober_cfg cfg;
	coo_flow *flows;
	struct pollfd *fds;
	size_t n;
	bool tx_stamps; /* asked for */
	coo_time step;	/* between two probes of all flows */
	coo_time start, end, stop_sending, next_report;
	uint64_t k; /* probes scheduled so far, over all flows */
	bool sending, refused, interrupted, lingering;
	coo_hist timer;
	coo_time spin;			 /* awake so long before a deadline */
	int64_t wall_base;		 /* wall clock minus monotonic, as first seen */
	int64_t wall_now;		 /* the same, as last seen */
	uint64_t own_error;		 /* of the wall clock, ns; UINT64_MAX: not synchronized */
	size_t rx_size;			 /* of one receive buffer */
	uint8_t *rx_memory, *err_memory; /* the batch's buffers, and the error queue's */
	size_t train_max;		 /* probes in one train; 0: each leaves alone */
	uint8_t *train;
	struct mmsghdr rx[PROBE_BATCH];
	struct iovec iov[PROBE_BATCH];
	struct sockaddr_storage names[PROBE_BATCH];
	_Alignas(struct cmsghdr) uint8_t ctrl[PROBE_BATCH][PROBE_CTRL], err_ctrl[PROBE_CTRL];
};

/* prober_socket.c */
coo_err coo_prober_open_flow(coo_prober *p, coo_flow *f);
void coo_prober_close_flow(coo_flow *f);

/* coo_prober_send.c */
/* Sends the next probe of f, due at deadline. */
void coo_prober_send(coo_prober *p, coo_flow *f, coo_time deadline);

/* prober_train.c */
/* Memory for trains, where they may be used. */
COO_MUST_CHECK coo_err coo_prober_train_open(coo_prober *p);
/* Sends the next n probes of f (2 to train_max), the first of them due at deadline. False where it
 * could not: then none of them left. */
bool coo_prober_send_train(coo_prober *p, coo_flow *f, size_t n, coo_time deadline);

/* prober_recv.c */
/* Takes what waits on the flow's socket and its error queue, or, from until on, a part of it: the
 * next probe is due then. */
void coo_prober_receive(coo_prober *p, coo_flow *f, coo_time until);

/* coo_prober_errors.c */
void coo_prober_errors(coo_prober *p, coo_flow *f);

static inline void prober_tell(coo_prober *p, const coo_flow *f, const coo_probe_event *ev)
{
	if (p->cfg.on_event)
		p->cfg.on_event(p->cfg.ctx, f, ev);
}

/* The wall-clock time (ns since 1970) that stood in a STAMP packet sent at a monotonic time. */
static inline uint64_t prober_wall(const coo_prober *p, coo_time mono)
{
	return mono + (uint64_t)p->wall_base;
}

/* Wall clock minus monotonic clock, and the monotonic time of now; known (or 0) where the two could
 * not be read close enough together. */
int64_t coo_prober_offset(coo_time *now, int64_t known);

/* Turns a kernel stamp into monotonic time; 0 where the clock was set meanwhile. */
coo_time coo_prober_stamp(const coo_prober *p, const struct timespec *ts);

#endif
