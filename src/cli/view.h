/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_VIEW_H
#define COO_CLI_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/span.h"

/*
 * Fields shown one by one, as a JSON object or as lines "key   value": one walk over the data gives
 * both, so that they cannot disagree. In text '_' in a key becomes a blank.
 */
struct view {
	json_t *o;	/* borrowed; NULL in text mode */
	unsigned depth; /* how far text is indented */
	bool is_new_item;
};

/* Text from the network: made safe here. More than one line is indented under the first. */
void view_text(struct view *v, const char *key, coo_span utf8);
void view_str(struct view *v, const char *key, const char *s);
void view_uint(struct view *v, const char *key, uint64_t n);   /* a string where JSON cannot */
void view_digits(struct view *v, const char *key, uint64_t n); /* a string in JSON */
void view_bits(struct view *v, const char *key, uint32_t n);   /* "0x…" */
void view_flag(struct view *v, const char *key);	       /* true; only what is so is shown */

/* Bytes as hex, in text no more than a few lines of them. */
void view_hex(struct view *v, const char *key, coo_span bytes);

/* A list of words. */
void view_words(struct view *v, const char *key, const char *const *words, size_t n);

/* A nested object, and a list of such; fields go to the view returned. */
struct view view_object(struct view *v, const char *key);
struct view view_list(struct view *v, const char *key);
struct view view_item(struct view *list);

#endif
