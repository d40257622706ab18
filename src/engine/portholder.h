/* SPDX-License-Identifier: MIT */
#ifndef COO_ENGINE_PORTHOLDER_H
#define COO_ENGINE_PORTHOLDER_H

#include <stdbool.h>
#include <stdint.h>

enum coo_port_kind { COO_PORT_UDP, COO_PORT_TCP };

typedef struct coo_portholder {
	char program[64]; /* as the program calls itself: escape it; "" where it cannot be told */
	uint32_t pid;	  /* 0 where it cannot be told: another user's process */
	uint32_t uid;	  /* whose it is; always known */
} coo_portholder;

/*
 * Who holds a local port (UDP: bound, TCP: listening) in this network namespace, so that "the port
 * is in use" can name the program. Reads /proc and so works on Linux only; false elsewhere, where
 * nobody holds the port and where /proc does not say. Takes milliseconds: for error messages.
 */
bool coo_portholder_find(enum coo_port_kind kind, uint16_t port, coo_portholder *out);

#endif
