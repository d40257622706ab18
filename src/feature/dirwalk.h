/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_DIRWALK_H
#define COO_FEATURE_DIRWALK_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/path.h"
#include "proto/attr.h"
#include "proto/dirstream.h"
#include "proto/err.h"

enum coo_dirwalk_what {
	COO_DIRWALK_ENTER,
	COO_DIRWALK_FILE,
	COO_DIRWALK_LEAVE,
	COO_DIRWALK_SKIPPED, /* name is passed over: why */
	COO_DIRWALK_END,
};

typedef struct coo_dirwalk_entry {
	enum coo_dirwalk_what what;
	char name[COO_PATH_NAME_CAP];
	const char *why; /* SKIPPED: half a sentence, static */
	int fd;		 /* FILE: open for reading, the caller's to close */
	uint64_t size, mtime;
	struct timespec changed; /* FILE: mtime to the nanosecond */
} coo_dirwalk_entry;

/* Walks a folder one entry at a time, beneath descriptors, so that nothing moves under it. */
typedef struct coo_dirwalk {
	bool follow_links;
	bool skip_hidden; /* set after open: passes over names that begin with a dot, silently */
	unsigned depth;
	struct {
		DIR *dir;
		dev_t dev;
		ino_t ino;
		uint64_t mtime;
	} at[COO_DIRSTREAM_DEPTH_MAX];
} coo_dirwalk;

/* Opens the folder, which is entered already: its LEAVE comes last before END. COO_ESYS where it
 * cannot be opened. */
COO_MUST_CHECK coo_err coo_dirwalk_open(coo_dirwalk *w, const char *path, bool follow_links);

/*
 * The next entry. Links are not followed unless asked; what is neither file nor folder, cannot be
 * opened, has a name that cannot be sent, leads back to a folder that it is in, or lies deeper than
 * COO_DIRSTREAM_DEPTH_MAX, is SKIPPED.
 */
void coo_dirwalk_next(coo_dirwalk *w, coo_dirwalk_entry *e);

/* Closes what is still open. */
void coo_dirwalk_close(coo_dirwalk *w);

#endif
