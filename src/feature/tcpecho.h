/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_TCPECHO_H
#define COO_FEATURE_TCPECHO_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "feature/guard.h"
#include "proto/attr.h"
#include "proto/err.h"

/*
 * TCP echo (RFC 862) for many connections on one libuv loop, which its owner runs. Each connection
 * has one buffer: nothing more is read until it was written back, so memory is bounded by the
 * number of connections. Who may connect is the guard's business; a connection idle for
 * COO_TCPECHO_IDLE is closed.
 */
typedef struct coo_tcpecho coo_tcpecho;

enum { COO_TCPECHO_MAX = 1024, COO_TCPECHO_BUFFER = 16384 };
#define COO_TCPECHO_IDLE COO_SEC(300)

typedef struct coo_tcpecho_stats {
	uint64_t accepted, refused, open, bytes;
} coo_tcpecho_stats;

/* Listens on addr (family 0: IPv4 and IPv6); upper: answers in upper case (ASCII); COO_ESYS with
 * errno where the port is taken. Gives: coo_tcpecho_close, after which the loop has to run until it
 * is empty. */
COO_MUST_CHECK coo_err coo_tcpecho_open(uv_loop_t *loop, const coo_addr *addr,
					const coo_guard_cfg *guard, bool upper, coo_tcpecho **out);
void coo_tcpecho_close(coo_tcpecho *t);
void coo_tcpecho_get_stats(const coo_tcpecho *t, coo_tcpecho_stats *out);

#endif
