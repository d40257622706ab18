/* SPDX-License-Identifier: MIT */
#include "cli/out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "cli/exit.h"
#include "cli/json_line.h"
#include "cli/xalloc.h"

/* The one output state of the process: a program has one stdout. */
static struct {
	bool json, quiet, color;
	int broken; /* errno of the first write that failed, or 0 */
	unsigned verbose;

	/* diverted: what was said since the last flush, for sink */
	FILE *memory;
	char *text;
	size_t n;
	bool (*sink)(void *user, const char *text, size_t n);
	void *user;
} out;

static FILE *stream(void)
{
	return out.memory ? out.memory : stdout;
}

/* Only the first reason counts: what fails later is its consequence. */
static void note_broken(void)
{
	if (!out.broken)
		out.broken = errno ? errno : EIO;
}

static void log_sink(void *user, enum coo_log_level level, const char *text)
{
	(void)user;
	if (level == COO_LOG_WARN && out.quiet)
		return;
	fprintf(stderr, "coo: %s\n", text);
}

static bool want_color(int mode)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (mode != COLOR_AUTO)
		return mode == COLOR_ALWAYS;
	if (no_color && *no_color)
		return false;
	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

void out_init(const struct common *c)
{
	static char buffer[1 << 16];
	unsigned level = COO_LOG_WARN + c->verbose;

	out.json = c->json;
	out.quiet = c->quiet;
	out.verbose = c->verbose;
	out.color = !c->json && want_color(c->color);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	coo_log_set(log_sink, NULL,
		    level > COO_LOG_DEBUG ? COO_LOG_DEBUG : (enum coo_log_level)level);
}

bool out_is_json(void)
{
	return out.json;
}

bool out_is_quiet(void)
{
	return out.quiet;
}

bool out_has_color(void)
{
	return out.color;
}

unsigned out_verbosity(void)
{
	return out.verbose;
}

void out_text(const char *fmt, ...)
{
	va_list ap;

	if (out.json)
		return;
	va_start(ap, fmt);
	if (vfprintf(stream(), fmt, ap) < 0)
		note_broken();
	va_end(ap);
}

char *out_safe_dup(coo_span s, enum coo_utf8_keep keep)
{
	coo_buf b;
	size_t cap = s.n * 4 + 1;

	coo_buf_init(&b, xcalloc(cap, 1), cap);
	coo_utf8_escape(&b, s, keep);
	return (char *)b.p;
}

void out_safe(coo_span s, enum coo_utf8_keep keep)
{
	char *safe;

	if (out.json)
		return;
	if (coo_utf8_is_plain(s, keep)) {
		if (s.n && fwrite(s.p, 1, s.n, stream()) != s.n)
			note_broken();
		return;
	}
	safe = out_safe_dup(s, keep);
	out_text("%s", safe);
	free(safe);
}

static json_t *checked(json_t *j)
{
	if (!j) {
		fputs("coo: out of memory\n", stderr);
		exit(EXIT_SYSTEM);
	}
	return j;
}

json_t *out_event(const char *type)
{
	char time[COO_RFC3339_CAP];
	json_t *o = checked(json_object());

	json_object_set_new_nocheck(o, "type", checked(json_string_nocheck(type)));
	json_object_set_new_nocheck(
	    o, "time", checked(json_string_nocheck(coo_clock_rfc3339(coo_clock_wall(), time))));
	return o;
}

static json_t *repaired(coo_span s)
{
	size_t cap = s.n * 3 + 1;
	uint8_t *mem = xcalloc(cap, 1);
	coo_buf b;
	json_t *j;

	coo_buf_init(&b, mem, cap);
	while (s.n > 0) {
		uint32_t cp;
		size_t n = coo_utf8_next(s, &cp);

		if (n)
			coo_buf_put(&b, coo_span_head(s, n));
		else
			coo_utf8_put(&b, 0xfffd);
		s = coo_span_skip(s, n ? n : 1);
	}
	j = checked(json_stringn_nocheck((const char *)b.p, b.n));
	free(mem);
	return j;
}

json_t *out_json_str(coo_span s)
{
	if (!coo_utf8_valid(s))
		return repaired(s);
	return checked(json_stringn_nocheck(s.n ? (const char *)s.p : "", s.n));
}

static void write_json(const json_t *object)
{
	const char *line;
	size_t n = json_line(object, &line);

	if (fwrite(line, 1, n, stream()) != n)
		note_broken();
}

void out_json(json_t *object)
{
	if (out.json)
		write_json(object);
	json_decref(object);
}

json_t *out_start_object(const char *command, const coo_addr *bound)
{
	char text[COO_ADDR_TEXT_CAP];
	json_t *o = out_event("start");

	json_object_set_new(o, "schema", json_integer(1));
	json_object_set_new(o, "command", json_string(command));
	json_object_set_new(o, "version", json_string(COO_VERSION));
	if (bound && bound->family) {
		json_object_set_new(o, "addr", json_string(coo_addr_ip_text(bound, text)));
		json_object_set_new(o, "port", json_integer(bound->port));
	}
	return o;
}

void out_start(const char *command, const coo_addr *bound)
{
	if (!out.json)
		return;
	out_json(out_start_object(command, bound));
	out_flush();
}

bool out_divert(bool (*sink)(void *user, const char *text, size_t n), void *user)
{
	out_flush();
	if (out.memory) {
		fclose(out.memory);
		free(out.text);
	}
	out.memory = sink ? open_memstream(&out.text, &out.n) : NULL;
	out.sink = sink;
	out.user = user;
	return !sink || out.memory;
}

void out_flush(void)
{
	if (fflush(stream()) != 0)
		note_broken();
	if (out.memory && out.n > 0) {
		if (!out.sink(out.user, out.text, out.n))
			note_broken();
		rewind(out.memory);
		out.n = 0;
	}
}

bool out_is_broken(void)
{
	return out.broken != 0;
}

bool out_finish(void)
{
	out_flush();
	if (out.broken)
		fprintf(stderr, "coo: cannot write the output: %s\n", strerror(out.broken));
	return !out.broken;
}

COO_PRINTF(1, 0) static void say(const char *fmt, va_list ap)
{
	out_flush();
	fputs("coo: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

#define SAY_FUNCTION(name, condition)                                                              \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list ap;                                                                        \
		if (!(condition))                                                                  \
			return;                                                                    \
		va_start(ap, fmt);                                                                 \
		say(fmt, ap);                                                                      \
		va_end(ap);                                                                        \
	}

SAY_FUNCTION(say_error, true)
SAY_FUNCTION(say_warn, !out.quiet)
SAY_FUNCTION(say_note, out.verbose > 0)
SAY_FUNCTION(say_info, !out.quiet && !out.json)

/* The unit for d, and d in it. */
static const char *unit_of(coo_time d, double *value)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "s", 1e9 }, { "ms", 1e6 }, { "µs", 1e3 }, { "ns", 1 } };
	size_t i = 0;

	while (i < COO_ARRAY_LEN(units) - 1 && (double)d < units[i].ns)
		i++;
	/* 0.4 ms reads better than 400 µs: microseconds only below a tenth of a millisecond */
	if (i == 2 && d >= COO_US(100))
		i = 1;
	*value = (double)d / units[i].ns;
	return units[i].unit;
}

const char *out_duration(coo_time d, char text[OUT_DURATION_CAP])
{
	double v;
	const char *unit = unit_of(d, &v);

	snprintf(text, OUT_DURATION_CAP, "%.*f %s", v < 10 ? 1 : 0, v, unit);
	return text;
}

const char *out_duration_fine(coo_time d, char text[OUT_DURATION_CAP])
{
	double v;
	const char *unit = unit_of(d, &v);
	int digits = v < 1 ? 3 : v < 10 ? 2 : v < 100 ? 1 : 0;

	snprintf(text, OUT_DURATION_CAP, "%.*f %s", d < 1000 ? 0 : digits, v, unit);
	return text;
}
