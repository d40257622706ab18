/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "cli/cmd.h"
#include "cli/input.h"
#include "cli/net.h"
#include "cli/out.h"
#include "cli/send_files.h"
#include "cli/send_result.h"
#include "cli/targets.h"
#include "feature/outbox.h"
#include "feature/relay.h"
#include "proto/utf8.h"

struct send_opts {
	struct common common;
	const char *message;
	coo_time wait;
	uint64_t retries;
	uint64_t max_packet;
	bool no_wait, sealed, read, utf8, split, multicast;
	struct str_list files;
	bool follow_links;
	coo_time offer_wait;
};

#define AT(field) offsetof(struct send_opts, field)

static const struct opt opts_table[] = {
	{ .letter = 'm',
	  .name = "message",
	  .kind = OPT_STR,
	  .at = AT(message),
	  .arg = "TEXT",
	  .help = "the text; then every argument is a target" },
	{ .letter = 'w',
	  .name = "wait",
	  .kind = OPT_DURATION,
	  .at = AT(wait),
	  .arg = "D",
	  .min = COO_MS(10),
	  .max = COO_SEC(86400),
	  .help = "the whole wait for the receipt (5s)" },
	{ .name = "retries",
	  .kind = OPT_UINT,
	  .at = AT(retries),
	  .arg = "N",
	  .min = 1,
	  .max = 100,
	  .help = "how often it is sent in all until then (5)" },
	{ .name = "no-wait",
	  .kind = OPT_FLAG,
	  .at = AT(no_wait),
	  .help = "send once, ask for no receipt" },
	{ .name = "sealed",
	  .kind = OPT_FLAG,
	  .at = AT(sealed),
	  .help = "the receiver has to open it (sealed message)" },
	{ .name = "read",
	  .kind = OPT_FLAG,
	  .at = AT(read),
	  .help = "sealed, and wait until it was opened" },
	{ .name = "utf8", .kind = OPT_FLAG, .at = AT(utf8), .help = "send UTF-8 to everybody" },
	{ .name = "split",
	  .kind = OPT_FLAG,
	  .at = AT(split),
	  .help = "send a long text in parts, in order" },
	{ .name = "max-packet",
	  .kind = OPT_SIZE,
	  .at = AT(max_packet),
	  .arg = "SIZE",
	  .min = 256,
	  .max = 65507,
	  .help = "longest datagram that the targets can take (8k)" },
	{ .name = "multicast-flag",
	  .kind = OPT_FLAG,
	  .at = AT(multicast),
	  .help = "mark as sent to several (set for several targets)" },
	{ .letter = 'f',
	  .name = "file",
	  .kind = OPT_LIST,
	  .at = AT(files),
	  .arg = "PATH",
	  .help = "offer a file or folder, and serve it (repeatable)" },
	{ .letter = 'L',
	  .name = "follow",
	  .kind = OPT_FLAG,
	  .at = AT(follow_links),
	  .help = "follow symbolic links to files and in folders" },
	{ .name = "offer-wait",
	  .kind = OPT_DURATION,
	  .at = AT(offer_wait),
	  .arg = "D",
	  .min = COO_MS(10),
	  .max = COO_SEC(30 * 86400),
	  .help = "how long the files are served (10m)" },
	OPT_END,
};

static const struct send_opts defaults = {
	.common = { .port = 2425 },
	.wait = COO_SEC(5),
	.retries = 5,
	.max_packet = 8192,
	.offer_wait = COO_SEC(600),
};

struct sending {
	const struct send_opts *opts;
	struct net net;
	struct targets targets;
	coo_outbox *outbox;
	coo_relay *relay; /* NULL where the port is ours */
	char *text;	  /* from stdin, or NULL */
	coo_span utf8;
	struct send_tally tally;
	struct send_files *files; /* NULL without --file */
	bool stopped;
};

/* Splits the operands: TEXT is the last one unless it came by -m or can only be a target. */
static const char *split_operands(const struct send_opts *o, int *argc, char **argv)
{
	const char *last = *argc > 0 ? argv[*argc - 1] : NULL;

	if (o->message)
		return o->message;
	if (*argc < 2 || target_is_certain(last))
		return NULL;
	(*argc)--;
	return last;
}

static bool find_text(struct sending *s, const char *text)
{
	size_t n;

	if (text && strcmp(text, "-") != 0) {
		s->utf8 = coo_span_str(text);
	} else if (!text && s->files) {
		return true; /* files need no text (PROTOCOL.md 8.1) */
	} else {
		if (!input_read_all(&s->text, &n, 16u << 20))
			return false;
		s->utf8 = coo_span_of(s->text, n);
	}
	if (s->utf8.n == 0) {
		say_error("there is no text to send; give it after the targets, with -m, or on "
			  "stdin");
		return false;
	}
	if (!coo_utf8_valid(s->utf8)) {
		say_error("the text is not UTF-8; convert it first: iconv -f GBK -t UTF-8");
		return false;
	}
	if (coo_span_find(s->utf8, 0) != s->utf8.n) {
		say_error("the text holds a NUL byte, which ends a text in this protocol");
		return false;
	}
	return true;
}

static bool find_targets(struct sending *s, int argc, char **argv)
{
	uint16_t port = net_target_port(&s->opts->common);

	if (argc == 0) {
		say_error("there is no target; \"coo send --help\" shows how");
		return false;
	}
	for (int i = 0; i < argc; i++) {
		if (!targets_add(&s->targets, argv[i], port))
			return false;
	}
	if (s->targets.n + s->targets.n_names == 0)
		say_error("the list of targets is empty");
	return s->targets.n + s->targets.n_names > 0;
}

static uint32_t options_of(const struct sending *s)
{
	const struct send_opts *o = s->opts;
	uint32_t options = COO_OPT_NOADDLIST;

	if (!o->no_wait)
		options |= COO_OPT_SENDCHECK;
	if (o->sealed || o->read)
		options |= COO_OPT_SECRET;
	if (o->read)
		options |= COO_OPT_READCHECK;
	if (s->targets.n > 1 || o->multicast)
		options |= COO_OPT_MULTICAST;
	return options;
}

static const char *forced_charset(const struct send_opts *o)
{
	const char *c = o->common.charset;

	if (o->utf8)
		return "utf-8";
	return c && *c && strcmp(c, "auto") != 0 ? c : NULL;
}

static bool is_over(const struct sending *s)
{
	return coo_outbox_pending(s->outbox) == 0 && (!s->files || !send_files_pending(s->files));
}

static void stop_when_over(void *user)
{
	struct sending *s = user;

	if (is_over(s))
		uv_stop(&s->net.loop);
}

static void on_result(void *user, const coo_outbox_result *r)
{
	struct sending *s = user;

	send_print_result(s->targets.v[r->index].text, r, &s->tally);
	if (s->files)
		send_files_on_result(s->files, r);
	stop_when_over(s);
}

static void on_event(void *user, const coo_event *ev)
{
	struct sending *s = user;

	if (s->files)
		send_files_on_event(s->files, ev);
	coo_outbox_on_event(s->outbox, ev);
}

static void on_turn(void *user)
{
	(void)user;
	out_flush();
}

static void on_stop(void *user)
{
	struct sending *s = user;

	s->stopped = true;
	uv_stop(&s->net.loop);
}

static int make_outbox(struct sending *s)
{
	const struct send_opts *o = s->opts;
	coo_outbox_cfg cfg = {
		.driver = s->net.driver,
		.text = s->net.text,
		.charset = forced_charset(o),
		.utf8 = s->utf8,
		.options = options_of(s),
		.attempts = (uint8_t)o->retries,
		.wait = o->wait,
		.want_read = o->read,
		.split = o->split,
		.max_packet = o->max_packet,
		.on_result = on_result,
		.user = s,
	};
	size_t fits = 0;
	coo_err e;

	if (s->files)
		send_files_join(s->files, &cfg);
	e = coo_outbox_new(&cfg, &s->outbox);
	for (size_t i = 0; e == COO_OK && i < s->targets.n; i++)
		e = coo_outbox_add(s->outbox, &s->targets.v[i].addr);
	if (e == COO_OK)
		e = coo_outbox_check(s->outbox, &fits);
	if (e == COO_OK)
		return 0;
	if (e == COO_EMSGSIZE && s->files) {
		say_error("text and list of files do not fit one datagram of %llu; offer a folder, "
			  "or allow more with --max-packet",
			  (unsigned long long)o->max_packet);
		return EXIT_REFUSED;
	}
	if (e == COO_EMSGSIZE) {
		say_error("the text has %zu bytes, but only %zu fit one datagram of %llu; "
			  "--split sends it in parts, --max-packet allows longer datagrams",
			  s->utf8.n, fits, (unsigned long long)o->max_packet);
		return EXIT_REFUSED;
	}
	say_error("the text cannot be sent: %s", coo_err_text(e));
	return e == COO_ECHARSET ? EXIT_USAGE : EXIT_SYSTEM;
}

/*
 * Programs on this machine answer to any port, and the port may be about to be wanted by a listener
 * that starts beside us; so for loopback targets the usual port is left alone, unless another one
 * than the usual was asked for.
 */
static bool needs_usual_port(const struct common *c, const struct targets *t)
{
	if (c->port != defaults.common.port)
		return true; /* asked for by name */
	for (size_t i = 0; i < t->n; i++) {
		if (!coo_addr_is_loopback(&t->v[i].addr))
			return true;
	}
	return false;
}

static int open_net(struct sending *s)
{
	const struct send_opts *o = s->opts;
	coo_time interval = o->wait / o->retries;
	struct net_wish wish = {
		.port_optional = true,
		.tcp_too = s->files != NULL,
		.any_port = !needs_usual_port(&o->common, &s->targets),
		.no_broadcast = true,
		.capabilities = s->files ? COO_OPT_ENTRY_FILEATTACH : 0,
		.max_messages = s->targets.n < 4096 ? (uint32_t)s->targets.n + 16 : 4096,
		.text_cap = 65536,
		/* a second apart as every client does it, closer only where the wait is short */
		.retry_interval = interval < COO_SEC(1) ? interval : COO_SEC(1),
		.on_event = on_event,
		.on_turn = on_turn,
		.on_stop = on_stop,
		.user = s,
	};

	return net_open(&s->net, &o->common, &wish);
}

/* A receipt that came to the listener which holds the port. */
static void on_letter(void *user, const coo_addr *from, coo_span dgram)
{
	struct sending *s = user;
	coo_driver *d = s->net.driver;
	coo_rx rx;

	memset(&rx, 0, sizeof(rx));
	rx.from = *from;
	rx.foreign = true;
	coo_node_recv(net_node(&s->net), &rx, dgram, coo_driver_now(d));
	coo_driver_kick(d);
}

/* Some clients answer to the usual port alone; where another program has it, its receipts come by
 * mail. */
static void open_mailbox(struct sending *s)
{
	uint16_t usual = net_target_port(&s->opts->common);

	if (coo_driver_local(s->net.driver).port != usual &&
	    coo_relay_open(&s->net.loop, on_letter, s, &s->relay) != COO_OK)
		say_note("receipts that go to port %u are not seen here: there is no safe runtime "
			 "directory",
			 (unsigned)usual);
}

static int exit_code(struct sending *s)
{
	int code = send_exit_code(&s->tally, s->targets.n), files;

	if (!s->files)
		return code;
	/* what counts is what was fetched; a message that nobody got says more than that */
	files = send_files_end(s->files, s->targets.n);
	return code == EXIT_SYSTEM ? code : files;
}

/* A receipt comes from one host, so what goes to all of them would be sent again and again. */
static bool refuse_broadcasts(const struct sending *s)
{
	const coo_netifs *ifs = coo_driver_netifs(s->net.driver);

	for (size_t i = 0; i < s->targets.n; i++) {
		const struct target *t = &s->targets.v[i];

		if (!coo_netifs_is_broadcast(ifs, &t->addr) && !coo_addr_is_multicast(&t->addr))
			continue;
		say_error("%s is an address of many hosts, and nobody acknowledges for all; \"coo "
			  "broadcast\" sends to everybody",
			  t->text);
		return true;
	}
	return false;
}

static int deliver(struct sending *s)
{
	coo_addr local;
	int code = targets_find(&s->targets, &s->opts->common);

	/* a colon in a file name is written in another way for some clients */
	if (code == 0 && s->files && send_files_has_colons(s->files))
		code = targets_ask(&s->targets, &s->opts->common);
	if (code == 0)
		code = open_net(s);
	if (code)
		return code;
	if (refuse_broadcasts(s)) {
		net_close(&s->net);
		return EXIT_USAGE;
	}
	targets_teach(&s->targets, &s->net);
	code = make_outbox(s);
	if (code == 0 && s->files)
		code = send_files_start(s->files, &s->net, &s->opts->common, s->opts->offer_wait,
					stop_when_over, s);
	if (code == 0) {
		local = coo_driver_local(s->net.driver);
		out_start("send", &local);
		open_mailbox(s);
		coo_outbox_start(s->outbox);
		if (!is_over(s))
			uv_run(&s->net.loop, UV_RUN_DEFAULT);
		if (s->stopped)
			say_info("interrupted; %zu of %zu targets have no result yet",
				 coo_outbox_pending(s->outbox), s->targets.n);
		send_print_summary(&s->tally, s->targets.n);
		code = exit_code(s);
	}
	coo_relay_close(s->relay);
	if (s->files)
		send_files_stop(s->files);
	coo_outbox_free(s->outbox);
	net_close(&s->net);
	return code;
}

static int run(void *opts, int argc, char **argv)
{
	struct sending s;
	const char *text;
	int code = EXIT_USAGE;

	memset(&s, 0, sizeof(s));
	s.opts = opts;
	if (s.opts->no_wait && s.opts->read) {
		say_error("--no-wait does not wait for --read; give one of them");
		return EXIT_USAGE;
	}
	text = split_operands(s.opts, &argc, argv);
	if (s.opts->files.n > 0 &&
	    !(s.files = send_files_new(&s.opts->files, s.opts->follow_links, &code)))
		return code;
	if (find_targets(&s, argc, argv) && find_text(&s, text))
		code = deliver(&s);
	send_files_free(s.files);
	targets_free(&s.targets);
	free(s.text);
	return code;
}

extern const struct cmd cmd_send;
const struct cmd cmd_send = {
	.name = "send",
	.args = "TARGET… [TEXT]",
	.summary = "send a message; exit code 0 means that everybody acknowledged it",
	.about = "Sends TEXT (or stdin) to each TARGET (address[:port], name, group:NAME, @FILE "
		 "with one "
		 "a line)\nand waits for the receipts. Exit: 0 all acknowledged, 1 none, 3 some.",
	.examples = "  coo send 10.0.0.7 你好\n"
		    "  long-job; coo send 10.0.0.7 \"done: $?\"\n"
		    "  dmesg | tail | coo send 10.0.0.7 10.0.0.8:2426\n"
		    "  coo send 10.0.0.7 -f report.pdf -f photos/ \"as promised\"\n"
		    "  coo send @office.txt -m \"lunch is here\"\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct send_opts),
	.groups = OPT_GROUP_OUT | OPT_GROUP_SOCK | OPT_GROUP_IDENT,
	.run = run,
};
