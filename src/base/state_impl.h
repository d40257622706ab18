/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_STATE_IMPL_H
#define COO_BASE_STATE_IMPL_H

/* What state.c and state_packet.c share; nobody else includes this. */

#include <stdbool.h>

#include "base/state.h"

/* A descriptor of the state directory; COO_ENOENT where it is missing and not to be made. */
COO_MUST_CHECK coo_err coo_state_open_dir(bool make, int *fd);
COO_MUST_CHECK coo_err coo_state_read_fd(int fd, void *mem, size_t cap, size_t *n);
COO_MUST_CHECK bool coo_state_write_fd(int fd, coo_span bytes);

#endif
