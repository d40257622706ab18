/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Text and trailer are the beginning and the end of the input, with at most a blank between. */
static void check_font(coo_span s)
{
	coo_span text, font, again, none;

	coo_font_split(s, &text, &font);
	if (font.n == 0) {
		if (!coo_span_eq(text, s))
			abort();
		return;
	}
	if (font.p + font.n != s.p + s.n || font.n > 512)
		abort();
	if (text.n + font.n != s.n && !(text.n + 1 + font.n == s.n && s.p[text.n] == ' '))
		abort();
	if (text.n && text.p != s.p)
		abort();
	/* the trailer alone is a trailer, too */
	coo_font_split(font, &none, &again);
	if (!coo_span_eq(again, font) || none.n)
		abort();
}

static void check_version(coo_span s)
{
	coo_feiq_version v;
	bool feiq = coo_feiq_version_decode(s, &v);

	if (feiq != (coo_client_of(s) == COO_CLIENT_FEIQ))
		abort();
	if (feiq && v.generation.n + v.avatar.n + v.status.n + v.mac.n + v.avatar_size.n +
			    v.image_size.n + v.cipher_size.n + v.build.n + v.tail.n + 2 >
			s.n)
		abort();
	if (!coo_client_name(coo_client_of(s)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	coo_span s = coo_span_of(data, size);

	check_font(s);
	check_version(s);
	return 0;
}
