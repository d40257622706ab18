/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_FILESET_H
#define COO_FEATURE_FILESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/path.h"
#include "feature/text.h"
#include "proto/attach.h"
#include "proto/attr.h"
#include "proto/buf.h"
#include "proto/err.h"

/* Most files and folders in one offer; the list has to fit one datagram anyway. */
#define COO_FILESET_MAX 256

/* One file or folder that is offered, as it was when it was added. */
typedef struct coo_fileset_file {
	char *path;
	char name[COO_PATH_NAME_CAP]; /* UTF-8, last component */
	enum coo_file_type type;      /* REGULAR or DIR */
	uint64_t id;		      /* its number in the offer */
	uint64_t size;		      /* 0 for a folder, as Windows offers it */
	uint64_t mtime;
} coo_fileset_file;

/* What one message offers; shared by its recipients. */
typedef struct coo_fileset {
	unsigned refs;
	bool follow_links; /* of the paths given, and inside folders */
	bool skip_hidden;  /* inside folders; false at first */
	size_t n, cap;
	coo_fileset_file *v; /* moves while files are added */
} coo_fileset;

/* Gives: coo_fileset_unref. NULL where memory is out. */
coo_fileset *coo_fileset_new(bool follow_links);
void coo_fileset_ref(coo_fileset *set);
void coo_fileset_unref(coo_fileset *set); /* accepts NULL */

/*
 * Adds a file or folder. COO_ESYS (errno): it cannot be looked at; COO_EUNSAFE: a symbolic link
 * that is not to be followed, or neither file nor folder; COO_EFORMAT: its name is not UTF-8 or has
 * a control character; COO_EFULL: too many.
 */
COO_MUST_CHECK coo_err coo_fileset_add(coo_fileset *set, const char *path);

/* NULL where there is none. */
const coo_fileset_file *coo_fileset_find(const coo_fileset *set, uint64_t id);

/*
 * Appends the list of files for a message, names as the plan says; characters that its charset
 * lacks become '?', counted in *lost (may be NULL). A ':' in a name becomes ';' for iptux, which
 * drops a list with a doubled colon, so it is called there as the official client calls it anyway
 * (PROTOCOL.md 8.1). COO_ENOBUF where it does not fit.
 */
COO_MUST_CHECK coo_err coo_fileset_put(const coo_fileset *set, const coo_text_plan *plan,
				       coo_buf *out, size_t *lost);

#endif
