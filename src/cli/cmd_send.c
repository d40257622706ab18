/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "cli/cmd.h"
#include "cli/delivery.h"
#include "cli/input.h"
#include "cli/out.h"
#include "cli/send_files.h"
#include "cli/targets.h"

struct send_opts {
	struct common common;
	struct delivery_opts delivery;
	uint64_t max_packet;
	bool no_wait, read, split, multicast;
	struct str_list files;
	bool follow_links;
	coo_time offer_wait;
};

#define AT(field) offsetof(struct send_opts, field)

static const struct opt opts_table[] = {
	DELIVERY_OPTS(AT(delivery), "the text; then every argument is a target",
		      "the receiver has to open it (sealed message)"),
	{ .name = "no-wait",
	  .kind = OPT_FLAG,
	  .at = AT(no_wait),
	  .help = "send once, ask for no receipt" },
	{ .name = "read",
	  .kind = OPT_FLAG,
	  .at = AT(read),
	  .help = "sealed, and wait until it was opened" },
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
	.delivery = DELIVERY_OPTS_DEFAULT,
	.max_packet = 8192,
	.offer_wait = COO_SEC(600),
};

struct sending {
	struct delivery d; /* first: the callbacks of both take one pointer */
	const struct send_opts *opts;
	struct targets targets;
	struct send_files *files; /* NULL without --file */
};

/* Splits the operands: TEXT is the last one unless it came by -m or can only be a target. */
static const char *split_operands(const struct send_opts *o, int *argc, char **argv)
{
	const char *last = *argc > 0 ? argv[*argc - 1] : NULL;

	if (o->delivery.message)
		return o->delivery.message;
	if (*argc < 2 || target_is_certain(last))
		return NULL;
	(*argc)--;
	return last;
}

/* Files need no text (PROTOCOL.md 8.1). */
static bool find_text(struct sending *s, const char *text)
{
	return (!text && s->files) || delivery_read_text(&s->d, text, "after the targets, with -m");
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
	if (o->delivery.sealed || o->read)
		options |= COO_OPT_SECRET;
	if (o->read)
		options |= COO_OPT_READCHECK;
	if (s->targets.n > 1 || o->multicast)
		options |= COO_OPT_MULTICAST;
	return options;
}

static bool is_over(const struct sending *s)
{
	return coo_outbox_pending(s->d.outbox) == 0 && (!s->files || !send_files_pending(s->files));
}

static void stop_when_over(void *user)
{
	struct sending *s = user;

	if (is_over(s))
		uv_stop(&s->d.net.loop);
}

static void on_result(void *user, const coo_outbox_result *r)
{
	struct sending *s = user;

	send_print_result(s->targets.v[r->index].text, r, &s->d.tally);
	if (s->files)
		send_files_on_result(s->files, r);
	stop_when_over(s);
}

static void on_event(void *user, const coo_event *ev)
{
	struct sending *s = user;

	if (s->files)
		send_files_on_event(s->files, ev);
	coo_outbox_on_event(s->d.outbox, ev);
}

static int make_outbox(struct sending *s)
{
	const struct send_opts *o = s->opts;
	coo_outbox_cfg cfg = {
		.options = options_of(s),
		.want_read = o->read,
		.split = o->split,
		.max_packet = o->max_packet,
		.on_result = on_result,
		.user = s,
	};
	size_t fits = 0;
	coo_err e;

	delivery_outbox(&s->d, &cfg);
	if (s->files)
		send_files_join(s->files, &cfg);
	e = coo_outbox_new(&cfg, &s->d.outbox);
	for (size_t i = 0; e == COO_OK && i < s->targets.n; i++)
		e = coo_outbox_add(s->d.outbox, &s->targets.v[i].addr);
	if (e == COO_OK)
		e = coo_outbox_check(s->d.outbox, &fits);
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
			  s->d.text.n, fits, (unsigned long long)o->max_packet);
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
	struct net_wish wish = {
		.tcp_too = s->files != NULL,
		.any_port = !needs_usual_port(&o->common, &s->targets),
		.no_broadcast = true,
		.capabilities = s->files ? COO_OPT_ENTRY_FILEATTACH : 0,
		.on_event = on_event,
		.user = s,
	};

	delivery_wish(&s->d, s->targets.n, &wish);
	return net_open(&s->d.net, &o->common, &wish);
}

static int exit_code(const struct sending *s)
{
	const struct send_tally *t = &s->d.tally;
	int code = send_exit_code(t, s->targets.n);

	/* what counts is what was fetched; a message that nobody got says more than that */
	if (!t->has_files || code == EXIT_SYSTEM)
		return code;
	if (t->fetched == s->targets.n)
		return EXIT_DONE;
	return t->fetched > 0 ? EXIT_PARTIAL : EXIT_NOBODY;
}

/* A receipt comes from one host, so what goes to all of them would be sent again and again. */
static bool refuse_broadcasts(const struct sending *s)
{
	const coo_netifs *ifs = coo_driver_netifs(s->d.net.driver);

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
		net_close(&s->d.net);
		return EXIT_USAGE;
	}
	targets_teach(&s->targets, &s->d.net);
	code = make_outbox(s);
	if (code == 0 && s->files)
		code = send_files_start(s->files, &s->d.net, &s->opts->common, s->opts->offer_wait,
					stop_when_over, s);
	if (code == 0) {
		local = coo_driver_local(s->d.net.driver);
		out_start("send", &local);
		delivery_open_mailbox(&s->d);
		coo_outbox_start(s->d.outbox);
		if (!is_over(s))
			uv_run(&s->d.net.loop, UV_RUN_DEFAULT);
		delivery_say_stopped(&s->d, s->targets.n);
		if (s->files) {
			s->d.tally.has_files = true;
			s->d.tally.fetched = send_files_end(s->files);
		}
		send_print_summary(&s->d.tally, s->targets.n);
		code = exit_code(s);
	}
	if (s->files)
		send_files_stop(s->files);
	delivery_close(&s->d);
	return code;
}

/* "dmesg | coo send h1 h2" sends the word h2 to h1, which may not be what was meant. */
static void say_unread(const char *text)
{
	static const char name[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	if (text[strspn(text, name)] == '\0' && input_is_waiting())
		say_info(
		    "the text was \"%s\", and stdin was not read; where \"%s\" is a target and "
		    "the text comes from stdin, say so with -m -",
		    text, text);
}

static bool is_contradiction(const struct send_opts *o)
{
	const char *why = NULL;

	if (o->no_wait && o->read)
		why = "--no-wait does not wait for --read; give one of them";
	else if (o->files.n > 0 && o->split)
		why = "--split sends a text in parts, and files go with one message; leave out one";
	else if (o->files.n == 0 && (opt_given("follow") || opt_given("offer-wait")))
		why = "-L and --offer-wait are for files, and there is none; -f names them";
	if (why)
		say_error("%s", why);
	return why != NULL;
}

static int run(void *opts, int argc, char **argv)
{
	struct sending s;
	const char *text;
	int code = EXIT_USAGE;

	memset(&s, 0, sizeof(s));
	s.opts = opts;
	s.d.common = &s.opts->common;
	s.d.opts = &s.opts->delivery;
	if (is_contradiction(s.opts))
		return EXIT_USAGE;
	text = split_operands(s.opts, &argc, argv);
	if (s.opts->files.n > 0 &&
	    !(s.files = send_files_new(&s.opts->files, s.opts->follow_links, &code)))
		return code;
	code = EXIT_USAGE;
	if (find_targets(&s, argc, argv) && find_text(&s, text))
		code = deliver(&s);
	if (text && text != s.opts->delivery.message)
		say_unread(text);
	send_files_free(s.files);
	targets_free(&s.targets);
	delivery_free(&s.d);
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
