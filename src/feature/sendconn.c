/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

#include "base/clock.h"
#include "feature/filesend_int.h"
#include "proto/packet.h"

/* Silence after which a request without its NUL is taken to be over (FeiQ sends none). */
#define REQUEST_QUIET COO_MS(300)
#define TELL_EVERY COO_MS(200)

/* Bytes of one transfer a turn of the loop: alone, and beside others. */
#define SLICE_ALONE (1u << 20)
#define SLICE_SHARED (256u << 10)

static void on_poll(uv_poll_t *poll, int status, int events);

static void tell(struct coo_sendconn *c, enum coo_filesend_what what, const char *name,
		 const char *why)
{
	coo_filesend_event ev;

	if (!c->s->opts.on_event)
		return;
	memset(&ev, 0, sizeof(ev));
	ev.what = what;
	ev.peer = c->peer;
	ev.packet = c->packet;
	ev.file = c->file;
	ev.offset = c->offset;
	ev.sent = c->body.sent;
	ev.total = c->file && c->file->type == COO_FILE_REGULAR ? c->file->size - c->offset : 0;
	ev.files = c->body.files;
	ev.took = c->started ? coo_clock_now() - c->started : 0;
	ev.name = name;
	ev.why = why;
	ev.complete = c->complete;
	c->s->opts.on_event(c->s->opts.user, &ev);
}

static void on_closed(uv_handle_t *handle)
{
	struct coo_sendconn *c = handle->data;
	struct coo_filesend *s = c->s;

	free(c);
	coo_filesend_handle_closed(s);
}

void coo_sendconn_stop(struct coo_sendconn *c, enum coo_filesend_what what, const char *why)
{
	if (c->state == COO_CONN_CLOSING)
		return;
	c->state = COO_CONN_CLOSING;
	coo_sendbody_close(&c->body);
	uv_close((uv_handle_t *)&c->poll, on_closed);
	close(c->fd);
	c->fd = -1;
	coo_filesend_forget(c->s, c);
	if (why)
		tell(c, what, NULL, why);
}

static void fail(struct coo_sendconn *c, const char *why)
{
	coo_sendconn_stop(c, COO_FILESEND_FAILED, why);
}

static void refuse(struct coo_sendconn *c, const char *why)
{
	coo_sendconn_stop(c, COO_FILESEND_REFUSED, why);
}

static void watch(struct coo_sendconn *c, int events)
{
	if (uv_poll_start(&c->poll, events, on_poll) != 0)
		fail(c, "the event loop refused");
}

static void on_skipped(void *user, const char *name, const char *why)
{
	tell(user, COO_FILESEND_SKIPPED, name, why);
}

static void on_altered(void *user, const char *name)
{
	tell(user, COO_FILESEND_ALTERED, name, "it changed while it was sent");
}

/* Bytes that the peer's system has not acknowledged yet. */
static int unacknowledged(const struct coo_sendconn *c)
{
	int n = 0;

#ifdef SIOCOUTQ
	coo_ignore(ioctl(c->fd, SIOCOUTQ, &n) != 0);
#endif
	return n;
}

static void done(struct coo_sendconn *c)
{
	coo_offer_fetched(c->offer, c->file->id);
	c->complete = coo_offer_complete(c->offer);
	coo_sendconn_stop(c, COO_FILESEND_DONE, NULL);
	/* last, so that whoever counts what is under way does not count this one */
	tell(c, COO_FILESEND_DONE, NULL, NULL);
}

static void send_slice(struct coo_sendconn *c)
{
	size_t slice = c->s->n_conns > 1 ? SLICE_SHARED : SLICE_ALONE;
	coo_err e = coo_sendbody_step(&c->body, c->fd, slice);
	coo_time now = coo_clock_now();

	if (c->body.sent != c->sent_before)
		c->progress = now;
	c->sent_before = c->body.sent;
	if (e == COO_ENOENT) {
		c->state = COO_CONN_DRAIN;
		coo_ignore(shutdown(c->fd, SHUT_WR) != 0);
		watch(c, UV_READABLE);
	} else if (e != COO_OK) {
		fail(c, c->body.why ? c->body.why : "the peer closed the connection");
	} else if (now - c->told >= TELL_EVERY) {
		c->told = now;
		tell(c, COO_FILESEND_PROGRESS, NULL, NULL);
	}
}

static void start_body(struct coo_sendconn *c, enum coo_request_kind kind, uint64_t offset,
		       bool utf8)
{
	coo_err e;

	c->offset = offset;
	c->body.utf8 = utf8;
	c->body.names = c->offer->names;
	c->body.follow_links = c->offer->set->follow_links;
	c->body.skipped = on_skipped;
	c->body.altered = on_altered;
	c->body.user = c;
	c->started = c->told = c->progress = coo_clock_now();
	e = coo_sendbody_open(&c->body, c->offer->set, c->file, kind, offset);
	if (e != COO_OK) {
		fail(c, c->body.why ? c->body.why : coo_err_text(e));
		return;
	}
	c->state = COO_CONN_BODY;
	watch(c, UV_WRITABLE);
	tell(c, COO_FILESEND_STARTED, NULL, NULL);
}

/* Whether the header of the packet is there whole: before the fifth colon its command may be cut.
 */
static bool has_header(coo_span s)
{
	coo_span piece;

	for (unsigned i = 0; i < 5; i++) {
		if (!coo_span_cut(&s, ':', &piece))
			return false;
	}
	return true;
}

static void take_request(struct coo_sendconn *c, const coo_packet *p, enum coo_request_kind kind,
			 const coo_request *r)
{
	if (coo_packet_has(p, COO_OPT_FILE_ENCRYPT)) {
		refuse(c, "asked with encryption, which is not supported");
		return;
	}
	c->packet = r->packet.is_hex ? r->packet.hex : r->packet.dec;
	c->offer =
	    coo_offer_find(c->s->offers, r, p->user, p->host, &c->peer, coo_clock_now(), &c->file);
	if (!c->offer) {
		refuse(c, "asked for what is not offered to it");
		return;
	}
	c->packet = c->offer->packet;
	c->offer->conns++;
	c->peer = c->offer->addr; /* the same host, by the port that we know */
	coo_offer_bind(c->offer, p->user, p->host);
	start_body(c, kind, r->offset, coo_packet_has(p, COO_OPT_FILE_UTF8));
}

static void try_request(struct coo_sendconn *c, bool at_end)
{
	coo_span raw = coo_span_of(c->request, c->have);
	enum coo_request_kind kind;
	coo_request r;
	coo_packet p;
	coo_err e;

	if (!has_header(raw)) {
		if (at_end || c->have == sizeof(c->request))
			refuse(c, "sent no request");
		return;
	}
	if (coo_packet_decode(raw, &p) != COO_OK) {
		refuse(c, "sent something else than a request");
		return;
	}
	if (coo_packet_cmd(&p) != COO_CMD_GETFILEDATA &&
	    coo_packet_cmd(&p) != COO_CMD_GETDIRFILES) {
		refuse(c, "sent another command than a request for files");
		return;
	}
	kind = coo_packet_cmd(&p) == COO_CMD_GETDIRFILES ? COO_REQUEST_DIR : COO_REQUEST_FILE;
	e = coo_request_decode(p.ext, kind, at_end, &r);
	if (e == COO_OK)
		take_request(c, &p, kind, &r);
	else if (e != COO_EMORE || c->have == sizeof(c->request))
		refuse(c, "sent a request that cannot be read");
}

static void read_request(struct coo_sendconn *c)
{
	ssize_t n = recv(c->fd, c->request + c->have, sizeof(c->request) - c->have, MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			refuse(c, "broke the connection");
		return;
	}
	if (n == 0) {
		/* a half-closed connection still wants its answer */
		coo_ignore(uv_poll_stop(&c->poll) != 0);
		try_request(c, true);
		return;
	}
	c->have += (size_t)n;
	c->progress = coo_clock_now();
	try_request(c, false);
}

/* The peer closes when it has all; whatever it says before that is of no interest. */
static void drain(struct coo_sendconn *c)
{
	uint8_t scrap[512];
	ssize_t n = recv(c->fd, scrap, sizeof(scrap), MSG_DONTWAIT);

	if (n == 0)
		done(c);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(c, "the peer broke the connection at the end");
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct coo_sendconn *c = poll->data;

	(void)events;
	if (status < 0) {
		fail(c, "the peer broke the connection");
		return;
	}
	switch (c->state) {
	case COO_CONN_REQUEST:
		read_request(c);
		break;
	case COO_CONN_BODY:
		send_slice(c);
		break;
	case COO_CONN_DRAIN:
		drain(c);
		break;
	case COO_CONN_CLOSING:
		break;
	}
}

void coo_sendconn_tick(struct coo_sendconn *c, coo_time now)
{
	switch (c->state) {
	case COO_CONN_REQUEST:
		if (now - c->accepted >= c->s->opts.request_timeout)
			refuse(c, "sent no request in time");
		else if (c->have > 0 && now - c->progress >= REQUEST_QUIET)
			try_request(c, true);
		break;
	case COO_CONN_BODY:
		if (now - c->progress >= c->s->opts.idle_timeout)
			fail(c, "the peer takes nothing any more");
		break;
	case COO_CONN_DRAIN:
		if (now - c->progress < c->s->opts.idle_timeout)
			break;
		if (unacknowledged(c) == 0)
			done(c);
		else
			fail(c, "the peer takes nothing any more");
		break;
	case COO_CONN_CLOSING:
		break;
	}
}

void coo_sendconn_start(struct coo_filesend *s, int fd, const coo_addr *peer)
{
	struct coo_sendconn *c = calloc(1, sizeof(*c));

	if (!c || uv_poll_init_socket(s->opts.loop, &c->poll, fd) != 0) {
		free(c);
		close(fd);
		return;
	}
	c->s = s;
	c->fd = fd;
	c->body.fd = -1;
	c->peer = *peer;
	c->accepted = c->progress = coo_clock_now();
	c->poll.data = c;
	c->next = s->conns;
	s->conns = c;
	s->n_conns++;
	s->n_handles++;
	watch(c, UV_READABLE);
}
