/* SPDX-License-Identifier: MIT */
#include "cli/cidrs.h"

#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "cli/xalloc.h"

bool cidrs_read(const char *option, const struct str_list *list, coo_cidr **out)
{
	*out = xcalloc(list->n + 1, sizeof(**out));
	for (size_t i = 0; i < list->n; i++) {
		if (coo_cidr_parse(list->v[i], &(*out)[i]) != COO_OK) {
			say_error("--%s cannot be \"%s\": it is a network such as 10.0.0.0/8",
				  option, list->v[i]);
			return false;
		}
	}
	return true;
}

bool cidrs_read_answer(const struct str_list *given, coo_cidr **out, coo_offlink_cfg *cfg)
{
	struct str_list nets = { xcalloc(given->n + 1, sizeof(*nets.v)), 0 };
	bool ok;

	for (size_t i = 0; i < given->n; i++) {
		if (strcmp(given->v[i], "link") != 0)
			nets.v[nets.n++] = given->v[i];
	}
	ok = cidrs_read("answer", &nets, out);
	free(nets.v);
	cfg->allow = *out;
	cfg->n_allow = nets.n;
	cfg->named_only = given->n > 0;
	return ok;
}
