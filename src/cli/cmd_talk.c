/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/addr.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/strbuf.h"
#include "cli/talk_hex.h"
#include "cli/talk_run.h"
#include "cli/talk_url.h"
#include "cli/xalloc.h"
#include "engine/netif.h"

struct talk_opts {
	struct common common;
	const char *charset, *bind, *reply, *file, *log;
	struct str_list interfaces;
	bool listen, broadcast, hex, send_hex, reuse_port, flood, once, repeats;
	int eol, frame;
	uint64_t repeat, count, max_clients;
	coo_time interval, wait, timeout, keepalive;
};

#define NO_WAIT COO_NEVER
#define NO_REPEAT UINT64_MAX

static const char *const eol_names[] = { "none", "lf", "crlf", NULL };

static const struct talk_opts defaults = {
	.eol = TALK_EOL_UNSET,
	.repeat = NO_REPEAT,
	.interval = COO_SEC(1),
	.wait = NO_WAIT,
	.timeout = COO_SEC(10),
	.max_clients = 10000,
};

#define AT(member) offsetof(struct talk_opts, member)

/* clang-format off */
static const struct opt opts_table[] = {
	{ .letter = 'l', .name = "listen", .kind = OPT_FLAG, .at = AT(listen),
	  .help = "wait at the target's address for peers" },
	{ .name = "broadcast", .kind = OPT_FLAG, .at = AT(broadcast),
	  .help = "send to the broadcast address of every interface (UDP)" },
	{ .name = "charset", .kind = OPT_STR, .at = AT(charset), .arg = "C",
	  .help = "charset of the text both ways: gbk, utf-8, big5 …" },
	{ .name = "hex", .kind = OPT_FLAG, .at = AT(hex),
	  .help = "show what comes as hex dump, text beside it" },
	{ .name = "send-hex", .kind = OPT_FLAG, .at = AT(send_hex),
	  .help = "what is typed is hex: c4 e3 ba c3" },
	{ .name = "eol", .kind = OPT_CHOICE, .at = AT(eol), .arg = "END", .choices = eol_names,
	  .help = "put behind each text: none, lf or crlf" },
	{ .name = "frame", .kind = OPT_CHOICE, .at = AT(frame), .arg = "HOW",
	  .choices = coo_framing_names,
	  .help = "borders: none line len32le len32be len16le len16be nul" },
	{ .name = "reply", .kind = OPT_STR, .at = AT(reply), .arg = "WITH",
	  .help = "answer by itself: echo, upper, exec:CMD or a text" },
	{ .letter = 'b', .name = "bind", .kind = OPT_STR, .at = AT(bind), .arg = "ADDR:PORT",
	  .help = "local address, port or both" },
	{ .letter = 'I', .name = "interface", .kind = OPT_LIST, .at = AT(interfaces), .arg = "NAME",
	  .help = "for broadcast and multicast (repeatable)" },
	{ .name = "reuse-port", .kind = OPT_FLAG, .at = AT(reuse_port),
	  .help = "share the port with other programs" },
	{ .name = "repeat", .kind = OPT_UINT, .at = AT(repeat), .arg = "N",
	  .max = NO_REPEAT - 1, .help = "send everything N times; 0: until the end" },
	{ .name = "interval", .kind = OPT_DURATION, .at = AT(interval), .arg = "D",
	  .min = 1000000, .help = "time between two rounds of --repeat (1s)" },
	{ .name = "file", .kind = OPT_STR, .at = AT(file), .arg = "PATH",
	  .help = "send the bytes of this file" },
	{ .name = "log", .kind = OPT_STR, .at = AT(log), .arg = "FILE",
	  .help = "append what is sent and received to FILE" },
	{ .name = "once", .kind = OPT_FLAG, .at = AT(once),
	  .help = "end after the first answer" },
	{ .name = "count", .kind = OPT_UINT, .at = AT(count), .arg = "N",
	  .min = 1, .help = "end after N messages" },
	{ .letter = 'w', .name = "wait", .kind = OPT_DURATION, .at = AT(wait), .arg = "D",
	  .help = "end when nothing was sent or came for D" },
	{ .name = "timeout", .kind = OPT_DURATION, .at = AT(timeout), .arg = "D",
	  .min = 1000000, .help = "how long to try to connect (10s)" },
	{ .name = "keepalive", .kind = OPT_DURATION, .at = AT(keepalive), .arg = "D",
	  .min = 1000000000, .max = 86400000000000, .help = "probe silent TCP peers after D" },
	{ .name = "max-clients", .kind = OPT_UINT, .at = AT(max_clients), .arg = "N",
	  .min = 1, .max = 1000000, .help = "clients at once (10000)" },
	{ .name = "flood", .kind = OPT_FLAG, .at = AT(flood),
	  .help = "more than 1,000 datagrams/s off loopback" },
	OPT_END,
};
/* clang-format on */

static bool usage(const char *option, const char *value, const char *why)
{
	say_error("%s cannot be \"%s\": %s", option, value, why);
	return false;
}

/* --- where to -------------------------------------------------------------------------------- */

static bool add_broadcasts(const struct talk_opts *o, uint16_t port, coo_talk_cfg *cfg)
{
	coo_netifs ifs;
	const char *bad = NULL;
	coo_err e = coo_netifs_read(o->interfaces.v, o->interfaces.n, &ifs, &bad);

	if (e != COO_OK) {
		say_error(bad ? "there is no interface \"%s\"" : "cannot read the interfaces%s",
			  bad ? bad : "");
		return false;
	}
	for (size_t i = 0; i < ifs.n && cfg->n_to < COO_TALK_MAX_TARGETS; i++) {
		if (ifs.v[i].use != COO_NETIF_USED || !ifs.v[i].broadcast.family)
			continue;
		cfg->to[cfg->n_to] = ifs.v[i].broadcast;
		cfg->to[cfg->n_to++].port = port;
	}
	coo_netifs_free(&ifs);
	if (cfg->n_to == 0)
		say_error("no interface of this host has a broadcast address that is up; "
			  "-I names one");
	return cfg->n_to > 0;
}

/* Several addresses of a name: TCP tries them one after the other, UDP takes the first. */
static bool add_host(const struct talk_url *url, coo_talk_cfg *cfg)
{
	char why[320];

	cfg->n_to = talk_resolve(url->host, url->port, url->is_tcp, cfg->to, COO_TALK_MAX_TARGETS,
				 why, sizeof(why));
	if (cfg->n_to == 0) {
		say_error("%s", why);
		return false;
	}
	if (!url->is_tcp)
		cfg->n_to = 1;
	return true;
}

/* -I of one interface: the multicast group is joined there, everything goes through it. */
static bool take_interface(const struct talk_opts *o, coo_talk_cfg *cfg)
{
	if (o->interfaces.n == 0 || o->interfaces.n > 1)
		return true;
	cfg->ifindex = if_nametoindex(o->interfaces.v[0]);
	if (cfg->ifindex == 0)
		say_error("there is no interface \"%s\"", o->interfaces.v[0]);
	return cfg->ifindex != 0;
}

static void bind_any(coo_talk_cfg *cfg, uint8_t family)
{
	cfg->bind.family = family ? family : 4;
	cfg->any_family = family == 0;
}

/* A server or a waiting socket stands at the target's address. */
static bool place_listener(const struct talk_opts *o, const struct talk_url *url, coo_talk_cfg *cfg)
{
	if (o->bind) {
		say_error("--bind and a target to wait at name one thing twice: leave --bind out");
		return false;
	}
	if (url->kind == TALK_HOST_NAMED) {
		if (!add_host(url, cfg))
			return false;
		cfg->bind = cfg->to[0];
		cfg->n_to = 0;
		return true;
	}
	cfg->bind.port = url->port;
	bind_any(cfg, 0);
	return true;
}

static bool place_sender(const struct talk_opts *o, const struct talk_url *url, coo_talk_cfg *cfg)
{
	char why[160];

	if (url->kind == TALK_HOST_NAMED && !add_host(url, cfg))
		return false;
	if (url->kind != TALK_HOST_NAMED && !add_broadcasts(o, url->port, cfg))
		return false;
	if (o->bind && !talk_bind_parse(o->bind, &cfg->bind, why, sizeof(why)))
		return usage("--bind", o->bind, why);
	if (!url->is_tcp && coo_addr_is_multicast(&cfg->to[0])) {
		cfg->group = cfg->to[0];
		cfg->bind.port = url->port;
	}
	if (cfg->bind.family == 0 && !url->is_tcp)
		bind_any(cfg, cfg->to[0].family);
	else if (cfg->bind.family == 0 && cfg->bind.port)
		cfg->bind.family = cfg->to[0].family;
	if (cfg->bind.family && cfg->bind.family != cfg->to[0].family)
		return usage("--bind", o->bind, "it is of another address family than the target");
	return true;
}

static bool place(const struct talk_opts *o, const char *target, coo_talk_cfg *cfg)
{
	struct talk_url url;
	char why[200];
	bool waits;

	if (!talk_url_parse(target, &url, why, sizeof(why)))
		return usage("the target", target, why);
	if (o->broadcast && url.is_tcp)
		return usage("the target", target, "--broadcast is for UDP");
	if (o->listen && (o->broadcast || url.kind == TALK_HOST_STAR))
		return usage("the target", target, "--listen does not go with broadcasting");
	waits = o->listen || (url.kind == TALK_HOST_NONE && !o->broadcast);
	if (!waits && url.port == 0)
		return usage("the target", target, "nobody can be reached at port 0");
	cfg->kind = !url.is_tcp ? COO_TALK_UDP : waits ? COO_TALK_SERVER : COO_TALK_CLIENT;
	if (!take_interface(o, cfg))
		return false;
	return waits ? place_listener(o, &url, cfg) : place_sender(o, &url, cfg);
}

/* --- what to answer -------------------------------------------------------------------------- */

/* Cuts a command into words at blanks; '…' and "…" keep them together. No shell looks at it. */
static char **split_words(const char *text)
{
	char **words = NULL;
	size_t n = 0;

	while (*(text += strspn(text, " \t"))) {
		struct strbuf w = { NULL, 0, 0 };

		while (*text && *text != ' ' && *text != '\t') {
			char quote = *text == '\'' || *text == '"' ? *text++ : '\0';
			size_t len = quote ? strcspn(text, quote == '\'' ? "'" : "\"")
					   : strcspn(text, " \t'\"");

			strbuf_put(&w, coo_span_of(text, len));
			text += len;
			if (quote && *text)
				text++;
		}
		strbuf_put(&w, coo_span_of("", 1));
		words = xrealloc(words, n + 2, sizeof(*words));
		words[n++] = (char *)w.p;
		words[n] = NULL;
	}
	return words;
}

static void encode_text(coo_charset *cs, const char *text, struct strbuf *to)
{
	coo_span s = coo_span_str(text);
	coo_buf w = strbuf_room(to, 8 * s.n + 16);
	size_t lost = 0;

	if (!cs || coo_charset_encode(cs, s, &w, &lost) != COO_OK) {
		strbuf_put(to, s);
		return;
	}
	strbuf_did(to, &w);
	if (lost)
		say_warn("%zu characters of the answer are not in %s: sent as \"?\"", lost,
			 coo_charset_name(cs));
}

/* The text to answer with, as it goes over the wire, is left in *text; words in cfg. */
static bool take_reply(const struct talk_opts *o, coo_charset *cs, coo_talk_cfg *cfg,
		       struct strbuf *text)
{
	cfg->charset = cs;
	if (!o->reply)
		return true;
	if (strcmp(o->reply, "echo") == 0) {
		cfg->reply = COO_TALK_ECHO;
	} else if (strcmp(o->reply, "upper") == 0) {
		cfg->reply = COO_TALK_UPPER;
	} else if (strncmp(o->reply, "exec:", 5) == 0) {
		cfg->reply = COO_TALK_EXEC;
		cfg->reply_argv = split_words(o->reply + 5);
		if (!cfg->reply_argv)
			return usage("--reply", o->reply, "a program stands behind exec:");
	} else {
		cfg->reply = COO_TALK_TEXT;
		if (!o->send_hex)
			encode_text(cs, o->reply, text);
		else if (!talk_hex_parse(coo_span_str(o->reply), text))
			return usage("--reply", o->reply, "with --send-hex it is hex, as c4e3bac3");
		if (o->eol == TALK_EOL_LF || o->eol == TALK_EOL_CRLF)
			strbuf_put_str(text, o->eol == TALK_EOL_LF ? "\n" : "\r\n");
		cfg->reply_text = strbuf_span(text);
	}
	return true;
}

/* --- the command ----------------------------------------------------------------------------- */

/* A thousand clients need a thousand descriptors. */
static void raise_limit(uint64_t clients)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= clients + 64)
		return;
	l.rlim_cur =
	    l.rlim_max == RLIM_INFINITY || l.rlim_max > clients + 64 ? clients + 64 : l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) != 0)
		say_note("the limit of open files stays: %s", strerror(errno));
}

static char *join(int argc, char **argv)
{
	struct strbuf b = { NULL, 0, 0 };

	for (int i = 0; i < argc; i++) {
		strbuf_put_str(&b, i ? " " : "");
		strbuf_put_str(&b, argv[i]);
	}
	strbuf_put(&b, coo_span_of("", 1));
	return (char *)b.p;
}

static bool check_options(const struct talk_opts *o, int argc)
{
	const char *why = NULL;

	if (argc == 0)
		why =
		    "it needs a target: udp://HOST:PORT, tcp://HOST:PORT, udp://:PORT, tcp://:PORT";
	else if (argc > 1 && o->file)
		why = "a text and --file are both there: only one can be sent";
	else if (o->once && o->count)
		why = "--once is --count 1: only one of the two can hold";
	if (why)
		say_error("%s; see \"coo talk --help\"", why);
	return !why;
}

static void take_rest(const struct talk_opts *o, struct talk_plan *p)
{
	p->cfg.framing = (enum coo_framing)o->frame;
	p->cfg.reuse_port = o->reuse_port;
	p->cfg.flood = o->flood;
	p->cfg.connect_timeout = o->timeout;
	p->cfg.keepalive = (unsigned)(o->keepalive / COO_SEC(1));
	p->cfg.max_clients = o->max_clients;
	if (p->cfg.kind == COO_TALK_CLIENT) {
		p->cfg.read_size = 256 << 10;
		p->cfg.max_out = 2 << 20;
	}
	p->send_hex = o->send_hex;
	p->eol = o->eol;
	p->file = o->file;
	p->repeats = o->repeat != NO_REPEAT;
	p->repeat = o->repeat;
	p->interval = o->interval;
	p->has_wait = o->wait != NO_WAIT;
	p->wait = o->wait;
	p->count = o->once ? 1 : o->count;
	p->log = o->log;
	p->hex = o->hex;
	p->named_charset = o->charset != NULL;
}

static int talk(const struct talk_opts *o, const char *target, const char *text, coo_charset *cs)
{
	struct talk_plan p;
	struct strbuf reply = { NULL, 0, 0 };
	int code = EXIT_USAGE;

	memset(&p, 0, sizeof(p));
	p.target = target;
	p.text = text;
	if (place(o, target, &p.cfg)) {
		take_rest(o, &p);
		p.cs = cs;
		if (take_reply(o, cs, &p.cfg, &reply)) {
			if (p.cfg.kind == COO_TALK_SERVER)
				raise_limit(o->max_clients);
			code = talk_run(&p);
		}
	}
	for (size_t i = 0; p.cfg.reply_argv && p.cfg.reply_argv[i]; i++)
		free(p.cfg.reply_argv[i]);
	free((void *)(uintptr_t)p.cfg.reply_argv);
	strbuf_free(&reply);
	return code;
}

static int run(void *opts, int argc, char **argv)
{
	const struct talk_opts *o = opts;
	const char *charset = o->charset ? o->charset : "utf-8";
	coo_charset *cs = NULL;
	char *text;
	int code;

	if (!check_options(o, argc))
		return EXIT_USAGE;
	if (coo_charset_open(charset, &cs) != COO_OK) {
		usage("--charset", charset,
		      "this system knows no such charset, or ASCII is not ASCII in it");
		return EXIT_USAGE;
	}
	text = argc > 1 ? join(argc - 1, argv + 1) : NULL;
	code = talk(o, argv[0], text, cs);
	free(text);
	coo_charset_close(cs);
	return code;
}

extern const struct cmd cmd_talk;
const struct cmd cmd_talk = {
	.name = "talk",
	.args = "TARGET [TEXT…]",
	.summary = "talk raw UDP or TCP, as client or server, in any charset",
	.about =
	    "The network debugging assistant: type text, see what comes, over raw UDP or TCP.\n"
	    "TARGET is udp://HOST:PORT, tcp://HOST:PORT, udp://:PORT or tcp://:PORT (wait),\n"
	    "udp://*:PORT (broadcast) or udp://GROUP:PORT (multicast). In a pipe, standard\n"
	    "input is sent and standard output is what comes.",
	.examples = "  coo talk udp://192.168.1.7:7088\n"
		    "  coo talk tcp://:7000 --reply echo\n"
		    "  coo talk tcp://192.168.1.7:7000 --charset gbk --frame len32le\n"
		    "  printf 'hello' | coo talk --once --wait 1s tcp://192.168.1.7:7000\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct talk_opts),
	.groups = OPT_GROUP_OUT | OPT_GROUP_CONFIG,
	.run = run,
};
