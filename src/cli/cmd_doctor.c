/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/version.h"
#include "cli/capture.h"
#include "cli/cmd.h"
#include "cli/firewall_nft.h"
#include "cli/net.h"
#include "cli/out.h"
#include "cli/targets.h"
#include "feature/doctor.h"
#include "feature/identity.h"

struct doctor_opts {
	struct common common;
	coo_time wait;
	uint64_t rcvbuf;
	bool faults_only;
};

#define AT(field) offsetof(struct doctor_opts, field)

/* What a client on a small network answers within (protocol.md 3.4), and the way. */
#define ANSWER_TIME COO_MS(1200)

static const struct opt opts_table[] = {
	{ .letter = 'w',
	  .name = "wait",
	  .kind = OPT_DURATION,
	  .at = AT(wait),
	  .arg = "D",
	  .min = COO_MS(50),
	  .max = COO_SEC(600),
	  .help = "how long each round of questions waits for answers (2s)" },
	{ .letter = 'f',
	  .name = "faults",
	  .kind = OPT_FLAG,
	  .at = AT(faults_only),
	  .help = "show faults alone" },
	{ .name = "rcvbuf",
	  .kind = OPT_SIZE,
	  .at = AT(rcvbuf),
	  .arg = "N",
	  .min = 1,
	  .max = 1 << 30,
	  .help = "receive buffer to ask for (4M)" },
	OPT_END,
};

static const struct doctor_opts defaults = {
	.common = { .port = 2425 },
	.wait = COO_SEC(2),
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* One Ctrl-C ends the examination with what was found so far, and leaves; a second one ends it at
 * once. */
static void watch_signals(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sa.sa_flags = (int)SA_RESETHAND;
	sigemptyset(&sa.sa_mask);
	coo_ignore(sigaction(SIGINT, &sa, NULL) != 0);
	coo_ignore(sigaction(SIGTERM, &sa, NULL) != 0);
}

/* --- showing ---------------------------------------------------------------------------------- */

static json_t *health_json(enum coo_health h)
{
	return h == COO_UNTOLD ? json_null() : json_boolean(h == COO_SOUND);
}

static void show_json(const coo_finding *f)
{
	json_t *o = out_event("check");

	json_object_set_new(o, "code", json_string(coo_check_code(f->check)));
	json_object_set_new(o, "name", json_string(coo_check_name(f->check)));
	json_object_set_new(o, "ok", health_json(f->health));
	json_object_set_new(o, "detail", out_json_str(coo_span_str(f->detail)));
	json_object_set_new(o, "cure", f->cure ? out_json_str(coo_span_str(f->cure)) : json_null());
	out_json(o);
}

static const char *paint(enum coo_health h)
{
	if (!out_has_color())
		return "";
	return h == COO_FAULT ? "\033[1;31m" : h == COO_SOUND ? "\033[32m" : "\033[33m";
}

static void show_text(const coo_finding *f)
{
	static const char *const words[] = { "ok   ", "FAULT", "?    " };

	out_text("%s%s%s  %s  %-18s  ", paint(f->health), words[f->health],
		 out_has_color() ? "\033[0m" : "", coo_check_code(f->check),
		 coo_check_name(f->check));
	out_safe(coo_span_str(f->detail), COO_UTF8_ONE_LINE);
	out_text("\n");
	if (f->cure && f->health == COO_FAULT) {
		out_text("       what helps: ");
		out_safe(coo_span_str(f->cure), COO_UTF8_ONE_LINE);
		out_text("\n");
	}
}

static void on_finding(void *user, const coo_finding *f)
{
	const struct doctor_opts *o = user;

	if (o->faults_only && f->health != COO_FAULT)
		return;
	if (out_is_json())
		show_json(f);
	else
		show_text(f);
	out_flush();
}

static void show_sum(const coo_doctor_sum *s)
{
	json_t *o;

	if (!out_is_json()) {
		out_text("%u %s, %u checks are sound, %u could not be told%s\n", s->faults,
			 s->faults == 1 ? "fault" : "faults", s->sound, s->untold,
			 s->complete ? "" : "; ended early");
		return;
	}
	o = out_event("summary");
	json_object_set_new(o, "ok", json_boolean(s->faults == 0 && s->complete));
	json_object_set_new(o, "faults", json_integer(s->faults));
	json_object_set_new(o, "sound", json_integer(s->sound));
	json_object_set_new(o, "untold", json_integer(s->untold));
	json_object_set_new(o, "complete", json_boolean(s->complete));
	out_json(o);
}

/* --- what the library cannot know ------------------------------------------------------------- */

static bool first_interface(const struct common *c, coo_netif *out)
{
	coo_netifs ifs;
	const char *bad;
	bool found = false;

	if (coo_netifs_read(c->interfaces.v, c->interfaces.n, &ifs, &bad) != COO_OK)
		return false;
	for (size_t i = 0; i < ifs.n && !found; i++) {
		found = ifs.v[i].use == COO_NETIF_USED && ifs.v[i].addr.family == 4;
		if (found)
			*out = ifs.v[i];
	}
	coo_netifs_free(&ifs);
	return found;
}

struct rule_program {
	const char *path[3];
	const char *args[4];
	bool json;
};

/* nft shows the rules of iptables, too, but for those of the old kind of iptables. */
static const struct rule_program programs[] = {
	{ { "/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft" }, { "-j", "list", "ruleset" }, true },
	{ { "/usr/sbin/iptables-save", "/sbin/iptables-save", "/usr/bin/iptables-save" },
	  { NULL },
	  false },
};

static bool is_there(const struct rule_program *p, char *argv[6])
{
	for (size_t i = 0; i < COO_ARRAY_LEN(p->path); i++) {
		if (!capture_is_there(p->path[i]))
			continue;
		argv[0] = (char *)(uintptr_t)p->path[i];
		for (size_t k = 0; k < 4; k++)
			argv[k + 1] = (char *)(uintptr_t)p->args[k];
		return true;
	}
	return false;
}

static enum coo_rules read_rules(coo_fw *fw)
{
	enum coo_rules r = COO_RULES_NONE;

	for (size_t i = 0; i < COO_ARRAY_LEN(programs); i++) {
		struct strbuf text = { NULL, 0, 0 };
		char *argv[6] = { NULL };

		if (!is_there(&programs[i], argv))
			continue;
		if (r == COO_RULES_NONE)
			r = COO_RULES_FORBIDDEN;
		if (capture(argv, COO_SEC(3), &text) &&
		    (programs[i].json ? firewall_nft(fw, strbuf_span(&text))
				      : coo_firewall_iptables(fw, strbuf_span(&text))) == COO_OK)
			r = COO_RULES_READ;
		strbuf_free(&text);
	}
	return r;
}

static void prepare_rules(const struct doctor_opts *o, coo_fw *fw, coo_netif *i,
			  coo_doctor_cfg *cfg)
{
	coo_fw_query q;

	memset(&q, 0, sizeof(q));
	q.ifname = "";
	q.port = cfg->port;
	if (first_interface(&o->common, i)) {
		q.ifname = i->name;
		q.own = i->addr;
		q.prefix = i->prefix;
	}
	coo_fw_init(fw, &q);
	cfg->rules = read_rules(fw);
	cfg->fw = fw;
}

static int make_identity(const struct common *c, coo_identity *id)
{
	const char *name = c->charset && strcmp(c->charset, "auto") != 0 ? c->charset : "gbk";
	coo_identity_wish wish;
	coo_charset *legacy;
	coo_err e;

	memset(&wish, 0, sizeof(wish));
	wish.user = c->user;
	wish.host = c->host;
	wish.nick = c->nick;
	wish.group = c->group;
	wish.compat = (enum coo_compat)c->compat;
	/* without conversions the doctor still has to say so: UTF-8 always opens */
	if (coo_charset_open(name, &legacy) != COO_OK &&
	    coo_charset_open("utf-8", &legacy) != COO_OK)
		return EXIT_SYSTEM;
	e = coo_identity_make(&wish, legacy, id);
	coo_charset_close(legacy);
	if (e == COO_OK)
		return 0;
	say_error("a name given with --user, --host, --nick or --group is not UTF-8");
	return EXIT_USAGE;
}

/* Why an address cannot be that of one host, or NULL. */
static const char *why_not_one_host(const coo_addr *a)
{
	const char *bad, *why = NULL;
	coo_netifs ifs;

	if (coo_addr_is_any(a))
		return "stands for every address";
	if (coo_addr_is_multicast(a))
		return "is a multicast address";
	if (coo_netifs_read(NULL, 0, &ifs, &bad) != COO_OK)
		return NULL;
	if (coo_netifs_is_broadcast(&ifs, a))
		why = "is a broadcast address";
	coo_netifs_free(&ifs);
	return why;
}

static int check_target(const coo_addr *a)
{
	const char *why = why_not_one_host(a);
	char text[COO_ADDR_TEXT_CAP];

	if (!why)
		return 0;
	say_error("%s %s; \"doctor\" takes the address of one host, and without one asks "
		  "everybody",
		  coo_addr_ip_text(a, text), why);
	return EXIT_USAGE;
}

/* Exit code 1 tells of faults here, and that there is no such host tells of none. */
static int look_for(struct targets *t, const char *word, const struct common *c)
{
	int code;

	if (!*word) {
		say_error("\"doctor\" takes an address or the name of a host, and \"\" is neither");
		return EXIT_USAGE;
	}
	if (!targets_add(t, word, net_target_port(c)))
		return EXIT_USAGE;
	code = targets_find(t, c);
	return code == EXIT_NOBODY ? EXIT_USAGE : code;
}

static int find_target(int argc, char **argv, const struct common *c, coo_addr *out)
{
	struct targets t;
	int code;

	if (argc == 0)
		return 0;
	if (argc > 1) {
		say_error("\"doctor\" takes one address; \"%s\" is another", argv[1]);
		return EXIT_USAGE;
	}
	memset(&t, 0, sizeof(t));
	code = look_for(&t, argv[0], c);
	if (code == 0 && t.n != 1) {
		say_error("\"doctor\" takes one address; \"%s\" names %zu", argv[0], t.n);
		code = EXIT_USAGE;
	} else if (code == 0) {
		*out = t.v[0].addr;
		code = check_target(out);
	}
	targets_free(&t);
	return code;
}

/* --- running ---------------------------------------------------------------------------------- */

static int examine(const coo_doctor_cfg *cfg)
{
	const char *bad = NULL;
	coo_doctor_sum sum;
	coo_err e;

	memset(&sum, 0, sizeof(sum));
	e = coo_doctor_run(cfg, &sum, &bad);
	if (e == COO_ENOENT) {
		say_error("there is no interface \"%s\"; \"coo iface\" lists them", bad);
		return EXIT_USAGE;
	}
	if (e != COO_OK) {
		say_error("cannot examine this machine: %s", coo_err_text(e));
		return EXIT_SYSTEM;
	}
	show_sum(&sum);
	return sum.faults ? EXIT_NOBODY : EXIT_DONE;
}

static int run(void *opts, int argc, char **argv)
{
	const struct doctor_opts *o = opts;
	coo_doctor_cfg cfg;
	coo_identity id;
	coo_netif first;
	coo_fw fw;
	int code;

	memset(&cfg, 0, sizeof(cfg));
	code = make_identity(&o->common, &id);
	if (code == 0)
		code = find_target(argc, argv, &o->common, &cfg.target);
	if (code)
		return code;
	cfg.port = net_target_port(&o->common);
	cfg.names = o->common.interfaces.v;
	cfg.n_names = o->common.interfaces.n;
	cfg.utf8 = id.utf8;
	cfg.legacy = id.legacy;
	cfg.version = id.version;
	cfg.wait = o->wait;
	if (o->wait < ANSWER_TIME)
		say_warn("clients take up to a second to answer; with a wait below 1.2s those "
			 "that do are called faults");
	cfg.rcvbuf = (size_t)o->rcvbuf;
	cfg.stop = &stopped;
	cfg.report = on_finding;
	cfg.user = opts;
	out_start("doctor", NULL);
	watch_signals();
	prepare_rules(o, &fw, &first, &cfg);
	code = examine(&cfg);
	coo_fw_fini(&fw);
	return code;
}

extern const struct cmd cmd_doctor;
const struct cmd cmd_doctor = {
	.name = "doctor",
	.args = "[ADDR]",
	.summary = "find out why others do not see us, or we them",
	.about = "Walks the path that a message takes and says of each step whether it is sound, "
		 "and what helps.",
	.examples = "  coo doctor\n"
		    "  coo doctor 10.0.0.7\n"
		    "  coo doctor --json | jq -r 'select(.ok==false) | .code + \" \" + .detail'\n",
	.opts = opts_table,
	.defaults = &defaults,
	.opts_size = sizeof(struct doctor_opts),
	.groups = OPT_GROUP_OUT | OPT_GROUP_SOCK | OPT_GROUP_IDENT,
	.run = run,
};
