/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_PEER_LIST_H
#define COO_CLI_PEER_LIST_H

#include "cli/find.h"

/* Lists of peers for people, for cut(1) and as JSON. */
enum peer_list_form { PEER_LIST_TABLE, PEER_LIST_TSV };

/* Names of the fields that a list can be sorted by; NULL-terminated. */
extern const char *const peer_list_fields[];

/* Sorts by peer_list_fields[field]. */
void peer_list_sort(struct found *f, int field);

/* Prints all, or in JSON mode one object of type "peer" for each. TSV has no titles; its columns
 * are name, group, user, host, address, port, client, charset, round trip in ns or nothing, state,
 * found. */
void peer_list_print(const struct found *f, enum peer_list_form form);

/* "+ 张三 (zhang@PC01, 10.0.0.7), feiq, 研发" and the same as peer_up, peer_change, peer_down. */
void peer_list_line(char sign, const struct found_peer *p);
void peer_list_event(char sign, const struct found_peer *p);

#endif
