/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_ERR_H
#define COO_PROTO_ERR_H

/*
 * Every result of the library. The values are ABI: append, never renumber. COO_ESYS means that
 * errno is set and untouched since; only base and engine return it.
 */
#define COO_ERR_LIST(X)                                                                            \
	X(OK, 0, "success")                                                                        \
	X(EINVAL, -1, "the call is wrong")                                                         \
	X(ENOBUF, -2, "the output buffer is too small")                                            \
	X(EFORMAT, -3, "malformed packet")                                                         \
	X(EVERSION, -4, "the version field does not begin with 1")                                 \
	X(ERANGE, -5, "a number is out of range")                                                  \
	X(EFULL, -6, "a table is full")                                                            \
	X(ENOENT, -7, "there is no such entry")                                                    \
	X(EMORE, -8, "more bytes are needed")                                                      \
	X(ELIMIT, -9, "a limit would be exceeded")                                                 \
	X(EUNSAFE, -10, "the name is not safe to use as a file name")                              \
	X(ECHARSET, -11, "the character set is unknown or cannot hold the text")                   \
	X(ESYS, -12, "a system call failed")                                                       \
	X(ENOMEM, -13, "out of memory")                                                            \
	X(EMSGSIZE, -14, "the text does not fit one datagram")

typedef enum coo_err {
#define COO_ERR_ENUM(name, value, text) COO_##name = (value),
	COO_ERR_LIST(COO_ERR_ENUM)
#undef COO_ERR_ENUM
} coo_err;

/* A sentence part for people; static storage; any value gives a text. */
const char *coo_err_text(coo_err e);

/* "EFORMAT" and so on; static storage. */
const char *coo_err_name(coo_err e);

#endif
