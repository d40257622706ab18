/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_OPT_H
#define COO_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/time.h"

/*
 * Options are data: one table a command gives parsing, --help, the configuration file, the
 * environment and completion, so that they cannot disagree. A value lands at an offset of the
 * command's options struct.
 */
enum opt_kind {
	OPT_FLAG,     /* bool */
	OPT_COUNT,    /* unsigned: how often it was given */
	OPT_STR,      /* const char * */
	OPT_LIST,     /* struct str_list: every value given */
	OPT_UINT,     /* uint64_t within min…max; max 0: no bound */
	OPT_DURATION, /* coo_time: 500ms, 2s, 1m30s; min…max in ns; max 0: no bound */
	OPT_SIZE,     /* uint64_t bytes: 64k, 1M, 2G (powers of 1024); min…max */
	OPT_REAL,     /* double: 0.01 or 1% */
	OPT_CHOICE,   /* int: index into choices */
};

struct str_list {
	const char **v;
	size_t n;
};

struct opt {
	char letter; /* 0: none */
	const char *name;
	enum opt_kind kind;
	size_t at;	  /* offsetof in the options struct */
	const char *arg;  /* what --help calls the value; NULL for flags and counts */
	const char *help; /* half a sentence, lower case */
	uint64_t min, max;
	const char *const *choices; /* NULL-terminated; OPT_CHOICE */
	bool hidden;		    /* parsed, not shown */
};

#define OPT_END                                                                                    \
	{                                                                                          \
		.name = NULL                                                                       \
	}

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum compat_mode { COMPAT_AUTO, COMPAT_FEIQ, COMPAT_IPMSG, COMPAT_IPTUX };

/* The shared options; the first member of every command's options struct. Groups tell which a
 * command takes. */
struct common {
	bool json, quiet;
	unsigned verbose;
	int color;
	uint64_t port;
	struct str_list interfaces;
	const char *bind;
	const char *user, *host, *nick, *group, *charset;
	int compat;
};

enum opt_group {
	OPT_GROUP_OUT = 1,   /* --json -q -v --color */
	OPT_GROUP_SOCK = 2,  /* -p -I -b */
	OPT_GROUP_IDENT = 4, /* --user --host --nick --group --charset --compat */
	OPT_GROUP_NET = 7,
	OPT_GROUP_CONFIG = 8, /* none; reads the configuration though it takes no OPT_GROUP_SOCK */
};

/* The tables of the groups, ended by OPT_END. */
extern const struct opt opt_out[], opt_sock[], opt_ident[];

struct cmd;

/*
 * Fills opts (cmd->opts_size bytes, the defaults already in it) from the configuration file, the
 * environment and the arguments, in this order. Leaves the operands in argc and argv. Returns 0 to
 * go on, else 1 + exit code: after an error (said on stderr), or after --help.
 */
int opt_parse(const struct cmd *cmd, void *opts, int *argc, char ***argv);

/* Whether the arguments last parsed gave the option of that name. The configuration may give one
 * that does not fit this run, and is no contradiction then. */
bool opt_given(const char *name);

/* Takes opts: frees it, and the lists in it. */
void opt_free(const struct cmd *cmd, void *opts);

/* Sets one option from text; false with a message in why (cap bytes) where the text is wrong. */
bool opt_set(const struct opt *o, void *opts, const char *text, char *why, size_t cap);

/* Finds an option of the command, or of all groups where cmd is NULL, by long name; NULL where
 * there is none. */
const struct opt *opt_find(const struct cmd *cmd, const char *name);

/* One screen of help, to f. */
void opt_help(const struct cmd *cmd, FILE *f);

/* Every option of the command, one a line as "--name" or "-x": for completion scripts. */
void opt_list(const struct cmd *cmd, FILE *f);

/* Value parsers, for commands that take such values elsewhere. Whole text; false where it is wrong.
 */
bool opt_parse_duration(const char *text, coo_time *out);
bool opt_parse_size(const char *text, uint64_t *out);
bool opt_parse_uint(const char *text, uint64_t *out);
bool opt_parse_real(const char *text, double *out);

#endif
