/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/cidrs.h"
#include "cli/cmd.h"
#include "cli/echo_report.h"
#include "cli/out.h"
#include "cli/xalloc.h"
#include "feature/echosock.h"
#include "proto/num.h"
#include "proto/stamp.h"

struct echo_opts {
	struct common common;
	bool tcp, upper, print, hex, stamp, stamp_stateless, answer_broadcast, plain;
	uint64_t threads, rate, max_size, count, seed, stamp_port;
	coo_time spin, duration, stats, delay;
	double drop, dup, reorder, corrupt;
	struct str_list allow;
};

#define AT(field) offsetof(struct echo_opts, field)

/* clang-format off */
static const struct opt opts_table[] = {
	{ .name = "tcp", .kind = OPT_FLAG, .at = AT(tcp), .help = "echo TCP connections on the port too" },
	{ .name = "allow", .kind = OPT_LIST, .at = AT(allow), .arg = "CIDR", .help = "answer these sources instead of those on the link" },
	{ .name = "rate", .kind = OPT_UINT, .at = AT(rate), .arg = "N", .min = 1, .max = 1000000000, .help = "datagrams/s for each source (not TCP)" },
	{ .name = "max-size", .kind = OPT_SIZE, .at = AT(max_size), .arg = "SIZE", .min = 1, .max = 65535, .help = "refuse longer datagrams (not TCP)" },
	{ .name = "answer-broadcast", .kind = OPT_FLAG, .at = AT(answer_broadcast), .help = "answer broadcast and multicast too" },
	{ .name = "threads", .kind = OPT_UINT, .at = AT(threads), .arg = "N", .min = 1, .max = 64, .help = "sockets and threads for each address" },
	{ .name = "spin", .kind = OPT_DURATION, .at = AT(spin), .arg = "D", .max = COO_SEC(1), .help = "poll so long before blocking: faster, burns a core" },
	{ .name = "count", .kind = OPT_UINT, .at = AT(count), .arg = "N", .min = 1, .help = "end after N datagrams of UDP echo" },
	{ .name = "duration", .kind = OPT_DURATION, .at = AT(duration), .arg = "D", .min = COO_MS(1), .help = "end after this time" },
	{ .name = "stats", .kind = OPT_DURATION, .at = AT(stats), .arg = "D", .min = COO_MS(10), .help = "print rates and refusals every D" },
	{ .name = "print", .kind = OPT_FLAG, .at = AT(print), .help = "show every datagram of UDP echo, decoded by --charset" },
	{ .name = "hex", .kind = OPT_FLAG, .at = AT(hex), .help = "show every datagram in hex" },
	{ .name = "upper", .kind = OPT_FLAG, .at = AT(upper), .help = "answer in upper case (not STAMP)" },
	{ .name = "delay", .kind = OPT_DURATION, .at = AT(delay), .arg = "D", .max = COO_SEC(60), .help = "answer UDP echo after this time; it alone is impaired" },
	{ .name = "drop", .kind = OPT_REAL, .at = AT(drop), .arg = "P", .help = "leave out this part of the answers (1%)" },
	{ .name = "dup", .kind = OPT_REAL, .at = AT(dup), .arg = "P", .help = "send this part of the answers twice" },
	{ .name = "reorder", .kind = OPT_REAL, .at = AT(reorder), .arg = "P", .help = "send this part behind the next answer that is not of it" },
	{ .name = "corrupt", .kind = OPT_REAL, .at = AT(corrupt), .arg = "P", .help = "flip a bit in this part of the answers" },
	{ .name = "seed", .kind = OPT_UINT, .at = AT(seed), .arg = "N", .help = "what the four above go by: same seed, same fate" },
	{ .name = "stamp", .kind = OPT_FLAG, .at = AT(stamp), .help = "reflect STAMP (RFC 8762) too, on port 862 or the one that follows" },
	{ .name = "stamp-port", .kind = OPT_UINT, .at = AT(stamp_port), .arg = "N", .max = 65535, .help = "reflect STAMP on this port" },
	{ .name = "stamp-stateless", .kind = OPT_FLAG, .at = AT(stamp_stateless), .help = "return the sender's numbers" },
	{ .name = "plain", .kind = OPT_FLAG, .at = AT(plain), .help = "no UDP_GRO and UDP_SEGMENT", .hidden = true },
	OPT_END,
};
/* clang-format on */

#define NO_STAMP_PORT UINT64_MAX

static const struct echo_opts defaults = {
	.common.port = 7,
	.common.charset = "auto",
	.threads = 1,
	.seed = 1,
	.stamp_port = NO_STAMP_PORT,
};

/* Everything that one run needs; the loop's handles keep it alive until they are closed. */
struct server {
	const struct echo_opts *o;
	uv_loop_t loop;
	uv_signal_t signals[2];
	uv_timer_t stats_timer, end_timer;
	uv_async_t done;
	coo_cidr *allow;
	struct echo_view view;
	coo_echonets nets;
	int code;
};

static bool read_bind(const struct echo_opts *o, coo_addr *a)
{
	memset(a, 0, sizeof(*a));
	if (o->common.bind && coo_addr_parse(o->common.bind, 0, a) != COO_OK) {
		say_error("--bind cannot be \"%s\": it is an address of this host", o->common.bind);
		return false;
	}
	if (o->common.interfaces.n > 1) {
		say_error("echo takes one --interface; without it all are served");
		return false;
	}
	a->port = (uint16_t)o->common.port;
	return true;
}

static int say_no_port(const char *what, unsigned port)
{
	if (errno == EACCES)
		say_error("cannot serve %s on port %u: %s; ports below 1024 need root or "
			  "CAP_NET_BIND_SERVICE: try -p 7088",
			  what, port, strerror(errno));
	else if (errno == EADDRINUSE)
		say_error("cannot serve %s on port %u: it is in use; \"ss -lunp\" shows by whom, "
			  "-p serves another one",
			  what, port);
	else
		say_error("cannot serve %s on port %u: %s", what, port, strerror(errno));
	return EXIT_SYSTEM;
}

static void wake(void *user)
{
	struct echo_view *v = user;

	uv_async_send(v->done);
}

static const char *device(const struct echo_opts *o)
{
	return o->common.interfaces.n ? o->common.interfaces.v[0] : NULL;
}

static int open_udp(struct server *s, const coo_addr *bind)
{
	const struct echo_opts *o = s->o;
	coo_responder_cfg cfg = {
		.bind = *bind,
		.device = device(o),
		.threads = (unsigned)o->threads,
		.spin = o->spin,
		.upper = o->upper,
		.plain = o->plain,
		.answer_broadcast = o->answer_broadcast,
		.count = o->count,
		.allow = s->allow,
		.n_allow = o->allow.n,
		.rate = o->rate,
		.max_size = o->max_size,
		.seed = o->seed,
		.impair = { o->drop, o->dup, o->reorder, o->corrupt, o->delay, 0 },
		.on_datagram = o->print || o->hex ? echo_show_datagram : NULL,
		.on_done = wake,
		.user = &s->view,
	};

	if (coo_responder_open(&cfg, &s->view.udp) == COO_OK)
		return 0;
	return say_no_port("UDP echo", bind->port);
}

static int open_tcp(struct server *s, const coo_addr *bind)
{
	coo_guard_cfg guard = { .allow = s->allow,
				.n_allow = s->o->allow.n,
				.on_link = coo_echonets_on_link,
				.user = &s->nets };
	coo_addr a = *bind;

	a.port = coo_responder_local(s->view.udp).port;
	if (coo_tcpecho_open(&s->loop, &a, &guard, s->o->upper, &s->view.tcp) == COO_OK)
		return 0;
	return say_no_port("TCP echo", a.port);
}

static int open_stamp(struct server *s, const coo_addr *bind)
{
	coo_reflector_cfg cfg = { .bind = *bind,
				  .device = device(s->o),
				  .stateless = s->o->stamp_stateless,
				  .allow = s->allow,
				  .n_allow = s->o->allow.n,
				  .rate = s->o->rate,
				  .max_size = s->o->max_size };

	cfg.bind.port =
	    s->o->stamp_port == NO_STAMP_PORT ? COO_STAMP_PORT : (uint16_t)s->o->stamp_port;
	if (coo_reflector_open(&cfg, &s->view.stamp) == COO_OK)
		return 0;
	return say_no_port("STAMP", cfg.bind.port);
}

static bool wants_stamp(const struct echo_opts *o)
{
	return o->stamp || o->stamp_stateless || o->stamp_port != NO_STAMP_PORT;
}

static int open_services(struct server *s)
{
	coo_addr bind;
	int code;

	if (!cidrs_read("allow", &s->o->allow, &s->allow) || !read_bind(s->o, &bind))
		return EXIT_USAGE;
	/* a character set costs memory: only where text is shown */
	if ((s->o->print || s->o->hex) &&
	    !echo_show_init(&s->view, s->o->common.charset, s->o->hex))
		return EXIT_USAGE;
	code = open_udp(s, &bind);
	if (code == 0 && s->o->tcp)
		code = open_tcp(s, &bind);
	if (code == 0 && wants_stamp(s->o))
		code = open_stamp(s, &bind);
	return code;
}

static void close_handle(uv_handle_t *h, void *user)
{
	(void)user;
	if (!uv_is_closing(h) && h->type != UV_TCP)
		uv_close(h, NULL);
}

static void end(struct server *s)
{
	coo_tcpecho *tcp = s->view.tcp;

	echo_out_hurry(&s->view.out);
	coo_responder_stop(s->view.udp);
	if (s->view.stamp)
		coo_reflector_stop(s->view.stamp);
	if (!echo_print_summary(&s->view))
		s->code = EXIT_SYSTEM;
	s->view.tcp = NULL;
	coo_tcpecho_close(tcp);
	uv_walk(&s->loop, close_handle, NULL);
}

static void on_signal(uv_signal_t *h, int number)
{
	(void)number;
	end(h->data);
}

static void on_end_timer(uv_timer_t *h)
{
	end(h->data);
}

static void on_done(uv_async_t *h)
{
	end(h->data);
}

static void on_stats(uv_timer_t *h)
{
	struct server *s = h->data;

	echo_print_stats(&s->view);
}

static void watch(struct server *s)
{
	static const int numbers[2] = { SIGINT, SIGTERM };

	for (int i = 0; i < 2; i++) {
		uv_signal_init(&s->loop, &s->signals[i]);
		s->signals[i].data = s;
		uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
	uv_update_time(&s->loop); /* opening took a while that is not part of --duration */
	uv_timer_init(&s->loop, &s->stats_timer);
	uv_timer_init(&s->loop, &s->end_timer);
	s->stats_timer.data = s->end_timer.data = s->done.data = s;
	if (s->o->stats)
		uv_timer_start(&s->stats_timer, on_stats, s->o->stats / COO_MS(1),
			       s->o->stats / COO_MS(1));
	if (s->o->duration)
		uv_timer_start(&s->end_timer, on_end_timer,
			       (s->o->duration + COO_MS(1) - 1) / COO_MS(1), 0);
}

static int start(struct server *s)
{
	if (coo_responder_start(s->view.udp) != COO_OK ||
	    (s->view.stamp && coo_reflector_start(s->view.stamp) != COO_OK)) {
		say_error("cannot start a thread: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	return 0;
}

static int serve(struct server *s)
{
	int code = open_services(s);

	if (code == 0) {
		watch(s);
		echo_print_start(&s->view);
		code = start(s);
	}
	if (code != 0) {
		coo_tcpecho_close(s->view.tcp);
		uv_walk(&s->loop, close_handle, NULL);
	}
	uv_run(&s->loop, UV_RUN_DEFAULT);
	coo_responder_close(s->view.udp);
	coo_reflector_close(s->view.stamp);
	return code ? code : s->code;
}

/* Who asks for a bad path may mean that of all that is served. */
static void say_what_is_spared(const struct echo_opts *o)
{
	const char *spared = o->tcp && wants_stamp(o) ? "TCP and STAMP" : o->tcp ? "TCP" : "STAMP";

	if ((o->tcp || wants_stamp(o)) &&
	    (o->drop > 0 || o->dup > 0 || o->reorder > 0 || o->corrupt > 0 || o->delay > 0))
		say_warn("--drop, --dup, --reorder, --corrupt and --delay are for UDP echo and do "
			 "not touch %s",
			 spared);
}

static bool check(const struct echo_opts *o)
{
	const double parts[] = { o->drop, o->dup, o->reorder, o->corrupt };

	for (size_t i = 0; i < COO_ARRAY_LEN(parts); i++) {
		if (parts[i] > 1) {
			say_error("--drop, --dup, --reorder and --corrupt are parts: 0 to 1, or "
				  "0%% to 100%%");
			return false;
		}
	}
	return true;
}

/* "--stamp 8620": nothing else than its port may stand behind the options. false (said)
 * where it is none. */
static bool take_stamp_port(struct echo_opts *o, const char *text)
{
	uint64_t port;

	if (!coo_num_dec(coo_span_str(text), 65535, &port)) {
		say_error("--stamp cannot be \"%s\": its port is a number between 0 and 65535",
			  text);
		return false;
	}
	if (o->stamp_port != NO_STAMP_PORT) {
		say_error("STAMP has one port, but there are --stamp-port and --stamp %s: leave "
			  "one out",
			  text);
		return false;
	}
	o->stamp_port = port;
	return true;
}

static int run(void *opts, int argc, char **argv)
{
	struct echo_opts *o = opts;
	struct server s = { .o = o };
	int code;

	if (argc > 0 && o->stamp) {
		if (!take_stamp_port(o, argv[0]))
			return EXIT_USAGE;
		argc--, argv++;
	}
	if (argc > 0) {
		say_error("echo takes no arguments, but there is \"%s\"; -p sets the port",
			  argv[0]);
		return EXIT_USAGE;
	}
	if (!check(s.o))
		return EXIT_USAGE;
	say_what_is_spared(o);
	s.view.started = coo_clock_now();
	uv_loop_init(&s.loop);
	uv_async_init(&s.loop, &s.done, on_done);
	s.done.data = &s;
	s.view.done = &s.done;
	if (!echo_view_init(&s.view)) {
		say_error("out of memory");
		return EXIT_SYSTEM;
	}
	code = serve(&s);
	uv_loop_close(&s.loop);
	echo_show_fini(&s.view);
	echo_view_fini(&s.view);
	coo_echonets_free(&s.nets);
	free(s.allow);
	return code;
}

extern const struct cmd cmd_echo;
const struct cmd cmd_echo = {
	.name = "echo",
	.args = "",
	.summary = "answer UDP echo (RFC 862), fast and safe to leave running",
	.about = "Answers every datagram from this host and its networks with the same bytes.",
	.examples =
	    "  coo echo -p 7088 --print        show what comes and answer it\n"
	    "  coo echo --tcp --stats 10s      UDP and TCP on port 7, rates every 10 s\n"
	    "  coo echo -p 7088 --drop 1% --delay 20ms --seed 7    a bad path to test with\n"
	    "  coo echo --stamp                a STAMP reflector for routers, too\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct echo_opts),
	.groups = OPT_GROUP_SOCK | OPT_GROUP_IDENT | OPT_GROUP_OUT,
	.run = run,
};
