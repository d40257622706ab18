/* SPDX-License-Identifier: MIT */
#include "proto/attach.h"
#include "proto/dirstream.h"
#include "support/hexfile.h"
#include "support/test.h"

/* What a stream says, as text: "+dir", "name=data;", "-", "!other", "." at the end. */
struct story {
	char text[4096];
	size_t n;
	coo_err e;
	unsigned depth;
};

static void tell(struct story *s, const char *what, coo_span bytes)
{
	coo_buf b;

	coo_buf_init(&b, s->text + s->n, sizeof(s->text) - s->n);
	coo_buf_put_str(&b, what);
	coo_buf_put(&b, bytes);
	assert_true(coo_buf_ok(&b));
	s->n += b.n;
}

static void tell_event(struct story *s, const coo_dirstream_event *ev)
{
	switch (ev->what) {
	case COO_DIRSTREAM_DIR:
		tell(s, "+", ev->name);
		tell(s, " ", coo_span_none());
		break;
	case COO_DIRSTREAM_FILE:
		tell(s, "", ev->name);
		tell(s, "=", coo_span_none());
		break;
	case COO_DIRSTREAM_DATA:
		tell(s, "", ev->data);
		break;
	case COO_DIRSTREAM_FILE_END:
		tell(s, "; ", coo_span_none());
		break;
	case COO_DIRSTREAM_UP:
		tell(s, "- ", coo_span_none());
		break;
	case COO_DIRSTREAM_OTHER:
		tell(s, "!", ev->name);
		tell(s, " ", coo_span_none());
		break;
	case COO_DIRSTREAM_END:
		tell(s, ".", coo_span_none());
		break;
	}
}

static void feed(coo_dirstream *d, struct story *s, coo_span part)
{
	coo_dirstream_event ev;

	do {
		s->e = coo_dirstream_next(d, &part, &ev);
		if (s->e == COO_OK)
			tell_event(s, &ev);
	} while (s->e == COO_OK);
	s->depth = d->depth;
}

static void read_whole(coo_span in, struct story *s)
{
	coo_dirstream d;

	memset(s, 0, sizeof(*s));
	coo_dirstream_init(&d);
	feed(&d, s, in);
}

static void assert_story(const char *row, coo_span in, const char *want, coo_err e)
{
	struct story s;

	read_whole(in, &s);
	assert_span(coo_span_of(s.text, s.n), coo_span_str(want), row);
	if (s.e != e)
		fail_msg("row \"%s\": %s", row, coo_err_name(s.e));
}

static void streams_tell_their_story(void **state)
{
	(void)state;
	assert_story("folder", LIT("000e:root:0:2:000d:a.t:3:1:xyz000b:.:0:3:"),
		     "+root a.t=xyz; - .", COO_ENOENT);
	assert_story("empty file", LIT("000e:root:0:2:000d:a.t:0:1:000b:.:0:3:"), "+root a.t=; - .",
		     COO_ENOENT);
	assert_story("one file alone", LIT("000d:a.t:3:1:xyz"), "a.t=xyz; .", COO_ENOENT);
	assert_story("doubled colon", LIT("0012:a::b:::::3:1:xyz"), "a:b::=xyz; .", COO_ENOENT);
	assert_story("unknown keys", LIT("0018:a.t:3:1:14=1:9=zz::xyz"), "a.t=xyz; .", COO_ENOENT);
	assert_story("a link and a fork are passed over",
		     LIT("000e:root:0:2:000d:lnk:0:4:000e:frk:2:10:ab000b:.:0:3:"),
		     "+root !lnk !frk - .", COO_ENOENT);
	assert_story("bytes behind the end", LIT("000e:root:0:2:000b:.:0:3:rubbish"), "+root - .",
		     COO_ENOENT);
	assert_story("no length before the last record",
		     LIT("000e:root:0:2:000d:a.t:3:1:xyz.:0:3:"), "+root a.t=xyz; .", COO_ENOENT);
}

static void broken_streams_are_told_apart_from_short_ones(void **state)
{
	(void)state;
	assert_story("nothing yet", coo_span_none(), "", COO_EMORE);
	assert_story("half a header", LIT("000e:ro"), "", COO_EMORE);
	assert_story("half a file", LIT("000d:a.t:3:1:xy"), "a.t=xy", COO_EMORE);
	assert_story("open directory", LIT("000e:root:0:2:"), "+root ", COO_EMORE);
	assert_story("up without a directory", LIT("000b:.:0:3:"), "", COO_EFORMAT);
	assert_story("a link first", LIT("000d:lnk:0:4:"), "", COO_EFORMAT);
	assert_story("header too short", LIT("000e:root:0:2:0005:"), "+root ", COO_EFORMAT);
	assert_story("header too long", LIT("000e:root:0:2:ffff:x"), "+root ", COO_ELIMIT);
	assert_story("length is a lie", LIT("000d:root:0:2:"), "", COO_EFORMAT);
	assert_story("no length", LIT("000e:root:0:2:root:0:2:"), "+root ", COO_EFORMAT);
	assert_story("negative size", LIT("000f:a.t:-1:1:"), "", COO_EMORE);
	assert_story("negative size, right length", LIT("000e:a.t:-1:1:"), "", COO_ERANGE);
	assert_story("2^63", LIT("001c:a.t:8000000000000000:1:"), "", COO_ERANGE);
	assert_story("no name", LIT("000a::0:2:"), "", COO_EFORMAT);
	assert_story("bad attr", LIT("000d:a.t:0:x:"), "", COO_EFORMAT);
	assert_story("missing attr", LIT("000b:a.t:0:"), "", COO_EFORMAT);
}

static void a_broken_stream_stays_broken(void **state)
{
	coo_span good = LIT("000e:root:0:2:");
	coo_dirstream d;
	struct story s;

	(void)state;
	memset(&s, 0, sizeof(s));
	coo_dirstream_init(&d);
	feed(&d, &s, LIT("000b:.:0:3:"));
	assert_int_equal(s.e, COO_EFORMAT);
	feed(&d, &s, good);
	assert_int_equal(s.e, COO_EFORMAT);
	assert_int_equal(s.n, 0);
}

static void depth_is_bounded(void **state)
{
	coo_dirstream d;
	struct story s;

	(void)state;
	memset(&s, 0, sizeof(s));
	coo_dirstream_init(&d);
	for (unsigned i = 0; i < COO_DIRSTREAM_DEPTH_MAX; i++) {
		feed(&d, &s, LIT("000b:d:0:2:"));
		assert_int_equal(s.e, COO_EMORE);
	}
	feed(&d, &s, LIT("000b:d:0:2:"));
	assert_int_equal(s.e, COO_ELIMIT);
	assert_int_equal(d.depth, COO_DIRSTREAM_DEPTH_MAX);
}

static void rubbish_of_feiq_is_skipped_and_bounded(void **state)
{
	static uint8_t in[COO_DIRSTREAM_PREAMBLE_MAX + 64];
	coo_span tree = LIT("000e:root:0:2:000b:.:0:3:");

	(void)state;
	in[0] = 0x30;
	in[1] = 0x3c;
	memcpy(in + 2 + 4096, tree.p, tree.n);
	assert_story("preamble", coo_span_of(in, 2 + 4096 + tree.n), "+root - .", COO_ENOENT);
	memset(in, 0, sizeof(in));
	memcpy(in + COO_DIRSTREAM_PREAMBLE_MAX, tree.p, tree.n);
	assert_story("longest", coo_span_of(in, COO_DIRSTREAM_PREAMBLE_MAX + tree.n), "+root - .",
		     COO_ENOENT);
	memset(in, 0, sizeof(in));
	memcpy(in + COO_DIRSTREAM_PREAMBLE_MAX + 1, tree.p, tree.n);
	assert_story("too long", coo_span_of(in, COO_DIRSTREAM_PREAMBLE_MAX + 1 + tree.n), "",
		     COO_EFORMAT);
}

/* Two cuts anywhere, and every cut with one byte at a time, tell the same story. */
static void every_split_tells_the_same_story(void **state)
{
	coo_span in = LIT("0<\0\0\0"
			  "000e:root:0:2:000d:a.t:3:1:xyz000f:a::b:0c:1:hello, world"
			  "000c:su:0:2:000d:lnk:1:4:?000b:.:0:3:000b:.:0:3:");
	struct story want, got;
	coo_dirstream d;

	(void)state;
	read_whole(in, &want);
	assert_int_equal(want.e, COO_ENOENT);
	for (size_t i = 0; i <= in.n; i++) {
		for (size_t k = i; k <= in.n; k++) {
			memset(&got, 0, sizeof(got));
			coo_dirstream_init(&d);
			feed(&d, &got, coo_span_head(in, i));
			feed(&d, &got, coo_span_head(coo_span_skip(in, i), k - i));
			feed(&d, &got, coo_span_skip(in, k));
			assert_span(coo_span_of(got.text, got.n), coo_span_of(want.text, want.n),
				    "split");
			assert_int_equal(got.e, want.e);
		}
	}
	memset(&got, 0, sizeof(got));
	coo_dirstream_init(&d);
	for (size_t i = 0; i < in.n; i++)
		feed(&d, &got, coo_span_of(in.p + i, 1));
	assert_span(coo_span_of(got.text, got.n), coo_span_of(want.text, want.n), "bytes");
}

static void every_truncation_wants_more(void **state)
{
	coo_span in = LIT("000e:root:0:2:000d:a.t:3:1:xyz000b:.:0:3:");
	struct story s;

	(void)state;
	for (size_t n = 0; n < in.n; n++) {
		uint8_t *copy = test_guard_copy(coo_span_head(in, n));

		read_whole(coo_span_of(copy, n), &s);
		assert_int_equal(s.e, COO_EMORE);
		test_guard_free(copy, n);
	}
}

static void emits_the_form_of_windows(void **state)
{
	coo_span want = hexfile_vec("D06");
	uint8_t mem[512];
	coo_buf b;

	(void)state;
	coo_buf_init(&b, mem, sizeof(mem));
	assert_int_equal(coo_dirstream_put_dir(&b, LIT("photos"), 0x6a52e280), COO_OK);
	assert_int_equal(coo_dirstream_put_file(&b, LIT("a.txt"), 5, 0x6a52e280), COO_OK);
	coo_buf_put_str(&b, "hello");
	assert_int_equal(coo_dirstream_put_dir(&b, LIT("sub"), 0x6a52e280), COO_OK);
	assert_int_equal(coo_dirstream_put_up(&b, 0x6a52e280), COO_OK);
	assert_int_equal(coo_dirstream_put_up(&b, 0x6a52e280), COO_OK);
	assert_span(coo_buf_span(&b), want, "D06");
}

static void sizes_beyond_32_bit_and_colons_come_back(void **state)
{
	uint8_t mem[COO_DIRSTREAM_HEADER_MAX];
	coo_dirstream_event ev;
	coo_dirstream d;
	coo_buf b;
	coo_span in;

	(void)state;
	coo_buf_init(&b, mem, sizeof(mem));
	assert_int_equal(coo_dirstream_put_file(&b, LIT("a:b::"), UINT64_C(4294967297), 77),
			 COO_OK);
	assert_span(coo_buf_span(&b), LIT("0026:a::b:::::100000001:1:14=4d:16=4d:"), "4 GiB + 1");
	in = coo_buf_span(&b);
	coo_dirstream_init(&d);
	assert_int_equal(coo_dirstream_next(&d, &in, &ev), COO_OK);
	assert_span(ev.name, LIT("a:b::"), "name");
	assert_int_equal(ev.size, UINT64_C(4294967297));
	assert_int_equal(ev.mtime, 77);
}

static void what_must_not_be_sent_is_refused(void **state)
{
	uint8_t mem[64];
	coo_buf b;

	(void)state;
	coo_buf_init(&b, mem, sizeof(mem));
	assert_int_equal(coo_dirstream_put_dir(&b, LIT("a/b"), 0), COO_EFORMAT);
	assert_int_equal(coo_dirstream_put_file(&b, LIT(""), 0, 0), COO_EFORMAT);
	assert_int_equal(coo_dirstream_put_file(&b, LIT("a"), UINT64_MAX, 0), COO_EFORMAT);
	assert_int_equal(b.n, 0);
	for (size_t cap = 0; cap < 35; cap++) {
		uint8_t *out = test_guard_copy(coo_span_of(mem, cap));

		coo_buf_init(&b, out, cap);
		assert_int_equal(coo_dirstream_put_up(&b, 0x6a52e280), COO_ENOBUF);
		assert_int_equal(b.n, 0);
		test_guard_free(out, cap);
	}
}

static void vectors_are_read_exactly(void **state)
{
	(void)state;
	assert_story("D06", hexfile_vec("D06"), "+photos a.txt=hello; +sub - - .", COO_ENOENT);
	assert_story("D07", hexfile_vec("D07"), "+root - .", COO_ENOENT);
	/* the path rules refuse the name; the stream itself is well formed */
	assert_story("D10", hexfile_vec("D10"), "+.. evil=boom; - .", COO_ENOENT);
	assert_story("D12", hexfile_vec("D12"), "", COO_ERANGE);
}

static void join(coo_buf *b, const char *capture, const unsigned *frames, size_t n)
{
	for (size_t i = 0; i < n; i++)
		coo_buf_put(b, hexfile_real(capture, frames[i]));
}

/* The captures leave out repeated segments: the last RETPARENT records are put back. */
static void captured_streams_are_read_exactly(void **state)
{
	static const unsigned official[] = { 68, 70, 72, 74, 76, 78, 80, 82, 84, 84, 84 };
	static const unsigned iptux[] = { 26, 30, 32, 38, 40, 42, 48, 50, 52, 52, 52 };
	static const unsigned single[] = { 56, 58 };
	static const unsigned gbk[] = { 198, 206 };
	static uint8_t mem[4096];
	coo_buf b;

	(void)state;
	coo_buf_init(&b, mem, sizeof(mem));
	join(&b, "26", official, COO_ARRAY_LEN(official));
	assert_story("official folder", coo_buf_span(&b),
		     "+dir1 empty.dat=; top.txt=top\n; +子目录 deep.txt=deep\n; +空 - - - .",
		     COO_ENOENT);
	coo_buf_init(&b, mem, sizeof(mem));
	join(&b, "01", iptux, COO_ARRAY_LEN(iptux));
	assert_story("iptux folder", coo_buf_span(&b),
		     "+目录 top.txt=top\n; empty.dat=; +子目录 deep.txt=deep\n; +空 - - - .",
		     COO_ENOENT);
	coo_buf_init(&b, mem, sizeof(mem));
	join(&b, "26", single, COO_ARRAY_LEN(single));
	assert_story("official file by GETDIRFILES", coo_buf_span(&b),
		     "测试.txt=你好，这是一个测试文件。\nhello\n; .", COO_ENOENT);
	coo_buf_init(&b, mem, sizeof(mem));
	join(&b, "27", gbk, COO_ARRAY_LEN(gbk));
	assert_story("GBK names", coo_buf_span(&b), "+\xd7\xd3\xc4\xbf\xc2\xbc +\xbf\xd5 ",
		     COO_EMORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_tell_their_story),
		cmocka_unit_test(broken_streams_are_told_apart_from_short_ones),
		cmocka_unit_test(a_broken_stream_stays_broken),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(rubbish_of_feiq_is_skipped_and_bounded),
		cmocka_unit_test(every_split_tells_the_same_story),
		cmocka_unit_test(every_truncation_wants_more),
		cmocka_unit_test(emits_the_form_of_windows),
		cmocka_unit_test(sizes_beyond_32_bit_and_colons_come_back),
		cmocka_unit_test(what_must_not_be_sent_is_refused),
		cmocka_unit_test(vectors_are_read_exactly),
		cmocka_unit_test(captured_streams_are_read_exactly),
	};

	return cmocka_run_group_tests_name("dirstream", tests, NULL, NULL);
}
