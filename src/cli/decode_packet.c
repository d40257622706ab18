/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/clock.h"
#include "cli/decode.h"
#include "cli/xalloc.h"
#include "proto/attach.h"
#include "proto/dialect.h"
#include "proto/entry.h"
#include "proto/packet.h"
#include "proto/request.h"

/* One packet being shown. */
struct shown {
	coo_text *text;
	struct view *v;
	coo_packet p;
	coo_text_hint hint;
	uint8_t *mem; /* room for any text of it as UTF-8 */
	size_t cap;
	const char *charset; /* of all its texts so far */
	size_t replaced;
	bool has_ascii_only;
};

/* The text as UTF-8, valid until the next call. */
static coo_span convert(struct shown *s, coo_span raw, bool is_utf8)
{
	coo_text_hint hint = s->hint;
	coo_text_result r;
	coo_buf b;

	hint.utf8_flag |= is_utf8;
	coo_buf_init(&b, s->mem, s->cap);
	if (coo_text_decode(s->text, raw, &hint, &b, &r) != COO_OK)
		return coo_span_none();
	s->replaced += r.replaced;
	if (!coo_span_has_high(raw) || is_utf8)
		return coo_buf_span(&b);
	if (s->has_ascii_only)
		s->charset = r.charset;
	else if (strcmp(s->charset, r.charset) != 0)
		s->charset = "mixed";
	s->has_ascii_only = false;
	return coo_buf_span(&b);
}

static void show_name(struct shown *s, struct view *v, const char *key, coo_span raw)
{
	if (raw.n > 0)
		view_text(v, key, convert(s, raw, false));
}

/* --- header ---------------------------------------------------------------------------------- */

static void show_flags(struct shown *s)
{
	enum coo_cmd_class cls = coo_cmd_class(s->p.command);
	uint32_t unknown = 0;
	const char *names[32];
	size_t n = 0;

	for (uint32_t bit = COO_CMD_MASK + 1; bit; bit <<= 1) {
		if (!coo_packet_has(&s->p, bit))
			continue;
		names[n] = coo_flag_name(cls, bit);
		if (names[n])
			n++;
		else
			unknown |= bit;
	}
	view_words(s->v, "flags", names, n);
	if (unknown)
		view_bits(s->v, "unknown_flags", unknown);
}

static void show_feiq_version(struct shown *s)
{
	coo_feiq_version f;
	struct view v;

	if (!coo_feiq_version_decode(s->p.version, &f))
		return;
	v = view_object(s->v, "feiq");
	show_name(s, &v, "generation", f.generation);
	show_name(s, &v, "avatar", f.avatar);
	show_name(s, &v, "status", f.status);
	show_name(s, &v, "mac", f.mac);
	show_name(s, &v, "avatar_size", f.avatar_size);
	show_name(s, &v, "image_size", f.image_size);
	show_name(s, &v, "cipher_size", f.cipher_size);
	show_name(s, &v, "build", f.build);
	show_name(s, &v, "tail", f.tail);
}

static void show_header(struct shown *s, size_t size)
{
	const char *name = coo_cmd_name(s->p.command);

	view_uint(s->v, "size", size);
	view_text(s->v, "version", convert(s, s->p.version, false));
	view_str(s->v, "client", coo_client_name(s->hint.client));
	show_feiq_version(s);
	view_text(s->v, "packet_no", s->p.number);
	view_text(s->v, "user", convert(s, s->p.user, false));
	view_text(s->v, "host", convert(s, s->p.host, false));
	view_uint(s->v, "command", s->p.command);
	if (!s->v->o)
		view_bits(s->v, "as_hex", s->p.command);
	view_str(s->v, "command_name", name ? name : "unknown");
	show_flags(s);
}

/* --- what follows the header ----------------------------------------------------------------- */

/* The sections from number first on; empty ones are only counted. */
static void show_sections(struct shown *s, unsigned first)
{
	coo_span rest = s->p.ext, section;
	struct view list = { NULL, 0, false };
	bool begun = false;

	for (unsigned i = 0; coo_span_next(&rest, 0, &section); i++) {
		struct view item;

		if (i < first || section.n == 0)
			continue;
		if (!begun)
			list = view_list(s->v, "sections");
		begun = true;
		item = view_item(&list);
		view_uint(&item, "section", i);
		view_text(&item, "text", convert(s, section, false));
	}
}

/* Bytes that are no text. */
static void show_binary(struct shown *s, const char *key, coo_span bytes)
{
	if (bytes.n == 0)
		return;
	view_uint(s->v, "data_size", bytes.n);
	view_hex(s->v, key, bytes);
}

static void show_block_field(struct shown *s, struct view *v, const char *key, coo_span utf8)
{
	if (utf8.n > 0)
		view_text(v, key, convert(s, utf8, true));
}

static void show_block(struct shown *s, const coo_entry *e)
{
	struct view v = view_object(s->v, "utf8_block");

	show_block_field(s, &v, "user", e->un);
	show_block_field(s, &v, "host", e->hn);
	show_block_field(s, &v, "nick", e->nn);
	show_block_field(s, &v, "group", e->gn);
	show_block_field(s, &v, "version", e->vs);
}

static void show_entry(struct shown *s, const coo_entry *e)
{
	view_text(s->v, "nick", convert(s, e->nick, false));
	view_text(s->v, "group", convert(s, e->group, false));
	if (e->has_block) {
		show_block(s, e);
		return;
	}
	show_name(s, s->v, "icon", e->icon);
	show_name(s, s->v, "encoding", e->encoding);
	show_name(s, s->v, "user_id", e->user_id);
	show_name(s, s->v, "mac", e->mac);
	show_sections(s, e->user_id.n || e->mac.n ? 3 : e->icon.n || e->encoding.n ? 4 : 2);
}

static const char *kind_name(unsigned type)
{
	switch (type) {
	case COO_FILE_REGULAR:
		return "file";
	case COO_FILE_DIR:
		return "dir";
	case COO_FILE_SYMLINK:
		return "symlink";
	case COO_FILE_CLIPBOARD:
		return "image";
	default:
		return "other";
	}
}

static void show_file(struct shown *s, struct view *v, const coo_attach *a)
{
	uint8_t mem[COO_ATTACH_NAME_MAX];
	char time[COO_RFC3339_CAP];
	coo_buf name;

	coo_buf_init(&name, mem, sizeof(mem));
	coo_attach_name(a->name, &name);
	view_uint(v, "id", a->id);
	view_text(v, "name", convert(s, coo_buf_span(&name), false));
	if (a->size != COO_FILE_SIZE_UNKNOWN)
		view_uint(v, "size", a->size);
	if (a->mtime)
		view_str(v, "mtime", coo_clock_rfc3339(COO_SEC(a->mtime), time));
	view_str(v, "kind", kind_name(coo_attach_type(a)));
	view_bits(v, "attributes", a->attr);
	if (a->has_position)
		view_uint(v, "position", a->position);
}

static void show_files(struct shown *s)
{
	coo_span list = coo_packet_section(&s->p, 1);
	struct view files = view_list(s->v, "files");
	uint64_t bad = 0;
	coo_attach a;
	coo_err e;

	while ((e = coo_attach_next(&list, &a)) != COO_ENOENT) {
		struct view file;

		if (e != COO_OK) {
			bad++;
			continue;
		}
		file = view_item(&files);
		show_file(s, &file, &a);
	}
	if (bad)
		view_uint(s->v, "unreadable_files", bad);
}

static void show_message(struct shown *s)
{
	bool has_files = coo_packet_has(&s->p, COO_OPT_FILEATTACH);
	coo_span text, font;

	coo_font_split(convert(s, coo_packet_text(&s->p), false), &text, &font);
	view_text(s->v, coo_packet_has(&s->p, COO_OPT_ENCRYPT) ? "cipher" : "text", text);
	if (font.n > 0)
		view_text(s->v, "font", font);
	if (has_files)
		show_files(s);
	show_sections(s, has_files ? 2 : 1);
}

static void show_text(struct shown *s)
{
	view_text(s->v, "text", convert(s, coo_packet_text(&s->p), false));
	show_sections(s, 1);
}

static void show_reference(struct shown *s)
{
	uint64_t number;

	if (coo_packet_ref(&s->p, &number))
		view_digits(s->v, "refers_to", number);
	else
		view_text(s->v, "text", convert(s, coo_packet_text(&s->p), false));
	show_sections(s, 1);
}

static void show_request_number(struct view *v, const char *key, const coo_request_num *n)
{
	struct view o = view_object(v, key);

	if (n->is_hex)
		view_digits(&o, "as_hex", n->hex);
	if (n->is_dec)
		view_digits(&o, "as_decimal", n->dec);
}

static void show_request(struct shown *s)
{
	bool dir = coo_packet_cmd(&s->p) == COO_CMD_GETDIRFILES;
	coo_request r;

	view_text(s->v, "text", convert(s, coo_packet_text(&s->p), false));
	if (coo_request_decode(s->p.ext, dir ? COO_REQUEST_DIR : COO_REQUEST_FILE, true, &r) !=
	    COO_OK) {
		view_str(s->v, "request", "malformed");
		return;
	}
	show_request_number(s->v, "offer", &r.packet);
	show_request_number(s->v, "file", &r.id);
	if (!dir)
		view_uint(s->v, "offset", r.offset);
}

static void show_image(struct shown *s)
{
	coo_span head = coo_packet_section(&s->p, 0);

	view_text(s->v, "text", convert(s, head, false));
	show_binary(s, "data", coo_span_skip(s->p.ext, head.n + 1));
}

static void show_body(struct shown *s, const coo_entry *e)
{
	switch (coo_packet_cmd(&s->p)) {
	case COO_CMD_NOOPERATION:
	case COO_CMD_BR_ENTRY:
	case COO_CMD_BR_EXIT:
	case COO_CMD_ANSENTRY:
	case COO_CMD_BR_ABSENCE:
	case COO_CMD_BR_ISGETLIST:
	case COO_CMD_BR_ISGETLIST2:
		show_entry(s, e);
		break;
	case COO_CMD_RECVMSG:
	case COO_CMD_READMSG:
	case COO_CMD_DELMSG:
	case COO_CMD_ANSREADMSG:
	case COO_CMD_RELEASEFILES:
		show_reference(s);
		break;
	case COO_CMD_GETFILEDATA:
	case COO_CMD_GETDIRFILES:
		show_request(s);
		break;
	case COO_CMD_FEIQ_IMAGE:
	case COO_CMD_IPTUX_SENDICON:
		show_image(s);
		break;
	case COO_CMD_SENDMSG:
		show_message(s);
		break;
	case COO_CMD_FEIQ_GROUPMSG:
	case COO_CMD_IPTUX_SENDSUBLAYER:
		show_binary(s, "data", s->p.ext);
		break;
	default:
		show_text(s);
		break;
	}
}

bool decode_is_packet(coo_span bytes)
{
	coo_packet p;

	return coo_packet_decode(bytes, &p) == COO_OK || decode_is_dict(bytes);
}

static size_t trailing_nuls(coo_span s)
{
	return s.n - coo_span_trim_end(s, 0).n;
}

bool decode_show(coo_text *text, struct view *v, coo_span bytes)
{
	struct shown s;
	coo_entry e;

	memset(&s, 0, sizeof(s));
	if (coo_packet_decode(bytes, &s.p) != COO_OK) {
		if (!decode_is_dict(bytes))
			return false;
		decode_show_dict(v, bytes);
		return true;
	}
	s.text = text;
	s.v = v;
	s.cap = bytes.n * 4;
	s.mem = xcalloc(s.cap, 1);
	s.charset = "US-ASCII";
	s.has_ascii_only = true;
	coo_entry_decode(&s.p, &e);
	s.hint.client = coo_client_of(s.p.version);
	s.hint.utf8_flag = coo_packet_has(&s.p, COO_OPT_UTF8);
	if (coo_cmd_class(s.p.command) == COO_CLASS_ENTRY)
		s.hint.encoding = e.encoding;
	show_header(&s, bytes.n);
	show_body(&s, &e);
	view_uint(v, "nuls", trailing_nuls(bytes));
	view_str(v, "charset", s.charset);
	view_uint(v, "replacements", s.replaced);
	free(s.mem);
	return true;
}
