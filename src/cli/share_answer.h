/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_SHARE_ANSWER_H
#define COO_CLI_SHARE_ANSWER_H

#include "cli/net.h"
#include "feature/filesend.h"
#include "feature/message.h"

/*
 * What coo share offers to whom. A list of many files goes in as many messages as it takes, a few
 * at a time so that no receive buffer overflows; each begins with "list 3/102", so that the asker
 * knows whether all came. What one asker was offered as a list goes when it asks for the next.
 */
struct share_answers;

/* Serves the folders dirs (borrowed) by files, each offer for so long. Gives: share_answers_free.
 */
struct share_answers *share_answers_new(struct net *net, coo_filesend *files, char *const *dirs,
					size_t n_dirs, coo_time offer_wait);
/* Ends what is under way; before net_close. Accepts NULL. */
void share_answers_stop(struct share_answers *s);
void share_answers_free(struct share_answers *s); /* after net_close; accepts NULL */

/* Answers one message: with everything, with the file it names, or with a text that says no. */
void share_answer(struct share_answers *s, const coo_event *ev, const coo_message *m);

#endif
