/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/cmd.h"
#include "cli/net.h"
#include "cli/out.h"
#include "cli/recv_files.h"
#include "cli/recv_release.h"
#include "cli/targets.h"
#include "cli/transfer.h"
#include "cli/xalloc.h"
#include "proto/num.h"
#include "proto/utf8.h"

/* Silence after which a list is over: it may come in several messages. */
enum { LIST_QUIET_MS = 700 };

struct fetch_opts {
	struct common common;
	coo_time wait;
	struct recv_opts recv;
};

#define AT(field) offsetof(struct fetch_opts, field)

static const struct opt opts_table[] = {
	{ .letter = 'w',
	  .name = "wait",
	  .kind = OPT_DURATION,
	  .at = AT(wait),
	  .arg = "D",
	  .min = COO_MS(10),
	  .max = COO_SEC(86400),
	  .help = "how long to wait for the offer (5s)" },
	RECV_OPTS_LIMITS(AT(recv)),
	OPT_END,
};

static const struct fetch_opts defaults = {
	.common = { .port = 2425 },
	.wait = COO_SEC(5),
	.recv = RECV_OPTS_DEFAULT,
};

struct fetching {
	const struct fetch_opts *opts;
	struct targets targets;
	const char *name; /* NULL: list */
	struct net net;
	struct recv_files *files;
	uint8_t *scratch;
	uv_timer_t timer;
	size_t listed;
	uint64_t parts,
	    parts_of;  /* messages of the list that came, and that there are; 0: not said */
	bool is_cut;   /* not all names are in it */
	bool answered; /* the one asked has said something */
	bool offered;  /* the file */
};

static void on_quiet(uv_timer_t *timer)
{
	struct fetching *f = timer->data;

	uv_stop(&f->net.loop);
}

/* "list 3/102", "list 3/102, not all names": how many messages a coo sends. */
static bool read_part(struct fetching *f, coo_span text)
{
	coo_span head = coo_span_head(text, 5), part;
	uint64_t of;

	if (!coo_span_eq_str(head, "list "))
		return false;
	text = coo_span_skip(text, head.n);
	if (!coo_span_next(&text, '/', &part) || !coo_span_next(&text, ',', &part) ||
	    !coo_num_dec(part, UINT32_MAX, &of))
		return false;
	f->parts++;
	f->parts_of = of;
	f->is_cut = text.n > 0;
	return true;
}

static void list(struct fetching *f, const struct offer *o, bool is_part)
{
	char size[TRANSFER_SIZE_CAP];

	for (size_t i = 0; i < o->n; i++) {
		const struct offer_file *file = &o->v[i];
		json_t *j = out_event("shared");

		json_object_set_new(j, "name", out_json_str(coo_span_str(file->name)));
		json_object_set_new(j, "kind", json_string(file->is_dir ? "dir" : "file"));
		json_object_set_new(j, "size",
				    file->is_dir || file->size == COO_FILE_SIZE_UNKNOWN
					? json_null()
					: json_integer((json_int_t)file->size));
		out_json(j);
		out_safe(coo_span_str(file->name), COO_UTF8_ONE_LINE);
		out_text("\t%s\n", file->is_dir ? "folder"
				   : file->size == COO_FILE_SIZE_UNKNOWN
				       ? "size unknown"
				       : transfer_size(file->size, size));
	}
	f->listed += o->n;
	out_flush();
	/* nothing is fetched from a list; what else that host offers may be for somebody here */
	if (is_part)
		recv_release(&f->net, &o->from, o->packet_no, "listed");
	uv_timer_start(&f->timer, on_quiet,
		       f->parts_of && f->parts >= f->parts_of ? 0 : LIST_QUIET_MS, 0);
}

static void take_offer(struct fetching *f, const struct offer *o, bool is_part)
{
	if (!f->name) {
		list(f, o, is_part);
		return;
	}
	for (size_t i = 0; i < o->n && !f->offered; i++) {
		if (strcmp(o->v[i].name, f->name) != 0)
			continue;
		f->offered = true;
		uv_timer_stop(&f->timer);
		recv_files_fetch(f->files, o, &o->v[i]);
	}
}

static void take_message(struct fetching *f, const coo_event *ev)
{
	coo_message m;
	coo_buf scratch;
	struct offer *o;
	size_t bad;
	char *text;

	coo_buf_init(&scratch, f->scratch, COO_MESSAGE_SCRATCH);
	if (coo_message_of(f->net.text, coo_node_peers(net_node(&f->net)), ev, &scratch, &m) !=
	    COO_OK)
		return;
	f->answered = true;
	o = offer_of_message(f->net.text, ev, &m, &bad);
	if (o) {
		take_offer(f, o, read_part(f, m.text));
	} else if (m.text.n > 0 && !f->offered) {
		text = out_safe_dup(m.text, COO_UTF8_KEEP_LINES);
		say_warn("the answer is: %s", text);
		free(text);
		uv_stop(&f->net.loop);
	}
	free(o);
}

static void on_event(void *user, const coo_event *ev)
{
	struct fetching *f = user;

	if (ev->type == COO_EV_MESSAGE && coo_addr_eq_ip(&ev->rx.from, &f->targets.v[0].addr))
		take_message(f, ev);
}

static void on_over(void *user)
{
	struct fetching *f = user;

	uv_stop(&f->net.loop);
}

static coo_err ask(struct fetching *f)
{
	coo_span text = coo_span_str(f->name ? f->name : "list");
	uint8_t *mem = xcalloc(text.n * 4 + 8, 1);
	bool utf8 = false;
	coo_send s;
	coo_buf b;
	coo_err e;

	coo_buf_init(&b, mem, text.n * 4 + 8);
	/* who shares is a coo: it reads UTF-8 */
	e = coo_text_encode(f->net.text, text, NULL, true, NULL, &b, &utf8, NULL, NULL);
	coo_buf_put_byte(&b, 0);
	memset(&s, 0, sizeof(s));
	s.token = 1;
	s.to = f->targets.v[0].addr;
	s.options = COO_OPT_SENDCHECK | COO_OPT_NOADDLIST | (utf8 ? COO_OPT_UTF8 : 0);
	s.ext = coo_buf_span(&b);
	s.wait = f->opts->wait;
	if (e == COO_OK)
		e = coo_node_send(net_node(&f->net), &s, coo_driver_now(f->net.driver), NULL);
	coo_driver_kick(f->net.driver);
	free(mem);
	return e;
}

static int list_outcome(const struct fetching *f)
{
	if (f->is_cut)
		say_warn("more is shared than a list holds; by its name it can be fetched");
	if (f->parts >= f->parts_of)
		return f->is_cut ? EXIT_PARTIAL : EXIT_DONE;
	say_warn("only %llu of %llu parts of the list came; ask again",
		 (unsigned long long)f->parts, (unsigned long long)f->parts_of);
	return EXIT_PARTIAL;
}

static int outcome(const struct fetching *f)
{
	const char *who = f->targets.v[0].text;

	if (f->name && f->offered)
		return recv_files_pending(f->files) > 0 ? EXIT_NOBODY : recv_files_code(f->files);
	if (!f->name && f->listed > 0)
		return list_outcome(f);
	if (!f->answered)
		say_error("%s does not answer; is \"coo share\" running there?", who);
	else
		say_error("%s does not share %s", who, f->name ? f->name : "anything");
	return EXIT_NOBODY;
}

static int fetch(struct fetching *f)
{
	coo_err e = ask(f);
	int code;

	uv_timer_init(&f->net.loop, &f->timer);
	f->timer.data = f;
	uv_timer_start(&f->timer, on_quiet, f->opts->wait / COO_MS(1), 0);
	out_start("fetch", NULL);
	if (e == COO_OK)
		uv_run(&f->net.loop, UV_RUN_DEFAULT);
	else
		say_error("the request cannot be sent: %s", coo_err_text(e));
	code = e == COO_OK ? outcome(f) : EXIT_SYSTEM;
	uv_close((uv_handle_t *)&f->timer, NULL);
	return code;
}

static bool parse(struct fetching *f, int argc, char **argv)
{
	if (argc < 1 || argc > 2) {
		say_error("\"coo fetch ADDR\" lists what is shared there, \"coo fetch ADDR NAME\" "
			  "fetches it");
		return false;
	}
	f->name = argc == 2 ? argv[1] : NULL;
	if (f->name && !*f->name) {
		say_error("the name is empty; without a name, fetch lists what is shared");
		return false;
	}
	if (f->name && !coo_utf8_valid(coo_span_str(f->name))) {
		say_error("the name is not UTF-8");
		return false;
	}
	if (!targets_add(&f->targets, argv[0], net_target_port(&f->opts->common)))
		return false;
	if (f->targets.n != 1)
		say_error("one address at a time");
	return f->targets.n == 1;
}

static int run(void *opts, int argc, char **argv)
{
	struct fetching f;
	const struct net_wish wish = {
		.member = true, /* for the receipt: nothing is announced */
		.port_optional = true,
		.any_port = true,
		.no_broadcast = true,
		.capabilities = COO_OPT_ENTRY_FILEATTACH,
		.on_event = on_event,
		.on_stop = on_over,
		.user = &f,
	};
	struct recv_opts recv;
	int code = EXIT_USAGE;

	memset(&f, 0, sizeof(f));
	f.opts = opts;
	recv = f.opts->recv;
	recv.accept = ACCEPT_ALL;
	recv.by_hand = true;
	if (parse(&f, argc, argv))
		code = net_open(&f.net, &f.opts->common, &wish);
	else
		goto out;
	if (code)
		goto out;
	f.scratch = xcalloc(COO_MESSAGE_SCRATCH, 1);
	f.files = recv_files_new(&f.net, &recv, on_over, &f, &code);
	if (f.files)
		code = fetch(&f);
	recv_files_stop(f.files);
	net_close(&f.net);
	recv_files_free(f.files);
	free(f.scratch);
out:
	targets_free(&f.targets);
	return code;
}

extern const struct cmd cmd_fetch;
const struct cmd cmd_fetch = {
	.name = "fetch",
	.args = "ADDR [NAME]",
	.summary = "list what somebody shares, and fetch one file or folder of it",
	.about = "Asks a \"coo share\" at ADDR for its list, or for the file NAME, and fetches it.",
	.examples = "  coo fetch 10.0.0.7\n"
		    "  coo fetch 10.0.0.7 lesson-3.pdf --save-dir ~/lessons\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct fetch_opts),
	.groups = OPT_GROUP_OUT | OPT_GROUP_SOCK | OPT_GROUP_IDENT,
	.run = run,
};
