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
#include "cli/share_answer.h"
#include "cli/transfer.h"
#include "cli/xalloc.h"
#include "feature/filesend.h"
#include "feature/message.h"

/*
 * The file server of a classroom, by means that every client has: whoever sends the name of a file
 * is offered that file, whoever sends "list" is offered all of them.
 */

enum { ANSWERS_A_SECOND = 50 };

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
	unsigned n_answered; /* in that second */
	struct share_answers *answers;
	uv_timer_t timer;
};

static bool may_answer(struct sharing *s, const coo_message *m)
{
	uint64_t second = coo_driver_now(s->net.driver) / COO_SEC(1);

	if (second != s->second)
		s->n_answered = 0;
	s->second = second;
	return listen_may_reply(m) && s->n_answered++ < ANSWERS_A_SECOND;
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
		share_answer(s->answers, ev, &m);
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
	s->answers = share_answers_new(&s->net, s->files, s->dirs, s->n_dirs, s->opts->offer_wait);
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
	share_answers_stop(s.answers);
	coo_filesend_close(s.files);
	net_close(&s.net);
	share_answers_free(s.answers);
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
