/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_SHOW_H
#define COO_CLI_SHOW_H

#include <jansson.h>

#include "feature/message.h"

/* How peers and messages look, in text and in JSON: the one place, whichever command shows them. */

/* {"addr":…,"port":…,"user":…,…}: the "peer" object of coo(1). now: node time, for
 * "last_heard". */
json_t *show_peer_json(const coo_peer_view *p, coo_time now);

/* {"type":"message",…}. text_off: an encrypted message has no text. */
json_t *show_message_json(const coo_message *m, coo_time now);

/* "[23:35:01] 张三 (zhang@PC01, 10.0.0.7): text", further lines indented, safe for a terminal. */
void show_message_text(const coo_message *m);

/* "张三 (zhang@PC01, 10.0.0.7, feiq)". Gives: free(). */
char *show_peer_name(const coo_peer_view *p);

/* Of everything that is shown but when it was heard, which is another time each time: where it is
 * the same, nothing would look different. */
uint64_t show_peer_hash(const coo_peer_view *v);

#endif
