/* SPDX-License-Identifier: MIT */
/* The addresses and networks that "coo peers" asks one by one. */
#include <stdlib.h>
#include <string.h>

#include "cli/find.h"
#include "cli/out.h"
#include "cli/words.h"
#include "cli/xalloc.h"

struct adding {
	struct find_nets *nets;
	uint16_t port; /* of what comes without one */
};

static void add(struct find_nets *nets, const coo_cidr *net, uint16_t port)
{
	nets->v = xrealloc(nets->v, nets->n + 1, sizeof(*nets->v));
	nets->v[nets->n].net = *net;
	nets->v[nets->n++].port = port;
}

void find_nets_add_addr(struct find_nets *nets, const coo_addr *a, uint16_t default_port)
{
	coo_cidr one = { *a, a->family == 4 ? 32 : 128 };

	one.base.port = 0;
	add(nets, &one, a->port ? a->port : default_port);
}

static bool add_word(void *user, const char *word)
{
	struct adding *to = user;
	const char *why;
	coo_cidr net;
	coo_addr a;

	if (coo_addr_parse(word, to->port, &a) != COO_OK) {
		if (coo_cidr_parse(word, &net) == COO_OK) {
			add(to->nets, &net, to->port);
			return true;
		}
		if (strchr(word, '/')) {
			say_error(
			    "\"%s\" is not a network such as 10.0.0.0/24: an address and behind "
			    "the slash a number up to 32 (IPv6: 128)",
			    word);
			return false;
		}
		if (!words_resolve(word, to->port, COO_RESOLVE_ANY, &a, &why)) {
			say_error("cannot find \"%s\": %s; give a network such as 10.0.0.0/24, an "
				  "address, a host name or @FILE",
				  word, why);
			return false;
		}
	}
	find_nets_add_addr(to->nets, &a, to->port);
	return true;
}

bool find_nets_add(struct find_nets *nets, const char *word, uint16_t default_port)
{
	struct adding to = { nets, default_port };

	return words_each(word, "the addresses", add_word, &to);
}

void find_nets_free(struct find_nets *nets)
{
	free(nets->v);
}
