/* SPDX-License-Identifier: MIT */
#include "cli/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "cli/find.h"
#include "cli/input.h"
#include "cli/out.h"
#include "proto/utf8.h"

enum { TEXT_MAX = 16 << 20, TARGETS_AT_ONCE = 4096 };

bool delivery_read_text(struct delivery *d, const char *given, const char *where)
{
	size_t n;

	if (given && strcmp(given, "-") != 0) {
		d->text = coo_span_str(given);
	} else {
		if (!input_read_all(&d->mem, &n, TEXT_MAX))
			return false;
		d->text = coo_span_of(d->mem, n);
	}
	if (d->text.n == 0)
		say_error("there is no text to send; give it %s, or on stdin", where);
	else if (!coo_utf8_valid(d->text))
		say_error("the text is not UTF-8; convert it first: iconv -f GBK -t UTF-8");
	else if (coo_span_find(d->text, 0) != d->text.n)
		say_error("the text holds a NUL byte, which ends a text in this protocol");
	else
		return true;
	return false;
}

static void on_turn(void *user)
{
	(void)user;
	out_flush();
}

static void on_stop(void *user)
{
	struct delivery *d = user;

	d->stopped = true;
	uv_stop(&d->net.loop);
}

void delivery_wish(const struct delivery *d, size_t n, struct net_wish *wish)
{
	coo_time interval = d->opts->wait / d->opts->retries;

	wish->port_optional = true;
	wish->max_messages = n < TARGETS_AT_ONCE ? (uint32_t)n + 16 : TARGETS_AT_ONCE;
	wish->text_cap = 65536;
	/* a second apart as every client does it, closer only where the wait is short */
	wish->retry_interval = interval < COO_SEC(1) ? interval : COO_SEC(1);
	wish->on_turn = on_turn;
	wish->on_stop = on_stop;
}

static const char *forced_charset(const struct delivery *d)
{
	const char *c = d->common->charset;

	if (d->opts->utf8)
		return "utf-8";
	return c && *c && strcmp(c, "auto") != 0 ? c : NULL;
}

void delivery_outbox(const struct delivery *d, coo_outbox_cfg *cfg)
{
	cfg->driver = d->net.driver;
	cfg->text = d->net.text;
	cfg->charset = forced_charset(d);
	cfg->utf8 = d->text;
	cfg->attempts = (uint8_t)d->opts->retries;
	cfg->wait = d->opts->wait;
}

static void on_letter(void *user, const coo_addr *from, coo_span dgram)
{
	struct delivery *d = user;

	find_teach(&d->net, from, dgram);
}

/* Some clients answer to the usual port alone; where another program has it, its receipts come by
 * mail. */
void delivery_open_mailbox(struct delivery *d)
{
	uint16_t usual = net_target_port(d->common);

	if (coo_driver_local(d->net.driver).port != usual &&
	    coo_relay_open(&d->net.loop, on_letter, d, &d->relay) != COO_OK)
		say_note("receipts that go to port %u are not seen here: there is no safe runtime "
			 "directory",
			 (unsigned)usual);
}

void delivery_say_stopped(const struct delivery *d, size_t n)
{
	size_t left = d->stopped ? coo_outbox_pending(d->outbox) : 0;

	if (left)
		say_info("interrupted; %zu of %zu target%s no result yet", left, n,
			 n == 1 ? " has" : "s have");
	else if (d->stopped)
		say_info("interrupted");
}

void delivery_close(struct delivery *d)
{
	coo_relay_close(d->relay);
	coo_outbox_free(d->outbox);
	net_close(&d->net);
}

void delivery_free(struct delivery *d)
{
	free(d->mem);
}
