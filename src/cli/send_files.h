/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_SEND_FILES_H
#define COO_CLI_SEND_FILES_H

#include "cli/net.h"
#include "cli/opt.h"
#include "feature/outbox.h"

/* coo send --file: what is offered, to whom it went, and what became of it. */
struct send_files;

/* Looks at every path; what cannot be offered is said. NULL: *code tells the exit code. */
struct send_files *send_files_new(const struct str_list *paths, bool follow_links, int *code);
void send_files_free(struct send_files *f); /* accepts NULL; after net_close */

/* Opens the TCP service on the node's port, and begins to wait at most wait. on_over comes when
 * nothing is left to wait for. Returns an exit code, or 0; send_files_stop in any case. */
int send_files_start(struct send_files *f, struct net *net, const struct common *c, coo_time wait,
		     void (*on_over)(void *user), void *user);
/* Stops serving, before net_close. */
void send_files_stop(struct send_files *f);

/* Whether a name has a ':', which not every client reads. */
bool send_files_has_colons(const struct send_files *f);

/* Adds the list of files to what the outbox sends. */
void send_files_join(struct send_files *f, coo_outbox_cfg *cfg);

/* The result of the message to one target; an unreachable one is not waited for. */
void send_files_on_result(struct send_files *f, const coo_outbox_result *r);

/* RELEASEFILES. */
void send_files_on_event(struct send_files *f, const coo_event *ev);

/* How an event of the service looks, in text or JSON: for other commands that serve files. */
struct coo_filesend_event;
void send_files_show(const struct coo_filesend_event *ev);

/* Whether anything is still to be fetched. */
bool send_files_pending(const struct send_files *f);

/* Says what was not fetched; returns how many of the targets have everything. */
size_t send_files_end(struct send_files *f);

#endif
