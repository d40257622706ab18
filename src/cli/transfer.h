/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TRANSFER_H
#define COO_CLI_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "proto/addr.h"
#include "proto/time.h"

/* How files on their way look, in text and in JSON, whichever command moves them. */
enum transfer_status {
	TRANSFER_STARTED,
	TRANSFER_PROGRESS,
	TRANSFER_DONE,
	TRANSFER_FAILED,
	TRANSFER_REFUSED, /* by us, before a byte */
};

struct transfer {
	bool sending, is_dir;
	coo_addr peer;
	uint64_t packet_no, file_id;
	const char *name;     /* as offered, UTF-8 */
	uint64_t done, total; /* bytes; total 0: not known */
	uint64_t files, folders;
	uint64_t resumed_from;
	coo_time took;
	const char *path;   /* where it is now, or NULL */
	const char *sha256; /* or NULL */
	const char *why;    /* what went wrong, or NULL */
};

/* Text: results on stdout, progress on stderr (transfer_lines.h). JSON: one object each. */
void transfer_show(enum transfer_status status, const struct transfer *t);

/* The address, with its port where that is not the usual one. Returns text. */
const char *transfer_peer(const coo_addr *peer, char text[COO_ADDR_TEXT_CAP]);

/* Takes the progress off the terminal, before something else is written there. */
void transfer_clear_line(void);

/* "12 B", "3.4 MiB". Returns text. */
#define TRANSFER_SIZE_CAP 32
const char *transfer_size(uint64_t bytes, char text[TRANSFER_SIZE_CAP]);

#endif
