/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/listen_reply.h"
#include "cli/net.h"
#include "cli/out.h"
#include "cli/send_files.h"
#include "cli/transfer.h"
#include "cli/xalloc.h"
#include "feature/filesend.h"
#include "feature/message.h"

/*
 * The file server of a classroom, by means that every client has: whoever sends the name of a file
 * is offered that file, whoever sends "list" is offered all of them.
 */

enum {
	NAMES_MAX = 4096,  /* entries of the folders together that are looked at */
	LIST_BYTES = 4000, /* of one message: FeiQ takes no more for sure */
	OPEN_MAX = 1024,   /* offers that nobody has fetched yet */
	ANSWERS_A_SECOND = 50,
};

struct share_opts {
	struct common common;
	coo_time offer_wait, timeout;
};

#define AT(field) offsetof(struct share_opts, field)

static const struct opt opts_table[] = {
	{ .name = "offer-wait",
	  .kind = OPT_DURATION,
	  .at = AT(offer_wait),
	  .arg = "D",
	  .min = COO_MS(10),
	  .max = COO_SEC(30 * 86400),
	  .help = "how long who asked may fetch (10m)" },
	{ .letter = 't',
	  .name = "timeout",
	  .kind = OPT_DURATION,
	  .at = AT(timeout),
	  .arg = "D",
	  .min = COO_MS(1),
	  .help = "end after this time" },
	OPT_END,
};

static const struct share_opts defaults = {
	.common = { .port = 2425 },
	.offer_wait = COO_SEC(600),
};

struct sharing {
	const struct share_opts *opts;
	char **dirs;
	size_t n_dirs;
	struct net net;
	coo_filesend *files;
	uint8_t *scratch;
	uint64_t second;
	unsigned answers;
	uv_timer_t timer;
};

/* One answer under way: the names that go into it, in as many messages as it takes. */
struct answer {
	struct sharing *s;
	const coo_event *ev;
	coo_text_plan plan;
	coo_fileset *set;
	size_t bytes, part;
};

static void send_part(struct answer *a)
{
	uint8_t *mem = xcalloc(1, LIST_BYTES * 4);
	struct net *net = &a->s->net;
	coo_filesend_to to;
	uint32_t number = 0;
	coo_err e;
	coo_send m;
	coo_buf b;

	coo_buf_init(&b, mem, LIST_BYTES * 4);
	coo_buf_put_byte(&b, 0);
	e = coo_fileset_put(a->set, &a->plan, &b, NULL);
	memset(&m, 0, sizeof(m));
	m.token = UINT64_MAX - 1;
	m.to = a->ev->rx.from;
	m.local = a->ev->rx.local;
	m.options = COO_OPT_FILEATTACH | COO_OPT_AUTORET | (a->plan.utf8_opt ? COO_OPT_UTF8 : 0);
	m.ext = coo_buf_span(&b);
	if (e == COO_OK)
		e = coo_node_send(net_node(net), &m, coo_driver_now(net->driver), &number);
	memset(&to, 0, sizeof(to));
	to.addr = m.to;
	/* names that are no ASCII may come in another charset with the request */
	if (!coo_span_has_high(a->ev->packet.user) && !coo_span_has_high(a->ev->packet.host)) {
		to.user = a->ev->packet.user;
		to.host = a->ev->packet.host;
	}
	to.names = a->plan.utf8_opt ? NULL : a->plan.cs;
	to.expires = coo_time_add(coo_clock_now(), a->s->opts->offer_wait);
	if (e == COO_OK)
		e = coo_filesend_offer(a->s->files, number, a->set, &to);
	if (e != COO_OK)
		say_warn("an answer could not be sent: %s", coo_err_text(e));
	coo_fileset_unref(a->set);
	a->set = NULL;
	a->bytes = 0;
	a->part++;
	free(mem);
}

static void add_path(struct answer *a, const char *dir, const char *name)
{
	size_t cap = strlen(dir) + strlen(name) + 2;
	char *path = xcalloc(cap, 1);

	snprintf(path, cap, "%s/%s", dir, name);
	if (!a->set)
		a->set = coo_fileset_new(false);
	if (a->set && coo_fileset_add(a->set, path) == COO_OK)
		a->bytes += 2 * strlen(name) + 48;
	if (a->set && (a->bytes > LIST_BYTES - 700 || a->set->n == COO_FILESET_MAX))
		send_part(a);
	free(path);
}

/* Adds what has this name, or everything where wanted is NULL; hidden files are not shared. */
static void add_matching(struct answer *a, const char *dir, coo_span wanted, bool all)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	if (!d) {
		say_warn("cannot read %s: %s", dir, strerror(errno));
		return;
	}
	for (size_t i = 0; i < NAMES_MAX && (e = readdir(d)) != NULL; i++) {
		if (e->d_name[0] != '.' && (all || coo_span_eq_str(wanted, e->d_name)))
			add_path(a, dir, e->d_name);
	}
	closedir(d);
}

static bool is_list(coo_span text)
{
	static const char *const words[] = { "list", "ls", "dir", "?", "列表", "？" };

	for (size_t i = 0; i < COO_ARRAY_LEN(words); i++) {
		if (coo_span_eq_nocase(text, coo_span_str(words[i])))
			return true;
	}
	return text.n == 0;
}

static coo_span trim(coo_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\n' || s.p[0] == '\t'))
		s = coo_span_skip(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool may_answer(struct sharing *s, const coo_message *m)
{
	uint64_t second = coo_driver_now(s->net.driver) / COO_SEC(1);

	if (second != s->second)
		s->answers = 0;
	s->second = second;
	return listen_may_reply(m) && s->answers++ < ANSWERS_A_SECOND &&
	       coo_filesend_pending(s->files) < OPEN_MAX;
}

static void answer(struct sharing *s, const coo_event *ev, const coo_message *m)
{
	const coo_peers *peers = coo_node_peers(net_node(&s->net));
	const coo_peer *peer = coo_peers_at(peers, &ev->rx.from);
	coo_text_hint hint = coo_hint_of_peer(peers, peer);
	coo_span wanted = trim(m->text);
	struct answer a = { .s = s, .ev = ev };
	bool utf8 = coo_packet_has(&ev->packet, COO_OPT_UTF8) || (peer && peer->has_utf8);

	hint.client = m->from.client;
	if (coo_text_choose(s->net.text, coo_span_str("文"), &hint, utf8, NULL, &a.plan) != COO_OK)
		return;
	for (size_t i = 0; i < s->n_dirs; i++)
		add_matching(&a, s->dirs[i], wanted, is_list(wanted));
	if (a.set && a.set->n > 0)
		send_part(&a);
	coo_fileset_unref(a.set);
	if (a.part == 0)
		listen_reply(&s->net, &ev->rx, m->from.client,
			     coo_span_str(is_list(wanted)
					      ? "nothing is shared"
					      : "there is no such file; send \"list\""));
	coo_driver_kick(s->net.driver);
}

static void on_event(void *user, const coo_event *ev)
{
	struct sharing *s = user;
	coo_message m;
	coo_buf scratch;
	uint64_t number;
	bool complete;

	if (ev->type == COO_EV_SECOND && coo_packet_cmd(&ev->packet) == COO_CMD_RELEASEFILES &&
	    coo_packet_ref(&ev->packet, &number))
		coo_ignore(coo_filesend_release(s->files, number, &ev->rx.from, &complete));
	if (ev->type != COO_EV_MESSAGE)
		return;
	coo_buf_init(&scratch, s->scratch, COO_MESSAGE_SCRATCH);
	if (coo_message_of(s->net.text, coo_node_peers(net_node(&s->net)), ev, &scratch, &m) ==
		COO_OK &&
	    may_answer(s, &m))
		answer(s, ev, &m);
}

static void on_file(void *user, const coo_filesend_event *ev)
{
	(void)user;
	send_files_show(ev);
}

static void on_stop(void *user)
{
	struct sharing *s = user;

	uv_stop(&s->net.loop);
}

static void on_timeout(uv_timer_t *timer)
{
	on_stop(timer->data);
}

static int serve(struct sharing *s)
{
	char text[COO_ADDR_TEXT_CAP];
	coo_addr at = coo_driver_local(s->net.driver), bound;
	coo_filesend_opts opts;
	coo_err e;

	memset(&opts, 0, sizeof(opts));
	opts.loop = &s->net.loop;
	opts.on_event = on_file;
	opts.user = s;
	e = coo_filesend_open(&opts, &s->files);
	if (e == COO_OK)
		e = coo_filesend_listen(s->files, &at, &bound);
	if (e != COO_OK) {
		say_error("cannot serve files on TCP %s: %s", coo_addr_text(&at, text),
			  e == COO_ESYS ? strerror(errno) : coo_err_text(e));
		return EXIT_SYSTEM;
	}
	uv_timer_init(&s->net.loop, &s->timer);
	s->timer.data = s;
	if (s->opts->timeout)
		uv_timer_start(&s->timer, on_timeout, s->opts->timeout / COO_MS(1), 0);
	out_start("share", &at);
	say_info("sharing on %s; Ctrl-C ends", coo_addr_text(&at, text));
	coo_node_announce(net_node(&s->net), coo_driver_now(s->net.driver));
	coo_driver_kick(s->net.driver);
	uv_run(&s->net.loop, UV_RUN_DEFAULT);
	coo_node_leave(net_node(&s->net), coo_driver_now(s->net.driver));
	coo_driver_kick(s->net.driver);
	transfer_clear_line();
	uv_close((uv_handle_t *)&s->timer, NULL);
	return EXIT_DONE;
}

static bool check_dirs(int argc, char **argv)
{
	if (argc == 0)
		say_error("there is nothing to share; name a folder");
	for (int i = 0; i < argc; i++) {
		DIR *d = opendir(argv[i]);

		if (!d) {
			say_error("cannot share %s: %s", argv[i], strerror(errno));
			return false;
		}
		closedir(d);
	}
	return argc > 0;
}

static int run(void *opts, int argc, char **argv)
{
	struct sharing s;
	struct net_wish wish = {
		.member = true,
		.tcp_too = true,
		.send_read = true,
		.capabilities = COO_OPT_ENTRY_FILEATTACH,
		.on_event = on_event,
		.on_stop = on_stop,
		.user = &s,
	};
	int code;

	memset(&s, 0, sizeof(s));
	s.opts = opts;
	if (!check_dirs(argc, argv))
		return argc ? EXIT_SYSTEM : EXIT_USAGE;
	s.dirs = argv;
	s.n_dirs = (size_t)argc;
	code = net_open(&s.net, &s.opts->common, &wish);
	if (code)
		return code;
	s.scratch = xcalloc(COO_MESSAGE_SCRATCH, 1);
	code = serve(&s);
	coo_filesend_close(s.files);
	net_close(&s.net);
	free(s.scratch);
	return code;
}

extern const struct cmd cmd_share;
const struct cmd cmd_share = {
	.name = "share",
	.args = "DIR…",
	.summary = "offer the files of folders to whoever asks for one by name",
	.about = "Goes on line; who sends \"list\" is offered everything in the folders, who sends "
		 "a name is offered\nthat file. Read-only, nothing outside the folders, no hidden "
		 "files, no links.",
	.examples = "  coo share ~/lessons\n"
		    "  coo share --nick teacher ~/lessons ~/tools\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct share_opts),
	.groups = OPT_GROUP_OUT | OPT_GROUP_SOCK | OPT_GROUP_IDENT,
	.run = run,
};
