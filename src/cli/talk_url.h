/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_TALK_URL_H
#define COO_CLI_TALK_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"

/* What stands after "udp://" or "tcp://". */
enum talk_host {
	TALK_HOST_NAMED, /* HOST:PORT: a name or an address */
	TALK_HOST_NONE,	 /* :PORT: wait there */
	TALK_HOST_STAR,	 /* *:PORT: everybody, by broadcast */
};

struct talk_url {
	bool is_tcp;
	enum talk_host kind;
	char host[256]; /* without brackets, with its zone; empty unless named */
	uint16_t port;
};

/* False with a sentence in why (cap bytes) where text is no such address. */
bool talk_url_parse(const char *text, struct talk_url *out, char *why, size_t cap);

/* "ADDR:PORT", ":PORT", "ADDR" or "PORT" of --bind. *out has family 0 where no address is named. */
bool talk_bind_parse(const char *text, coo_addr *out, char *why, size_t cap);

/*
 * Looks host up and puts up to cap addresses with port at out; returns how many, or 0 with a
 * sentence in why. May block as long as the resolver does.
 */
size_t talk_resolve(const char *host, uint16_t port, bool is_tcp, coo_addr *out, size_t cap,
		    char *why, size_t why_cap);

#endif
