/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_ATTR_H
#define COO_PROTO_ATTR_H

/* Compiler attributes under one name each; a compiler that lacks one loses only a warning. */

#if defined(__GNUC__) || defined(__clang__)
#define COO_MUST_CHECK __attribute__((warn_unused_result))
#define COO_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define COO_MUST_CHECK
#define COO_PRINTF(fmt, first)
#endif

#define COO_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Says in the code that a result is dropped on purpose. */
#define coo_ignore(x)                                                                              \
	do {                                                                                       \
		if (x) {                                                                           \
		}                                                                                  \
	} while (0)

#endif
