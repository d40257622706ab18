/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_OFFERS_H
#define COO_CLI_OFFERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/path.h"
#include "feature/message.h"
#include "proto/attach.h"

/*
 * Offers of files that were received, kept in the state directory ("offers.json") so that "coo get"
 * can fetch what "coo listen" did not: at most 200 of them, for 30 days. Everything in the file
 * came from the network or from people; it is checked again when it is read.
 */
#define OFFERS_MAX_FILES 256

struct offer_file {
	uint64_t id;
	char name[COO_PATH_NAME_CAP]; /* accepted by coo_path_accept; "" where it was refused */
	uint64_t size;		      /* or COO_FILE_SIZE_UNKNOWN */
	uint64_t mtime;
	bool is_dir;
	bool fetched;
};

struct offer {
	coo_addr from;
	uint64_t packet_no;
	bool utf8;		      /* so are names in folders, where it is asked for them so */
	bool is_gbk;		      /* the sender writes GBK, also where that looks like UTF-8 */
	char peer[COO_PATH_NAME_CAP]; /* user@host, UTF-8: the identity of a part */
	char nick[COO_PATH_NAME_CAP];
	char charset[32]; /* of names in folders */
	uint64_t seen;	  /* seconds since 1970 */
	size_t n;
	struct offer_file v[OFFERS_MAX_FILES];
};

/* Reads the list of a message with FILEATTACHOPT. false: there is nothing in it that could be
 * fetched (*bad: how many entries were refused). Gives: free(). */
struct offer *offer_of_message(coo_text *text, const coo_event *ev, const coo_message *m,
			       size_t *bad);

/* [{"id":0,"name":"a.txt","size":5,"mtime":…,"kind":"file"}] of a message's event. */
json_t *offer_files_json(const struct offer *o);

/* Adds or replaces the offer in the store. Failures are notes: nothing depends on it. */
void offers_store(const struct offer *o);

/* Marks one file as fetched, or (id UINT64_MAX) forgets the offer. */
void offers_update(const coo_addr *from, uint64_t packet_no, uint64_t id);

/* Calls visit for every stored offer, oldest first, until it returns true. False: the store cannot
 * be read (said on stderr). */
bool offers_each(bool (*visit)(const struct offer *o, void *user), void *user);

#endif
