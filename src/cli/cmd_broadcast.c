/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/broadcast_who.h"
#include "cli/cmd.h"
#include "cli/find.h"
#include "cli/input.h"
#include "cli/out.h"
#include "cli/send_result.h"
#include "cli/targets.h"
#include "feature/outbox.h"
#include "feature/relay.h"
#include "proto/utf8.h"

#define AT(field) offsetof(struct broadcast_opts, field)

static const struct opt opts_table[] = {
	{ .letter = 'm',
	  .name = "message",
	  .kind = OPT_STR,
	  .at = AT(message),
	  .arg = "TEXT",
	  .help = "the text" },
	{ .name = "each",
	  .kind = OPT_FLAG,
	  .at = AT(each),
	  .help = "find everybody, send to each and wait for the receipts" },
	{ .name = "group", /* instead of the shared one: a broadcast does not introduce itself */
	  .kind = OPT_STR,
	  .at = AT(only_group),
	  .arg = "G",
	  .help = "only to members of this group (--each)" },
	{ .name = "match",
	  .kind = OPT_STR,
	  .at = AT(match),
	  .arg = "GLOB",
	  .help = "only where nick, user or host match (--each)" },
	{ .name = "max",
	  .kind = OPT_UINT,
	  .at = AT(max),
	  .arg = "N",
	  .min = 1,
	  .help = "refuse to send where more than N would get it" },
	{ .letter = 'n',
	  .name = "dry-run",
	  .kind = OPT_FLAG,
	  .at = AT(dry_run),
	  .help = "list who would get it, send nothing" },
	{ .letter = 'y', .name = "yes", .kind = OPT_FLAG, .at = AT(yes), .help = "do not ask" },
	{ .name = "find",
	  .kind = OPT_DURATION,
	  .at = AT(find),
	  .arg = "D",
	  .min = COO_MS(50),
	  .max = COO_SEC(600),
	  .help = "look for everybody for this time (3s)" },
	{ .letter = 'w',
	  .name = "wait",
	  .kind = OPT_DURATION,
	  .at = AT(wait),
	  .arg = "D",
	  .min = COO_MS(10),
	  .max = COO_SEC(86400),
	  .help = "the whole wait for each receipt (5s)" },
	{ .name = "retries",
	  .kind = OPT_UINT,
	  .at = AT(retries),
	  .arg = "N",
	  .min = 1,
	  .max = 100,
	  .help = "how often it is sent in all until then (5)" },
	{ .name = "sealed",
	  .kind = OPT_FLAG,
	  .at = AT(sealed),
	  .help = "the receivers have to open it (--each)" },
	{ .name = "utf8", .kind = OPT_FLAG, .at = AT(utf8), .help = "send UTF-8 to everybody" },
	OPT_END,
};

static const struct broadcast_opts defaults = {
	.common = { .port = 2425 },
	.find = COO_SEC(3),
	.wait = COO_SEC(5),
	.retries = 5,
};

struct broadcasting {
	const struct broadcast_opts *opts;
	struct net net;
	struct targets targets;
	coo_outbox *outbox;
	coo_relay *relay;
	char *text; /* from stdin, or NULL */
	coo_span utf8;
	struct send_tally tally;
	bool stopped;
};

/* --- sending ---------------------------------------------------------------------------------- */

static const char *forced_charset(const struct broadcast_opts *o)
{
	const char *c = o->common.charset;

	if (o->utf8)
		return "utf-8";
	return c && *c && strcmp(c, "auto") != 0 ? c : NULL;
}

/* Nobody acknowledges what was sent to all, so the result is only that it was. */
static void print_sent(const struct broadcasting *b, const coo_outbox_result *r)
{
	size_t n = coo_driver_n_broadcast(b->net.driver);

	if (out_is_json()) {
		json_t *o = out_event("result");

		json_object_set_new(o, "to", json_string("everybody"));
		json_object_set_new(
		    o, "status", json_string(r->delivery == COO_DELIVERY_SENT ? "sent" : "error"));
		json_object_set_new(o, "addresses", json_integer((json_int_t)n));
		json_object_set_new(o, "charset",
				    r->charset ? json_string(r->charset) : json_null());
		json_object_set_new(o, "lost", json_integer((json_int_t)r->lost));
		json_object_set_new(o, "error",
				    r->error ? json_string(strerror(r->error)) : json_null());
		out_json(o);
	} else if (r->delivery == COO_DELIVERY_SENT && !out_is_quiet()) {
		out_text("sent to everybody (%zu broadcast addresses, %s); who got it is not "
			 "known, --each tells\n",
			 n, r->charset);
	}
	if (r->lost)
		say_warn("%zu characters do not exist in %s and went as \"?\"; --each sends each "
			 "client what it can read",
			 r->lost, r->charset);
}

static void on_result(void *user, const coo_outbox_result *r)
{
	struct broadcasting *b = user;

	if (b->opts->each) {
		send_print_result(b->targets.v[r->index].text, r, &b->tally);
	} else {
		print_sent(b, r);
		if (r->delivery == COO_DELIVERY_SENT)
			b->tally.reached++;
		else
			b->tally.failed++;
	}
	if (coo_outbox_pending(b->outbox) == 0)
		uv_stop(&b->net.loop);
}

static void on_event(void *user, const coo_event *ev)
{
	struct broadcasting *b = user;

	if (b->outbox)
		coo_outbox_on_event(b->outbox, ev);
}

static void on_turn(void *user)
{
	(void)user;
	out_flush();
}

static void on_stop(void *user)
{
	struct broadcasting *b = user;

	b->stopped = true;
	uv_stop(&b->net.loop);
}

static coo_err add_receivers(struct broadcasting *b)
{
	coo_addr everybody;
	coo_err e = COO_OK;

	memset(&everybody, 0, sizeof(everybody));
	if (!b->opts->each)
		return coo_outbox_add(b->outbox, &everybody);
	for (size_t i = 0; e == COO_OK && i < b->targets.n; i++)
		e = coo_outbox_add(b->outbox, &b->targets.v[i].addr);
	return e;
}

static int make_outbox(struct broadcasting *b)
{
	const struct broadcast_opts *o = b->opts;
	coo_outbox_cfg cfg = {
		.driver = b->net.driver,
		.text = b->net.text,
		.charset = forced_charset(o),
		.utf8 = b->utf8,
		.options = COO_OPT_NOADDLIST |
			   (o->each ? COO_OPT_SENDCHECK | COO_OPT_MULTICAST : COO_OPT_BROADCAST) |
			   (o->sealed ? COO_OPT_SECRET : 0),
		.attempts = (uint8_t)o->retries,
		.wait = o->wait,
		.max_packet = 8192,
		.on_result = on_result,
		.user = b,
	};
	size_t fits = 0;
	coo_err e = coo_outbox_new(&cfg, &b->outbox);

	if (e == COO_OK)
		e = add_receivers(b);
	if (e == COO_OK)
		e = coo_outbox_check(b->outbox, &fits);
	if (e == COO_OK)
		return 0;
	if (e == COO_EMSGSIZE) {
		say_error("the text has %zu bytes, but only %zu fit one datagram that every "
			  "client can take",
			  b->utf8.n, fits);
		return EXIT_REFUSED;
	}
	say_error("the text cannot be sent: %s", coo_err_text(e));
	return e == COO_ECHARSET ? EXIT_USAGE : EXIT_SYSTEM;
}

static int open_net(struct broadcasting *b)
{
	const struct broadcast_opts *o = b->opts;
	coo_time interval = o->wait / o->retries;
	struct net_wish wish = {
		.port_optional = true,
		.no_broadcast = o->each,
		.max_messages = b->targets.n < 4096 ? (uint32_t)b->targets.n + 16 : 4096,
		.text_cap = 65536,
		.retry_interval = interval < COO_SEC(1) ? interval : COO_SEC(1),
		.on_event = on_event,
		.on_turn = on_turn,
		.on_stop = on_stop,
		.user = b,
	};
	int code = net_open(&b->net, &o->common, &wish);

	if (code == 0 && !o->each && coo_driver_n_broadcast(b->net.driver) == 0) {
		say_error("no interface here can broadcast (\"-v\" says why); \"coo send\" reaches "
			  "addresses one by one");
		net_close(&b->net);
		code = EXIT_SYSTEM;
	}
	return code;
}

/* A receipt that came to the listener which holds the port. */
static void on_letter(void *user, const coo_addr *from, coo_span dgram)
{
	struct broadcasting *b = user;

	find_teach(&b->net, from, dgram);
}

static int deliver(struct broadcasting *b)
{
	size_t n = b->opts->each ? b->targets.n : 1;
	coo_addr local;
	int code = open_net(b);

	if (code)
		return code;
	targets_teach(&b->targets, &b->net);
	code = make_outbox(b);
	if (code == 0) {
		local = coo_driver_local(b->net.driver);
		out_start("broadcast", &local);
		if (b->net.ephemeral)
			coo_ignore(coo_relay_open(&b->net.loop, on_letter, b, &b->relay));
		coo_outbox_start(b->outbox);
		if (coo_outbox_pending(b->outbox) > 0)
			uv_run(&b->net.loop, UV_RUN_DEFAULT);
		if (b->stopped)
			say_info("interrupted; %zu of %zu have no result yet",
				 coo_outbox_pending(b->outbox), n);
		if (b->opts->each)
			send_print_summary(&b->tally, n);
		code = send_exit_code(&b->tally, n);
	}
	coo_relay_close(b->relay);
	coo_outbox_free(b->outbox);
	net_close(&b->net);
	return code;
}

/* --- the command ------------------------------------------------------------------------------ */

static bool find_text(struct broadcasting *b, const char *text)
{
	size_t n;

	if (text && strcmp(text, "-") != 0) {
		b->utf8 = coo_span_str(text);
	} else {
		if (!input_read_all(&b->text, &n, 16u << 20))
			return false;
		b->utf8 = coo_span_of(b->text, n);
	}
	if (b->utf8.n == 0)
		say_error("there is no text to send; give it as an argument, with -m, or on stdin");
	else if (!coo_utf8_valid(b->utf8))
		say_error("the text is not UTF-8; convert it first: iconv -f GBK -t UTF-8");
	else if (coo_span_find(b->utf8, 0) != b->utf8.n)
		say_error("the text holds a NUL byte, which ends a text in this protocol");
	else
		return true;
	return false;
}

static bool check(struct broadcast_opts *o, int argc)
{
	if (argc > 1 || (argc == 1 && o->message))
		say_error("one TEXT, please; blanks need quotes: coo broadcast \"lunch is here\"");
	else if (o->sealed && !o->each)
		say_error("--sealed needs --each: nobody opens what was sent to all");
	else
		return true;
	return false;
}

static int run(void *opts, int argc, char **argv)
{
	struct broadcast_opts *o = opts;
	struct broadcasting b;
	int code = EXIT_USAGE;

	if (!check(o, argc))
		return EXIT_USAGE;
	if (o->only_group || o->match)
		o->each = true; /* a broadcast cannot choose */
	memset(&b, 0, sizeof(b));
	b.opts = o;
	if (o->dry_run || find_text(&b, o->message ? o->message : argc ? argv[0] : NULL))
		code = broadcast_find(o, &b.targets);
	else
		argc = -1; /* said what is wrong */
	if (argc >= 0 && code == 0 && !o->dry_run)
		code = broadcast_confirm(o, b.targets.n);
	if (argc >= 0 && code == 0 && !o->dry_run)
		code = deliver(&b);
	targets_free(&b.targets);
	free(b.text);
	return code;
}

extern const struct cmd cmd_broadcast;
const struct cmd cmd_broadcast = {
	.name = "broadcast",
	.args = "[TEXT]",
	.summary = "send a message to everybody on the network",
	.about = "Sends TEXT (or stdin) to all at once, without receipts, or with --each to "
		 "everybody\nwho is found, with a result for each. Exit: 0 sent (--each: all "
		 "acknowledged), 1 nobody,\n3 some, 5 refused or not confirmed.",
	.examples = "  coo broadcast 'the server restarts at noon'\n"
		    "  coo broadcast --each --group 营业 -y '下午三点开会'\n"
		    "  coo broadcast --each --match 'PC-*' --dry-run\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct broadcast_opts),
	.groups = OPT_GROUP_OUT | OPT_GROUP_SOCK | OPT_GROUP_IDENT,
	.run = run,
};
