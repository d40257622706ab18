/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_OUT_H
#define COO_CLI_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/opt.h"
#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/span.h"
#include "proto/utf8.h"

/*
 * Everything a command says goes through here. stdout carries results only, as text or as JSON
 * Lines; talk goes to stderr. Text that came from the network is made safe for a terminal here and
 * nowhere else.
 */

/* Takes over --json, --color, -q, -v; installs the log sink. Once, before anything else. */
void out_init(const struct common *c);

bool out_is_json(void);
bool out_is_quiet(void);
bool out_has_color(void);     /* stdout may be coloured */
unsigned out_verbosity(void); /* how many -v */

/* Results as text: printf to stdout. No line feed is added. Does nothing in JSON mode. */
COO_PRINTF(1, 2) void out_text(const char *fmt, ...);

/* Appends s to stdout, escaped. Does nothing in JSON mode. */
void out_safe(coo_span s, enum coo_utf8_keep keep);

/* Makes s safe to show; gives: free(). */
char *out_safe_dup(coo_span s, enum coo_utf8_keep keep);

/* A JSON object that begins with "type" and "time" (now). Never NULL. */
json_t *out_event(const char *type);

/* JSON text of bytes that should be UTF-8: what is not becomes U+FFFD. Never NULL. */
json_t *out_json_str(coo_span s);

/* Writes one object as one line and takes it. Does nothing (but frees it) in text mode. */
void out_json(json_t *object);

/* The first line of a JSON stream:
 * {"type":"start",…,"schema":1,"command":…,"version":…,"addr":…,"port":…}. */
void out_start(const char *command, const coo_addr *bound);

/* The same object, for a command that adds to it before out_json. Never NULL. */
json_t *out_start_object(const char *command, const coo_addr *bound);

/*
 * From now on what is pushed goes to sink instead of stdout, which may choose not to wait for a
 * reader. sink gives false with errno where stdout is broken. false where memory ran out. NULL ends
 * it.
 */
bool out_divert(bool (*sink)(void *user, const char *text, size_t n), void *user);

/* Pushes what was written so far to the reader: per result, or per batch of results under load. */
void out_flush(void);

/* Whether stdout failed to take something so far: a command that would go on for ever ends then. */
bool out_is_broken(void);

/* Flushes; false (said on stderr) where stdout could not take everything: disk full, closed pipe.
 */
bool out_finish(void);

/* Talk: "coo: …" with a line feed to stderr. Errors always; warnings not with -q; notes with -v. */
COO_PRINTF(1, 2) void say_error(const char *fmt, ...);
COO_PRINTF(1, 2) void say_warn(const char *fmt, ...);
COO_PRINTF(1, 2) void say_note(const char *fmt, ...);
/* What a person wants to know without asking (progress, hints): not with -q, not with --json. */
COO_PRINTF(1, 2) void say_info(const char *fmt, ...);

/* Human forms of a duration: "0.4 ms", "12 s". Returns text. */
#define OUT_DURATION_CAP 32
const char *out_duration(coo_time d, char text[OUT_DURATION_CAP]);
/* The same with three digits, for scales. */
const char *out_duration_fine(coo_time d, char text[OUT_DURATION_CAP]);

#endif
