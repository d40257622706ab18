/* SPDX-License-Identifier: MIT */
#include "base/charset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset_impl.h"

/*
 * Names as users write them. Windows code pages decode as the widest set of their family. Shift_JIS
 * means CP932, since only there 0x5c is a backslash in every iconv.
 */
static const struct known {
	const char *user, *name, *dec, *enc;
	enum coo_charset_family family;
} known[] = {
	{ "utf-8", "UTF-8", NULL, NULL, COO_CHARSET_UTF8 },
	{ "utf8", "UTF-8", NULL, NULL, COO_CHARSET_UTF8 },
	{ "gbk", "GBK", "GB18030", "GBK", COO_CHARSET_GBK },
	{ "gb2312", "GBK", "GB18030", "GBK", COO_CHARSET_GBK },
	{ "cp936", "GBK", "GB18030", "GBK", COO_CHARSET_GBK },
	{ "windows-936", "GBK", "GB18030", "GBK", COO_CHARSET_GBK },
	{ "euc-cn", "GBK", "GB18030", "GBK", COO_CHARSET_GBK },
	{ "gb18030", "GB18030", "GB18030", "GB18030", COO_CHARSET_OTHER },
	{ "cp932", "CP932", "CP932", "CP932", COO_CHARSET_OTHER },
	{ "windows-31j", "CP932", "CP932", "CP932", COO_CHARSET_OTHER },
	{ "shift_jis", "CP932", "CP932", "CP932", COO_CHARSET_OTHER },
	{ "sjis", "CP932", "CP932", "CP932", COO_CHARSET_OTHER },
	{ "big5", "BIG5", "CP950", "CP950", COO_CHARSET_OTHER },
	{ "cp950", "BIG5", "CP950", "CP950", COO_CHARSET_OTHER },
	{ "euc-kr", "EUC-KR", "CP949", "EUC-KR", COO_CHARSET_OTHER },
	{ "cp949", "CP949", "CP949", "CP949", COO_CHARSET_OTHER },
	{ "uhc", "CP949", "CP949", "CP949", COO_CHARSET_OTHER },
};

static const struct known *find_known(const char *name)
{
	for (size_t i = 0; i < COO_ARRAY_LEN(known); i++) {
		if (coo_span_eq_nocase(coo_span_str(name), coo_span_str(known[i].user)))
			return &known[i];
	}
	return NULL;
}

/* Upper case, and no byte that means more to iconv_open than a name: "GBK//IGNORE" is refused. */
static bool copy_name(const char *name, char out[COO_CHARSET_NAME_CAP])
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:+()";
	size_t n = strlen(name);

	if (n == 0 || n >= COO_CHARSET_NAME_CAP)
		return false;
	for (size_t i = 0; i <= n; i++) {
		char c = name[i];

		out[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
		if (i < n && !strchr(allowed, out[i]))
			return false;
	}
	return true;
}

/*
 * Whether ASCII is itself, both each of its characters and what other sets use them for: the shifts
 * of ISO-2022-JP, -KR and -CN, of HZ and of UTF-7.
 */
static bool keeps_ascii(iconv_t cd)
{
	static const char shifts[] = "\x1b$B!!\x1b(B\x1b$)C\x0e!!\x0f\x1b$)A\x0e!!\x0f~{!!~}+AGE-";
	uint8_t in[128 + sizeof(shifts)], out[2 * sizeof(in)];
	coo_charset_turn t;

	for (size_t i = 0; i < 128; i++)
		in[i] = (uint8_t)i;
	memcpy(in + 128, shifts, sizeof(shifts));
	t = coo_charset_convert(cd, coo_span_of(in, sizeof(in)), out, sizeof(out));
	return t.err == 0 && t.made == sizeof(in) && memcmp(in, out, sizeof(in)) == 0;
}

static coo_err open_both(coo_charset *cs, const char *dec, const char *enc)
{
	cs->dec = iconv_open("UTF-8", dec);
	if (cs->dec != COO_NO_ICONV)
		cs->enc = iconv_open(enc, "UTF-8");
	if (cs->dec == COO_NO_ICONV || cs->enc == COO_NO_ICONV)
		return errno == ENOMEM ? COO_ENOMEM : COO_ECHARSET;
	return keeps_ascii(cs->dec) && keeps_ascii(cs->enc) ? COO_OK : COO_ECHARSET;
}

coo_err coo_charset_open(const char *name, coo_charset **out)
{
	const struct known *k = find_known(name);
	coo_charset *cs = calloc(1, sizeof(*cs));
	coo_err err = COO_OK;

	if (!cs)
		return COO_ENOMEM;
	cs->dec = cs->enc = COO_NO_ICONV;
	cs->family = k ? k->family : COO_CHARSET_OTHER;
	if (!copy_name(k ? k->name : name, cs->name))
		err = COO_ECHARSET;
	else if (cs->family != COO_CHARSET_UTF8)
		err = open_both(cs, k ? k->dec : cs->name, k ? k->enc : cs->name);
	if (err) {
		coo_charset_close(cs);
		return err;
	}
	*out = cs;
	return COO_OK;
}

void coo_charset_close(coo_charset *cs)
{
	if (!cs)
		return;
	if (cs->dec != COO_NO_ICONV)
		iconv_close(cs->dec);
	if (cs->enc != COO_NO_ICONV)
		iconv_close(cs->enc);
	free(cs);
}

const char *coo_charset_name(const coo_charset *cs)
{
	return cs->name;
}

bool coo_charset_is_utf8(const coo_charset *cs)
{
	return cs->family == COO_CHARSET_UTF8;
}
