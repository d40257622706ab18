/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_SHARE_LIST_H
#define COO_CLI_SHARE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "feature/fileset.h"
#include "proto/span.h"

/* Of one message: FeiQ takes no more for sure. */
enum { SHARE_LIST_BYTES = 4000 };

/* What of the shared folders is to be offered, a set of files for each message. Begins zeroed. */
struct share_list {
	coo_fileset **sets;
	size_t n, cap;
	size_t bytes; /* of the last set, as it stands in its message */
	bool is_cut;  /* there is more than one list holds */
};

/* Adds everything, sorted by name; hidden files, and what is neither file nor folder, are left
 * out. */
void share_list_all(struct share_list *l, char *const *dirs, size_t n_dirs);
/* Adds what has that name in one of the folders, if it would be in the list. */
void share_list_named(struct share_list *l, char *const *dirs, size_t n_dirs, coo_span name);
void share_list_free(struct share_list *l);

#endif
