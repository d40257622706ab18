/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_EDIT_LIB_H
#define COO_CLI_EDIT_LIB_H

#include <histedit.h>
#include <stdbool.h>

/*
 * libedit, loaded when a terminal is opened: it brings three more libraries with it, a third of a
 * megabyte that a service without a terminal need not have in memory. A static program has it
 * linked in.
 */
#define EDIT_LIB_LIST(X)                                                                           \
	X(el_init)                                                                                 \
	X(el_end)                                                                                  \
	X(el_resize)                                                                               \
	X(el_wget)                                                                                 \
	X(el_wgets)                                                                                \
	X(el_winsertstr)                                                                           \
	X(el_wline)                                                                                \
	X(el_wset)                                                                                 \
	X(history_w)                                                                               \
	X(history_wend)                                                                            \
	X(history_winit)

struct edit_lib {
#define EDIT_LIB_MEMBER(name) __typeof__(name) *(name);
	EDIT_LIB_LIST(EDIT_LIB_MEMBER)
#undef EDIT_LIB_MEMBER
};

/* The library, loaded once; NULL where there is none: *why says so. */
const struct edit_lib *edit_lib_get(const char **why);

#endif
