/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TARGETS_H
#define COO_CLI_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"

/* Who a command speaks to, as the user wrote it and as it was resolved. */
struct target {
	const char *text;
	coo_addr addr;
};

struct targets {
	struct target *v;
	size_t n;
};

/* Whether word can only be a target: a numeric address, with or without port, or @FILE. */
bool target_is_certain(const char *word);

/*
 * Adds what word names: an address, a host name, or every line of @FILE ("#" begins a comment). A
 * target named twice is taken once. False, said on stderr, where one cannot be resolved or a file
 * not be read.
 */
bool targets_add(struct targets *t, const char *word, uint16_t default_port);

void targets_free(struct targets *t);

#endif
