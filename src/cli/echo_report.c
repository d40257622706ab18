/* SPDX-License-Identifier: MIT */
#include "cli/echo_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/out.h"
#include "cli/xalloc.h"

bool echo_view_init(struct echo_view *v)
{
	pthread_mutex_init(&v->lock, NULL);
	echo_out_open(&v->out);
	return out_divert(echo_out_write, &v->out);
}

void echo_view_fini(struct echo_view *v)
{
	coo_ignore(out_divert(NULL, NULL));
	echo_out_end(&v->out);
	pthread_mutex_destroy(&v->lock);
}

bool echo_show_init(struct echo_view *v, const char *charset, bool hex)
{
	v->hex = hex;
	if (!charset || strcmp(charset, "auto") == 0)
		charset = "gb18030";
	if (coo_charset_open(charset, &v->charset) == COO_OK)
		return true;
	say_error("--charset cannot be \"%s\": this system does not know it", charset);
	return false;
}

void echo_show_fini(struct echo_view *v)
{
	coo_charset_close(v->charset);
	v->charset = NULL;
}

/* Text as UTF-8: as it is where it is valid, else by the charset. Gives: free(). */
static char *decode(struct echo_view *v, coo_span data, size_t *n)
{
	size_t cap = data.n * 4 + 4;
	coo_buf b;

	coo_buf_init(&b, xcalloc(cap, 1), cap - 1);
	if (coo_utf8_valid(data))
		coo_buf_put(&b, data);
	else
		coo_ignore(coo_charset_decode(v->charset, data, &b, NULL));
	*n = b.n;
	return (char *)b.p;
}

static void print_hex(coo_span data)
{
	for (size_t at = 0; at < data.n; at += 16) {
		size_t n = data.n - at < 16 ? data.n - at : 16;

		out_text("  %04zx ", at);
		for (size_t i = 0; i < 16; i++)
			out_text(i < n ? " %02x" : "   ", i < n ? data.p[at + i] : 0);
		out_text("  ");
		for (size_t i = 0; i < n; i++) {
			uint8_t c = data.p[at + i];

			out_text("%c", c >= 0x20 && c < 0x7f ? c : '.');
		}
		out_text("\n");
	}
}

static void json_datagram(struct echo_view *v, const char *from, coo_span data, const char *text,
			  size_t n, enum coo_guard_verdict verdict)
{
	json_t *o = out_event("datagram");

	json_object_set_new(o, "from", json_string(from));
	json_object_set_new(o, "size", json_integer((json_int_t)data.n));
	json_object_set_new(o, "answered", json_boolean(verdict == COO_GUARD_OK));
	json_object_set_new(o, "refused",
			    verdict == COO_GUARD_OK ? json_null()
						    : json_string(coo_guard_key(verdict)));
	json_object_set_new(o, "text", out_json_str(coo_span_of(text, n)));
	if (v->hex) {
		char *hex = xcalloc(data.n * 2 + 1, 1);
		coo_buf b;

		coo_buf_init(&b, hex, data.n * 2);
		for (size_t i = 0; i < data.n; i++)
			coo_buf_put_hex(&b, data.p[i], 2);
		json_object_set_new(o, "hex", json_stringn(hex, b.n));
		free(hex);
	}
	out_json(o);
}

static void show(struct echo_view *v, const coo_addr *from, coo_span data,
		 enum coo_guard_verdict verdict)
{
	char addr[COO_ADDR_TEXT_CAP];
	size_t n;
	char *text = decode(v, data, &n);

	coo_addr_text(from, addr);
	if (out_is_json()) {
		json_datagram(v, addr, data, text, n, verdict);
	} else {
		out_text("%s %zu bytes%s%s: ", addr, data.n,
			 verdict == COO_GUARD_OK ? "" : ", not answered: ",
			 verdict == COO_GUARD_OK ? "" : coo_guard_text(verdict));
		out_safe(coo_span_of(text, n), COO_UTF8_ONE_LINE);
		out_text("\n");
		if (v->hex)
			print_hex(data);
	}
	out_flush();
	free(text);
}

void echo_show_datagram(void *user, const coo_addr *from, coo_span data,
			enum coo_guard_verdict verdict)
{
	struct echo_view *v = user;

	pthread_mutex_lock(&v->lock);
	if (echo_out_ready(&v->out))
		show(v, from, data, verdict);
	else
		v->not_shown++;
	pthread_mutex_unlock(&v->lock);
}

static void json_start(const struct echo_view *v, const coo_addr *local)
{
	char text[COO_ADDR_TEXT_CAP];
	json_t *o = out_start_object("echo", local), *list = json_array();
	coo_addr a;

	for (size_t i = 0; coo_responder_socket(v->udp, i, &a); i++)
		json_array_append_new(list, json_string(coo_addr_ip_text(&a, text)));
	json_object_set_new(o, "sockets", list);
	json_object_set_new(o, "tcp", json_boolean(v->tcp != NULL));
	json_object_set_new(o, "stamp_port",
			    v->stamp ? json_integer(coo_reflector_local(v->stamp).port)
				     : json_null());
	out_json(o);
	out_flush();
}

void echo_print_start(struct echo_view *v)
{
	coo_addr local = coo_responder_local(v->udp);
	char text[COO_ADDR_TEXT_CAP];
	coo_responder_stats s;

	json_start(v, &local);
	coo_responder_get_stats(v->udp, &s);
	say_info("UDP%s echo on %s port %u (%" PRIu64 " socket%s)", v->tcp ? " and TCP" : "",
		 coo_addr_is_any(&local) ? "every address," : coo_addr_ip_text(&local, text),
		 (unsigned)local.port, s.sockets, s.sockets == 1 ? "" : "s");
	if (v->stamp)
		say_info("STAMP on port %u", (unsigned)coo_reflector_local(v->stamp).port);
	if (s.rcvbuf < (4u << 20))
		say_note("the receive buffer is %" PRIu64 " kB, 4 MB were asked for; sysctl "
			 "net.core.rmem_max sets the bound",
			 s.rcvbuf / 1024);
	v->started = v->last = coo_clock_now();
}

static uint64_t refused(const coo_responder_stats *s)
{
	uint64_t n = 0;

	for (size_t i = 1; i < COO_GUARD_COUNT; i++)
		n += s->refused[i];
	return n;
}

static void add(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static json_t *json_refused(const uint64_t *counts)
{
	json_t *o = json_object();

	for (size_t i = 1; i < COO_GUARD_COUNT; i++)
		add(o, coo_guard_key((enum coo_guard_verdict)i), counts[i]);
	return o;
}

static void json_stamp(json_t *o, const coo_reflector *r)
{
	coo_reflector_stats s;
	json_t *j = json_object();

	coo_reflector_get_stats(r, &s);
	add(j, "rx", s.rx);
	add(j, "tx", s.tx);
	add(j, "malformed", s.malformed);
	add(j, "sessions", s.sessions);
	json_object_set_new(j, "refused", json_refused(s.refused));
	json_object_set_new(o, "stamp", j);
}

static void json_stats(const struct echo_view *v, const char *type, const coo_responder_stats *s,
		       uint64_t not_shown, coo_time span)
{
	json_t *o = out_event(type);
	double seconds = (double)span / 1e9;

	add(o, "duration_ns", span);
	add(o, "rx", s->rx);
	add(o, "rx_bytes", s->rx_bytes);
	add(o, "tx", s->tx);
	add(o, "tx_bytes", s->tx_bytes);
	json_object_set_new(o, "rx_per_second",
			    json_real(seconds > 0 ? (double)s->rx / seconds : 0));
	json_object_set_new(o, "tx_per_second",
			    json_real(seconds > 0 ? (double)s->tx / seconds : 0));
	add(o, "trains", s->trains);
	add(o, "sources", s->sources);
	json_object_set_new(o, "refused", json_refused(s->refused));
	add(o, "kernel_drops", s->kernel_drops);
	add(o, "send_errors", s->send_errors);
	add(o, "dropped", s->dropped);
	add(o, "duplicated", s->duplicated);
	add(o, "reordered", s->reordered);
	add(o, "corrupted", s->corrupted);
	add(o, "not_shown", not_shown);
	if (v->tcp) {
		coo_tcpecho_stats t;
		json_t *j = json_object();

		coo_tcpecho_get_stats(v->tcp, &t);
		add(j, "accepted", t.accepted);
		add(j, "refused", t.refused);
		add(j, "open", t.open);
		add(j, "bytes", t.bytes);
		json_object_set_new(o, "tcp", j);
	}
	if (v->stamp)
		json_stamp(o, v->stamp);
	out_json(o);
}

static void text_refused(const coo_responder_stats *s)
{
	for (size_t i = 1; i < COO_GUARD_COUNT; i++) {
		if (s->refused[i])
			out_text("  %" PRIu64 " not answered: %s\n", s->refused[i],
				 coo_guard_text((enum coo_guard_verdict)i));
	}
}

static void text_rest(const struct echo_view *v, const coo_responder_stats *s)
{
	if (s->dropped || s->duplicated || s->reordered || s->corrupted)
		out_text("  on purpose: %" PRIu64 " dropped, %" PRIu64 " duplicated, %" PRIu64
			 " reordered, %" PRIu64 " corrupted\n",
			 s->dropped, s->duplicated, s->reordered, s->corrupted);
	if (v->tcp) {
		coo_tcpecho_stats t;

		coo_tcpecho_get_stats(v->tcp, &t);
		out_text("  TCP: %" PRIu64 " connections, %" PRIu64 " refused, %" PRIu64
			 " open, %" PRIu64 " bytes\n",
			 t.accepted, t.refused, t.open, t.bytes);
	}
	if (v->stamp) {
		coo_reflector_stats t;

		coo_reflector_get_stats(v->stamp, &t);
		out_text("  STAMP: %" PRIu64 " requests, %" PRIu64 " reflected, %" PRIu64
			 " malformed, %" PRIu64 " sessions\n",
			 t.rx, t.tx, t.malformed, t.sessions);
	}
}

static void text_stats(const struct echo_view *v, const coo_responder_stats *s, uint64_t not_shown,
		       coo_time span, bool summary)
{
	double seconds = span ? (double)span / 1e9 : 1;
	char d[OUT_DURATION_CAP];

	if (summary)
		out_text("--- echo summary, %s ---\n", out_duration(span, d));
	out_text("%" PRIu64 " received (%.0f/s, %" PRIu64 " bytes), %" PRIu64
		 " answered (%.0f/s), %" PRIu64 " refused, %" PRIu64
		 " dropped by the kernel, %" PRIu64 " source%s\n",
		 s->rx, (double)s->rx / seconds, s->rx_bytes, s->tx, (double)s->tx / seconds,
		 refused(s), s->kernel_drops, s->sources, s->sources == 1 ? "" : "s");
	text_refused(s);
	if (s->send_errors)
		out_text("  %" PRIu64 " answers could not be sent\n", s->send_errors);
	if (not_shown)
		out_text("  %" PRIu64 " not shown: nobody read the output\n", not_shown);
	if (summary)
		text_rest(v, s);
}

/* What happened since the interval before. */
static coo_responder_stats since(const coo_responder_stats *now, const coo_responder_stats *before)
{
	coo_responder_stats d = *now;

	d.rx -= before->rx;
	d.rx_bytes -= before->rx_bytes;
	d.tx -= before->tx;
	d.tx_bytes -= before->tx_bytes;
	d.trains -= before->trains;
	d.dropped -= before->dropped;
	d.duplicated -= before->duplicated;
	d.reordered -= before->reordered;
	d.corrupted -= before->corrupted;
	d.send_errors -= before->send_errors;
	d.kernel_drops -= before->kernel_drops;
	for (size_t i = 0; i < COO_GUARD_COUNT; i++)
		d.refused[i] -= before->refused[i];
	return d;
}

static void print_stats(struct echo_view *v, bool summary)
{
	coo_time now = coo_clock_now(), span = now - (summary ? v->started : v->last);
	uint64_t not_shown = v->not_shown - (summary ? 0 : v->not_shown_before);
	coo_responder_stats s, d;

	coo_responder_get_stats(v->udp, &s);
	d = summary ? s : since(&s, &v->before);
	if (out_is_json())
		json_stats(v, summary ? "summary" : "stats", &d, not_shown, span);
	else
		text_stats(v, &d, not_shown, span, summary);
	v->before = s;
	v->not_shown_before = v->not_shown;
	v->last = now;
	out_flush();
}

void echo_print_stats(struct echo_view *v)
{
	pthread_mutex_lock(&v->lock);
	if (echo_out_ready(&v->out))
		print_stats(v, false);
	pthread_mutex_unlock(&v->lock);
}

bool echo_print_summary(struct echo_view *v)
{
	bool read = echo_out_last(&v->out);

	if (read)
		print_stats(v, true);
	if (echo_out_end(&v->out) && read)
		return true;
	if (echo_out_may_say())
		say_error("nobody reads the output, so the summary is missing from it");
	return false;
}
