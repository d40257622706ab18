/* SPDX-License-Identifier: MIT */
#include "cli/send_result.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "cli/exit.h"
#include "cli/out.h"

static const char *status_name(enum coo_delivery d)
{
	switch (d) {
	case COO_DELIVERY_ACKED:
		return "acked";
	case COO_DELIVERY_READ:
		return "read";
	case COO_DELIVERY_UNREAD:
		return "unread";
	case COO_DELIVERY_SENT:
		return "sent";
	case COO_DELIVERY_TIMEOUT:
		return "timeout";
	case COO_DELIVERY_PENDING:
	case COO_DELIVERY_ERROR:
		break;
	}
	return "error";
}

static const char *error_text(const coo_outbox_result *r)
{
	return r->error ? strerror(r->error) : "the text does not fit, or is not convertible";
}

static void print_json(const coo_outbox_result *r)
{
	char addr[COO_ADDR_TEXT_CAP], no[16];
	json_t *o = out_event("result");

	snprintf(no, sizeof(no), "%" PRIu32, r->packet_no);
	json_object_set_new(o, "to", json_string(coo_addr_text(&r->to, addr)));
	json_object_set_new(o, "status", json_string(status_name(r->delivery)));
	json_object_set_new(o, "attempts", json_integer(r->attempts));
	json_object_set_new(o, "rtt_ns", r->rtt ? json_integer((json_int_t)r->rtt) : json_null());
	json_object_set_new(o, "error",
			    r->delivery == COO_DELIVERY_ERROR ? json_string(error_text(r))
							      : json_null());
	json_object_set_new(o, "packet_no", json_string(no));
	json_object_set_new(o, "charset", r->charset ? json_string(r->charset) : json_null());
	json_object_set_new(o, "lost", json_integer((json_int_t)r->lost));
	json_object_set_new(o, "parts", json_integer(r->parts));
	out_json(o);
}

static const struct table_column columns[] = {
	{ "TO", false },
	{ "RESULT", false },
	{ "TIME", true },
	{ "ATTEMPTS", true },
};

void send_table_init(struct table *t)
{
	table_init(t, columns, COO_ARRAY_LEN(columns));
}

static void warn_lost(const char *name, const coo_outbox_result *r)
{
	if (r->lost)
		say_warn("%zu %s in %s and went to %s as \"?\"; --utf8 sends such text to "
			 "clients that read UTF-8",
			 r->lost,
			 r->lost == 1 ? "character does not exist" : "characters do not exist",
			 r->charset, name);
}

static void print_text(const char *name, const coo_outbox_result *r)
{
	char rtt[OUT_DURATION_CAP];

	out_text("%s: ", name);
	switch (r->delivery) {
	case COO_DELIVERY_ACKED:
		out_text("acked in %s", out_duration(r->rtt, rtt));
		break;
	case COO_DELIVERY_READ:
		out_text("acked in %s, and read", out_duration(r->rtt, rtt));
		break;
	case COO_DELIVERY_UNREAD:
		out_text("acked in %s, but not read yet", out_duration(r->rtt, rtt));
		break;
	case COO_DELIVERY_SENT:
		out_text("sent, no receipt asked for");
		break;
	case COO_DELIVERY_TIMEOUT:
		out_text("no answer after %u attempt%s", r->attempts, r->attempts == 1 ? "" : "s");
		break;
	case COO_DELIVERY_PENDING:
	case COO_DELIVERY_ERROR:
		out_text("not sent: %s", error_text(r));
		break;
	}
	if (r->parts > 1)
		out_text(" (%u parts)", r->parts);
	out_text("\n");
}

static void count(enum coo_delivery d, struct send_tally *t)
{
	if (d == COO_DELIVERY_ACKED || d == COO_DELIVERY_READ || d == COO_DELIVERY_SENT)
		t->reached++;
	else if (d == COO_DELIVERY_UNREAD)
		t->unread++;
	else if (d == COO_DELIVERY_TIMEOUT)
		t->missed++;
	else
		t->failed++;
}

void send_print_result(const char *name, const coo_outbox_result *r, struct send_tally *tally)
{
	count(r->delivery, tally);
	if (out_is_json())
		print_json(r);
	else if (!out_is_quiet() || r->delivery == COO_DELIVERY_TIMEOUT ||
		 r->delivery == COO_DELIVERY_ERROR)
		print_text(name, r);
	warn_lost(name, r);
}

void send_tabulate(struct table *t, const char *name, const coo_outbox_result *r,
		   struct send_tally *tally)
{
	char text[OUT_DURATION_CAP];

	count(r->delivery, tally);
	table_put(t, name);
	if (r->delivery == COO_DELIVERY_TIMEOUT)
		table_put(t, "no answer");
	else if (r->delivery == COO_DELIVERY_ERROR)
		table_put(t, error_text(r));
	else
		table_put(t, status_name(r->delivery));
	table_put(t, r->rtt ? out_duration(r->rtt, text) : "");
	snprintf(text, sizeof(text), "%u", (unsigned)r->attempts);
	table_put(t, text);
	warn_lost(name, r);
}

json_t *send_summary_json(const struct send_tally *t, size_t targets)
{
	json_t *o = out_event("summary");

	json_object_set_new(o, "targets", json_integer((json_int_t)targets));
	json_object_set_new(o, "reached", json_integer((json_int_t)t->reached));
	json_object_set_new(o, "unread", json_integer((json_int_t)t->unread));
	json_object_set_new(o, "timeout", json_integer((json_int_t)t->missed));
	json_object_set_new(o, "error", json_integer((json_int_t)t->failed));
	if (t->has_files)
		json_object_set_new(o, "fetched", json_integer((json_int_t)t->fetched));
	return o;
}

void send_print_summary(const struct send_tally *t, size_t targets)
{
	if (out_is_json())
		out_json(send_summary_json(t, targets));
	if (out_is_quiet())
		return;
	if (targets > 1 && t->has_files)
		out_text("%zu of %zu reached, %zu fetched everything\n", t->reached, targets,
			 t->fetched);
	else if (targets > 1)
		out_text("%zu of %zu reached\n", t->reached, targets);
}

int send_exit_code(const struct send_tally *t, size_t targets)
{
	if (t->reached == targets)
		return EXIT_DONE;
	if (t->reached > 0)
		return EXIT_PARTIAL;
	return t->failed == targets ? EXIT_SYSTEM : EXIT_NOBODY;
}
