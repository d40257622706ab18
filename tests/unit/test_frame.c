/* SPDX-License-Identifier: MIT */
#include "feature/frame.h"

#include <stdlib.h>

#include "support/test.h"

/* Feeds s in pieces of at most step bytes and writes every frame as "[bytes]" into text; an absurd
 * length as "!". */
static void run(enum coo_framing framing, size_t max, coo_span s, size_t step, coo_buf *text)
{
	coo_frame f;
	coo_span rest;

	coo_frame_init(&f, framing, max);
	while (s.n > 0) {
		uint8_t *piece = test_guard_copy(coo_span_head(s, step));
		size_t n = s.n < step ? s.n : step;
		coo_span in = coo_span_of(piece, n), out;
		coo_err e;

		while ((e = coo_frame_next(&f, &in, &out)) != COO_EMORE) {
			if (e == COO_ERANGE) {
				coo_buf_put_str(text, "!");
				continue;
			}
			assert_int_equal(e, COO_OK);
			coo_buf_put_str(text, f.raw ? "" : "[");
			coo_buf_put(text, out);
			coo_buf_put_str(text, f.raw ? "" : "]");
		}
		assert_int_equal(in.n, 0);
		test_guard_free(piece, n);
		s = coo_span_skip(s, n);
	}
	rest = coo_frame_rest(&f);
	if (rest.n) {
		coo_buf_put_str(text, "+");
		coo_buf_put(text, rest);
	}
	coo_frame_fini(&f);
}

static void every_split_gives_the_same_frames(void **state)
{
	static const struct {
		const char *name;
		enum coo_framing framing;
		size_t max;
		coo_span in;
		const char *want;
		size_t want_n;
	} rows[] = {
#define ROW(name, framing, max, in, want)                                                          \
	{ name, COO_FRAME_##framing, max, { (const uint8_t *)(in), sizeof(in) - 1 },               \
	  want, sizeof(want) - 1 }
		ROW("lines", LINE, 0, "one\ntwo\r\n\nlast", "[one][two][]+last"),
		ROW("a line of the longest length", LINE, 4, "abcd\nefgh\n", "[abcd][efgh]"),
		ROW("a line that is too long is cut", LINE, 4, "abcdefghij\nk\n",
		    "[abcd][efgh][ij][k]"),
		ROW("NUL", NUL, 0, "a\0\0bc\0d", "[a][][bc]+d"),
		ROW("32 bits, least first", LEN32LE, 0, "\3\0\0\0abc\0\0\0\0\1\0\0\0z",
		    "[abc][][z]"),
		ROW("32 bits, network order", LEN32BE, 0, "\0\0\0\3abc\0\0\0\1z", "[abc][z]"),
		ROW("16 bits, least first", LEN16LE, 0, "\3\0abc\2\0xyz", "[abc][xy]+z"),
		ROW("16 bits, network order", LEN16BE, 0, "\0\3abc\0\5xy", "[abc]+\0\5xy"),
		ROW("the header alone", LEN32BE, 0, "\0\0", "+\0\0"),
		ROW("a length above the maximum", LEN32BE, 0, "\0\0\0\1zHTTP/1.1 200",
		    "[z]!HTTP/1.1 200"),
		ROW("a negative length", LEN32LE, 0, "\377\377\377\377rest",
		    "!\377\377\377\377rest"),
		ROW("the longest length", LEN16BE, 3, "\0\3abc\0\4abcd", "[abc]!\0\4abcd"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		for (size_t step = 1; step <= rows[i].in.n; step++) {
			uint8_t mem[200];
			coo_buf text;

			coo_buf_init(&text, mem, sizeof(mem));
			run(rows[i].framing, rows[i].max, rows[i].in, step, &text);
			assert_span(coo_buf_span(&text), coo_span_of(rows[i].want, rows[i].want_n),
				    rows[i].name);
		}
	}
}

static void no_framing_gives_the_bytes_as_they_come(void **state)
{
	coo_frame f;
	coo_span in = LIT("any\0thing\n"), out = coo_span_none();

	(void)state;
	coo_frame_init(&f, COO_FRAME_NONE, 0);
	assert_int_equal(coo_frame_next(&f, &in, &out), COO_OK);
	assert_span(out, LIT("any\0thing\n"), "piece");
	assert_int_equal(coo_frame_next(&f, &in, &out), COO_EMORE);
	assert_int_equal(coo_frame_rest(&f).n, 0);
	coo_frame_fini(&f);
}

static void memory_grows_with_bytes_not_with_the_announced_length(void **state)
{
	coo_frame f;
	coo_span in = LIT("\0\377\377\377abc"), out;

	(void)state;
	coo_frame_init(&f, COO_FRAME_LEN32BE, 0);
	assert_int_equal(coo_frame_next(&f, &in, &out), COO_EMORE);
	assert_true(f.cap < 1024);
	coo_frame_fini(&f);
}

static void a_long_frame_leaves_no_memory_behind(void **state)
{
	size_t n = 100000;
	uint8_t *mem = calloc(n + 1, 1);
	coo_span in = coo_span_of(mem, n), out;
	coo_frame f;

	(void)state;
	assert_non_null(mem);
	memset(mem, 'x', n);
	mem[n] = '\n';
	coo_frame_init(&f, COO_FRAME_LINE, 0);
	assert_int_equal(coo_frame_next(&f, &in, &out), COO_EMORE);
	in = coo_span_of(mem + n, 1);
	assert_int_equal(coo_frame_next(&f, &in, &out), COO_OK);
	assert_int_equal(out.n, n);
	assert_int_equal(coo_frame_next(&f, &in, &out), COO_EMORE);
	assert_int_equal(f.cap, 0);
	coo_frame_fini(&f);
	free(mem);
}

static void what_is_encoded_is_decoded(void **state)
{
	(void)state;
	for (int framing = COO_FRAME_LINE; coo_framing_names[framing]; framing++) {
		uint8_t wire[64];
		coo_span body = LIT("h\xc3\xa9llo"), out = coo_span_none(), in;
		coo_buf b;
		coo_frame f;

		for (size_t cap = 0; cap <= sizeof(wire); cap++) {
			coo_err e;

			coo_buf_init(&b, wire, cap);
			e = coo_frame_encode((enum coo_framing)framing, body, &b);
			assert_int_equal(e == COO_OK, cap >= b.n && b.n > 0);
			if (e != COO_OK)
				assert_int_equal(b.n, 0);
		}
		in = coo_buf_span(&b);
		coo_frame_init(&f, (enum coo_framing)framing, 0);
		assert_int_equal(coo_frame_next(&f, &in, &out), COO_OK);
		assert_span(out, body, coo_framing_names[framing]);
		coo_frame_fini(&f);
	}
}

static void what_cannot_be_framed_is_refused(void **state)
{
	static uint8_t big[70000], room[70010];
	coo_buf b;

	(void)state;
	coo_buf_init(&b, room, sizeof(room));
	assert_int_equal(coo_frame_encode(COO_FRAME_LEN16LE, coo_span_of(big, 65536), &b),
			 COO_ERANGE);
	assert_int_equal(coo_frame_encode(COO_FRAME_NUL, LIT("a\0b"), &b), COO_EFORMAT);
	assert_int_equal(b.n, 0);
	assert_int_equal(coo_frame_encode(COO_FRAME_LEN16LE, coo_span_of(big, 65535), &b), COO_OK);
	assert_int_equal(b.n, 65537);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split_gives_the_same_frames),
		cmocka_unit_test(no_framing_gives_the_bytes_as_they_come),
		cmocka_unit_test(memory_grows_with_bytes_not_with_the_announced_length),
		cmocka_unit_test(a_long_frame_leaves_no_memory_behind),
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(what_cannot_be_framed_is_refused),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
