/* SPDX-License-Identifier: MIT */
#include "cli/transfer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/out.h"
#include "cli/transfer_lines.h"

const char *transfer_size(uint64_t bytes, char text[TRANSFER_SIZE_CAP])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes;
	size_t i = 0;

	while (v >= 1024 && i + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1024;
		i++;
	}
	snprintf(text, TRANSFER_SIZE_CAP, "%.*f %s", i > 0 && v < 100 ? 1 : 0, v, units[i]);
	return text;
}

const char *transfer_peer(const coo_addr *peer, char text[COO_ADDR_TEXT_CAP])
{
	return peer->port == 2425 ? coo_addr_ip_text(peer, text) : coo_addr_text(peer, text);
}

static uint64_t rate_of(const struct transfer *t)
{
	uint64_t moved = t->done > t->resumed_from ? t->done - t->resumed_from : 0;

	return t->took ? (uint64_t)((double)moved * 1e9 / (double)t->took) : 0;
}

static const char *status_name(enum transfer_status s)
{
	static const char *const names[] = { "started", "progress", "done", "failed", "refused" };

	return names[s];
}

static void set_number(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)(v > INT64_MAX ? INT64_MAX : v)));
}

static void set_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, text ? out_json_str(coo_span_str(text)) : json_null());
}

static void show_json(enum transfer_status status, const struct transfer *t)
{
	char text[COO_ADDR_TEXT_CAP];
	json_t *o = out_event("transfer");

	set_text(o, "direction", t->sending ? "send" : "receive");
	set_text(o, "status", status_name(status));
	set_text(o, "addr", coo_addr_ip_text(&t->peer, text));
	set_number(o, "port", t->peer.port);
	snprintf(text, sizeof(text), "%" PRIu64, t->packet_no);
	set_text(o, "packet_no", text);
	set_number(o, "file_id", t->file_id);
	set_text(o, "name", t->name);
	set_text(o, "kind", t->is_dir ? "dir" : "file");
	set_number(o, "bytes", t->done);
	if (t->is_dir || !t->total)
		json_object_set_new(o, "size", t->is_dir ? json_null() : json_integer(0));
	else
		set_number(o, "size", t->total);
	if (t->is_dir) {
		set_number(o, "files", t->files);
		set_number(o, "folders", t->folders);
	}
	set_number(o, "resumed_from", t->resumed_from);
	set_number(o, "duration_ns", t->took);
	set_text(o, "path", t->path);
	set_text(o, "sha256", t->sha256);
	set_text(o, "error", t->why);
	out_json(o);
	out_flush();
}

void transfer_clear_line(void)
{
	transfer_lines_clear();
}

/* "a.txt to 10.0.0.7: 45%, 120 MiB/s, 3 s left" */
static void show_progress(const struct transfer *t, const char *name)
{
	char done[64], size[TRANSFER_SIZE_CAP], per_second[TRANSFER_SIZE_CAP],
	    addr[COO_ADDR_TEXT_CAP];
	char left[OUT_DURATION_CAP + 16] = "", text[1024], took[OUT_DURATION_CAP];
	uint64_t rate = rate_of(t);

	if (out_is_quiet())
		return;
	if (t->total)
		snprintf(done, sizeof(done), "%.0f%%", (double)t->done * 100 / (double)t->total);
	else
		snprintf(done, sizeof(done), "%s, %" PRIu64 " files", transfer_size(t->done, size),
			 t->files);
	if (t->total > t->done && rate > 0)
		snprintf(left, sizeof(left), ", %s left",
			 out_duration((coo_time)((double)(t->total - t->done) * 1e9 / (double)rate),
				      took));
	snprintf(text, sizeof(text), "%s %s %s: %s, %s/s%s", name, t->sending ? "to" : "from",
		 transfer_peer(&t->peer, addr), done, transfer_size(rate, per_second), left);
	transfer_lines_set(t, text);
}

static void show_done(const struct transfer *t, const char *name)
{
	char size[TRANSFER_SIZE_CAP], rate[TRANSFER_SIZE_CAP], took[OUT_DURATION_CAP];
	char addr[COO_ADDR_TEXT_CAP];

	/* of what is sent, -q shows failures alone; what came is what the run is for */
	if (t->sending && out_is_quiet())
		return;
	transfer_peer(&t->peer, addr);
	if (t->sending)
		out_text("%s: fetched %s", addr, name);
	else
		out_text("received %s from %s", name, addr);
	out_text(", %s", transfer_size(t->done, size));
	if (t->is_dir)
		out_text(" in %" PRIu64 " files", t->files);
	out_text(", in %s (%s/s)", out_duration(t->took, took), transfer_size(rate_of(t), rate));
	if (t->resumed_from && !t->sending)
		out_text(", %s of it from before", transfer_size(t->resumed_from, size));
	if (t->sha256)
		out_text(", sha256 %s", t->sha256);
	out_text("\n");
}

static void show_text(enum transfer_status status, const struct transfer *t)
{
	char addr[COO_ADDR_TEXT_CAP];
	char *name = out_safe_dup(coo_span_str(t->path ? t->path : t->name), COO_UTF8_ONE_LINE);

	if (status != TRANSFER_PROGRESS)
		transfer_lines_drop(t);
	switch (status) {
	case TRANSFER_STARTED:
		say_note("%s %s: %s", t->sending ? "sending" : "receiving", name,
			 transfer_peer(&t->peer, addr));
		break;
	case TRANSFER_PROGRESS:
		show_progress(t, name);
		break;
	case TRANSFER_DONE:
		show_done(t, name);
		break;
	case TRANSFER_FAILED:
		say_warn("%s %s %s failed: %s", name, t->sending ? "to" : "from",
			 transfer_peer(&t->peer, addr), t->why ? t->why : "unknown");
		break;
	case TRANSFER_REFUSED:
		say_warn("%s %s %s refused: %s", name, t->sending ? "to" : "from",
			 transfer_peer(&t->peer, addr), t->why ? t->why : "unknown");
		break;
	}
	free(name);
	out_flush();
}

void transfer_show(enum transfer_status status, const struct transfer *t)
{
	if (out_is_json())
		show_json(status, t);
	else
		show_text(status, t);
}
