/* SPDX-License-Identifier: MIT */
#ifndef COO_TESTS_SUPPORT_HEXFILE_H
#define COO_TESTS_SUPPORT_HEXFILE_H

#include "support/test.h"

/*
 * Bytes of recorded packets by name, from tests/golden (paths from the root of the repository,
 * where tests are run). They fail the test where the name is not there. Valid until the process
 * ends.
 */

/* The record "id" of packets.vec. */
coo_span hexfile_vec(const char *id);

/* Frame of a capture in real.tsv; capture is the number its name begins with. */
coo_span hexfile_real(const char *capture, unsigned frame);

#endif
