/* SPDX-License-Identifier: MIT */
#include "cli/recv_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "cli/exit.h"
#include "cli/out.h"
#include "cli/recv_ask.h"
#include "cli/recv_release.h"
#include "cli/transfer.h"
#include "cli/xalloc.h"

/* Transfers at once, and how many wait behind them. */
enum { AT_ONCE = 8, QUEUE_MAX = 1024 };

/* A flood of offers must not turn into a flood of writing. */
enum { STORES_A_SECOND = 10 };

const char *const accept_names[] = { "never", "ask", "known", "all", NULL };

struct job {
	struct job *next;
	struct recv_files *r;
	struct offer *offer; /* own copy, of this file alone: v[0] */
	coo_fetch *fetch;    /* NULL: waits */
	char *refused;	     /* why another file of the offer was, or NULL */
};

struct recv_files {
	struct net *net;
	struct recv_opts opts;
	int dir;
	struct recv_ask *ask;
	struct job *jobs; /* in the order they came */
	size_t n_jobs, running, done, failed;
	coo_time store_second;
	unsigned stored;
	int code;
	bool stopping;
	void (*on_idle)(void *user);
	void *user;
};

static void start_more(struct recv_files *r);
static void on_answer(void *user, const struct offer *o, bool yes);

struct recv_files *recv_files_new(struct net *net, const struct recv_opts *opts,
				  void (*on_idle)(void *user), void *user, int *code)
{
	const char *path = opts->save_dir ? opts->save_dir : ".";
	struct recv_files *r;
	int dir;

	*code = EXIT_USAGE;
	if (opts->accept == ACCEPT_ASK && !isatty(STDIN_FILENO)) {
		say_error("--accept ask needs a terminal to ask on; scripts take known or all");
		return NULL;
	}
	*code = EXIT_SYSTEM;
	if (opts->accept == ACCEPT_NEVER) {
		dir = -1;
	} else if (coo_path_open_root(path, &dir) != COO_OK) {
		say_error("cannot receive into %s: %s", path, strerror(errno));
		return NULL;
	}
	r = xcalloc(1, sizeof(*r));
	r->net = net;
	r->opts = *opts;
	r->dir = dir;
	r->on_idle = on_idle;
	r->user = user;
	if (opts->accept == ACCEPT_ASK)
		r->ask = recv_ask_new(&net->loop, on_answer, r);
	*code = 0;
	return r;
}

void recv_files_stop(struct recv_files *r)
{
	if (!r)
		return;
	r->stopping = true;
	if (r->ask)
		recv_ask_stop(r->ask);
	for (struct job *j = r->jobs; j; j = j->next) {
		if (j->fetch)
			coo_fetch_cancel(j->fetch);
	}
}

void recv_files_free(struct recv_files *r)
{
	if (!r)
		return;
	while (r->jobs) {
		struct job *j = r->jobs;

		r->jobs = j->next;
		free(j->refused);
		free(j->offer);
		free(j);
	}
	recv_ask_free(r->ask);
	if (r->dir >= 0)
		close(r->dir);
	free(r);
}

size_t recv_files_pending(const struct recv_files *r)
{
	return r->n_jobs + (r->ask ? recv_ask_pending(r->ask) : 0);
}

size_t recv_files_done(const struct recv_files *r)
{
	return r->done;
}

size_t recv_files_failed(const struct recv_files *r)
{
	return r->failed;
}

int recv_files_code(const struct recv_files *r)
{
	return r->code;
}

static void fill(struct transfer *t, const struct offer *o, size_t which)
{
	const struct offer_file *f = &o->v[which];

	memset(t, 0, sizeof(*t));
	t->peer = o->from;
	t->packet_no = o->packet_no;
	t->file_id = f->id;
	t->name = f->name;
	t->is_dir = f->is_dir;
	t->total = f->is_dir || f->size == COO_FILE_SIZE_UNKNOWN ? 0 : f->size;
}

static void take_counts(struct transfer *t, const coo_fetch_result *f)
{
	t->done = f->bytes;
	t->files = f->files;
	t->folders = f->folders;
	t->resumed_from = f->resumed_from;
	t->took = f->took;
}

static void on_progress(void *user, const coo_fetch_result *so_far)
{
	const struct job *j = user;
	struct transfer t;

	fill(&t, j->offer, 0);
	take_counts(&t, so_far);
	transfer_show(TRANSFER_PROGRESS, &t);
}

static void drop_job(struct job *j)
{
	struct recv_files *r = j->r;
	struct job **at = &r->jobs;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	r->n_jobs--;
	free(j->refused);
	free(j->offer);
	free(j);
}

void recv_files_pause(struct recv_files *r)
{
	if (r->ask)
		recv_ask_pause(r->ask);
}

void recv_files_again(struct recv_files *r)
{
	if (r->ask)
		recv_ask_again(r->ask);
}

/* "the file cannot be written: No space left on device" */
static char *reason(const coo_fetch_result *f)
{
	const char *sys = f->sys ? strerror(f->sys) : NULL;
	size_t cap =
	    strlen(f->why ? f->why : "") + (sys ? strlen(sys) : 0) + COO_PATH_NAME_CAP + 64;
	char *text = xcalloc(cap, 1);

	snprintf(text, cap, "%s%s%s%s%s", f->why ? f->why : coo_err_text(f->e), sys ? ": " : "",
		 sys ? sys : "", f->name[0] && f->bytes ? "; what came is kept in " : "",
		 f->name[0] && f->bytes ? f->name : "");
	return text;
}

static void count_failure(struct recv_files *r, coo_err e)
{
	r->failed++;
	if (e == COO_ELIMIT || e == COO_EUNSAFE)
		r->code = EXIT_REFUSED;
	else if (r->code != EXIT_REFUSED)
		r->code = e == COO_ESYS ? EXIT_SYSTEM : r->code ? r->code : EXIT_NOBODY;
}

static char *join_path(const struct recv_files *r, const char *name)
{
	const char *dir = r->opts.save_dir ? r->opts.save_dir : ".";
	size_t cap = strlen(dir) + strlen(name) + 2;
	char *path = xcalloc(cap, 1);

	snprintf(path, cap, "%s/%s", dir, name);
	return path;
}

/* Too much or not safe: asking again would not help. coo get leaves that to its user. */
static bool is_refusal(const struct recv_files *r, const coo_fetch_result *f)
{
	return !r->opts.by_hand && !r->stopping && !f->no_room &&
	       (f->e == COO_ELIMIT || f->e == COO_EUNSAFE);
}

/* The sender is told when nothing of the offer is on its way any more. */
static void release_at_end(struct job *j, const char *why)
{
	bool is_last = true;

	for (struct job *k = j->r->jobs; why && k; k = k->next) {
		if (k == j || k->offer->packet_no != j->offer->packet_no ||
		    !coo_addr_eq(&k->offer->from, &j->offer->from))
			continue;
		if (!k->refused)
			k->refused = xstrdup(why);
		is_last = false;
	}
	if (why && is_last)
		recv_release(j->r->net, &j->offer->from, j->offer->packet_no, why);
}

static void on_done(void *user, const coo_fetch_result *f)
{
	struct job *j = user;
	struct recv_files *r = j->r;
	char *path = NULL, *why = NULL;
	struct transfer t;

	r->running--;
	fill(&t, j->offer, 0);
	take_counts(&t, f);
	if (f->e == COO_OK) {
		r->done++;
		t.path = path = join_path(r, f->name);
		t.sha256 = f->has_sha256 ? f->sha256 : NULL;
		offers_update(&j->offer->from, j->offer->packet_no, t.file_id);
	} else {
		count_failure(r, f->e);
		t.why = why = reason(f);
	}
	recv_files_pause(r);
	transfer_show(f->e == COO_OK ? TRANSFER_DONE : TRANSFER_FAILED, &t);
	recv_files_again(r);
	release_at_end(j, is_refusal(r, f) ? f->why : j->refused);
	free(path);
	free(why);
	drop_job(j);
	start_more(r);
	if (recv_files_pending(r) == 0 && r->on_idle)
		r->on_idle(r->user);
}

/* Names of files that are not UTF-8: what the peer writes, else the legacy charset. */
static coo_charset *charset_of(struct recv_files *r)
{
	coo_text_plan plan;

	/* a text that is no ASCII makes the plan name the charset itself */
	if (coo_text_choose(r->net->text, coo_span_str("中"), NULL, false,
			    coo_text_legacy(r->net->text), &plan) != COO_OK)
		return NULL;
	return plan.cs;
}

static coo_err start(struct recv_files *r, struct job *j)
{
	const struct offer_file *f = &j->offer->v[0];
	const coo_identity *me = &r->net->identity;
	coo_fetch_opts o;

	memset(&o, 0, sizeof(o));
	o.loop = &r->net->loop;
	o.peer = j->offer->from;
	o.local = coo_driver_local(r->net->driver);
	if (coo_addr_is_any(&o.local) || o.local.family != o.peer.family)
		o.local.family = 0; /* no --bind: routing chooses, as it did for the receipt */
	o.my_version = me->version;
	o.my_user = j->offer->utf8 ? me->utf8.user : me->legacy.user;
	o.my_host = j->offer->utf8 ? me->utf8.host : me->legacy.host;
	o.packet_no = coo_node_take_no(net_node(r->net));
	coo_ignore(coo_node_take_no(net_node(r->net))); /* the second one, for another attempt */
	o.utf8 = j->offer->utf8;
	o.names = charset_of(r);
	o.names_first = j->offer->is_gbk;
	o.dir = r->dir;
	memcpy(o.id.peer, j->offer->peer,
	       coo_utf8_truncate(coo_span_str(j->offer->peer), sizeof(o.id.peer) - 1));
	memcpy(o.id.name, f->name, sizeof(o.id.name));
	o.id.packet = j->offer->packet_no;
	o.id.id = f->id;
	o.id.size = f->size;
	o.id.mtime = f->mtime;
	o.type = f->is_dir ? COO_FILE_DIR : COO_FILE_REGULAR;
	o.limits.max_file = r->opts.max_file;
	o.limits.max_total = r->opts.max_total;
	o.limits.max_entries = r->opts.max_entries;
	o.limits.min_free = r->opts.min_free;
	o.on_progress = on_progress;
	o.on_done = on_done;
	o.user = j;
	return coo_fetch_start(&o, &j->fetch);
}

static void start_more(struct recv_files *r)
{
	for (struct job *j = r->jobs, *next; j && r->running < AT_ONCE && !r->stopping; j = next) {
		struct transfer t;

		next = j->next;
		if (j->fetch)
			continue;
		fill(&t, j->offer, 0);
		if (start(r, j) == COO_OK) {
			r->running++;
			transfer_show(TRANSFER_STARTED, &t);
		} else {
			t.why = "out of memory";
			count_failure(r, COO_ENOMEM);
			transfer_show(TRANSFER_FAILED, &t);
			drop_job(j);
		}
	}
}

void recv_files_fetch(struct recv_files *r, const struct offer *o, const struct offer_file *f)
{
	struct job *j = xcalloc(1, sizeof(*j)), **at = &r->jobs;

	j->r = r;
	j->offer = xcalloc(1, offsetof(struct offer, v) + sizeof(o->v[0]));
	memcpy(j->offer, o, offsetof(struct offer, v));
	j->offer->v[0] = *f;
	j->offer->n = 1;
	while (*at)
		at = &(*at)->next;
	*at = j;
	r->n_jobs++;
	start_more(r);
}

static void refuse(struct recv_files *r, const struct offer *o, size_t which, const char *why)
{
	struct transfer t;

	fill(&t, o, which);
	t.why = why;
	transfer_show(TRANSFER_REFUSED, &t);
	recv_release(r->net, &o->from, o->packet_no, why);
}

static void fetch_all(struct recv_files *r, const struct offer *o)
{
	for (size_t i = 0; i < o->n; i++)
		recv_files_fetch(r, o, &o->v[i]);
}

static void on_answer(void *user, const struct offer *o, bool yes)
{
	struct recv_files *r = user;

	if (yes)
		fetch_all(r, o);
	else
		refuse(r, o, 0, "not wanted");
	if (recv_files_pending(r) == 0 && r->on_idle)
		r->on_idle(r->user);
}

/* Why the offer is too much, and which of its files makes it so, or NULL. */
static const char *too_much(const struct recv_files *r, const struct offer *o, size_t *which)
{
	uint64_t total = 0;

	if (r->n_jobs + o->n > QUEUE_MAX)
		return "too many transfers are waiting";
	for (size_t i = 0; i < o->n; i++) {
		uint64_t size =
		    o->v[i].is_dir || o->v[i].size == COO_FILE_SIZE_UNKNOWN ? 0 : o->v[i].size;

		*which = i;
		if (r->opts.max_file && size > r->opts.max_file)
			return "a file is larger than --max-file allows";
		/* sizes are below 2^63 and the sum is looked at each time: it cannot wrap */
		total += size;
		if (r->opts.max_total && total > r->opts.max_total)
			return "together it is more than --max-total allows";
		if (total > COO_FILE_SIZE_MAX)
			return "together it is more than any disk has";
	}
	return NULL;
}

static void store(struct recv_files *r, const struct offer *o)
{
	coo_time second = coo_driver_now(r->net->driver) / COO_SEC(1);

	if (second != r->store_second)
		r->stored = 0;
	r->store_second = second;
	if (r->stored++ < STORES_A_SECOND)
		offers_store(o);
	else if (r->stored == STORES_A_SECOND + 1)
		say_warn("more than %d offers in one second: the others are not kept for "
			 "\"coo get\"",
			 STORES_A_SECOND);
}

void recv_files_show(const struct offer *o)
{
	char addr[COO_ADDR_TEXT_CAP], size[TRANSFER_SIZE_CAP];

	for (size_t i = 0; i < o->n; i++) {
		const struct offer_file *f = &o->v[i];

		out_text("    offers ");
		out_safe(coo_span_str(f->name), COO_UTF8_ONE_LINE);
		out_text(" (%s): coo get %s %llu %llu\n",
			 f->is_dir			    ? "folder"
			 : f->size == COO_FILE_SIZE_UNKNOWN ? "size unknown"
							    : transfer_size(f->size, size),
			 coo_addr_text(&o->from, addr), (unsigned long long)o->packet_no,
			 (unsigned long long)f->id);
	}
}

void recv_files_offer(struct recv_files *r, const struct offer *o, bool is_known)
{
	size_t which = 0;
	const char *why = too_much(r, o, &which);

	store(r, o);
	if (r->opts.accept == ACCEPT_NEVER || r->stopping)
		return;
	if (why) {
		refuse(r, o, which, why);
	} else if (r->opts.accept == ACCEPT_KNOWN && !is_known) {
		say_note("not fetched: the sender was not here before; \"coo get\" fetches it");
	} else if (r->opts.accept == ACCEPT_ASK) {
		recv_ask_put(r->ask, o);
	} else {
		fetch_all(r, o);
	}
}
