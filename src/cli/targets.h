/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TARGETS_H
#define COO_CLI_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/net.h"
#include "proto/addr.h"

/*
 * Who a command speaks to, as the user wrote it and as it was resolved. A bare word is a host name
 * first, so that nobody can draw messages to himself by calling himself as a server is called; what
 * the resolver does not know is the nick, user or host of somebody on the network, which
 * targets_find looks for. nick:N, user:N, host:N and group:N are never asked of the resolver; a
 * word with a dot is never asked of the network.
 */
struct target {
	const char *text;
	coo_addr addr;
	uint8_t *entry; /* what it said of itself, where it was found on the network; or NULL */
	size_t entry_len;
};

struct targets {
	struct target *v;
	size_t n;
	char **names; /* not found yet */
	size_t n_names;
};

/* Whether word can only be a target: a numeric address, with or without port, or @FILE.
 * What begins with @ but is no file and holds blanks or letters beyond ASCII is a text. */
bool target_is_certain(const char *word);

/*
 * Adds what word names: an address, a host name, the name of somebody, or every line of @FILE ("#"
 * begins a comment). A target named twice is taken once. False, said on stderr, where one cannot be
 * resolved or a file not be read.
 */
bool targets_add(struct targets *t, const char *word, uint16_t default_port);

/* Adds one address; entry is copied. */
bool targets_add_addr(struct targets *t, const char *text, const coo_addr *a, coo_span entry);

/*
 * Looks on the network for those added by name. 0, or the exit code to end with, said why:
 * EXIT_NOBODY for a name that nobody has, EXIT_REFUSED for one that several have (group: excepted).
 */
int targets_find(struct targets *t, const struct common *c);

/*
 * Asks targets of which nothing is known who they are, for what has to be written in another way
 * for some clients; those that do not answer within a moment stay unknown. As targets_find.
 */
int targets_ask(struct targets *t, const struct common *c);

/* Tells the node what was learned of the targets, so that each gets its own character set. */
void targets_teach(const struct targets *t, struct net *n);

void targets_free(struct targets *t);

#endif
