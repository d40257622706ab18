/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_FILESEND_INT_H
#define COO_FEATURE_FILESEND_INT_H

/* What the parts of the serving side share: filesend.c (service, connections), sendoffer.c (table
 * of offers), sendbody.c (what is sent). */

#include <time.h>

#include "base/path.h"
#include "feature/dirwalk.h"
#include "feature/filesend.h"
#include "proto/request.h"

#define COO_SEND_LISTENERS 4
#define COO_SEND_NAME_CAP 128 /* user or host of a recipient */
#define COO_SEND_REQUEST_CAP 2048
#define COO_SEND_BUFFER (128u << 10)

struct coo_offer {
	struct coo_offer *next;
	uint64_t packet;
	coo_addr addr;
	uint8_t user[COO_SEND_NAME_CAP], host[COO_SEND_NAME_CAP];
	size_t user_n, host_n;
	coo_charset *names;
	coo_time expires;
	coo_fileset *set;
	unsigned conns; /* connections that serve it */
	bool released;
	uint8_t fetched[COO_FILESET_MAX / 8]; /* a bit a file */
};

/* An open offer that the request fits, and its file; hex readings first (PROTOCOL.md 8.2). */
struct coo_offer *coo_offer_find(struct coo_offer *list, const coo_request *r, coo_span user,
				 coo_span host, const coo_addr *from, coo_time now,
				 const coo_fileset_file **file);
/* From now on it is for this one alone, unless it was for somebody before. */
void coo_offer_bind(struct coo_offer *o, coo_span user, coo_span host);
bool coo_offer_complete(const struct coo_offer *o);
void coo_offer_fetched(struct coo_offer *o, uint64_t id);
struct coo_offer *coo_offer_new(uint64_t packet, coo_fileset *set, const coo_filesend_to *to);
void coo_offer_free(struct coo_offer *o);

/* What goes out on one connection: the bytes of a file, or the records of a folder. */
struct coo_sendbody {
	bool is_dir;
	bool follow_links, walking, ended, utf8;
	int fd;			      /* file being sent, or -1 */
	uint64_t left;		      /* of it */
	uint64_t size;		      /* of it, when it was opened */
	struct timespec changed;      /* likewise */
	char name[COO_PATH_NAME_CAP]; /* of one in a folder */
	off_t at;		      /* in it */
	uint64_t sent, files;
	const char *why; /* what went wrong */
	coo_charset *names;
	coo_dirwalk walk;
	size_t have, done; /* bytes in buffer, and how many of them are out */
	uint8_t *buffer;   /* COO_SEND_BUFFER for folders */
	void (*skipped)(void *user, const char *name, const char *why);
	void (*altered)(void *user, const char *name); /* one in a folder, while it was sent */
	void *user;
};

/* Opens what is asked for. COO_ESYS or COO_EUNSAFE with b->why set. */
COO_MUST_CHECK coo_err coo_sendbody_open(struct coo_sendbody *b, const coo_fileset *set,
					 const coo_fileset_file *f, enum coo_request_kind kind,
					 uint64_t offset);
void coo_sendbody_close(struct coo_sendbody *b);

/*
 * Moves at most about max bytes into the socket. COO_OK: go on when it is writable; COO_ENOENT: all
 * is out; COO_ESYS: the connection is broken; COO_EFORMAT: the file changed under us (b->why).
 */
COO_MUST_CHECK coo_err coo_sendbody_step(struct coo_sendbody *b, int sock, size_t max);

enum coo_conn_state {
	COO_CONN_REQUEST, /* reading the request */
	COO_CONN_BODY,	  /* sending */
	COO_CONN_DRAIN,	  /* all is out: the peer's close is the receipt */
	COO_CONN_CLOSING,
};

struct coo_sendconn {
	struct coo_sendconn *next;
	struct coo_filesend *s;
	uv_poll_t poll;
	int fd;
	enum coo_conn_state state;
	coo_addr peer;
	coo_time accepted, started, progress, told;
	struct coo_offer *offer;
	const coo_fileset_file *file;
	uint64_t packet, offset, sent_before;
	bool complete; /* the offer, with this file */
	struct coo_sendbody body;
	size_t have;
	uint8_t request[COO_SEND_REQUEST_CAP];
};

struct coo_filesend {
	coo_filesend_opts opts;
	uv_timer_t timer;
	struct {
		uv_poll_t poll;
		int fd;
	} listeners[COO_SEND_LISTENERS];
	size_t n_listeners, n_conns, n_handles, n_offers;
	bool closing;
	struct coo_offer *offers;
	struct coo_sendconn *conns;
};

/* Takes an accepted socket. */
void coo_sendconn_start(struct coo_filesend *s, int fd, const coo_addr *peer);
/* Looks at the clock; may close the connection. */
void coo_sendconn_tick(struct coo_sendconn *c, coo_time now);
/* Ends the connection; why NULL: without an event. Its memory goes with the loop's next turn. */
void coo_sendconn_stop(struct coo_sendconn *c, enum coo_filesend_what what, const char *why);

/* Takes a finished connection off the list and the offer; frees what nothing needs any more. */
void coo_filesend_forget(struct coo_filesend *s, struct coo_sendconn *c);
void coo_filesend_handle_closed(struct coo_filesend *s);

#endif
