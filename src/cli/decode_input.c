/* SPDX-License-Identifier: MIT */
#include "cli/decode_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/out.h"
#include "cli/xalloc.h"

static bool read_all(FILE *f, const char *name, uint8_t **mem, size_t *n, int *code)
{
	size_t cap = 0, got;

	do {
		if (cap - *n < 1 << 16) {
			cap = cap ? cap * 2 : 1 << 17;
			*mem = xrealloc(*mem, cap, 1);
		}
		got = fread(*mem + *n, 1, cap - *n, f);
		*n += got;
	} while (got > 0 && *n <= INPUT_MAX);
	if (ferror(f)) {
		say_error("cannot read %s: %s", name, strerror(errno));
		*code = EXIT_SYSTEM;
		return false;
	}
	if (*n > INPUT_MAX) {
		say_error("%s is larger than 1 GiB; cut it into pieces first (editcap -c)", name);
		*code = EXIT_REFUSED;
		return false;
	}
	return true;
}

bool input_read(const char *path, uint8_t **mem, size_t *n, int *code)
{
	bool is_stdin = strcmp(path, "-") == 0, ok;
	FILE *f = is_stdin ? stdin : fopen(path, "rbe");

	*mem = NULL;
	*n = 0;
	if (!f) {
		say_error("cannot open %s: %s", path, strerror(errno));
		*code = EXIT_SYSTEM;
		return false;
	}
	ok = read_all(f, is_stdin ? "stdin" : path, mem, n, code);
	if (!is_stdin)
		fclose(f);
	if (!ok) {
		free(*mem);
		*mem = NULL;
	}
	return ok;
}

/* --- hex ------------------------------------------------------------------------------------- */

static int digit(uint8_t b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	if (b >= 'a' && b <= 'f')
		return b - 'a' + 10;
	if (b >= 'A' && b <= 'F')
		return b - 'A' + 10;
	return -1;
}

static bool is_between(uint8_t b)
{
	return b == ' ' || b == '\t' || b == '\r' || b == '\n' || b == ':' || b == '-' || b == ',';
}

/* Passes over what may stand between two bytes. */
static coo_span skip_between(coo_span in)
{
	while (in.n > 0) {
		if (is_between(in.p[0]))
			in = coo_span_skip(in, 1);
		else if (in.n > 2 && (in.p[0] == '0' || in.p[0] == '\\') &&
			 (in.p[1] == 'x' || in.p[1] == 'X'))
			in = coo_span_skip(in, 2);
		else
			break;
	}
	return in;
}

bool input_hex(coo_span in, uint8_t *out, size_t *n)
{
	size_t made = 0;

	for (in = skip_between(in); in.n > 0; in = skip_between(in)) {
		int high = digit(in.p[0]), low = in.n > 1 ? digit(in.p[1]) : -1;

		if (high < 0 || low < 0)
			return false;
		if (out)
			out[made] = (uint8_t)(high << 4 | low);
		made++;
		in = coo_span_skip(in, 2);
	}
	*n = made;
	return made > 0;
}

bool input_is_hex_file(coo_span in)
{
	bool any = false;
	coo_span line;
	size_t n;

	while (coo_span_next(&in, '\n', &line)) {
		line = coo_span_trim_end(line, '\r');
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (!input_hex(line, NULL, &n))
			return false;
		any = true;
	}
	return any;
}
