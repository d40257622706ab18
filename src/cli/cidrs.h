/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_CIDRS_H
#define COO_CLI_CIDRS_H

#include <stdbool.h>

#include "base/addr.h"
#include "cli/opt.h"
#include "engine/offlink.h"

/* Reads the networks given to --option, list->n of them, into *out, which the caller frees also
 * where one of them is none: false, said on stderr. */
bool cidrs_read(const char *option, const struct str_list *list, coo_cidr **out);

/* Whom --answer names beside our own networks, into *cfg, which borrows *out. "link" names none: it
 * takes back that private addresses behind a router get answers. */
bool cidrs_read_answer(const struct str_list *given, coo_cidr **out, coo_offlink_cfg *cfg);

#endif
