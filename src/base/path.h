/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_PATH_H
#define COO_BASE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/attr.h"
#include "proto/err.h"
#include "proto/span.h"

/*
 * The one place where a name that came from the network becomes a file (PROTOCOL.md 8.1). A name
 * is data until coo_path_accept has said yes; after that everything happens beneath a directory
 * descriptor, one component at a time, without following links and without replacing what exists.
 */

/* Bytes of an accepted name, NUL included. */
#define COO_PATH_NAME_CAP 256

enum coo_path_kind {
	COO_PATH_OFFERED, /* of an offer: reduced to its last component */
	COO_PATH_MEMBER,  /* in a directory stream: separators are refused */
};

/*
 * Turns a received name, already UTF-8, into a file name. Refuses with COO_EUNSAFE: empty, "." and
 * "..", control characters, reserved DOS names (CON, NUL, COM1 …, with an extension too), a blank
 * or a dot at the end, names above 765 bytes. Names above 255 bytes, which Windows can have, are
 * cut at a character with their extension kept. COO_ECHARSET where it is not UTF-8. out is written
 * only on COO_OK.
 */
COO_MUST_CHECK coo_err coo_path_accept(coo_span name, enum coo_path_kind kind,
				       char out[COO_PATH_NAME_CAP]);

/* "name (2).ext" from "name.ext" and 2; n below 2 gives name itself. Cut where it would be too
 * long. */
void coo_path_numbered(const char *name, unsigned n, char out[COO_PATH_NAME_CAP]);

/* Opens the directory that everything goes beneath. The user's own path: links are followed. */
COO_MUST_CHECK coo_err coo_path_open_root(const char *path, int *fd);

/*
 * Makes a directory or a file that did not exist, numbered where the name is taken, and opens it
 * (the file for reading and writing). made gets the name. Modes are 0755 and 0644 less the umask.
 * COO_EFULL after 9999 names, COO_ESYS otherwise. Nothing is ever opened that stood there before.
 */
COO_MUST_CHECK coo_err coo_path_make_dir(int at, const char *name, char made[COO_PATH_NAME_CAP],
					 int *fd);
COO_MUST_CHECK coo_err coo_path_make_file(int at, const char *name, char made[COO_PATH_NAME_CAP],
					  int *fd);

/*
 * Opens our own regular file again for reading and writing: no link, one name, ours. COO_ENOENT
 * where there is none, COO_EUNSAFE where it is something else.
 */
COO_MUST_CHECK coo_err coo_path_reopen(int at, const char *name, int *fd);

/* Gives the file or directory temp its final name, numbered where taken, without replacing
 * anything; made gets it. */
COO_MUST_CHECK coo_err coo_path_publish(int at, const char *temp, const char *name,
					char made[COO_PATH_NAME_CAP]);

/* fsync, on directories too; file systems that cannot are content. */
COO_MUST_CHECK coo_err coo_path_sync(int fd);

/* Sets the modification time (seconds since 1970); 0 leaves it as it is. Failure does not matter.
 */
void coo_path_set_mtime(int fd, uint64_t mtime);

/* Bytes free for us on the file system of fd; UINT64_MAX where it does not say. */
uint64_t coo_path_free_bytes(int fd);

#endif
