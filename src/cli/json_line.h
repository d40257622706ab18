/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_JSON_LINE_H
#define COO_CLI_JSON_LINE_H

#include <jansson.h>
#include <stddef.h>

/*
 * The object as one line with its line feed, as json_dumps(JSON_COMPACT) writes it but for reals,
 * which have twelve digits, and for controls and turned text above ASCII, which are escaped too
 * since terminals obey them; in a buffer that is kept: *line is valid until the next call.
 * jansson's own dump guards against objects that hold themselves by a table of the addresses in
 * use, which takes half of the time of a message that coo listen prints; objects made here are
 * trees. Of those, cli/out alone is to write lines.
 */
size_t json_line(const json_t *object, const char **line);

#endif
