/* SPDX-License-Identifier: MIT */
#include "support/hexfile.h"

#include <stdlib.h>

#define LINE_CAP 40000

static char line[LINE_CAP];

/* Kept until the process ends, and still pointed to, so that leak checkers are content. */
static struct kept {
	struct kept *next;
	uint8_t bytes[LINE_CAP / 2];
} * kept;

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static coo_span from_hex(const char *hex, size_t n)
{
	struct kept *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	k->next = kept;
	kept = k;
	for (size_t i = 0; i + 1 < n; i += 2)
		k->bytes[i / 2] = (uint8_t)(nibble(hex[i]) << 4 | nibble(hex[i + 1]));
	return coo_span_of(k->bytes, n / 2);
}

static FILE *open_golden(const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f)
		fail_msg("cannot open %s: tests run from the root of the repository", path);
	return f;
}

coo_span hexfile_vec(const char *id)
{
	FILE *f = open_golden("tests/golden/packets.vec");
	bool here = false;
	coo_span found = coo_span_none();

	while (!found.n && fgets(line, sizeof(line), f)) {
		coo_span s = coo_span_trim_end(coo_span_str(line), '\n');

		if (coo_span_has_prefix(s, LIT("id ")))
			here = coo_span_eq_str(coo_span_skip(s, 3), id);
		else if (here && coo_span_has_prefix(s, LIT("hex ")))
			found = from_hex(line + 4, s.n - 4);
	}
	fclose(f);
	if (!found.n)
		fail_msg("no vector %s", id);
	return found;
}

coo_span hexfile_real(const char *capture, unsigned frame)
{
	FILE *f = open_golden("tests/golden/real.tsv");
	coo_span found = coo_span_none();
	char number[16];

	snprintf(number, sizeof(number), "%u", frame);
	while (!found.n && fgets(line, sizeof(line), f)) {
		coo_span s = coo_span_str(line), column[9];
		size_t n = 0;

		while (n < 9 && coo_span_cut(&s, '\t', &column[n]))
			n++;
		if (n == 9 && coo_span_has_prefix(column[0], coo_span_str(capture)) &&
		    coo_span_eq_str(column[1], number))
			found = from_hex((const char *)column[8].p, column[8].n);
	}
	fclose(f);
	if (!found.n)
		fail_msg("no frame %u in capture %s", frame, capture);
	return found;
}
