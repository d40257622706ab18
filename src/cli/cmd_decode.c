/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/decode.h"
#include "cli/decode_input.h"
#include "cli/out.h"
#include "cli/xalloc.h"
#include "feature/pcap.h"

struct decode_opts {
	struct common common;
};

/* One run of the command. */
struct run {
	coo_text *text;
	uint16_t port;
	uint64_t packets, faults;
};

static void show_fault(struct view *v, coo_span bytes)
{
	struct decode_fault fault;

	decode_explain(bytes, &fault);
	view_str(v, "error", coo_err_name(fault.error));
	view_uint(v, "offset", fault.at);
	view_str(v, "reason", fault.why);
	view_uint(v, "size", bytes.n);
	view_hex(v, "hex", bytes);
}

/* Where in a capture the bytes stand. */
static void show_frame(struct view *v, const coo_pcap_packet *at)
{
	char text[COO_ADDR_TEXT_CAP];

	view_uint(v, "frame", at->frame);
	if (!v->o)
		view_str(v, "time", coo_clock_rfc3339(at->time, (char[COO_RFC3339_CAP]){ 0 }));
	view_str(v, "transport", at->seg.tcp ? "tcp" : "udp");
	view_str(v, "from", coo_addr_text(&at->seg.from, text));
	view_str(v, "to", coo_addr_text(&at->seg.to, text));
	if (at->seg.cut)
		view_flag(v, "cut_by_capture");
}

/* at: NULL where the bytes come from no capture. */
static void show(struct run *r, coo_span bytes, const coo_pcap_packet *at)
{
	bool ok = decode_is_packet(bytes);
	const char *type = ok ? "packet" : "malformed";
	struct view v = { NULL, 1, false };
	json_t *event = NULL;

	if (out_is_json()) {
		event = v.o = out_event(type);
		if (at)
			json_object_set_new(
			    event, "time",
			    json_string(coo_clock_rfc3339(at->time, (char[COO_RFC3339_CAP]){ 0 })));
	} else {
		out_text("%s%s\n", r->packets + r->faults ? "\n" : "", type);
	}
	if (at)
		show_frame(&v, at);
	if (!decode_show(r->text, &v, bytes))
		show_fault(&v, bytes);
	else if (out_verbosity())
		view_hex(&v, "hex", bytes);
	if (event)
		out_json(event);
	r->packets += ok;
	r->faults += !ok;
}

/* --- captures -------------------------------------------------------------------------------- */

/*
 * Every datagram of the port is looked at, while of TCP only what begins a request is: the bytes of
 * files that follow are none of ours.
 */
static bool is_wanted(const struct run *r, const coo_segment *s)
{
	if (s->tcp)
		return (r->port == 0 || s->to.port == r->port) && decode_is_packet(s->payload);
	return r->port == 0 || s->to.port == r->port || s->from.port == r->port;
}

static void say_stats(const coo_pcap *p, const struct run *r, uint64_t passed)
{
	coo_dissect_stats s = coo_pcap_stats(p);

	if (s.lost)
		say_warn("%" PRIu64
			 " datagrams are not whole in this capture: fragments are missing",
			 s.lost);
	if (s.malformed)
		say_warn("%" PRIu64 " frames have an IP, UDP or TCP header that is wrong or cut",
			 s.malformed);
	if (coo_pcap_unknown_link(p) >= 0)
		say_warn("frames of link type %" PRId64 " are not understood",
			 coo_pcap_unknown_link(p));
	if (passed && r->packets + r->faults == 0)
		say_warn("no datagram of port %u; -p 0 shows those of all %" PRIu64 " others",
			 r->port, passed);
	say_note("%" PRIu64 " frames, %" PRIu64 " fragments, %" PRIu64 " of other ports or streams",
		 s.frames, s.fragments, passed);
}

static int decode_pcap(struct run *r, coo_span file, const char *name)
{
	uint64_t passed = 0;
	coo_pcap_packet at;
	coo_pcap *p;
	coo_err e = coo_pcap_open(file, &p);

	if (e) {
		say_error("%s begins as a capture, but is none that can be read", name);
		return EXIT_SYSTEM;
	}
	while ((e = coo_pcap_next(p, &at)) == COO_OK) {
		if (is_wanted(r, &at.seg))
			show(r, at.seg.payload, &at);
		else
			passed++;
	}
	if (e == COO_EFORMAT)
		say_warn("%s is damaged or cut off at byte %" PRIu64
			 "; what stands before is shown",
			 name, coo_pcap_offset(p));
	say_stats(p, r, passed);
	coo_pcap_close(p);
	return EXIT_DONE;
}

/* --- everything else ------------------------------------------------------------------------- */

static void decode_hex_lines(struct run *r, coo_span file)
{
	uint8_t *mem = xcalloc(file.n / 2 + 1, 1);
	coo_span line;
	size_t n;

	while (coo_span_next(&file, '\n', &line)) {
		if (line.n > 0 && line.p[0] != '#' && input_hex(line, mem, &n))
			show(r, coo_span_of(mem, n), NULL);
	}
	free(mem);
}

static int decode_file(struct run *r, const char *path)
{
	int code = EXIT_DONE;
	uint8_t *mem;
	coo_span file;
	size_t n;

	if (!input_read(path, &mem, &n, &code))
		return code;
	file = coo_span_of(mem, n);
	if (coo_pcap_is(file))
		code = decode_pcap(r, file, path);
	else if (!decode_is_packet(file) && input_is_hex_file(file))
		decode_hex_lines(r, file);
	else
		show(r, file, NULL);
	free(mem);
	return code;
}

/* Hex, or the packet itself as typed. */
static int decode_words(struct run *r, const char *words)
{
	coo_span in = coo_span_str(words);
	uint8_t *mem;
	size_t n;

	if (decode_is_packet(in)) {
		show(r, in, NULL);
		return EXIT_DONE;
	}
	mem = xcalloc(in.n / 2 + 1, 1);
	if (!input_hex(in, mem, &n)) {
		say_error("\"%s\" is neither a file that exists nor hex", words);
		free(mem);
		return EXIT_USAGE;
	}
	show(r, coo_span_of(mem, n), NULL);
	free(mem);
	return EXIT_DONE;
}

static bool is_file(const char *arg)
{
	struct stat st;

	return strcmp(arg, "-") == 0 || stat(arg, &st) == 0;
}

/* Hex may come as one word a byte. */
static char *join(int argc, char **argv)
{
	size_t n = 1;
	coo_buf b;
	char *s;

	for (int i = 0; i < argc; i++)
		n += strlen(argv[i]) + 1;
	s = xcalloc(n, 1);
	coo_buf_init(&b, s, n - 1);
	for (int i = 0; i < argc; i++) {
		coo_buf_put_str(&b, i ? " " : "");
		coo_buf_put_str(&b, argv[i]);
	}
	return s;
}

static int decode_all(struct run *r, int argc, char **argv)
{
	int code = EXIT_DONE;
	char *words;

	if (argc == 0)
		return decode_file(r, "-");
	if (!is_file(argv[0])) {
		words = join(argc, argv);
		code = decode_words(r, words);
		free(words);
		return code;
	}
	for (int i = 0; i < argc && code == EXIT_DONE; i++)
		code = decode_file(r, argv[i]);
	return code;
}

static int run(void *opts, int argc, char **argv)
{
	const struct common *c = &((struct decode_opts *)opts)->common;
	struct run r = { NULL, (uint16_t)c->port, 0, 0 };
	int code;

	if (argc == 0 && isatty(STDIN_FILENO)) {
		say_error(
		    "give hex, a file, or \"-\" for stdin; \"coo decode --help\" shows examples");
		return EXIT_USAGE;
	}
	if (coo_text_open(c->charset, &r.text) != COO_OK) {
		say_error("\"%s\" is no character set of this system; try gbk, cp932 or utf-8",
			  c->charset);
		return EXIT_USAGE;
	}
	out_start("decode", NULL);
	code = decode_all(&r, argc, argv);
	coo_text_close(r.text);
	if (code == EXIT_DONE && r.packets == 0) {
		if (r.faults == 0)
			say_error("there is no packet to decode");
		return EXIT_NOBODY;
	}
	return code;
}

static const struct opt opts[] = {
	{ .letter = 'p',
	  .name = "port",
	  .kind = OPT_UINT,
	  .at = offsetof(struct common, port),
	  .arg = "N",
	  .max = 65535,
	  .help = "the messenger's port in a capture (2425); 0: all datagrams" },
	{ .name = "charset",
	  .kind = OPT_STR,
	  .at = offsetof(struct common, charset),
	  .arg = "C",
	  .help = "charset of clients that do not say theirs: auto, gbk, cp932 …" },
	OPT_END,
};

static const struct decode_opts defaults = { .common = { .port = 2425, .charset = "auto" } };

extern const struct cmd cmd_decode;
const struct cmd cmd_decode = {
	.name = "decode",
	.args = "[HEX | FILE… | -]",
	.summary = "print a packet field by field",
	.about =
	    "Reads hex, raw bytes, hex lines or a capture (pcap, pcapng) and names every field,\n"
	    "flag and section, the charset and the client. Exit code 1: nothing was a packet.",
	.examples = "  coo decode 313a3130303a736869726f757a753a6a7570697465723a33323a48656c6c6f\n"
		    "  coo decode '1:123123:吴彦祖:吴彦祖-pc:32:haha'\n"
		    "  coo decode --json capture.pcap\n"
		    "  tcpdump -w - -c 20 port 2425 | coo decode -\n",
	.opts = opts,
	.defaults = &defaults,
	.opts_size = sizeof(struct decode_opts),
	.groups = OPT_GROUP_OUT,
	.run = run,
};
