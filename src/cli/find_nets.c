/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/resolve.h"
#include "cli/find.h"
#include "cli/out.h"
#include "cli/xalloc.h"

enum { LINE_CAP = 1024, FILE_DEPTH = 4 };

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

static bool add_name(struct find_nets *nets, const char *word, uint16_t default_port)
{
	char host[256];
	const char *why = NULL;
	uint16_t port = default_port;
	coo_addr a;
	size_t n = 0;

	if (coo_addr_split(word, host, sizeof(host), &port) != COO_OK ||
	    coo_resolve(host, port, COO_RESOLVE_ANY, &a, 1, &n, &why) != COO_OK || n == 0) {
		say_error("cannot find \"%s\": %s; give a network such as 10.0.0.0/24, an address, "
			  "a host name or @FILE",
			  word, why ? why : "not an address");
		return false;
	}
	find_nets_add_addr(nets, &a, default_port);
	return true;
}

static bool add_word(struct find_nets *nets, const char *word, uint16_t port, unsigned depth);

static bool add_file(struct find_nets *nets, const char *path, uint16_t port, unsigned depth)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char line[LINE_CAP];
	bool ok = true;

	if (!f || depth == 0) {
		say_error("cannot read the addresses in \"%s\": %s", path,
			  f ? "lists within lists" : strerror(errno));
		if (f && f != stdin)
			fclose(f);
		return false;
	}
	while (ok && fgets(line, sizeof(line), f)) {
		char *word = line + strspn(line, " \t");

		word[strcspn(word, " \t\r\n#")] = '\0';
		if (*word)
			ok = add_word(nets, word, port, depth - 1);
	}
	if (f != stdin)
		fclose(f);
	return ok;
}

static bool add_word(struct find_nets *nets, const char *word, uint16_t port, unsigned depth)
{
	coo_cidr net;
	coo_addr a;

	if (word[0] == '@')
		return add_file(nets, word + 1, port, depth);
	if (coo_addr_parse(word, port, &a) == COO_OK) {
		find_nets_add_addr(nets, &a, port);
		return true;
	}
	if (coo_cidr_parse(word, &net) == COO_OK) {
		add(nets, &net, port);
		return true;
	}
	return add_name(nets, word, port);
}

bool find_nets_add(struct find_nets *nets, const char *word, uint16_t default_port)
{
	return add_word(nets, word, default_port, FILE_DEPTH);
}

void find_nets_free(struct find_nets *nets)
{
	free(nets->v);
}
