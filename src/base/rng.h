/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_RNG_H
#define COO_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Unpredictable bytes from the kernel (getrandom, else /dev/urandom). Ends the process with a
 * message where the system has neither: nothing here may run with predictable numbers. */
void coo_rng_bytes(void *out, size_t n);

uint64_t coo_rng_u64(void);

#endif
