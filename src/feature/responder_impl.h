/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_RESPONDER_IMPL_H
#define COO_FEATURE_RESPONDER_IMPL_H

/* What the responder's files share; nobody else includes this. */

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "feature/echosock.h"
#include "feature/responder.h"

enum {
	ECHO_BATCH = 32,
	ECHO_BUFFER = 65536, /* a train is up to 64 kB */
	ECHO_CTRL = COO_ECHO_CTRL,
};

/* Counters are written by one worker and read by others: no order between them is promised. */
#define COUNT(field, by)                                                                           \
	__atomic_store_n(&(field), __atomic_load_n(&(field), __ATOMIC_RELAXED) + (uint64_t)(by),   \
			 __ATOMIC_RELAXED)

/* A sender as the kernel names it; compared bytewise, so padding is kept zero. */
typedef union echo_name {
	struct sockaddr_storage any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} echo_name;

typedef struct echo_worker {
	coo_responder *r;
	int fd;
	bool wild;	 /* knows a datagram's destination only by asking */
	size_t join_max; /* answers up to this size may leave as one train */
	coo_addr local;
	pthread_t thread;
	bool running;

	struct mmsghdr rx[ECHO_BATCH], tx[ECHO_BATCH];
	struct iovec rx_iov[ECHO_BATCH], tx_iov[ECHO_BATCH];
	size_t n_tx, n_iov; /* messages to send, and their parts */
	unsigned batch;	    /* messages to read at once, for now */
	unsigned small;	    /* batches in a row of which each could have been as large as any */
	echo_name names[ECHO_BATCH];
	uint8_t *buffers; /* ECHO_BATCH times ECHO_BUFFER, behind this struct */
	_Alignas(struct cmsghdr) uint8_t rx_ctrl[ECHO_BATCH][ECHO_CTRL];
	_Alignas(struct cmsghdr) uint8_t tx_ctrl[ECHO_BATCH][ECHO_CTRL];

	/* who sent the datagram before, since the next one is mostly from there too */
	echo_name last_name;
	socklen_t last_len;
	coo_guard_source *last;
	enum coo_guard_verdict last_verdict;

	coo_guard guard;
	coo_echonets nets;
	coo_impair impair;
	coo_responder_stats counts;
} echo_worker;

struct coo_responder {
	coo_responder_cfg cfg;
	coo_addr local;
	echo_worker **workers;
	size_t n_workers, cap_workers;
	bool stop;
	uint64_t seen; /* towards cfg.count */
	pthread_mutex_t talk;
};

/* One datagram or train as received, ready to be judged. */
typedef struct echo_item {
	uint8_t *data;
	size_t n, segment; /* segment: size of the train's datagrams; n where it is none */
	size_t datagrams;
	coo_echodest dest; /* on a wild socket */
} echo_item;

/* echoloop.c */
void *coo_echo_worker_run(void *worker);
bool coo_echo_stopped(const echo_worker *w);
/* Takes note of datagrams towards cfg.count; false where the count was reached before. */
bool coo_echo_take(echo_worker *w, size_t n);
enum coo_guard_verdict coo_echo_judge(echo_worker *w, const echo_item *it, const echo_name *name,
				      socklen_t name_len, coo_time now);
void coo_echo_read_ctrl(struct msghdr *m, echo_item *it);
void coo_echo_show(echo_worker *w, const echo_item *it, enum coo_guard_verdict v);

/* echosend.c */
size_t coo_echo_write_ctrl(const echo_worker *w, const echo_item *it, uint8_t *ctrl);
/* Puts the answer to the i-th received message among those to send; coo_echo_send sends them. */
void coo_echo_enqueue(echo_worker *w, size_t i, const echo_item *it);
void coo_echo_send(echo_worker *w);

/* echoimpair.c */
void coo_echo_impaired_loop(echo_worker *w);

#endif
