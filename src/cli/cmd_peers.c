/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/cmd.h"
#include "cli/find.h"
#include "cli/out.h"
#include "cli/peer_list.h"
#include "cli/show.h"

struct peers_opts {
	struct common common;
	coo_time wait;
	uint64_t min, rate, passes, max_peers;
	int sort;
	bool tsv, watch, host_list;
};

#define AT(field) offsetof(struct peers_opts, field)

static const struct opt opts_table[] = {
	{ .letter = 'w',
	  .name = "wait",
	  .kind = OPT_DURATION,
	  .at = AT(wait),
	  .arg = "D",
	  .min = COO_MS(50),
	  .max = COO_SEC(3600),
	  .help = "collect answers for this time (3s)" },
	{ .name = "min",
	  .kind = OPT_UINT,
	  .at = AT(min),
	  .arg = "N",
	  .min = 1,
	  .help = "end when N are found; exit 1 where they are not" },
	{ .name = "sort",
	  .kind = OPT_CHOICE,
	  .at = AT(sort),
	  .arg = "FIELD",
	  .choices = peer_list_fields,
	  .help = "order of the list (name)" },
	{ .name = "tsv", .kind = OPT_FLAG, .at = AT(tsv), .help = "fields separated by tabs" },
	{ .name = "watch",
	  .kind = OPT_FLAG,
	  .at = AT(watch),
	  .help = "stay, and tell who comes, changes and goes" },
	{ .name = "host-list",
	  .kind = OPT_FLAG,
	  .at = AT(host_list),
	  .help = "ask those who serve one for their list of members" },
	{ .name = "rate",
	  .kind = OPT_UINT,
	  .at = AT(rate),
	  .arg = "N",
	  .min = 1,
	  .max = 1000,
	  .help = "questions a second when asking by address (500; see manual)" },
	{ .name = "passes",
	  .kind = OPT_UINT,
	  .at = AT(passes),
	  .arg = "N",
	  .min = 1,
	  .max = 20,
	  .help = "how often each silent address is asked (3; large nets 1)" },
	{ .name = "max-peers",
	  .kind = OPT_UINT,
	  .at = AT(max_peers),
	  .arg = "N",
	  .min = 16,
	  .max = 1000000,
	  .help = "how many to list at most (16384)" },
	OPT_END,
};

static const struct peers_opts defaults = {
	.common = { .port = 2425 },
	.wait = COO_SEC(3),
};

struct watching {
	size_t here; /* how many came and did not go */
};

static void on_peer(void *user, char sign, const struct found_peer *p)
{
	struct watching *w = user;

	if (sign == '+')
		w->here++;
	else if (sign == '-' && w->here > 0)
		w->here--;
	if (out_is_json())
		peer_list_event(sign, p);
	else
		peer_list_line(sign, p);
	out_flush();
}

static bool is_nothing_sent(const struct found *f)
{
	return f->unsent > 0 && f->unsent == f->asked;
}

static void say_unsent(const struct found *f)
{
	if (is_nothing_sent(f))
		say_error(
		    "nobody could be asked: %s; \"ip route get ADDR\" and \"coo doctor ADDR\" "
		    "tell more",
		    strerror(f->error));
	else
		say_warn("%zu of %zu addresses could not be asked: %s", f->unsent, f->asked,
			 strerror(f->error));
}

static void summary_json(const struct found *f)
{
	json_t *j = out_event("summary");

	json_object_set_new(j, "found", json_integer((json_int_t)f->n));
	json_object_set_new(j, "took_ns", json_integer((json_int_t)f->took));
	json_object_set_new(j, "other_port", json_boolean(f->other_port));
	json_object_set_new(j, "unsent", json_integer((json_int_t)f->unsent));
	json_object_set_new(j, "error", f->error ? json_string(strerror(f->error)) : json_null());
	out_json(j);
}

static void summary(const struct peers_opts *o, const struct found *f)
{
	char took[OUT_DURATION_CAP];

	if (f->unsent > 0)
		say_unsent(f);
	if (out_is_json())
		summary_json(f);
	else if (f->n == 0 && !f->interrupted && !is_nothing_sent(f))
		say_info("nobody answered; a firewall that drops UDP port %u, here or there, is "
			 "the usual reason",
			 (unsigned)net_target_port(&o->common));
	else if (f->n > 0 && !o->tsv && !o->watch)
		say_info("%zu found in %s", f->n, out_duration(f->took, took));
}

static int exit_code(const struct peers_opts *o, const struct found *f)
{
	if (f->n == 0 && is_nothing_sent(f))
		return EXIT_SYSTEM;
	if (o->watch)
		return f->n >= o->min ? EXIT_DONE : EXIT_NOBODY;
	return f->n >= (o->min ? o->min : 1) ? EXIT_DONE : EXIT_NOBODY;
}

static int list(const struct peers_opts *o, const struct find_nets *nets)
{
	struct watching watching = { 0 };
	struct find_wish wish = {
		.command = "peers",
		.nets = nets,
		.host_lists = o->host_list,
		.wait = o->wait,
		.rate = (unsigned)o->rate,
		.passes = (unsigned)o->passes,
		.max_peers = (uint32_t)o->max_peers,
		.enough = o->min,
		.on_peer = o->watch ? on_peer : NULL,
		.user = &watching,
	};
	struct found found;
	int code = find_peers(&o->common, &wish, &found);

	if (code == 0) {
		peer_list_sort(&found, o->sort);
		if (!o->watch)
			peer_list_print(&found, o->tsv ? PEER_LIST_TSV : PEER_LIST_TABLE);
		summary(o, &found);
		code = exit_code(o, &found);
	}
	found_free(&found);
	return code;
}

/* What has no effect is refused, unless it is a preference of the configuration. */
static bool options_fit(const struct peers_opts *o, bool has_addresses)
{
	static const char *const of_lists[] = { "tsv", "sort" }, *const of_sweeps[] = { "rate",
											"passes" };

	if (o->tsv && o->common.json) {
		say_error("--tsv and --json exclude each other");
		return false;
	}
	for (size_t i = 0; o->watch && i < COO_ARRAY_LEN(of_lists); i++) {
		if (!opt_given(of_lists[i]))
			continue;
		say_error("--%s is about the list, and --watch prints none: leave one of them out; "
			  "for programs, --watch --json prints each change as an object",
			  of_lists[i]);
		return false;
	}
	for (size_t i = 0; !has_addresses && i < COO_ARRAY_LEN(of_sweeps); i++) {
		if (!opt_given(of_sweeps[i]))
			continue;
		say_error("--%s is about asking address by address: give addresses or networks, "
			  "such as 10.0.0.0/24, or leave it out",
			  of_sweeps[i]);
		return false;
	}
	return true;
}

static int run(void *opts, int argc, char **argv)
{
	const struct peers_opts *o = opts;
	struct find_nets nets = { NULL, 0 };
	int code = EXIT_USAGE;
	bool ok = options_fit(o, argc > 0);

	for (int i = 0; ok && i < argc; i++)
		ok = find_nets_add(&nets, argv[i], net_target_port(&o->common));
	if (ok && argc > 0 && nets.n == 0) {
		say_error("the list of addresses is empty");
		ok = false;
	}
	if (ok)
		code = list(o, &nets);
	find_nets_free(&nets);
	return code;
}

extern const struct cmd cmd_peers;
const struct cmd cmd_peers = {
	.name = "peers",
	.args = "[CIDR|ADDR|@FILE…]",
	.summary = "list who is on the network, and how each was found",
	.about = "Asks everybody by broadcast who is there or, given networks or addresses, each "
		 "of\nthese. Exit: 0 somebody (--min: enough) was found, 1 nobody (too few).",
	.examples = "  coo peers\n"
		    "  coo peers 10.0.3.0/24 10.0.4.7\n"
		    "  coo peers --watch\n"
		    "  coo peers --min 5 --json | jq -r 'select(.type==\"peer\").peer.addr'\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct peers_opts),
	.groups = OPT_GROUP_OUT | OPT_GROUP_SOCK | OPT_GROUP_IDENT,
	.run = run,
};
