/* SPDX-License-Identifier: MIT */
/* Lines typed into coo talk: texts and commands. */
#include <string.h>

#include "base/addr.h"
#include "cli/talk_sess.h"
#include "proto/num.h"

static void note(struct sess *s, const char *text)
{
	talk_show_note(&s->show, "note", NULL, "%s", text);
}

/* "3", "#3" or "10.0.0.7:5000"; NULL where nobody has that number or address. */
static coo_talk_peer *find_peer(struct sess *s, coo_span who)
{
	char text[COO_ADDR_TEXT_CAP];
	uint64_t id;
	coo_addr a;

	if (coo_span_has_prefix(who, coo_span_str("#")))
		who = coo_span_skip(who, 1);
	if (coo_num_dec(who, UINT64_MAX, &id))
		return coo_talk_find(s->talk, id);
	if (who.n == 0 || who.n >= sizeof(text))
		return NULL;
	memcpy(text, who.p, who.n);
	text[who.n] = '\0';
	return coo_addr_parse(text, 0, &a) == COO_OK ? coo_talk_find_addr(s->talk, &a) : NULL;
}

static void do_list(struct sess *s, coo_span arg)
{
	coo_talk_peer *target = coo_talk_target(s->talk);

	(void)arg;
	if (coo_talk_n_peers(s->talk) == 0)
		note(s, "nobody is there yet");
	for (coo_talk_peer *p = coo_talk_peers(s->talk); p; p = p->next) {
		char addr[COO_ADDR_TEXT_CAP];

		talk_show_note(&s->show, "peer", p,
			       "#%llu %s%s: received %llu bytes, sent %llu bytes%s",
			       (unsigned long long)p->id, coo_addr_text(&p->addr, addr),
			       p == target ? " (texts go here)" : "",
			       (unsigned long long)p->rx_bytes, (unsigned long long)p->tx_bytes,
			       p->tcp && coo_tcp_has_ended(p->tcp) ? "; closed its side" : "");
	}
}

static bool choose_addr(struct sess *s, coo_span arg)
{
	char text[COO_ADDR_TEXT_CAP];
	coo_addr a;

	if (s->plan->cfg.kind != COO_TALK_UDP || arg.n == 0 || arg.n >= sizeof(text))
		return false;
	memcpy(text, arg.p, arg.n);
	text[arg.n] = '\0';
	if (coo_addr_parse(text, 0, &a) != COO_OK || a.port == 0)
		return false;
	coo_talk_choose_addr(s->talk, &a);
	return true;
}

static void do_to(struct sess *s, coo_span arg)
{
	coo_talk_peer *p = find_peer(s, arg);

	if (p)
		coo_talk_choose(s->talk, p);
	else if (!choose_addr(s, arg)) {
		note(s, "/to takes a number of /list or an address with a port");
		return;
	}
	talk_show_note(&s->show, "note", NULL, "texts go to %.*s now; /all undoes it", (int)arg.n,
		       (const char *)arg.p);
}

static void do_all(struct sess *s, coo_span arg)
{
	(void)arg;
	coo_talk_choose(s->talk, NULL);
	note(s, s->plan->cfg.kind == COO_TALK_SERVER ? "texts go to all clients now"
						     : "texts go where they went at first");
}

static void do_kick(struct sess *s, coo_span arg)
{
	coo_talk_peer *p = find_peer(s, arg);

	if (p)
		coo_talk_kick(s->talk, p);
	else
		note(s, "/kick takes a number of /list");
}

static void do_hex(struct sess *s, coo_span arg)
{
	(void)arg;
	s->show.hex = !s->show.hex;
	note(s, s->show.hex ? "what comes is shown in hex now" : "what comes is shown as text now");
}

static void do_send_hex(struct sess *s, coo_span arg)
{
	(void)arg;
	s->send_hex = !s->send_hex;
	note(s, s->send_hex ? "what you type is hex now" : "what you type is text now");
}

static void do_end(struct sess *s, coo_span arg)
{
	(void)arg;
	if (s->plan->cfg.kind == COO_TALK_UDP) {
		note(s, "UDP has no end of sending; /quit leaves");
		return;
	}
	coo_talk_end(s->talk);
	note(s, "our side is closed; what the peer sends is still shown");
}

static void do_quit(struct sess *s, coo_span arg)
{
	(void)arg;
	sess_finish(s, sess_verdict(s));
}

static void do_help(struct sess *s, coo_span arg);

static const struct {
	const char *name, *arg, *help;
	void (*run)(struct sess *s, coo_span arg);
} commands[] = {
	{ "help", "", "this list", do_help },
	{ "list", "", "who is there", do_list },
	{ "to", " N|ADDR:PORT", "send to this one only", do_to },
	{ "all", "", "send to all, or where texts went at first", do_all },
	{ "kick", " N", "close a client's connection", do_kick },
	{ "hex", "", "show what comes in hex, or as text again", do_hex },
	{ "send-hex", "", "type bytes in hex, or text again", do_send_hex },
	{ "end", "", "close our side of a TCP connection", do_end },
	{ "quit", "", "leave (also Ctrl-D and Ctrl-C)", do_quit },
};

static void do_help(struct sess *s, coo_span arg)
{
	(void)arg;
	for (size_t i = 0; i < COO_ARRAY_LEN(commands); i++)
		talk_show_note(&s->show, "help", NULL, "/%s%s: %s", commands[i].name,
			       commands[i].arg, commands[i].help);
	note(s, "//text sends \"/text\"; everything else is sent as it is typed");
}

void cmds_take_line(struct sess *s, coo_span line)
{
	coo_span word, arg = coo_span_skip(line, 1);

	if (!coo_span_has_prefix(line, coo_span_str("/")) ||
	    coo_span_has_prefix(line, coo_span_str("//"))) {
		input_send_line(s, line.n > 0 && line.p[0] == '/' ? arg : line);
		return;
	}
	if (!coo_span_cut(&arg, ' ', &word)) {
		word = arg;
		arg = coo_span_none();
	}
	arg = coo_span_trim_end(arg, ' ');
	for (size_t i = 0; i < COO_ARRAY_LEN(commands); i++) {
		if (coo_span_eq_str(word, commands[i].name)) {
			commands[i].run(s, arg);
			return;
		}
	}
	note(s, "there is no such command; /help lists them, //text sends \"/text\"");
}
