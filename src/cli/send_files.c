/* SPDX-License-Identifier: MIT */
#include "cli/send_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/exit.h"
#include "cli/out.h"
#include "cli/recv_release.h"
#include "cli/transfer.h"
#include "cli/xalloc.h"
#include "feature/filesend.h"

/* Bytes of the list that a datagram of any size can hold. */
enum { LIST_ROOM = 70000, PORT_USUAL = 2425 };

struct sent {
	coo_addr to;
	uint64_t packet;
	bool complete, gone;
};

struct send_files {
	coo_fileset *set;
	coo_filesend *service;
	struct net *net;
	char *names; /* all of them, for the choice of the charset */
	size_t names_n;
	struct sent *sent;
	size_t n_sent;
	uv_timer_t timer;
	bool has_timer, timed_out;
	void (*on_over)(void *user);
	void *user;
};

static int say_cannot_offer(const char *path, coo_err e)
{
	char *safe = out_safe_dup(coo_span_str(path), COO_UTF8_ONE_LINE);
	int code = EXIT_SYSTEM;

	if (e == COO_ESYS) {
		say_error("cannot offer %s: %s", safe, strerror(errno));
	} else if (e == COO_EFORMAT && path[strspn(path, "/")] == '\0') {
		say_error("cannot offer %s: it has no name; offer the folders in it", safe);
		code = EXIT_REFUSED;
	} else if (e == COO_EFORMAT) {
		say_error("cannot offer %s: its name is not UTF-8, or has control characters; "
			  "rename it",
			  safe);
		code = EXIT_REFUSED;
	} else if (e == COO_EUNSAFE) {
		say_error("cannot offer %s: it is neither a file nor a folder; a symbolic link is "
			  "followed with -L",
			  safe);
		code = EXIT_REFUSED;
	} else if (e == COO_EFULL) {
		say_error("more than %d files in one message; offer their folder", COO_FILESET_MAX);
		code = EXIT_REFUSED;
	} else {
		say_error("cannot offer %s: %s", safe, coo_err_text(e));
	}
	free(safe);
	return code;
}

static void collect_names(struct send_files *f)
{
	for (size_t i = 0; i < f->set->n; i++) {
		size_t n = strlen(f->set->v[i].name);

		f->names = xrealloc(f->names, f->names_n + n + 1, 1);
		memcpy(f->names + f->names_n, f->set->v[i].name, n);
		f->names_n += n;
	}
}

struct send_files *send_files_new(const struct str_list *paths, bool follow_links, int *code)
{
	struct send_files *f = xcalloc(1, sizeof(*f));

	f->set = coo_fileset_new(follow_links);
	*code = f->set ? 0 : EXIT_SYSTEM;
	for (size_t i = 0; *code == 0 && i < paths->n; i++) {
		coo_err e = coo_fileset_add(f->set, paths->v[i]);

		if (e != COO_OK)
			*code = say_cannot_offer(paths->v[i], e);
	}
	if (*code) {
		send_files_free(f);
		return NULL;
	}
	collect_names(f);
	return f;
}

void send_files_free(struct send_files *f)
{
	if (!f)
		return;
	coo_fileset_unref(f->set);
	free(f->names);
	free(f->sent);
	free(f);
}

static struct sent *find_sent(struct send_files *f, uint64_t packet)
{
	for (size_t i = 0; i < f->n_sent; i++) {
		if (f->sent[i].packet == packet)
			return &f->sent[i];
	}
	return NULL;
}

static void check_over(struct send_files *f)
{
	if (!send_files_pending(f))
		f->on_over(f->user);
}

static void show(const coo_filesend_event *ev, enum transfer_status status)
{
	struct transfer t;

	memset(&t, 0, sizeof(t));
	t.sending = true;
	t.peer = ev->peer;
	t.packet_no = ev->packet;
	t.took = ev->took;
	t.why = ev->why;
	t.name = "a request";
	t.resumed_from = ev->offset;
	t.done = ev->offset + ev->sent;
	t.files = ev->files;
	if (ev->file) {
		t.file_id = ev->file->id;
		t.name = ev->file->name;
		t.is_dir = ev->file->type == COO_FILE_DIR;
		t.total = ev->file->size;
	}
	transfer_show(status, &t);
}

static void say_inside(const coo_filesend_event *ev, const char *what)
{
	char *name = out_safe_dup(coo_span_str(ev->name), COO_UTF8_ONE_LINE);

	transfer_clear_line();
	say_warn("%s in %s%s: %s", name, ev->file->name, what, ev->why);
	free(name);
}

void send_files_show(const coo_filesend_event *ev)
{
	switch (ev->what) {
	case COO_FILESEND_STARTED:
		show(ev, TRANSFER_STARTED);
		break;
	case COO_FILESEND_PROGRESS:
		show(ev, TRANSFER_PROGRESS);
		break;
	case COO_FILESEND_DONE:
		show(ev, TRANSFER_DONE);
		break;
	case COO_FILESEND_FAILED:
		show(ev, TRANSFER_FAILED);
		break;
	case COO_FILESEND_SKIPPED:
		say_inside(ev, " is not sent");
		break;
	case COO_FILESEND_ALTERED:
		say_inside(ev, "");
		break;
	case COO_FILESEND_REFUSED:
		if (out_verbosity() > 0)
			show(ev, TRANSFER_REFUSED);
		break;
	}
}

/* What became of all files for one target. */
static void show_outcome(const struct sent *s, const char *status, const char *reason)
{
	char text[COO_ADDR_TEXT_CAP];
	json_t *o;

	if (!out_is_json())
		return;
	o = out_event("files");
	json_object_set_new(o, "to", json_string(coo_addr_text(&s->to, text)));
	snprintf(text, sizeof(text), "%" PRIu64, s->packet);
	json_object_set_new(o, "packet_no", json_string(text));
	json_object_set_new(o, "status", json_string(status));
	json_object_set_new(o, "reason", reason ? json_string(reason) : json_null());
	out_json(o);
	out_flush();
}

static void on_event(void *user, const coo_filesend_event *ev)
{
	struct send_files *f = user;
	struct sent *s = find_sent(f, ev->packet);

	send_files_show(ev);
	if (ev->what == COO_FILESEND_DONE && s && ev->complete && !s->complete) {
		s->complete = true;
		show_outcome(s, "fetched", NULL);
	}
	check_over(f);
}

static void on_time(uv_timer_t *timer)
{
	struct send_files *f = timer->data;

	f->timed_out = true;
	f->on_over(f->user);
}

static int listen_on(struct send_files *f, const coo_addr *at)
{
	char text[COO_ADDR_TEXT_CAP];
	coo_addr bound;
	coo_err e = coo_filesend_listen(f->service, at, &bound);

	if (e == COO_OK)
		return 0;
	say_error("cannot serve files on TCP %s: %s", coo_addr_text(at, text),
		  e == COO_ESYS ? strerror(errno) : coo_err_text(e));
	return EXIT_SYSTEM;
}

/* TCP stands on the port that the offer leaves from; most clients ask nowhere else. */
static int open_ports(struct send_files *f, const struct common *c)
{
	coo_addr at = coo_driver_local(f->net->driver), six;
	int code = listen_on(f, &at);

	if (code)
		return code;
	if (!c->bind && coo_addr_is_any(&at) && at.family == 4) {
		coo_addr bound;

		memset(&six, 0, sizeof(six));
		six.family = 6;
		six.port = at.port;
		coo_ignore(coo_filesend_listen(f->service, &six, &bound) != COO_OK);
	}
	if (f->net->ephemeral && at.port != PORT_USUAL)
		say_warn("port %u is taken, so the files are served on port %u: iptux and others "
			 "that fetch from port %u only will not get them",
			 (unsigned)net_target_port(c), (unsigned)at.port, (unsigned)PORT_USUAL);
	return 0;
}

int send_files_start(struct send_files *f, struct net *net, const struct common *c, coo_time wait,
		     void (*on_over)(void *user), void *user)
{
	coo_filesend_opts opts;

	memset(&opts, 0, sizeof(opts));
	opts.loop = &net->loop;
	opts.on_event = on_event;
	opts.user = f;
	f->net = net;
	f->on_over = on_over;
	f->user = user;
	if (coo_filesend_open(&opts, &f->service) != COO_OK) {
		say_error("out of memory");
		return EXIT_SYSTEM;
	}
	uv_timer_init(&net->loop, &f->timer);
	f->timer.data = f;
	f->has_timer = true;
	uv_timer_start(&f->timer, on_time, wait / COO_MS(1), 0);
	return open_ports(f, c);
}

void send_files_stop(struct send_files *f)
{
	transfer_clear_line();
	coo_filesend_close(f->service);
	f->service = NULL;
	if (f->has_timer)
		uv_close((uv_handle_t *)&f->timer, NULL);
	f->has_timer = false;
}

static coo_err put_list(void *user, const coo_text_plan *plan, coo_buf *out, size_t *lost)
{
	const struct send_files *f = user;

	return coo_fileset_put(f->set, plan, out, lost);
}

/* The offer is opened before the message leaves: a fast peer asks at once. */
static void on_sent(void *user, const coo_outbox_result *r, const coo_text_plan *plan)
{
	struct send_files *f = user;
	coo_filesend_to to;
	struct sent *s;

	memset(&to, 0, sizeof(to));
	to.addr = r->to;
	to.names = plan->utf8_opt ? NULL : plan->cs;
	to.expires = COO_NEVER;
	f->sent = xrealloc(f->sent, f->n_sent + 1, sizeof(*f->sent));
	s = &f->sent[f->n_sent++];
	memset(s, 0, sizeof(*s));
	s->to = r->to;
	s->packet = r->packet_no;
	if (coo_filesend_offer(f->service, r->packet_no, f->set, &to) != COO_OK)
		s->gone = true;
}

bool send_files_has_colons(const struct send_files *f)
{
	return memchr(f->names, ':', f->names_n) != NULL;
}

void send_files_join(struct send_files *f, coo_outbox_cfg *cfg)
{
	cfg->put = put_list;
	cfg->on_sent = on_sent;
	cfg->names = coo_span_of(f->names, f->names_n);
	cfg->room = LIST_ROOM;
	cfg->put_user = f;
	cfg->split = false;
	cfg->options |= COO_OPT_FILEATTACH;
}

static void give_up(struct send_files *f, struct sent *s)
{
	bool complete = false;

	if (!s || s->gone)
		return;
	if (coo_filesend_release(f->service, s->packet, &s->to, &complete))
		s->complete = s->complete || complete;
	s->gone = true;
}

void send_files_on_result(struct send_files *f, const coo_outbox_result *r)
{
	if (r->delivery == COO_DELIVERY_TIMEOUT || r->delivery == COO_DELIVERY_ERROR)
		give_up(f, find_sent(f, r->packet_no));
}

void send_files_on_event(struct send_files *f, const coo_event *ev)
{
	char addr[COO_ADDR_TEXT_CAP];
	struct sent *s;
	uint64_t no;

	if (ev->type != COO_EV_SECOND || coo_packet_cmd(&ev->packet) != COO_CMD_RELEASEFILES ||
	    !coo_packet_ref(&ev->packet, &no))
		return;
	s = find_sent(f, no);
	if (!s || s->gone || !coo_addr_eq_ip(&s->to, &ev->rx.from))
		return;
	give_up(f, s);
	transfer_clear_line();
	if (!s->complete) {
		char *reason = recv_release_reason(&ev->packet);

		say_error("%s does not want the files%s%s%s", transfer_peer(&s->to, addr),
			  *reason ? " (" : "", reason, *reason ? ")" : "");
		show_outcome(s, "refused", *reason ? reason : NULL);
		free(reason);
	}
	check_over(f);
}

bool send_files_pending(const struct send_files *f)
{
	if (f->timed_out || !f->service)
		return false;
	return coo_filesend_pending(f->service) > 0 || coo_filesend_active(f->service) > 0;
}

size_t send_files_end(struct send_files *f)
{
	char addr[COO_ADDR_TEXT_CAP];
	size_t complete = 0;

	transfer_clear_line();
	for (size_t i = 0; i < f->n_sent; i++) {
		const struct sent *s = &f->sent[i];

		complete += s->complete;
		if (s->complete || s->gone)
			continue;
		say_error("%s has not fetched everything", transfer_peer(&s->to, addr));
		show_outcome(s, "incomplete", NULL);
	}
	return complete;
}
