/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/charset.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/state.h"
#include "feature/doctor_int.h"

enum { STATE_BYTES = 4096, FREE_LEAST = 65536 };

#define YEAR_2026 UINT64_C(1767225600)
#define YEAR_2038 (UINT64_C(1) << 31)

void coo_doctor_clock(struct doctor *d)
{
	uint64_t now = coo_clock_wall() / COO_SEC(1);
	char text[COO_RFC3339_CAP];

	coo_clock_rfc3339(coo_clock_wall(), text);
	if (now >= YEAR_2026 && now < YEAR_2038)
		coo_doctor_say(d, COO_CHECK_CLOCK, COO_SOUND, NULL, "it is %s", text);
	else
		coo_doctor_say(
		    d, COO_CHECK_CLOCK, COO_FAULT,
		    "set the clock (timedatectl set-ntp true): packet numbers begin with it, "
		    "and iptux drops a message whose number is not above the last one",
		    "the clock says %s", text);
}

/* The same text in a character set and in UTF-8. */
struct sample {
	const char *charset, *bytes, *utf8;
	bool needed;
};

static const struct sample samples[] = {
	{ "gbk", "\xd5\xc5\xc8\xfd\x80", "张三€", true },
	{ "gb18030", "\x94\x39\xfc\x36", "😀", true },
	{ "cp932", "\x93\xfa\x96\x7b", "日本", false },
};

static bool converts(const struct sample *s)
{
	coo_charset *cs;
	uint8_t out[64];
	coo_buf b;
	bool ok;

	if (coo_charset_open(s->charset, &cs) != COO_OK)
		return false;
	coo_buf_init(&b, out, sizeof(out));
	ok = coo_charset_decode(cs, coo_span_str(s->bytes), &b, NULL) == COO_OK &&
	     coo_span_eq_str(coo_buf_span(&b), s->utf8);
	if (ok && strcmp(s->charset, "gbk") == 0) {
		size_t lost = 0;

		coo_buf_init(&b, out, sizeof(out));
		ok = coo_charset_encode(cs, coo_span_str("张三"), &b, &lost) == COO_OK && !lost &&
		     coo_span_eq(coo_buf_span(&b), coo_span_head(coo_span_str(s->bytes), 4));
	}
	coo_charset_close(cs);
	return ok;
}

void coo_doctor_charsets(struct doctor *d)
{
	bool sound = true;

	for (size_t i = 0; i < COO_ARRAY_LEN(samples); i++) {
		if (converts(&samples[i]))
			continue;
		sound = false;
		coo_doctor_say(d, COO_CHECK_CHARSET, samples[i].needed ? COO_FAULT : COO_UNTOLD,
			       "install the C library's conversions (Debian: libc-bin and "
			       "libc6; Fedora: glibc-gconv-extra), or build coo with LIBICONV=1 or "
			       "OWN_ICONV=1",
			       "iconv does not convert %s here%s", samples[i].charset,
			       samples[i].needed ? ", so names and messages of FeiQ cannot be read"
						 : "; only Japanese clients need it");
	}
	if (sound)
		coo_doctor_say(d, COO_CHECK_CHARSET, COO_SOUND, NULL,
			       "GBK, GB18030 and CP932 are converted as they should be");
}

static const char *state_cure(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return "make room on that disk: without, packet numbers may repeat after a restart "
		       "and iptux drops messages";
	case EROFS:
		return "let COO_STATE_DIR name a directory that can be written";
	default:
		return "make that directory yours and writable (chown, chmod u+rwx), or let "
		       "COO_STATE_DIR name another one";
	}
}

/* Removes what the trial wrote; the rest of the directory is not ours to touch. */
static void remove_trial(const char *dir, const char *name)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	coo_ignore(unlinkat(fd, name, 0) != 0);
	close(fd);
}

static uint64_t free_bytes(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t n = UINT64_MAX;

	if (fd >= 0) {
		n = coo_path_free_bytes(fd);
		close(fd);
	}
	return n;
}

void coo_doctor_state(struct doctor *d)
{
	static const uint8_t bytes[STATE_BYTES];
	char dir[COO_STATE_DIR_CAP], name[32];
	coo_buf b;
	int error;
	coo_err e;

	if (coo_state_dir(dir) != COO_OK) {
		coo_doctor_say(
		    d, COO_CHECK_STATE, COO_FAULT, "set HOME, or COO_STATE_DIR",
		    "there is no state directory: neither COO_STATE_DIR nor XDG_STATE_HOME "
		    "nor HOME is an absolute path");
		return;
	}
	coo_buf_init(&b, name, sizeof(name) - 1);
	coo_buf_put_str(&b, "trial-");
	coo_buf_put_u64(&b, (uint64_t)getpid());
	name[b.n] = '\0';
	e = coo_state_write(name, coo_span_of(bytes, sizeof(bytes)));
	error = errno;
	remove_trial(dir, name);
	if (e != COO_OK)
		coo_doctor_say(d, COO_CHECK_STATE, COO_FAULT, state_cure(error),
			       "%s cannot be written: %s", dir, strerror(error));
	else if (free_bytes(dir) < FREE_LEAST)
		coo_doctor_say(d, COO_CHECK_STATE, COO_FAULT, state_cure(ENOSPC),
			       "%s has room for no more than %" PRIu64 " bytes", dir,
			       free_bytes(dir));
	else
		coo_doctor_say(d, COO_CHECK_STATE, COO_SOUND, NULL, "%s can be written", dir);
}
