/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/cidrs.h"
#include "cli/cmd.h"
#include "cli/listen_hook.h"
#include "cli/listen_peers.h"
#include "cli/listen_reply.h"
#include "cli/listen_report.h"
#include "cli/net.h"
#include "cli/out.h"
#include "cli/recv_files.h"
#include "cli/recv_release.h"
#include "cli/show.h"
#include "cli/transfer.h"
#include "cli/xalloc.h"
#include "feature/message.h"
#include "feature/relay.h"
#include "proto/limit.h"
#include "proto/utf8.h"

struct listen_opts {
	struct common common;
	uint64_t count;
	coo_time timeout;
	struct str_list from;
	bool no_announce;
	const char *reply;
	const char *exec;
	bool exec_reply;
	coo_time exec_timeout;
	const char *absence;
	bool serve_list;
	struct str_list answer;
	uint64_t max_peers;
	struct recv_opts recv;
};

#define AT(field) offsetof(struct listen_opts, field)

static const struct opt opts_table[] = {
	{ .letter = 'c',
	  .name = "count",
	  .kind = OPT_UINT,
	  .at = AT(count),
	  .arg = "N",
	  .min = 1,
	  .help = "end after N messages" },
	{ .letter = 't',
	  .name = "timeout",
	  .kind = OPT_DURATION,
	  .at = AT(timeout),
	  .arg = "D",
	  .min = COO_MS(1),
	  .help = "end after this time" },
	{ .name = "from",
	  .kind = OPT_LIST,
	  .at = AT(from),
	  .arg = "WHO",
	  .help = "only from this address, nick, user or host (repeatable)" },
	{ .name = "no-announce",
	  .kind = OPT_FLAG,
	  .at = AT(no_announce),
	  .help = "do not go on line: announce nothing, only receive" },
	{ .name = "reply",
	  .kind = OPT_STR,
	  .at = AT(reply),
	  .arg = "TEXT",
	  .help = "answer every message with TEXT, marked as automatic" },
	{ .name = "exec",
	  .kind = OPT_STR,
	  .at = AT(exec),
	  .arg = "CMD",
	  .help = "run CMD for every message: text on stdin, COO_FROM … in env" },
	{ .name = "exec-reply",
	  .kind = OPT_FLAG,
	  .at = AT(exec_reply),
	  .help = "what CMD prints goes back as the answer" },
	{ .name = "exec-timeout",
	  .kind = OPT_DURATION,
	  .at = AT(exec_timeout),
	  .arg = "D",
	  .min = COO_MS(10),
	  .help = "end CMD after this time (30s)" },
	{ .name = "absence",
	  .kind = OPT_STR,
	  .at = AT(absence),
	  .arg = "TEXT",
	  .help = "be absent: answer with TEXT, once per peer and three minutes" },
	{ .name = "serve-list",
	  .kind = OPT_FLAG,
	  .at = AT(serve_list),
	  .help = "tell others who is here when they ask (host list)" },
	{ .name = "answer",
	  .kind = OPT_LIST,
	  .at = AT(answer),
	  .arg = "NET",
	  .help = "beside our own networks, tell this one who is here (private ones)" },
	{ .name = "max-peers",
	  .kind = OPT_UINT,
	  .at = AT(max_peers),
	  .arg = "N",
	  .min = 16,
	  .max = 1000000,
	  .help = "how many to remember; strangers give way first (16384)" },
	{ .name = "accept",
	  .kind = OPT_CHOICE,
	  .at = AT(recv.accept),
	  .arg = "WHOM",
	  .choices = accept_names,
	  .help = "fetch files from never, ask, known or all (never)" },
	RECV_OPTS_LIMITS(AT(recv)),
	OPT_END,
};

static const struct listen_opts defaults = {
	.common = { .port = 2425 },
	.exec_timeout = COO_SEC(30),
	.recv = RECV_OPTS_DEFAULT,
};

struct listening {
	const struct listen_opts *opts;
	struct net net;
	struct listen_hook *hook; /* NULL without --exec */
	struct recv_files *files;
	struct listen_peers *peers; /* NULL before the net is open */
	uint8_t *scratch;
	coo_cidr *answer;	    /* networks beside our own that get answers */
	struct listen_quiet *quiet; /* whom the absence was told lately */
	uint64_t shown;
	uv_timer_t timer;
	bool stopping, left;
};

/* What is acknowledged from now on would never be shown. */
static void stop(struct listening *l)
{
	l->stopping = true;
	coo_node_refuse_messages(net_node(&l->net));
}

/* After the last message: children end and answer, then we leave, then the loop ends. */
static void leave_when_done(struct listening *l)
{
	coo_node *n = net_node(&l->net);

	if (!l->stopping || (l->hook && listen_hook_pending(l->hook) > 0) ||
	    recv_files_pending(l->files) > 0)
		return;
	if (!l->left) {
		l->left = true;
		coo_node_leave(n, coo_driver_now(l->net.driver));
		coo_driver_kick(l->net.driver);
	} else if (coo_node_is_idle(n)) {
		uv_stop(&l->net.loop);
	}
}

static bool names_match(const coo_message *m, const char *who)
{
	coo_span w = coo_span_str(who);

	return coo_span_eq(m->from.nick, w) || coo_span_eq_nocase(m->from.user, w) ||
	       coo_span_eq_nocase(m->from.host, w);
}

static bool is_wanted(const struct listening *l, const coo_message *m)
{
	const struct str_list *from = &l->opts->from;

	for (size_t i = 0; i < from->n; i++) {
		coo_addr a;

		if (coo_addr_parse(from->v[i], 0, &a) == COO_OK
			? coo_addr_eq_ip(&a, &m->from.addr) &&
			      (!a.port || a.port == m->from.addr.port)
			: names_match(m, from->v[i]))
			return true;
	}
	return from->n == 0;
}

static void answer(struct listening *l, const coo_event *ev, const coo_message *m)
{
	coo_time now = coo_driver_now(l->net.driver);

	if (l->opts->reply && listen_may_reply(m))
		listen_reply(&l->net, &ev->rx, m->from.client, coo_span_str(l->opts->reply));
	if (l->opts->absence && listen_may_reply(m) && listen_is_first(l->quiet, &ev->rx.from, now))
		listen_reply(&l->net, &ev->rx, m->from.client, coo_span_str(l->opts->absence));
	if (l->hook && !m->encrypted)
		listen_hook_run(l->hook, ev, m);
}

/* The message, and the files that it offers. */
static void show(struct listening *l, const coo_event *ev, const coo_message *m)
{
	size_t bad = 0;
	struct offer *o = offer_of_message(l->net.text, ev, m, &bad);

	recv_files_pause(l->files);
	transfer_clear_line();
	if (out_is_json()) {
		json_t *j = show_message_json(m, coo_driver_now(l->net.driver));

		if (o)
			json_object_set_new(j, "files", offer_files_json(o));
		out_json(j);
	} else {
		show_message_text(m);
		if (o)
			recv_files_show(o);
	}
	if (bad)
		say_warn("%zu of that offer left out, which have no safe name or make no sense",
			 bad);
	if (o)
		recv_files_offer(l->files, o, m->from.known);
	else if (bad && !m->broadcast && l->opts->recv.accept != ACCEPT_NEVER)
		recv_release(&l->net, &ev->rx.from, ev->packet.packet_no, "no name in it is safe");
	recv_files_again(l->files);
	free(o);
}

static void on_message(struct listening *l, const coo_event *ev)
{
	const coo_peers *peers = coo_node_peers(net_node(&l->net));
	coo_message m;
	coo_buf scratch;

	if (l->stopping)
		return;
	coo_buf_init(&scratch, l->scratch, COO_MESSAGE_SCRATCH);
	if (coo_message_of(l->net.text, peers, ev, &scratch, &m) != COO_OK || !is_wanted(l, &m))
		return;
	show(l, ev, &m);
	answer(l, ev, &m);
	l->shown++;
	if (l->opts->count && l->shown >= l->opts->count)
		stop(l);
}

static void tell_peer(struct listening *l, const coo_event *ev)
{
	bool in_text = !out_is_json() && out_verbosity() > 0;

	if (in_text)
		recv_files_pause(l->files);
	listen_peers_tell(l->peers, &l->net, ev);
	if (in_text)
		recv_files_again(l->files);
}

/* A receipt that is not ours may be for a "coo send" beside us, and an answer to an entry for a
 * "coo peers" (feature/relay.h). */
static void on_second(const coo_event *ev)
{
	static coo_limit_slot slots[4];
	static coo_limit limit;
	uint32_t cmd = coo_packet_cmd(&ev->packet);

	/* a letter costs a look into a folder: a flood of receipts gets a thousand of them a second
	 */
	if (!limit.slots)
		coo_limit_init(&limit, 1, 1000, 1000, slots);
	if (!coo_limit_take(&limit, 1, coo_clock_now()))
		return;
	if (cmd == COO_CMD_RECVMSG || cmd == COO_CMD_READMSG || cmd == COO_CMD_ANSENTRY)
		coo_relay_forward(&ev->rx.from, ev->dgram);
}

static void on_event(void *user, const coo_event *ev)
{
	struct listening *l = user;

	switch (ev->type) {
	case COO_EV_MESSAGE:
		on_message(l, ev);
		break;
	case COO_EV_PEER_UP:
		on_second(ev);
		tell_peer(l, ev);
		break;
	case COO_EV_PEER_CHANGE:
		on_second(ev);
		tell_peer(l, ev);
		break;
	case COO_EV_PEER_DOWN:
		tell_peer(l, ev);
		break;
	case COO_EV_SECOND:
	case COO_EV_PEER_SEEN:
		on_second(ev);
		break;
	case COO_EV_LIST:
	case COO_EV_RESULT:
	case COO_EV_ACKED:
		break;
	}
}

static void on_turn(void *user)
{
	struct listening *l = user;

	out_flush();
	if (out_is_broken())
		stop(l);
	leave_when_done(l);
}

static void on_stop(void *user)
{
	struct listening *l = user;

	stop(l);
	recv_files_stop(l->files);
	leave_when_done(l);
}

static void on_timeout(uv_timer_t *timer)
{
	on_stop(timer->data);
}

static int listen_loop(struct listening *l)
{
	int code = EXIT_DONE;

	uv_timer_init(&l->net.loop, &l->timer);
	l->timer.data = l;
	if (l->opts->timeout)
		uv_timer_start(&l->timer, on_timeout, l->opts->timeout / COO_MS(1), 0);
	listen_say_where(&l->net, !l->opts->no_announce);
	if (l->opts->absence)
		listen_set_absence(&l->net, l->opts->absence);
	if (!l->opts->no_announce)
		coo_node_announce(net_node(&l->net), coo_driver_now(l->net.driver));
	coo_driver_kick(l->net.driver);
	uv_run(&l->net.loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&l->timer, NULL);
	listen_report(&l->net, l->shown);
	if (l->opts->count && l->shown < l->opts->count)
		code = EXIT_NOBODY;
	return code;
}

/* How many answers each message would get. */
static int answers(const struct listen_opts *o)
{
	return !!o->reply + !!o->absence + o->exec_reply;
}

/* Where nothing is fetched, these say nothing; the configuration may hold them for other days. */
static const char *idle_option(const struct listen_opts *o)
{
	static const char *const names[] = { "save-dir", "max-file", "max-total", "max-entries",
					     "min-free" };

	for (size_t i = 0; o->recv.accept == ACCEPT_NEVER && i < COO_ARRAY_LEN(names); i++) {
		if (opt_given(names[i]))
			return names[i];
	}
	return NULL;
}

static bool check(const struct listen_opts *o, int argc, char **argv)
{
	if (argc > 0)
		say_error("\"listen\" takes no argument such as \"%s\"", argv[0]);
	else if (o->exec_reply && !o->exec)
		say_error("--exec-reply needs --exec CMD");
	else if (idle_option(o))
		say_error("--%s is about files, and none are fetched: --accept says whose are",
			  idle_option(o));
	else if (answers(o) > 1)
		say_error("%s and %s are two answers to one message; give one of them",
			  o->reply ? "--reply" : "--absence",
			  o->absence && o->reply ? "--absence" : "--exec-reply");
	else if ((o->reply && !coo_utf8_valid(coo_span_str(o->reply))) ||
		 (o->absence && !coo_utf8_valid(coo_span_str(o->absence))))
		say_error("the text of --reply or --absence is not UTF-8");
	else
		return true;
	return false;
}

static void on_hook_idle(void *user)
{
	out_flush();
	leave_when_done(user);
}

static int open_listener(struct listening *l)
{
	const struct listen_opts *o = l->opts;
	struct net_wish wish = {
		.member = true,
		.no_broadcast = o->no_announce,
		.send_read = true,
		.serve_list = o->serve_list,
		.max_peers = (uint32_t)o->max_peers,
		.capabilities = COO_OPT_ENTRY_FILEATTACH,
		.on_event = on_event,
		.on_turn = on_turn,
		.on_stop = on_stop,
		.user = l,
	};
	int code;

	if (!cidrs_read_answer(&o->answer, &l->answer, &wish.offlink))
		return EXIT_USAGE;
	code = net_open(&l->net, &o->common, &wish);
	if (code == 0) {
		l->files = recv_files_new(&l->net, &o->recv, on_hook_idle, l, &code);
		if (!l->files)
			net_close(&l->net);
	}
	if (code == 0 && o->exec) {
		l->hook = listen_hook_new(&l->net, o->exec, o->exec_timeout, o->exec_reply,
					  on_hook_idle, l);
		if (!l->hook) {
			recv_files_stop(l->files);
			net_close(&l->net);
			recv_files_free(l->files);
			code = EXIT_USAGE;
		}
	}
	return code;
}

static int run(void *opts, int argc, char **argv)
{
	struct listening l;
	int code;

	memset(&l, 0, sizeof(l));
	l.opts = opts;
	if (!check(l.opts, argc, argv))
		return EXIT_USAGE;
	l.scratch = xcalloc(COO_MESSAGE_SCRATCH, 1);
	l.quiet = listen_quiet_new();
	code = open_listener(&l);
	if (code == 0) {
		l.peers = listen_peers_new(&l.net);
		code = listen_loop(&l);
		listen_hook_free(l.hook);
		recv_files_stop(l.files);
		net_close(&l.net);
		recv_files_free(l.files);
	}
	free(l.peers);
	free(l.scratch);
	free(l.quiet);
	free(l.answer);
	return code;
}

extern const struct cmd cmd_listen;
const struct cmd cmd_listen = {
	.name = "listen",
	.args = "",
	.summary = "go on line, show messages, acknowledge them",
	.about =
	    "Goes on line as FeiQ, IP Messenger and iptux do, and shows what comes until Ctrl-C.",
	.examples = "  coo listen\n"
		    "  coo listen --json | jq -r 'select(.type==\"message\").text'\n"
		    "  coo listen -c 1 -t 1m --from 10.0.0.7\n"
		    "  coo listen --exec ./answer.sh --exec-reply\n"
		    "  coo listen --accept known --save-dir ~/Downloads --max-file 2G\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct listen_opts),
	.groups = OPT_GROUP_OUT | OPT_GROUP_SOCK | OPT_GROUP_IDENT,
	.run = run,
};
