/* SPDX-License-Identifier: MIT */
#include "feature/text.h"

#include <stdlib.h>
#include <string.h>

#include "proto/utf8.h"

#define FORCED_CAP 32

static const char ascii_name[] = "US-ASCII";

/*
 * Names that a packet may choose a charset by. A fixed list, since each one opened is kept: a peer
 * that announces a new name with every packet must not make us load a converter for each.
 */
static const char *const known[] = {
	"utf-8",	"gbk",	  "gb18030",	"utf8",	     "gb2312", "cp936",
	"big5",		"cp950",  "big5-hkscs", "cp932",     "sjis",   "shift_jis",
	"euc-jp",	"euc-kr", "cp949",	"uhc",	     "koi8-r", "cp1251",
	"windows-1251", "cp1252", "iso-8859-1", "iso8859-1",
};

/* The first three are always open. */
enum { UTF8, GBK, GB18030, ALWAYS };

struct coo_text {
	coo_charset *set[COO_ARRAY_LEN(known)];
	bool tried[COO_ARRAY_LEN(known)];
	coo_charset *legacy, *forced;
	char forced_name[FORCED_CAP];
};

/* --- open charsets --------------------------------------------------------------------------- */

/* NULL where the name is not on the list, or this system's iconv lacks it. */
static coo_charset *named(coo_text *t, coo_span name)
{
	for (size_t i = 0; i < COO_ARRAY_LEN(known); i++) {
		if (!coo_span_eq_nocase(name, coo_span_str(known[i])))
			continue;
		if (!t->tried[i] && coo_charset_open(known[i], &t->set[i]) != COO_OK)
			t->set[i] = NULL;
		t->tried[i] = true;
		return t->set[i];
	}
	return NULL;
}

/* A charset the user named: any that iconv knows. The last one is kept. */
static coo_err forced(coo_text *t, const char *name, coo_charset **out)
{
	coo_charset *cs = named(t, coo_span_str(name));
	coo_err e;

	if (!cs && t->forced && strcmp(t->forced_name, name) == 0)
		cs = t->forced;
	if (!cs) {
		if (strlen(name) >= FORCED_CAP)
			return COO_ECHARSET;
		e = coo_charset_open(name, &cs);
		if (e)
			return e;
		coo_charset_close(t->forced);
		t->forced = cs;
		memcpy(t->forced_name, name, strlen(name) + 1);
	}
	*out = cs;
	return COO_OK;
}

coo_err coo_text_open(const char *legacy, coo_text **out)
{
	coo_text *t = calloc(1, sizeof(*t));
	coo_err e;

	if (!t)
		return COO_ENOMEM;
	e = coo_charset_open(strcmp(legacy, "auto") == 0 ? "gbk" : legacy, &t->legacy);
	for (size_t i = 0; !e && i < ALWAYS; i++) {
		e = coo_charset_open(known[i], &t->set[i]);
		t->tried[i] = true;
	}
	if (e) {
		coo_text_close(t);
		return e;
	}
	*out = t;
	return COO_OK;
}

void coo_text_close(coo_text *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < COO_ARRAY_LEN(known); i++)
		coo_charset_close(t->set[i]);
	coo_charset_close(t->legacy);
	coo_charset_close(t->forced);
	free(t);
}

const char *coo_text_legacy(const coo_text *t)
{
	return coo_charset_name(t->legacy);
}

/* --- receiving ------------------------------------------------------------------------------- */

/* What one look at the bytes tells of their being UTF-8. */
enum likeness { NOT_UTF8, CUT_UTF8, VALID_UTF8, PLAINLY_UTF8 };

/* Whether s is a lead byte and too few of the bytes behind it, not more. */
static bool is_cut_character(coo_span s)
{
	static const uint8_t trail[] = { 0x80, 0xa0, 0x90 };
	uint8_t whole[4];
	uint32_t cp;

	if (s.n == 0 || s.n > 3 || s.p[0] < 0xc2)
		return false;
	/* some continuation completes it: the first trail byte is restricted behind e0, ed, f0, f4
	 */
	for (size_t len = s.n + 1; len <= 4; len++) {
		for (size_t i = 0; i < COO_ARRAY_LEN(trail); i++) {
			memset(whole, 0x80, sizeof(whole));
			memcpy(whole, s.p, s.n);
			whole[s.n] = trail[i];
			if (coo_utf8_next(coo_span_of(whole, len), &cp) == len)
				return true;
		}
	}
	return false;
}

static enum likeness look(coo_span in)
{
	size_t long_ones = 0, n;
	uint32_t cp;

	while ((n = coo_utf8_next(in, &cp)) > 0) {
		long_ones += n >= 3;
		in = coo_span_skip(in, n);
	}
	if (in.n > 0)
		return is_cut_character(in) ? CUT_UTF8 : NOT_UTF8;
	return long_ones >= 2 ? PLAINLY_UTF8 : VALID_UTF8;
}

/* Whether a line that is plainly UTF-8 stands among others, which the whole says are not. */
static bool has_plain_line(coo_span in)
{
	coo_span line;

	while (coo_span_next(&in, '\n', &line)) {
		if (look(line) == PLAINLY_UTF8)
			return true;
	}
	return false;
}

/* Appends in if every byte of it is valid in cs, else nothing. */
static bool fits(coo_charset *cs, coo_span in, coo_buf *out)
{
	size_t bad = 0, mark = out->n;

	if (coo_charset_decode(cs, in, out, &bad) == COO_OK && bad == 0)
		return true;
	out->n = mark;
	out->failed = false;
	return false;
}

/* Steps 2 to 6; NULL, with nothing appended, where none of them holds. */
static coo_charset *decode_whole(coo_text *t, coo_span in, const coo_text_hint *hint, coo_buf *out,
				 size_t *replaced)
{
	enum likeness like = look(in);
	coo_charset *announced;

	if (hint->utf8_flag && like != NOT_UTF8) {
		coo_ignore(coo_charset_decode(t->set[UTF8], in, out, replaced));
		return t->set[UTF8];
	}
	if (coo_client_is_gbk(hint->client))
		return fits(t->set[GBK], in, out) ? t->set[GBK] : NULL;
	/* another coo flags all its UTF-8: "目录" in GBK happens to be valid UTF-8, too */
	if (hint->client == COO_CLIENT_COO && fits(t->legacy, in, out))
		return t->legacy;
	if (hint->client == COO_CLIENT_COO && fits(t->set[GB18030], in, out))
		return t->set[GB18030];
	announced = named(t, hint->encoding);
	if (announced && like != PLAINLY_UTF8 && fits(announced, in, out))
		return announced;
	if (like >= VALID_UTF8 && fits(t->set[UTF8], in, out))
		return t->set[UTF8];
	if (!has_plain_line(in) && fits(t->legacy, in, out))
		return t->legacy;
	return NULL;
}

/*
 * One line of a text that as a whole is nothing. UTF-8 that is one or two odd characters is less
 * likely than the legacy charset here.
 */
static coo_charset *decode_line(coo_text *t, coo_span line, const coo_text_hint *hint, coo_buf *out,
				size_t *replaced)
{
	bool gbk = coo_client_is_gbk(hint->client);
	coo_charset *legacy = gbk ? t->set[GBK] : t->legacy, *last = t->set[UTF8];
	enum likeness like = look(line);

	if (like == PLAINLY_UTF8 && !gbk && fits(last, line, out))
		return last;
	if (fits(legacy, line, out))
		return legacy;
	if (like == NOT_UTF8)
		last = t->set[gbk ? GBK : GB18030];
	coo_ignore(coo_charset_decode(last, line, out, replaced));
	return last;
}

static void decode_lines(coo_text *t, coo_span in, const coo_text_hint *hint, coo_buf *out,
			 coo_text_result *res)
{
	while (in.n > 0) {
		size_t n = coo_span_find(in, '\n');
		coo_span line = coo_span_head(in, n < in.n ? n + 1 : n);
		const char *name;

		in = coo_span_skip(in, line.n);
		if (!coo_span_has_high(line)) {
			coo_buf_put(out, line);
			continue;
		}
		name = coo_charset_name(decode_line(t, line, hint, out, &res->replaced));
		if (strcmp(res->charset, ascii_name) == 0)
			res->charset = name;
		else if (strcmp(res->charset, name) != 0)
			res->charset = "mixed";
	}
}

void coo_text_newlines(coo_buf *b, size_t from)
{
	size_t to = from;

	for (size_t i = from; i < b->n; i++) {
		bool cr = b->p[i] == '\r';

		if (cr && i + 1 < b->n && b->p[i + 1] == '\n')
			continue;
		b->p[to++] = cr ? '\n' : b->p[i];
	}
	if (from < b->n)
		b->n = to;
}

coo_err coo_text_decode(coo_text *t, coo_span in, const coo_text_hint *hint, coo_buf *out,
			coo_text_result *res)
{
	static const coo_text_hint nothing;
	coo_text_result r = { ascii_name, 0 };
	size_t from = out->n;
	coo_charset *cs;

	if (!coo_buf_ok(out) || (out->cap - out->n) / 4 < in.n)
		return COO_ENOBUF;
	if (!hint)
		hint = &nothing;
	if (!coo_span_has_high(in)) {
		coo_buf_put(out, in);
	} else {
		cs = decode_whole(t, in, hint, out, &r.replaced);
		if (cs)
			r.charset = coo_charset_name(cs);
		else
			decode_lines(t, in, hint, out, &r);
	}
	coo_text_newlines(out, from);
	*res = r;
	return coo_buf_ok(out) ? COO_OK : COO_ENOBUF;
}

/* --- sending --------------------------------------------------------------------------------- */

/* Whether cs has every character of valid UTF-8. */
static bool can_hold(coo_charset *cs, coo_span utf8)
{
	uint8_t scratch[2048];

	while (utf8.n > 0) {
		size_t n = coo_utf8_truncate(utf8, sizeof(scratch) / 4), lost = 0;
		coo_buf out;

		coo_buf_init(&out, scratch, sizeof(scratch));
		if (coo_charset_encode(cs, coo_span_head(utf8, n), &out, &lost) != COO_OK || lost)
			return false;
		utf8 = coo_span_skip(utf8, n);
	}
	return true;
}

static coo_charset *for_unknown(coo_text *t, coo_span sample)
{
	if (can_hold(t->legacy, sample))
		return t->legacy;
	return t->set[strcmp(coo_charset_name(t->legacy), "GBK") == 0 ? GB18030 : UTF8];
}

static coo_charset *for_iptux(coo_text *t, const coo_text_hint *peer)
{
	coo_charset *cs = named(t, peer->encoding);

	return cs ? cs : t->set[UTF8];
}

coo_err coo_text_choose(coo_text *t, coo_span sample, const coo_text_hint *peer, bool peer_has_utf8,
			const char *force, coo_text_plan *plan)
{
	coo_client client = peer ? peer->client : COO_CLIENT_UNKNOWN;
	bool knows_flag = !coo_client_is_gbk(client) && client != COO_CLIENT_IPTUX;
	coo_text_plan p;

	if (!coo_utf8_valid(sample))
		return COO_EFORMAT;
	if (force && strcmp(force, "auto") != 0) {
		coo_err e = forced(t, force, &p.cs);

		if (e)
			return e;
	} else if (coo_client_is_gbk(client)) {
		p.cs = t->set[GBK];
	} else if (client == COO_CLIENT_IPTUX) {
		p.cs = for_iptux(t, peer);
	} else if (peer_has_utf8 || client == COO_CLIENT_COO) {
		p.cs = t->set[UTF8];
	} else {
		p.cs = peer ? t->legacy : for_unknown(t, sample);
	}
	p.utf8_opt = knows_flag && coo_charset_is_utf8(p.cs);
	p.client = client;
	p.charset = coo_span_has_high(sample) ? coo_charset_name(p.cs) : ascii_name;
	*plan = p;
	return COO_OK;
}

coo_err coo_text_put(const coo_text_plan *plan, coo_span utf8, coo_buf *out, size_t *lost)
{
	coo_span piece;
	coo_err e;

	while (coo_span_cut(&utf8, '\r', &piece)) {
		e = coo_charset_encode(plan->cs, piece, out, lost);
		if (e)
			return e;
		if (utf8.n == 0 || utf8.p[0] != '\n')
			coo_buf_put_byte(out, '\n');
	}
	return coo_charset_encode(plan->cs, utf8, out, lost);
}

coo_err coo_text_encode(coo_text *t, coo_span utf8, const coo_text_hint *peer, bool peer_has_utf8,
			const char *force, coo_buf *out, bool *utf8_opt, size_t *lost,
			const char **charset)
{
	coo_text_plan plan;
	coo_err e = coo_text_choose(t, utf8, peer, peer_has_utf8, force, &plan);

	if (e)
		return e;
	if (utf8_opt)
		*utf8_opt = plan.utf8_opt;
	if (charset)
		*charset = plan.charset;
	return coo_text_put(&plan, utf8, out, lost);
}
