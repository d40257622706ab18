/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_RECV_FILES_H
#define COO_CLI_RECV_FILES_H

#include "cli/net.h"
#include "cli/offers.h"
#include "cli/opt.h"
#include "feature/filerecv.h"

enum accept_mode { ACCEPT_NEVER, ACCEPT_ASK, ACCEPT_KNOWN, ACCEPT_ALL };

/* What commands that receive files let the user choose. */
struct recv_opts {
	int accept;
	bool by_hand; /* one that its user asked for: the offer outlives a limit that was too low */
	const char *save_dir; /* NULL: here */
	uint64_t max_file, max_total, max_entries, min_free;
};

/* Their rows in an option table; at is offsetof the struct recv_opts. */
#define RECV_OPTS_LIMITS(at_)                                                                      \
	{ .letter = 'd',                                                                           \
	  .name = "save-dir",                                                                      \
	  .kind = OPT_STR,                                                                         \
	  .at = (at_) + offsetof(struct recv_opts, save_dir),                                      \
	  .arg = "DIR",                                                                            \
	  .help = "where received files go (here)" },                                              \
	    { .name = "max-file",                                                                  \
	      .kind = OPT_SIZE,                                                                    \
	      .at = (at_) + offsetof(struct recv_opts, max_file),                                  \
	      .arg = "SIZE",                                                                       \
	      .help = "refuse larger files (no limit)" },                                          \
	    { .name = "max-total",                                                                 \
	      .kind = OPT_SIZE,                                                                    \
	      .at = (at_) + offsetof(struct recv_opts, max_total),                                 \
	      .arg = "SIZE",                                                                       \
	      .help = "refuse larger offers and folders (no limit)" },                             \
	    { .name = "max-entries",                                                               \
	      .kind = OPT_UINT,                                                                    \
	      .at = (at_) + offsetof(struct recv_opts, max_entries),                               \
	      .arg = "N",                                                                          \
	      .min = 1,                                                                            \
	      .help = "files and folders in one folder (100000)" },                                \
	{                                                                                          \
		.name = "min-free", .kind = OPT_SIZE,                                              \
		.at = (at_) + offsetof(struct recv_opts, min_free), .arg = "SIZE",                 \
		.help = "keep this much free on the disk (256M)"                                   \
	}

#define RECV_OPTS_DEFAULT                                                                          \
	{                                                                                          \
		.accept = ACCEPT_NEVER, .max_entries = 100000, .min_free = 256u << 20              \
	}

extern const char *const accept_names[];

/* The receiving of files, beside a net. */
struct recv_files;

/* Opens the directory; on failure says why. *code: the exit code. on_idle comes whenever the last
 * transfer has ended. Gives: recv_files_free after net_close. */
struct recv_files *recv_files_new(struct net *net, const struct recv_opts *opts,
				  void (*on_idle)(void *user), void *user, int *code);
/* Cancels what is under way; then net_close runs the loop until it is over. */
void recv_files_stop(struct recv_files *r);
void recv_files_free(struct recv_files *r); /* accepts NULL */

/* Around what is said on the terminal beside the files: a question that waits stands at its end. */
void recv_files_pause(struct recv_files *r);
void recv_files_again(struct recv_files *r);

/* An offer has come: stores it, and fetches, asks or refuses as the options say. is_known: the peer
 * had announced itself before. */
void recv_files_offer(struct recv_files *r, const struct offer *o, bool is_known);

/* One line a file, with the command that fetches it. Text mode only. */
void recv_files_show(const struct offer *o);

/* Fetches one file of an offer now, whatever the mode. */
void recv_files_fetch(struct recv_files *r, const struct offer *o, const struct offer_file *f);

/* Transfers that are under way, queued or asked about. */
size_t recv_files_pending(const struct recv_files *r);

/* What became of all so far. */
size_t recv_files_done(const struct recv_files *r);
size_t recv_files_failed(const struct recv_files *r);
/* The exit code of the worst failure: EXIT_NOBODY, EXIT_SYSTEM or EXIT_REFUSED; 0 without one. */
int recv_files_code(const struct recv_files *r);

#endif
