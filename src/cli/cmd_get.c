/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/net.h"
#include "cli/out.h"
#include "cli/recv_files.h"
#include "cli/transfer.h"
#include "cli/xalloc.h"
#include "proto/num.h"

struct get_opts {
	struct common common;
	bool all;
	struct recv_opts recv;
};

#define AT(field) offsetof(struct get_opts, field)

static const struct opt opts_table[] = {
	{ .letter = 'a',
	  .name = "all",
	  .kind = OPT_FLAG,
	  .at = AT(all),
	  .help = "list what was fetched already, too" },
	RECV_OPTS_LIMITS(AT(recv)),
	OPT_END,
};

static const struct get_opts defaults = {
	.common = { .port = 2425 },
	.recv = RECV_OPTS_DEFAULT,
};

/* What is wanted, and the offer that has it. */
struct getting {
	const struct get_opts *opts;
	coo_addr from;
	uint64_t packet_no, id;
	bool any_id;
	struct offer *found;
	size_t listed;
	struct net net;
};

static void list_text(const struct offer *o, const struct offer_file *f)
{
	char addr[COO_ADDR_TEXT_CAP], size[TRANSFER_SIZE_CAP], seen[COO_RFC3339_CAP];

	coo_clock_rfc3339(coo_time_add(0, COO_SEC(o->seen)), seen);
	seen[16] = '\0';
	seen[10] = ' ';
	out_text("%s %" PRIu64 " %" PRIu64 "\t%s\t", coo_addr_text(&o->from, addr), o->packet_no,
		 f->id, seen);
	out_safe(coo_span_str(f->name), COO_UTF8_ONE_LINE);
	out_text(" (%s)%s, from ",
		 f->is_dir			    ? "folder"
		 : f->size == COO_FILE_SIZE_UNKNOWN ? "size unknown"
						    : transfer_size(f->size, size),
		 f->fetched ? ", fetched" : "");
	out_safe(coo_span_str(o->nick), COO_UTF8_ONE_LINE);
	out_text("\n");
}

static void list_json(const struct offer *o, const struct offer_file *f)
{
	char text[COO_ADDR_TEXT_CAP], seen[COO_RFC3339_CAP];
	json_t *j = out_event("offer");

	json_object_set_new(j, "addr", json_string(coo_addr_ip_text(&o->from, text)));
	json_object_set_new(j, "port", json_integer(o->from.port));
	snprintf(text, sizeof(text), "%" PRIu64, o->packet_no);
	json_object_set_new(j, "packet_no", json_string(text));
	json_object_set_new(j, "file_id", json_integer((json_int_t)f->id));
	json_object_set_new(j, "name", out_json_str(coo_span_str(f->name)));
	json_object_set_new(j, "kind", json_string(f->is_dir ? "dir" : "file"));
	json_object_set_new(j, "size",
			    f->size == COO_FILE_SIZE_UNKNOWN ? json_null()
							     : json_integer((json_int_t)f->size));
	json_object_set_new(j, "fetched", json_boolean(f->fetched));
	json_object_set_new(j, "nick", out_json_str(coo_span_str(o->nick)));
	json_object_set_new(j, "seen", json_string(coo_clock_rfc3339(COO_SEC(o->seen), seen)));
	out_json(j);
}

static bool list_offer(const struct offer *o, void *user)
{
	struct getting *g = user;

	for (size_t i = 0; i < o->n; i++) {
		if (o->v[i].fetched && !g->opts->all)
			continue;
		g->listed++;
		if (out_is_json())
			list_json(o, &o->v[i]);
		else
			list_text(o, &o->v[i]);
	}
	return false;
}

static int list_all(struct getting *g)
{
	out_start("get", NULL);
	if (!offers_each(list_offer, g))
		return EXIT_SYSTEM;
	if (g->listed == 0)
		say_info("no offers wait; \"coo listen\" remembers those that come");
	return g->listed ? EXIT_DONE : EXIT_NOBODY;
}

/* Without a port in ADDR every port fits; the newest offer wins. */
static bool find_offer(const struct offer *o, void *user)
{
	struct getting *g = user;

	if (!coo_addr_eq_ip(&o->from, &g->from) || (g->from.port && g->from.port != o->from.port) ||
	    o->packet_no != g->packet_no)
		return false;
	if (!g->found)
		g->found = xcalloc(1, sizeof(*o));
	*g->found = *o;
	return false;
}

static bool parse(struct getting *g, int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		say_error("\"coo get\" lists the offers; \"coo get ADDR PACKETNO [FILEID]\" "
			  "fetches one");
		return false;
	}
	if (coo_addr_parse(argv[0], 0, &g->from) != COO_OK) {
		say_error("\"%s\" is not an address", argv[0]);
		return false;
	}
	if (!coo_num_dec(coo_span_str(argv[1]), UINT64_MAX, &g->packet_no)) {
		say_error("\"%s\" is not a packet number", argv[1]);
		return false;
	}
	g->any_id = argc == 2;
	if (argc == 3 && !coo_num_dec(coo_span_str(argv[2]), UINT64_MAX, &g->id)) {
		say_error("\"%s\" is not the number of a file", argv[2]);
		return false;
	}
	return true;
}

static void on_event(void *user, const coo_event *ev)
{
	(void)user;
	(void)ev;
}

static void on_over(void *user)
{
	struct getting *g = user;

	uv_stop(&g->net.loop);
}

static int fetch(struct getting *g)
{
	const struct net_wish wish = {
		.port_optional = true,
		.any_port = true,
		.no_broadcast = true,
		.on_event = on_event,
		.on_stop = on_over,
		.user = g,
	};
	struct recv_opts recv = g->opts->recv;
	struct recv_files *files;
	int code = net_open(&g->net, &g->opts->common, &wish);

	if (code)
		return code;
	recv.accept = ACCEPT_ALL;
	recv.by_hand = true;
	files = recv_files_new(&g->net, &recv, on_over, g, &code);
	if (files) {
		out_start("get", NULL);
		for (size_t i = 0; i < g->found->n; i++) {
			if (g->any_id ? !g->found->v[i].fetched : g->found->v[i].id == g->id)
				recv_files_fetch(files, g->found, &g->found->v[i]);
		}
		if (recv_files_pending(files) > 0)
			uv_run(&g->net.loop, UV_RUN_DEFAULT);
		else
			say_info("everything of this offer has been fetched before; name a FILEID "
				 "to fetch it again");
		code = recv_files_pending(files) > 0 ? EXIT_NOBODY : recv_files_code(files);
		if (recv_files_failed(files) > 0 && recv_files_done(files) > 0)
			code = EXIT_PARTIAL;
		recv_files_stop(files);
	}
	net_close(&g->net);
	recv_files_free(files);
	return code;
}

static int run(void *opts, int argc, char **argv)
{
	struct getting g;
	int code = EXIT_USAGE;

	memset(&g, 0, sizeof(g));
	g.opts = opts;
	if (argc == 0)
		return list_all(&g);
	if (g.opts->all)
		say_warn(
		    "--all is for the list and not used: ADDR PACKETNO FILEID fetches again what "
		    "was fetched");
	if (!parse(&g, argc, argv))
		return code;
	if (!offers_each(find_offer, &g)) {
		code = EXIT_SYSTEM;
	} else if (!g.found) {
		say_error("there is no such offer; \"coo get\" lists them");
		code = EXIT_NOBODY;
	} else {
		code = fetch(&g);
	}
	free(g.found);
	return code;
}

extern const struct cmd cmd_get;
const struct cmd cmd_get = {
	.name = "get",
	.args = "[ADDR PACKETNO [FILEID]]",
	.summary = "list offered files that were not fetched, and fetch them",
	.about = "Without arguments lists the offers that \"coo listen\" has seen. With ADDR and "
		 "PACKETNO fetches\nall files of one, or the one with FILEID; what broke off is "
		 "taken up again.",
	.examples = "  coo get\n"
		    "  coo get 10.0.0.7 1783728200\n"
		    "  coo get 10.0.0.7 1783728200 1 --save-dir ~/Downloads\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct get_opts),
	.groups = OPT_GROUP_OUT | OPT_GROUP_SOCK | OPT_GROUP_IDENT,
	.run = run,
};
