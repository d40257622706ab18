/* SPDX-License-Identifier: MIT */
#include "cli/net.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/rng.h"
#include "base/state.h"
#include "base/version.h"
#include "cli/exit.h"
#include "cli/out.h"
#include "engine/portholder.h"

enum { PORT_DEFAULT = 2425 };

uint16_t net_target_port(const struct common *c)
{
	return c->port ? (uint16_t)c->port : PORT_DEFAULT;
}

coo_node *net_node(struct net *n)
{
	return coo_driver_node(n->driver);
}

static const char *legacy_name(const struct common *c)
{
	return c->charset && *c->charset && strcmp(c->charset, "auto") != 0 ? c->charset : "gbk";
}

/* The MAC of the interface that a FeiQ would see us on. */
static void find_mac(const struct common *c, uint8_t mac[6])
{
	coo_netifs ifs;
	const char *bad;

	memset(mac, 0, 6);
	if (coo_netifs_read(c->interfaces.v, c->interfaces.n, &ifs, &bad) != COO_OK)
		return;
	for (size_t i = 0; i < ifs.n; i++) {
		if (ifs.v[i].use == COO_NETIF_USED && ifs.v[i].has_mac) {
			memcpy(mac, ifs.v[i].mac, 6);
			break;
		}
	}
	coo_netifs_free(&ifs);
}

static int make_identity(struct net *n, const struct common *c)
{
	coo_identity_wish wish;
	coo_charset *legacy;
	uint8_t mac[6];
	coo_err e;

	if (coo_charset_open(legacy_name(c), &legacy) != COO_OK) {
		say_error("the charset \"%s\" is not known here, or its ASCII is not ASCII; "
			  "\"iconv -l\" lists what there is",
			  c->charset);
		return EXIT_USAGE;
	}
	find_mac(c, mac);
	memset(&wish, 0, sizeof(wish));
	wish.user = c->user;
	wish.host = c->host;
	wish.nick = c->nick;
	wish.group = c->group;
	wish.compat = (enum coo_compat)c->compat;
	wish.mac = mac;
	e = coo_identity_make(&wish, legacy, &n->identity);
	coo_charset_close(legacy);
	if (e != COO_OK) {
		say_error("a name given with --user, --host, --nick or --group is not UTF-8");
		return EXIT_USAGE;
	}
	if (n->identity.lost)
		say_warn("%zu characters of your names do not exist in %s; others see \"?\" there",
			 n->identity.lost, legacy_name(c));
	return 0;
}

static void fill_node(struct net *n, const struct net_wish *wish, coo_node_cfg *cfg,
		      const struct common *c)
{
	if (coo_state_reserve(&n->numbers) != COO_OK)
		say_note("packet numbers come from the clock alone: the state directory cannot be "
			 "written (%s)",
			 strerror(errno));
	memset(cfg, 0, sizeof(*cfg));
	cfg->seed = coo_rng_u64();
	cfg->first_packet_no = n->numbers.first;
	cfg->port = net_target_port(c);
	cfg->version = n->identity.version;
	cfg->utf8 = n->identity.utf8;
	cfg->legacy = n->identity.legacy;
	cfg->info = coo_span_str("coo " COO_VERSION);
	cfg->member = wish->member;
	cfg->send_read = wish->send_read;
	cfg->serve_list = wish->serve_list;
	cfg->max_peers = wish->max_peers;
	cfg->max_messages = wish->max_messages;
	cfg->text_cap = wish->text_cap;
	cfg->capabilities = wish->capabilities;
	cfg->retry_interval = wish->retry_interval;
}

static void say_port_taken(uint16_t port, const struct net_wish *wish)
{
	const char *also = wish->member ? ". Sending works meanwhile: coo send" : "";
	coo_portholder h;
	char *name;

	if (!coo_portholder_find(COO_PORT_UDP, port, &h) || !h.program[0]) {
		say_error("port %u is in use by another program; end it, or give another port "
			  "with --port%s",
			  (unsigned)port, also);
		return;
	}
	name = out_safe_dup(coo_span_str(h.program), COO_UTF8_ONE_LINE);
	say_error("port %u is in use by %s (pid %u); end it, or give another port with --port%s",
		  (unsigned)port, name, (unsigned)h.pid, also);
	free(name);
}

static int say_open_failed(coo_err e, const char *bad, const coo_driver_cfg *cfg,
			   const struct net_wish *wish)
{
	char text[COO_ADDR_TEXT_CAP];
	int error = errno;

	if (e == COO_ENOENT && bad) {
		say_error("there is no interface \"%s\"; \"ip link\" lists them", bad);
		return EXIT_USAGE;
	}
	if (e == COO_ESYS && error == EADDRINUSE)
		say_port_taken(cfg->port, wish);
	else if (e == COO_ESYS && error == EACCES)
		say_error("no permission for port %u: ports below 1024 need root or "
			  "CAP_NET_BIND_SERVICE",
			  (unsigned)cfg->port);
	else if (e == COO_ESYS && error == EADDRNOTAVAIL)
		say_error("%s is not an address of this machine",
			  coo_addr_ip_text(&cfg->bind, text));
	else if (e == COO_ESYS)
		say_error("cannot open the network: %s", strerror(error));
	else
		say_error("cannot start: %s", coo_err_text(e));
	return EXIT_SYSTEM;
}

static int parse_bind(const struct common *c, const struct net_wish *wish, coo_driver_cfg *cfg)
{
	uint16_t port = wish->any_port ? 0 : (uint16_t)c->port;

	cfg->port = port;
	if (!c->bind)
		return 0;
	if (coo_addr_parse(c->bind, port, &cfg->bind) != COO_OK) {
		say_error("--bind wants an address such as 10.0.0.7 or fe80::1%%eth0, not \"%s\"",
			  c->bind);
		return EXIT_USAGE;
	}
	cfg->port = cfg->bind.port;
	return 0;
}

static coo_span with_suffix(coo_span name, char *to, size_t cap)
{
	coo_buf b;

	coo_buf_init(&b, to, cap);
	coo_buf_put(&b, name);
	coo_buf_put_str(&b, "-coo");
	return coo_buf_ok(&b) ? coo_buf_span(&b) : name;
}

/*
 * Clients know a user on a host as one member at one address. Whoever announced himself from
 * another port under the name of the program that holds the usual one would draw the messages for
 * that program to himself, and his leaving would strike it off the lists.
 */
static void be_apart(struct net *n, const struct common *c, coo_node_cfg *cfg)
{
	if (c->user)
		return;
	cfg->utf8.user = with_suffix(cfg->utf8.user, n->apart[0], sizeof(n->apart[0]));
	cfg->legacy.user = with_suffix(cfg->legacy.user, n->apart[1], sizeof(n->apart[1]));
}

static bool tcp_is_free(const coo_addr *at)
{
	struct sockaddr_storage ss;
	socklen_t len = coo_addr_to_sockaddr(at, &ss);
	int one = 1, fd = socket(ss.ss_family, SOCK_STREAM, 0);
	bool free_port;

	if (fd < 0)
		return true; /* the one who serves will say why */
	coo_ignore(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	free_port = bind(fd, (const struct sockaddr *)&ss, len) == 0 || errno != EADDRINUSE;
	close(fd);
	return free_port;
}

/*
 * The kernel gives a UDP port without regard to TCP, and what serves files wants the same number of
 * both: another try, where TCP has it.
 */
static coo_err open_with_tcp(struct net *n, const struct net_wish *wish, const coo_driver_cfg *cfg,
			     const char **bad)
{
	coo_err e = coo_driver_open(&n->loop, cfg, &n->driver, bad);

	for (int tries = 0; e == COO_OK && wish->tcp_too && cfg->port == 0 && tries < 20; tries++) {
		coo_addr at = coo_driver_local(n->driver);

		if (tcp_is_free(&at))
			break;
		coo_driver_close(n->driver);
		uv_run(&n->loop, UV_RUN_NOWAIT);
		e = coo_driver_open(&n->loop, cfg, &n->driver, bad);
	}
	return e;
}

static int open_driver(struct net *n, const struct common *c, const struct net_wish *wish)
{
	coo_driver_cfg cfg;
	const char *bad = NULL;
	coo_err e;
	int code;

	memset(&cfg, 0, sizeof(cfg));
	code = parse_bind(c, wish, &cfg);
	if (code)
		return code;
	fill_node(n, wish, &cfg.node, c);
	if (wish->apart && wish->any_port)
		be_apart(n, c, &cfg.node);
	cfg.names = c->interfaces.v;
	cfg.n_names = c->interfaces.n;
	cfg.no_broadcast = wish->no_broadcast;
	cfg.offlink = wish->offlink;
	cfg.on_event = wish->on_event;
	cfg.on_turn = wish->on_turn;
	cfg.on_unsent = wish->on_unsent;
	cfg.user = wish->user;
	e = open_with_tcp(n, wish, &cfg, &bad);
	if (e == COO_ESYS && errno == EADDRINUSE && wish->port_optional && cfg.port) {
		say_note("port %u is taken, so another source port is used; 内网通 answers only "
			 "port 2425",
			 (unsigned)cfg.port);
		cfg.port = 0;
		n->ephemeral = true;
		if (wish->apart)
			be_apart(n, c, &cfg.node);
		e = open_with_tcp(n, wish, &cfg, &bad);
	}
	return e == COO_OK ? 0 : say_open_failed(e, bad, &cfg, wish);
}

static void on_signal(uv_signal_t *signal, int number)
{
	struct net *n = signal->data;

	uv_signal_stop(signal); /* a second one ends the process as usual */
	(void)number;
	n->on_stop(n->user);
}

static void watch_signals(struct net *n, const struct net_wish *wish)
{
	n->on_stop = wish->on_stop;
	n->user = wish->user;
	uv_signal_init(&n->loop, &n->sigint);
	uv_signal_init(&n->loop, &n->sigterm);
	n->sigint.data = n->sigterm.data = n;
	uv_signal_start(&n->sigint, on_signal, SIGINT);
	uv_signal_start(&n->sigterm, on_signal, SIGTERM);
	uv_unref((uv_handle_t *)&n->sigint);
	uv_unref((uv_handle_t *)&n->sigterm);
}

int net_open(struct net *n, const struct common *c, const struct net_wish *wish)
{
	int code;

	memset(n, 0, sizeof(*n));
	code = make_identity(n, c);
	if (code)
		return code;
	if (coo_text_open(legacy_name(c), &n->text) != COO_OK) {
		say_error("character sets cannot be converted here: iconv does not know %s",
			  legacy_name(c));
		return EXIT_SYSTEM;
	}
	uv_loop_init(&n->loop);
	code = open_driver(n, c, wish);
	if (code) {
		coo_state_give_back(&n->numbers, 0);
		uv_run(&n->loop, UV_RUN_DEFAULT);
		uv_loop_close(&n->loop);
		coo_text_close(n->text);
		return code;
	}
	watch_signals(n, wish);
	return 0;
}

void net_close(struct net *n)
{
	coo_state_give_back(&n->numbers, coo_node_used_numbers(net_node(n)));
	coo_driver_close(n->driver);
	uv_close((uv_handle_t *)&n->sigint, NULL);
	uv_close((uv_handle_t *)&n->sigterm, NULL);
	/* a loop that was stopped before it ran returns at once, the first time */
	while (uv_run(&n->loop, UV_RUN_DEFAULT) != 0)
		;
	uv_loop_close(&n->loop);
	coo_text_close(n->text);
}
