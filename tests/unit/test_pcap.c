/* SPDX-License-Identifier: MIT */
#include "feature/pcap.h"

#include "support/test.h"

/* IPv4 and UDP headers, 10.0.0.1:2425 to 10.0.0.2:2425. */
#define IP(total, id, offset) "\x45\0\0" total "\0" id offset "\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02"
#define UDP(n) "\x09\x79\x09\x79\0" n "\0\0"
#define HI IP("\x1e", "\1", "\0\0") UDP("\x0a") "hi"
#define MAC "aaaaaabbbbbb"
#define PCAP(link) "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0" link "\0\0\0"
#define RECORD(n) "\0\0\0\x60\x05\0\0\0" n "\0\0\0" n "\0\0\0"

static const struct row {
	const char *name;
	coo_span file;
	size_t segments, lost, malformed, other;
	coo_err end;
} rows[] = {
#define ROW(name, file, segments, lost, malformed, other, end)                                     \
	{                                                                                          \
		name, { (const uint8_t *)(file), sizeof(file) - 1 }, segments, lost, malformed,    \
		    other, COO_##end                                                               \
	}
	ROW("ethernet", PCAP("\1") RECORD("\x2c") MAC "\x08\0" HI, 1, 0, 0, 0, ENOENT),
	ROW("raw", PCAP("\x65") RECORD("\x1e") HI, 1, 0, 0, 0, ENOENT),
	ROW("loopback", PCAP("\0") RECORD("\x22") "\2\0\0\0" HI, 1, 0, 0, 0, ENOENT),
	ROW("arp", PCAP("\1") RECORD("\x10") MAC "\x08\6ab", 0, 0, 0, 1, ENOENT),
	ROW("vlan tags without an end",
	    PCAP("\1") RECORD("\x32") MAC
	    "\x81\0aa\x81\0aa\x81\0aa\x81\0aa\x81\0aa\x81\0aa\x81\0aa\x81\0aa\x81\0aa\x81\0",
	    0, 0, 0, 1, ENOENT),
	ROW("no ip", PCAP("\x65") RECORD("\1") "\x15", 0, 0, 1, 0, ENOENT),
	ROW("an empty frame", PCAP("\x65") RECORD("\0"), 0, 0, 1, 0, ENOENT),
	ROW("udp longer than ip",
	    PCAP("\x65") RECORD("\x1e") IP("\x1e", "\1", "\0\0") UDP("\x0b") "hi", 0, 0, 1, 0,
	    ENOENT),
	ROW("udp shorter than itself",
	    PCAP("\x65") RECORD("\x1e") IP("\x1e", "\1", "\0\0") UDP("\7") "hi", 0, 0, 1, 0,
	    ENOENT),
	ROW("ip header longer than the packet",
	    PCAP("\x65")
		RECORD("\x1e") "\x4f\0\0\x1e"
			       "\0\1\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02" UDP("\x0a") "hi",
	    0, 0, 1, 0, ENOENT),
	ROW("two fragments",
	    PCAP("\x65") RECORD("\x1c") IP("\x1c", "\1", "\x20\0") UDP("\x0a") RECORD("\x16")
		IP("\x16", "\1", "\0\1") "hi",
	    1, 0, 0, 0, ENOENT),
	ROW("two fragments, backwards",
	    PCAP("\x65") RECORD("\x16") IP("\x16", "\1", "\0\1") "hi" RECORD("\x1c")
		IP("\x1c", "\1", "\x20\0") UDP("\x0a"),
	    1, 0, 0, 0, ENOENT),
	ROW("fragments of two datagrams",
	    PCAP("\x65") RECORD("\x1c") IP("\x1c", "\1", "\x20\0") UDP("\x0a") RECORD("\x16")
		IP("\x16", "\2", "\0\1") "hi",
	    0, 2, 0, 0, ENOENT),
	ROW("the same fragment twice",
	    PCAP("\x65") RECORD("\x1c") IP("\x1c", "\1", "\x20\0") UDP("\x0a") RECORD("\x1c")
		IP("\x1c", "\1", "\x20\0") UDP("\x0a"),
	    0, 1, 0, 0, ENOENT),
	ROW("a fragment that is not whole units",
	    PCAP("\x65") RECORD("\x1e") IP("\x1e", "\1", "\x20\0") UDP("\x0a") "hi", 0, 1, 0, 0,
	    ENOENT),
	ROW("a fragment beyond 64 KiB",
	    PCAP("\x65") RECORD("\x1c") IP("\x1c", "\1", "\x1f\xff") UDP("\x0a"), 0, 1, 0, 0,
	    ENOENT),
	ROW("a fragment of nothing", PCAP("\x65") RECORD("\x14") IP("\x14", "\1", "\x20\0"), 0, 1,
	    0, 0, ENOENT),
	ROW("a record longer than the file", PCAP("\x65") RECORD("\x1f") HI, 0, 0, 0, 0, EFORMAT),
	ROW("half a record", PCAP("\x65") "\0\0\0", 0, 0, 0, 0, EFORMAT),
	ROW("no frames", PCAP("\x65"), 0, 0, 0, 0, ENOENT),
#undef ROW
};

/* Reads the file to its end from memory that ends at a guard page. */
static coo_err read_all(coo_span file, size_t *segments, coo_dissect_stats *stats)
{
	uint8_t *guarded = test_guard_copy(file);
	coo_pcap_packet packet;
	coo_pcap *p = NULL;
	coo_err e = coo_pcap_open(coo_span_of(guarded, file.n), &p);

	*segments = 0;
	memset(stats, 0, sizeof(*stats));
	while (!e && (e = coo_pcap_next(p, &packet)) == COO_OK) {
		assert_span(packet.seg.payload, LIT("hi"), "payload");
		assert_int_equal(packet.seg.from.port, 2425);
		*segments += 1;
	}
	if (p)
		*stats = coo_pcap_stats(p);
	coo_pcap_close(p);
	test_guard_free(guarded, file.n);
	return e;
}

static void files_are_read_and_what_is_wrong_is_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		coo_dissect_stats s;
		size_t n;
		coo_err e = read_all(r->file, &n, &s);

		if (e != r->end || n != r->segments || s.lost != r->lost ||
		    s.malformed != r->malformed || s.other != r->other)
			fail_msg("row \"%s\": %s, %zu segments, %d lost, %d malformed, %d other",
				 r->name, coo_err_name(e), n, (int)s.lost, (int)s.malformed,
				 (int)s.other);
	}
}

static void every_truncated_file_ends_with_an_error_or_without_its_tail(void **state)
{
	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		for (size_t n = 0; n < rows[i].file.n; n++) {
			coo_dissect_stats s;
			size_t segments;
			coo_err e = read_all(coo_span_head(rows[i].file, n), &segments, &s);

			assert_true(e == COO_EFORMAT || (e == COO_ENOENT && n >= 24));
			assert_true(segments <= rows[i].segments);
		}
	}
}

/* More first fragments than there are places: the oldest gives way, memory stays as it is. */
static void a_flood_of_fragments_loses_only_itself(void **state)
{
	static const uint8_t first[] = IP("\x1c", "\1", "\x20\0") UDP("\x0a");
	static const uint8_t last[] = IP("\x16", "\1", "\0\1") "hi";
	uint8_t frame[sizeof(first)];
	coo_dissect *f = NULL;
	coo_segment seg;

	(void)state;
	assert_int_equal(coo_dissect_new(&f), COO_OK);
	memcpy(frame, first, sizeof(first));
	for (unsigned i = 0; i < 5000; i++) {
		frame[4] = (uint8_t)(i >> 8 | 0x80);
		frame[5] = (uint8_t)i;
		assert_false(coo_dissect_take(f, 101, coo_span_of(frame, sizeof(frame) - 1), &seg));
	}
	assert_int_equal(coo_dissect_counts(f).lost, 5000);
	assert_false(coo_dissect_take(f, 101, coo_span_of(first, sizeof(first) - 1), &seg));
	assert_true(coo_dissect_take(f, 101, coo_span_of(last, sizeof(last) - 1), &seg));
	assert_span(seg.payload, LIT("hi"), "after the flood");
	assert_int_equal(coo_dissect_counts(f).lost, 5000);
	coo_dissect_free(f);
}

static void link_types_not_known_are_told(void **state)
{
	coo_pcap_packet packet;
	coo_pcap *p = NULL;

	(void)state;
	assert_false(coo_dissect_knows(147));
	assert_int_equal(coo_pcap_open(LIT(PCAP("\x93") RECORD("\x1e") HI), &p), COO_OK);
	assert_int_equal(coo_pcap_next(p, &packet), COO_ENOENT);
	assert_int_equal(coo_pcap_unknown_link(p), 147);
	coo_pcap_close(p);
}

static void what_is_no_capture_is_refused(void **state)
{
	coo_pcap *p = NULL;

	(void)state;
	assert_false(coo_pcap_is(LIT("")));
	assert_false(coo_pcap_is(LIT("1:1:u:h:32:x")));
	assert_int_equal(coo_pcap_open(LIT("1:1:u:h:32:xxxxxxxxxxxxxxxxxxxxxx"), &p), COO_EFORMAT);
	assert_int_equal(coo_pcap_open(LIT("\x0a\x0d\x0d\x0a"), &p), COO_EFORMAT);
	assert_null(p);
	coo_pcap_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_and_what_is_wrong_is_counted),
		cmocka_unit_test(every_truncated_file_ends_with_an_error_or_without_its_tail),
		cmocka_unit_test(a_flood_of_fragments_loses_only_itself),
		cmocka_unit_test(link_types_not_known_are_told),
		cmocka_unit_test(what_is_no_capture_is_refused),
	};

	return cmocka_run_group_tests_name("pcap", tests, NULL, NULL);
}
