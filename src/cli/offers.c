/* SPDX-License-Identifier: MIT */
#include "cli/offers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/state.h"
#include "cli/out.h"
#include "cli/xalloc.h"
#include "proto/num.h"
#include "proto/utf8.h"

#define STORE "offers.json"

enum { KEEP = 200, KEEP_DAYS = 30, STORE_CAP = 8 << 20, NAME_SCRATCH = 8192 };

static void copy_text(char *to, size_t cap, coo_span from)
{
	size_t n = coo_utf8_truncate(from, cap - 1);

	if (n)
		memcpy(to, from.p, n);
	to[n] = '\0';
}

/* The name as the sender's charset says, then made a file name; "" where it is not safe. */
static void take_name(coo_text *text, const coo_text_hint *hint, coo_span wire,
		      char out[COO_PATH_NAME_CAP])
{
	uint8_t plain_mem[COO_ATTACH_NAME_MAX], utf8_mem[NAME_SCRATCH];
	coo_text_result res;
	coo_buf plain, utf8;

	out[0] = '\0';
	coo_buf_init(&plain, plain_mem, sizeof(plain_mem));
	coo_attach_name(wire, &plain);
	coo_buf_init(&utf8, utf8_mem, sizeof(utf8_mem));
	if (!coo_buf_ok(&plain) ||
	    coo_text_decode(text, coo_buf_span(&plain), hint, &utf8, &res) != COO_OK ||
	    coo_path_accept(coo_buf_span(&utf8), COO_PATH_OFFERED, out) != COO_OK)
		out[0] = '\0';
}

/* What a folder or file is; pictures in a text are files here. */
static bool is_fetchable(const coo_attach *a)
{
	unsigned type = coo_attach_type(a);

	return type == COO_FILE_REGULAR || type == COO_FILE_DIR || type == COO_FILE_CLIPBOARD;
}

static void take_list(struct offer *o, coo_text *text, const coo_text_hint *hint, coo_span list,
		      size_t *bad)
{
	coo_attach a;
	coo_err e;

	while ((e = coo_attach_next(&list, &a)) != COO_ENOENT) {
		struct offer_file *f = &o->v[o->n];

		if (e != COO_OK || o->n == OFFERS_MAX_FILES || !is_fetchable(&a)) {
			(*bad)++;
			continue;
		}
		memset(f, 0, sizeof(*f));
		take_name(text, hint, a.name, f->name);
		if (!f->name[0]) {
			(*bad)++;
			continue;
		}
		f->id = a.id;
		f->size = a.size;
		f->mtime = a.mtime;
		f->is_dir = coo_attach_type(&a) == COO_FILE_DIR;
		o->n++;
	}
}

struct offer *offer_of_message(coo_text *text, const coo_event *ev, const coo_message *m,
			       size_t *bad)
{
	const coo_packet *p = &ev->packet;
	struct offer *o;
	coo_text_hint hint;
	size_t n;

	*bad = 0;
	if (!coo_packet_has(p, COO_OPT_FILEATTACH) || m->encrypted)
		return NULL;
	memset(&hint, 0, sizeof(hint));
	hint.client = m->from.client;
	hint.utf8_flag = coo_packet_has(p, COO_OPT_UTF8);
	o = xcalloc(1, sizeof(*o));
	take_list(o, text, &hint, coo_packet_section(p, 1), bad);
	if (o->n == 0) {
		free(o);
		return NULL;
	}
	o->from = ev->rx.from;
	o->packet_no = p->packet_no;
	o->utf8 = hint.utf8_flag || m->from.client == COO_CLIENT_COO;
	o->is_gbk = coo_client_is_gbk(m->from.client);
	copy_text(o->peer, sizeof(o->peer) / 2, m->from.user);
	n = strlen(o->peer);
	o->peer[n++] = '@';
	copy_text(o->peer + n, sizeof(o->peer) - n, m->from.host);
	copy_text(o->nick, sizeof(o->nick), m->from.nick.n ? m->from.nick : m->from.user);
	copy_text(o->charset, sizeof(o->charset),
		  coo_span_str(m->from.charset ? m->from.charset : ""));
	o->seen = (uint64_t)time(NULL);
	return o;
}

static json_t *file_json(const struct offer_file *f)
{
	json_t *j = json_object();

	json_object_set_new(j, "id", json_integer((json_int_t)f->id));
	json_object_set_new(j, "name", out_json_str(coo_span_str(f->name)));
	json_object_set_new(j, "size",
			    f->size == COO_FILE_SIZE_UNKNOWN ? json_null()
							     : json_integer((json_int_t)f->size));
	json_object_set_new(j, "mtime", json_integer((json_int_t)f->mtime));
	json_object_set_new(j, "kind", json_string(f->is_dir ? "dir" : "file"));
	return j;
}

/* As others see it: times are as everywhere in JSON. */
static json_t *shown_json(const struct offer_file *f)
{
	json_t *j = file_json(f);
	char text[COO_RFC3339_CAP];

	json_object_set_new(j, "mtime",
			    f->mtime ? json_string(coo_clock_rfc3339(COO_SEC(f->mtime), text))
				     : json_null());
	return j;
}

json_t *offer_files_json(const struct offer *o)
{
	json_t *a = json_array();

	for (size_t i = 0; i < o->n; i++)
		json_array_append_new(a, shown_json(&o->v[i]));
	return a;
}

static json_t *to_json(const struct offer *o)
{
	char text[COO_ADDR_TEXT_CAP];
	json_t *j = json_object(), *files = json_array();

	json_object_set_new(j, "from", json_string(coo_addr_text(&o->from, text)));
	snprintf(text, sizeof(text), "%" PRIu64, o->packet_no);
	json_object_set_new(j, "packet_no", json_string(text));
	json_object_set_new(j, "utf8", json_boolean(o->utf8));
	json_object_set_new(j, "gbk", json_boolean(o->is_gbk));
	json_object_set_new(j, "peer", out_json_str(coo_span_str(o->peer)));
	json_object_set_new(j, "nick", out_json_str(coo_span_str(o->nick)));
	json_object_set_new(j, "charset", json_string(o->charset));
	json_object_set_new(j, "seen", json_integer((json_int_t)o->seen));
	for (size_t i = 0; i < o->n; i++) {
		json_t *f = file_json(&o->v[i]);

		json_object_set_new(f, "fetched", json_boolean(o->v[i].fetched));
		json_array_append_new(files, f);
	}
	json_object_set_new(j, "files", files);
	return j;
}

static uint64_t get_number(const json_t *j, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(j, key));

	return v > 0 ? (uint64_t)v : 0;
}

static coo_span get_text(const json_t *j, const char *key)
{
	const json_t *t = json_object_get(j, key);

	return coo_span_of(json_string_value(t), json_string_length(t));
}

static bool file_of(const json_t *j, struct offer_file *f)
{
	memset(f, 0, sizeof(*f));
	if (coo_path_accept(get_text(j, "name"), COO_PATH_OFFERED, f->name) != COO_OK)
		return false;
	f->id = get_number(j, "id");
	f->size = json_is_null(json_object_get(j, "size")) ? COO_FILE_SIZE_UNKNOWN
							   : get_number(j, "size");
	f->mtime = get_number(j, "mtime");
	f->is_dir = coo_span_eq_str(get_text(j, "kind"), "dir");
	f->fetched = json_is_true(json_object_get(j, "fetched"));
	return true;
}

static bool of_json(const json_t *j, struct offer *o)
{
	const json_t *files = json_object_get(j, "files");
	char from[COO_ADDR_TEXT_CAP];

	memset(o, 0, sizeof(*o));
	copy_text(from, sizeof(from), get_text(j, "from"));
	if (coo_addr_parse(from, 0, &o->from) != COO_OK ||
	    !coo_num_dec(get_text(j, "packet_no"), UINT64_MAX, &o->packet_no))
		return false;
	o->utf8 = json_is_true(json_object_get(j, "utf8"));
	o->is_gbk = json_is_true(json_object_get(j, "gbk"));
	copy_text(o->peer, sizeof(o->peer), get_text(j, "peer"));
	copy_text(o->nick, sizeof(o->nick), get_text(j, "nick"));
	copy_text(o->charset, sizeof(o->charset), get_text(j, "charset"));
	o->seen = get_number(j, "seen");
	for (size_t i = 0; i < json_array_size(files) && o->n < OFFERS_MAX_FILES; i++)
		o->n += file_of(json_array_get(files, i), &o->v[o->n]);
	return o->n > 0;
}

/* The stored array; an empty one where there is none. NULL: it cannot be read (said). */
static json_t *load(void)
{
	json_error_t error;
	json_t *a = NULL;
	size_t n = 0;
	char *mem = xcalloc(STORE_CAP, 1);
	coo_err e = coo_state_read(STORE, mem, STORE_CAP, &n);

	if (e == COO_OK)
		a = json_loadb(mem, n, 0, &error);
	else if (e == COO_ENOENT)
		a = json_array();
	free(mem);
	if (json_is_array(a))
		return a;
	json_decref(a);
	say_warn("the list of offers (%s in the state directory) cannot be read; delete it", STORE);
	return NULL;
}

static void save(json_t *a)
{
	char *text;
	coo_err e;

	while (json_array_size(a) > KEEP)
		json_array_remove(a, 0);
	text = json_dumps(a, JSON_INDENT(1));
	while (text && strlen(text) >= STORE_CAP && json_array_size(a) > 0) {
		json_array_remove(a, 0);
		free(text);
		text = json_dumps(a, JSON_INDENT(1));
	}
	e = text ? coo_state_write(STORE, coo_span_str(text)) : COO_ENOMEM;
	if (e != COO_OK)
		say_note("the list of offers cannot be kept: %s", coo_err_text(e));
	free(text);
	json_decref(a);
}

static bool is_same(const json_t *j, const coo_addr *from, uint64_t packet_no)
{
	char addr[COO_ADDR_TEXT_CAP], no[24];

	snprintf(no, sizeof(no), "%" PRIu64, packet_no);
	return coo_span_eq_str(get_text(j, "from"), coo_addr_text(from, addr)) &&
	       coo_span_eq_str(get_text(j, "packet_no"), no);
}

static void drop_old(json_t *a)
{
	uint64_t now = (uint64_t)time(NULL);

	for (size_t i = json_array_size(a); i-- > 0;) {
		if (get_number(json_array_get(a, i), "seen") + KEEP_DAYS * UINT64_C(86400) < now)
			json_array_remove(a, i);
	}
}

void offers_store(const struct offer *o)
{
	json_t *a = load();

	if (!a)
		return;
	drop_old(a);
	for (size_t i = json_array_size(a); i-- > 0;) {
		if (is_same(json_array_get(a, i), &o->from, o->packet_no))
			json_array_remove(a, i);
	}
	json_array_append_new(a, to_json(o));
	save(a);
}

static void mark(json_t *offer, uint64_t id)
{
	json_t *files = json_object_get(offer, "files");

	for (size_t i = 0; i < json_array_size(files); i++) {
		json_t *f = json_array_get(files, i);

		if (get_number(f, "id") == id)
			json_object_set_new(f, "fetched", json_true());
	}
}

void offers_update(const coo_addr *from, uint64_t packet_no, uint64_t id)
{
	json_t *a = load();
	bool changed = false;

	if (!a)
		return;
	for (size_t i = json_array_size(a); i-- > 0;) {
		json_t *j = json_array_get(a, i);

		if (!is_same(j, from, packet_no))
			continue;
		changed = true;
		if (id == UINT64_MAX)
			json_array_remove(a, i);
		else
			mark(j, id);
	}
	if (changed)
		save(a);
	else
		json_decref(a);
}

bool offers_each(bool (*visit)(const struct offer *o, void *user), void *user)
{
	struct offer *o = xcalloc(1, sizeof(*o));
	json_t *a = load();
	bool stop = false;

	if (a)
		drop_old(a);
	for (size_t i = 0; a && !stop && i < json_array_size(a); i++) {
		if (of_json(json_array_get(a, i), o))
			stop = visit(o, user);
	}
	free(o);
	json_decref(a);
	return a != NULL;
}
