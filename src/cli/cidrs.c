/* SPDX-License-Identifier: MIT */
#include "cli/cidrs.h"

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
