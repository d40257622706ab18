/* SPDX-License-Identifier: MIT */
#ifndef COO_TESTS_SUPPORT_TEST_H
#define COO_TESTS_SUPPORT_TEST_H

/* cmocka needs these four before itself, in this order. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/span.h"

/* A span over a string literal that may hold NULs. */
#define LIT(s) coo_span_of((s), sizeof(s) - 1)

/* Asserts that a span holds exactly these bytes; prints both sides and the row's name where it does
 * not. */
#define assert_span(got, want, row) test_assert_span((got), (want), (row), __FILE__, __LINE__)

void test_assert_span(coo_span got, coo_span want, const char *row, const char *file, int line);

/*
 * A copy of s whose last byte stands right before an unmapped page, so that reading one byte too
 * far crashes. Gives: test_guard_free. n is the size to allocate where it is to be written.
 */
uint8_t *test_guard_copy(coo_span s);
void test_guard_free(uint8_t *p, size_t n);

/* Deterministic random numbers (splitmix64): the same seed gives the same row everywhere. */
uint64_t test_random(uint64_t *state);

#endif
