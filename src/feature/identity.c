/* SPDX-License-Identifier: MIT */
#include "feature/identity.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/version.h"
#include "proto/dialect.h"
#include "proto/utf8.h"

/* The official client holds 79 bytes; GBK needs fewer than UTF-8 for Chinese, so this fits in
 * either. */
enum { NAME_MAX_BYTES = 60 };

static bool keep(coo_identity *id, coo_buf *b, coo_span *out)
{
	if (!coo_buf_ok(b))
		return false;
	*out = coo_buf_span(b);
	id->used += b->n;
	return true;
}

static void room(coo_identity *id, coo_buf *b)
{
	coo_buf_init(b, id->bytes + id->used, sizeof(id->bytes) - id->used);
}

/* Copies a name without what would break a header or a terminal. */
static bool put_clean(coo_identity *id, const char *name, coo_span *out)
{
	coo_span s = coo_span_str(name);
	coo_buf b;

	if (!coo_utf8_valid(s))
		return false;
	s = coo_span_head(s, coo_utf8_truncate(s, NAME_MAX_BYTES));
	room(id, &b);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		coo_buf_put_byte(&b, c < 0x20 || c == 0x7f || c == ':' ? ';' : c);
	}
	return keep(id, &b, out);
}

static bool put_legacy(coo_identity *id, coo_charset *legacy, coo_span utf8, coo_span *out)
{
	coo_buf b;

	room(id, &b);
	if (coo_charset_encode(legacy, utf8, &b, &id->lost) != COO_OK)
		return false;
	return keep(id, &b, out);
}

static const char *system_user(void)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *env = getenv("USER");

	if (pw && pw->pw_name && *pw->pw_name)
		return pw->pw_name;
	return env && *env ? env : "coo";
}

static const char *system_host(char *host, size_t cap)
{
	if (gethostname(host, cap - 1) != 0 || !*host)
		return "localhost";
	host[cap - 1] = '\0';
	return host;
}

static const char *or_else(const char *wish, const char *fallback)
{
	return wish && *wish ? wish : fallback;
}

static bool put_version(coo_identity *id, const coo_identity_wish *wish)
{
	static const uint8_t no_mac[6];
	coo_buf b;

	room(id, &b);
	switch (wish->compat) {
	case COO_COMPAT_FEIQ:
		coo_feiq_version_encode(&b, wish->mac ? wish->mac : no_mac);
		break;
	case COO_COMPAT_IPMSG:
		coo_buf_put_str(&b, "1");
		break;
	case COO_COMPAT_IPTUX:
		coo_buf_put_str(&b, "1_iptux 0.8.3");
		break;
	case COO_COMPAT_AUTO:
		coo_buf_put_str(&b, "1_coo_" COO_VERSION);
		break;
	}
	return keep(id, &b, &id->version);
}

coo_err coo_identity_make(const coo_identity_wish *wish, coo_charset *legacy, coo_identity *out)
{
	coo_names *u = &out->utf8, *l = &out->legacy;
	char host[256];

	memset(out, 0, sizeof(*out));
	if (!put_clean(out, or_else(wish->user, system_user()), &u->user) ||
	    !put_clean(out, or_else(wish->host, system_host(host, sizeof(host))), &u->host) ||
	    !put_clean(out, or_else(wish->nick, ""), &u->nick) ||
	    !put_clean(out, or_else(wish->group, ""), &u->group))
		return COO_EFORMAT;
	if (!put_legacy(out, legacy, u->user, &l->user) ||
	    !put_legacy(out, legacy, u->host, &l->host) ||
	    !put_legacy(out, legacy, u->nick, &l->nick) ||
	    !put_legacy(out, legacy, u->group, &l->group) || !put_version(out, wish))
		return COO_ENOBUF;
	return COO_OK;
}
