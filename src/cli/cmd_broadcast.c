/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/broadcast_who.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/targets.h"

#define AT(field) offsetof(struct broadcast_opts, field)

static const struct opt opts_table[] = {
	DELIVERY_OPTS(AT(delivery), "the text", "the receivers have to open it (--each)"),
	{ .name = "each",
	  .kind = OPT_FLAG,
	  .at = AT(each),
	  .help = "find everybody, send to each and wait for the receipts" },
	{ .name = "group", /* instead of the shared one: a broadcast does not introduce itself */
	  .kind = OPT_LIST,
	  .at = AT(groups),
	  .arg = "G",
	  .help = "only to members of this group (repeatable; --each)" },
	{ .name = "match",
	  .kind = OPT_LIST,
	  .at = AT(match),
	  .arg = "GLOB",
	  .help = "only where nick, user or host match (repeatable; --each)" },
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
	OPT_END,
};

static const struct broadcast_opts defaults = {
	.common = { .port = 2425 },
	.delivery = DELIVERY_OPTS_DEFAULT,
	.find = COO_SEC(3),
};

struct broadcasting {
	struct delivery d; /* first: the callbacks of both take one pointer */
	const struct broadcast_opts *opts;
	struct broadcast_who who;
	struct table results; /* of --each, for eyes */
	bool started;	      /* the JSON stream */
};

/* --- sending ---------------------------------------------------------------------------------- */

/* Nobody acknowledges what was sent to all, so the result is only that it was. */
static void print_sent(const struct broadcasting *b, const coo_outbox_result *r)
{
	size_t n = coo_driver_n_broadcast(b->d.net.driver);

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

	const char *name = b->opts->each ? b->who.targets.v[r->index].text : NULL;

	if (name && !out_is_json() && !out_is_quiet()) {
		send_tabulate(&b->results, name, r, &b->d.tally);
	} else if (name) {
		send_print_result(name, r, &b->d.tally);
	} else {
		print_sent(b, r);
		if (r->delivery == COO_DELIVERY_SENT)
			b->d.tally.reached++;
		else
			b->d.tally.failed++;
	}
	if (coo_outbox_pending(b->d.outbox) == 0)
		uv_stop(&b->d.net.loop);
}

static void on_event(void *user, const coo_event *ev)
{
	struct broadcasting *b = user;

	if (b->d.outbox)
		coo_outbox_on_event(b->d.outbox, ev);
}

static coo_err add_receivers(struct broadcasting *b)
{
	coo_addr everybody;
	coo_err e = COO_OK;

	memset(&everybody, 0, sizeof(everybody));
	if (!b->opts->each)
		return coo_outbox_add(b->d.outbox, &everybody);
	for (size_t i = 0; e == COO_OK && i < b->who.targets.n; i++)
		e = coo_outbox_add(b->d.outbox, &b->who.targets.v[i].addr);
	return e;
}

static int make_outbox(struct broadcasting *b)
{
	const struct broadcast_opts *o = b->opts;
	coo_outbox_cfg cfg = {
		.options = COO_OPT_NOADDLIST |
			   (o->each ? COO_OPT_SENDCHECK | COO_OPT_MULTICAST : COO_OPT_BROADCAST) |
			   (o->delivery.sealed ? COO_OPT_SECRET : 0),
		.max_packet = 8192,
		.on_result = on_result,
		.user = b,
	};
	size_t fits = 0;
	coo_err e;

	delivery_outbox(&b->d, &cfg);
	e = coo_outbox_new(&cfg, &b->d.outbox);
	if (e == COO_OK)
		e = add_receivers(b);
	if (e == COO_OK)
		e = coo_outbox_check(b->d.outbox, &fits);
	if (e == COO_OK)
		return 0;
	if (e == COO_EMSGSIZE) {
		say_error("the text has %zu bytes, but only %zu fit one datagram that every "
			  "client can take",
			  b->d.text.n, fits);
		return EXIT_REFUSED;
	}
	say_error("the text cannot be sent: %s", coo_err_text(e));
	return e == COO_ECHARSET ? EXIT_USAGE : EXIT_SYSTEM;
}

static int open_net(struct broadcasting *b)
{
	const struct broadcast_opts *o = b->opts;
	struct net_wish wish = { .no_broadcast = o->each, .on_event = on_event, .user = b };
	int code;

	delivery_wish(&b->d, b->who.targets.n, &wish);
	code = net_open(&b->d.net, &o->common, &wish);
	if (code == 0 && !o->each && coo_driver_n_broadcast(b->d.net.driver) == 0) {
		say_error("no interface here can broadcast (\"-v\" says why); \"coo send\" reaches "
			  "addresses one by one");
		net_close(&b->d.net);
		code = EXIT_SYSTEM;
	}
	return code;
}

/* Everybody together is one target. */
static size_t n_targets(const struct broadcasting *b)
{
	return b->opts->each ? b->who.found : 1;
}

/* bound may be NULL. Whoever looked for somebody began before. */
static void start(struct broadcasting *b, const coo_addr *bound)
{
	if (!b->started && !b->who.looked)
		out_start("broadcast", bound);
	b->started = true;
}

/* The last object of the JSON stream, if it began, whether anything was sent or not. */
static void end(const struct broadcasting *b)
{
	json_t *o;

	if (!out_is_json() || (!b->started && !b->who.looked))
		return;
	o = send_summary_json(&b->d.tally, n_targets(b));
	json_object_set_new(o, "found",
			    b->who.looked ? json_integer((json_int_t)b->who.found) : json_null());
	out_json(o);
}

static int deliver(struct broadcasting *b)
{
	size_t n = n_targets(b);
	coo_addr local;
	int code = open_net(b);

	if (code)
		return code;
	local = coo_driver_local(b->d.net.driver);
	start(b, &local);
	targets_teach(&b->who.targets, &b->d.net);
	code = make_outbox(b);
	if (code == 0) {
		if (b->opts->each)
			delivery_open_mailbox(&b->d);
		coo_outbox_start(b->d.outbox);
		if (coo_outbox_pending(b->d.outbox) > 0)
			uv_run(&b->d.net.loop, UV_RUN_DEFAULT);
		delivery_say_stopped(&b->d, n);
		table_print(&b->results);
		if (b->opts->each && !out_is_json())
			send_print_summary(&b->d.tally, n);
		code = send_exit_code(&b->d.tally, n);
	}
	delivery_close(&b->d);
	return code;
}

/* --- the command ------------------------------------------------------------------------------ */

static bool check(struct broadcast_opts *o, int argc)
{
	if (argc > 1 || (argc == 1 && o->delivery.message))
		say_error("one TEXT, please; blanks need quotes: coo broadcast \"lunch is here\"");
	else if (o->delivery.sealed && !o->each)
		say_error("--sealed needs --each: nobody opens what was sent to all");
	else if ((opt_given("wait") || opt_given("retries")) && !o->each)
		say_error("--%s needs --each: nobody acknowledges what was sent to all",
			  opt_given("wait") ? "wait" : "retries");
	else if (opt_given("find") && !o->each && !o->max && !o->dry_run)
		say_error("--find needs --each, --max or --dry-run: what is sent to all goes out "
			  "without looking for anybody");
	else
		return true;
	return false;
}

static int send_to_all(struct broadcasting *b)
{
	int code = broadcast_find(b->opts, &b->who);

	if (code || b->opts->dry_run)
		return code;
	code = broadcast_confirm(b->opts, b->who.targets.n);
	if (code == 0)
		return deliver(b);
	start(b, NULL); /* nothing was opened */
	return code;
}

static int run(void *opts, int argc, char **argv)
{
	struct broadcast_opts *o = opts;
	const char *text = o->delivery.message ? o->delivery.message : argc ? argv[0] : NULL;
	struct broadcasting b;
	int code = EXIT_USAGE;

	if (o->groups.n || o->match.n)
		o->each = true; /* a broadcast cannot choose */
	if (!check(o, argc))
		return EXIT_USAGE;
	memset(&b, 0, sizeof(b));
	b.opts = o;
	b.d.common = &o->common;
	b.d.opts = &o->delivery;
	send_table_init(&b.results);
	if (o->dry_run || delivery_read_text(&b.d, text, "as an argument, with -m"))
		code = send_to_all(&b);
	end(&b);
	table_free(&b.results);
	targets_free(&b.who.targets);
	delivery_free(&b.d);
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
