/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_DECODE_INPUT_H
#define COO_CLI_DECODE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/span.h"

/* Whole inputs in memory; a larger file is refused. */
#define INPUT_MAX ((size_t)1 << 30)

/* Reads a file, or stdin where path is "-". False, said on stderr, where it cannot be read; *code
 * is then the exit code. Gives: free(*mem). */
bool input_read(const char *path, uint8_t **mem, size_t *n, int *code);

/*
 * Turns hex into bytes, in place or elsewhere: blanks, line feeds, ':', '-', ',', "0x" and "\x"
 * between bytes are passed over. Writes at most in.n / 2 bytes. False where in is not hex, or holds
 * no byte.
 */
bool input_hex(coo_span in, uint8_t *out, size_t *n);

/* Whether every line is hex, a comment ('#') or empty, and one is hex. */
bool input_is_hex_file(coo_span in);

#endif
