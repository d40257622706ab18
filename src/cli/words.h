/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_WORDS_H
#define COO_CLI_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/resolve.h"
#include "proto/addr.h"

/*
 * Gives word to take, or, where it is @FILE, every word of that file: one a line, "#" begins a
 * comment, @- is stdin, and a file may name others. False where take said so, or where a file
 * cannot be read, said on stderr with file and line; what names what is listed: "the targets".
 */
bool words_each(const char *word, const char *what, bool (*take)(void *user, const char *word),
		void *user);

/* Whether host is an IPv4 address with a zero ahead of a number, which resolvers read as octal. */
bool words_is_octal(const char *host);

/* The address of a host by name, with or without a port. False with the reason in *why. */
bool words_resolve(const char *word, uint16_t default_port, enum coo_resolve_want want,
		   coo_addr *out, const char **why);

#endif
