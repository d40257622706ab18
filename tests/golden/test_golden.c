/* SPDX-License-Identifier: MIT */

/* Every recorded packet against what expect.tsv and real.tsv say of it. Data decides: a new row
 * needs no C. */

#include <stdlib.h>

#include "proto/entry.h"
#include "proto/num.h"
#include "support/hexfile.h"
#include "support/rig.h"

enum {
	LINE_CAP = 20000,
	COLUMNS = 14,
};

enum column {
	ID,
	RESULT,
	VERSION,
	NUMBER,
	USER,
	HOST,
	COMMAND,
	SECTION0,
	SECTION1,
	ENTRY,
	CLIENT,
	CANONICAL,
	EVENT,
	ANSWER,
};

struct row {
	coo_span c[COLUMNS];
	char name[64];
};

/* Calls fn for every line of a table but comments and the head; gives their number. */
static unsigned each_row(const char *path, size_t columns, void (*fn)(struct row *))
{
	static char line[LINE_CAP];
	FILE *f = fopen(path, "r");
	unsigned n = 0;
	bool head = false;

	if (!f)
		fail_msg("cannot open %s: tests run from the root of the repository", path);
	while (fgets(line, sizeof(line), f)) {
		coo_span s = coo_span_trim_end(coo_span_str(line), '\n');
		struct row row;
		size_t got = 0;

		if (s.n == 0 || s.p[0] == '#' || !head) {
			head = head || (s.n && s.p[0] != '#');
			continue;
		}
		memset(&row, 0, sizeof(row));
		while (got < columns && coo_span_next(&s, '\t', &row.c[got]))
			got++;
		snprintf(row.name, sizeof(row.name), "%.*s", (int)row.c[0].n,
			 (const char *)row.c[0].p);
		fn(&row);
		n++;
	}
	fclose(f);
	return n;
}

/* Text of a column as bytes: "-" is none, \xHH one, A*5000 many. */
static coo_span unescape(coo_span s, uint8_t mem[8192])
{
	coo_buf b;
	uint64_t v;

	coo_buf_init(&b, mem, 8192);
	if (coo_span_eq_str(s, "-"))
		return coo_span_none();
	if (s.n > 2 && s.p[1] == '*' && coo_num_dec(coo_span_skip(s, 2), 8000, &v)) {
		while (v-- > 0)
			coo_buf_put_byte(&b, s.p[0]);
		return coo_buf_span(&b);
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && s.n - i >= 4 &&
		    coo_num_hex(coo_span_of(s.p + i + 2, 2), 255, &v)) {
			coo_buf_put_byte(&b, (uint8_t)v);
			i += 3;
		} else {
			coo_buf_put_byte(&b, s.p[i]);
		}
	}
	assert_true(coo_buf_ok(&b));
	return coo_buf_span(&b);
}

static void check_text(coo_span got, const struct row *row, enum column c)
{
	static uint8_t mem[8192];

	assert_span(got, unescape(row->c[c], mem), row->name);
}

static coo_span bytes_of(const struct row *row)
{
	return coo_span_eq_str(row->c[ID], "I08") ? coo_span_none() : hexfile_vec(row->name);
}

static void check_fields(struct row *row)
{
	coo_span bytes = bytes_of(row);
	uint8_t *guarded = test_guard_copy(bytes);
	coo_packet p;
	coo_err e = coo_packet_decode(coo_span_of(guarded, bytes.n), &p);
	uint64_t command = 0;

	if (!coo_span_eq_str(row->c[RESULT], coo_err_name(e)))
		fail_msg("row %s: decoding gave %s", row->name, coo_err_name(e));
	if (e == COO_OK) {
		check_text(p.version, row, VERSION);
		check_text(p.number, row, NUMBER);
		check_text(p.user, row, USER);
		check_text(p.host, row, HOST);
		check_text(coo_packet_text(&p), row, SECTION0);
		check_text(coo_packet_section(&p, 1), row, SECTION1);
		if (!coo_num_hex(coo_span_skip(row->c[COMMAND], 2), UINT32_MAX, &command) ||
		    command != p.command)
			fail_msg("row %s: command 0x%x", row->name, p.command);
		if (!coo_span_eq_str(row->c[CLIENT], coo_client_name(coo_client_of(p.version))))
			fail_msg("row %s: client %s", row->name,
				 coo_client_name(coo_client_of(p.version)));
	}
	test_guard_free(guarded, bytes.n);
}

static coo_span entry_field(const coo_entry *e, coo_span key)
{
	const struct {
		const char *name;
		coo_span value;
	} fields[] = {
		{ "nick", e->nick },	   { "group", e->group }, { "un", e->un },
		{ "hn", e->hn },	   { "nn", e->nn },	  { "gn", e->gn },
		{ "vs", e->vs },	   { "icon", e->icon },	  { "encoding", e->encoding },
		{ "user_id", e->user_id }, { "mac", e->mac },
	};

	for (size_t i = 0; i < COO_ARRAY_LEN(fields); i++) {
		if (coo_span_eq_str(key, fields[i].name))
			return fields[i].value;
	}
	fail_msg("no field %.*s", (int)key.n, (const char *)key.p);
	return coo_span_none();
}

static size_t entry_length(const coo_entry *e)
{
	return e->nick.n + e->group.n + e->un.n + e->hn.n + e->nn.n + e->gn.n + e->vs.n +
	       e->icon.n + e->encoding.n + e->user_id.n + e->mac.n;
}

static void check_entry(struct row *row)
{
	static uint8_t mem[8192];
	coo_span fields = row->c[ENTRY], field, key;
	size_t want = 0;
	coo_packet p;
	coo_entry e;

	if (coo_span_eq_str(fields, "-"))
		return;
	assert_int_equal(coo_packet_decode(bytes_of(row), &p), COO_OK);
	coo_entry_decode(&p, &e);
	while (coo_span_next(&fields, '|', &field)) {
		coo_span value;

		assert_true(coo_span_cut(&field, '=', &key));
		value = unescape(field, mem);
		assert_span(entry_field(&e, key), value, row->name);
		want += value.n;
	}
	if (entry_length(&e) != want)
		fail_msg("row %s: a field that should be empty is not", row->name);
}

static void check_encoding(struct row *row)
{
	static uint8_t mem[8192];
	coo_span bytes = bytes_of(row);
	coo_packet p;
	coo_entry e;
	coo_buf b;

	if (!coo_span_has_prefix(row->c[CANONICAL], LIT("packet")))
		return;
	assert_int_equal(coo_packet_decode(bytes, &p), COO_OK);
	coo_buf_init(&b, mem, sizeof(mem));
	assert_int_equal(coo_packet_encode(&b, &p), COO_OK);
	assert_span(coo_buf_span(&b), bytes, row->name);
	if (!coo_span_eq_str(row->c[CANONICAL], "packet entry"))
		return;
	coo_entry_decode(&p, &e);
	coo_buf_init(&b, mem, sizeof(mem));
	coo_entry_encode(&b, &e);
	assert_span(coo_buf_span(&b), p.ext, row->name);
}

static const char *event_name(enum coo_event_type type)
{
	switch (type) {
	case COO_EV_PEER_UP:
		return "up";
	case COO_EV_PEER_CHANGE:
		return "change";
	case COO_EV_PEER_DOWN:
		return "down";
	case COO_EV_MESSAGE:
		return "message";
	case COO_EV_SECOND:
		return "second";
	case COO_EV_RESULT:
		return "result";
	case COO_EV_ACKED:
		return "acked";
	case COO_EV_LIST:
		return "list";
	case COO_EV_PEER_SEEN:
		return "seen";
	}
	return "?";
}

static void check_reaction(struct row *row)
{
	coo_node_cfg cfg = rig_cfg();
	struct rig *r = rig_open(&cfg);
	uint8_t mem[256];
	coo_buf said;

	rig_recv(r, rig_addr(2), bytes_of(row));
	rig_run(r, COO_SEC(5));
	coo_buf_init(&said, mem, sizeof(mem));
	for (size_t i = 0; i < r->n_events; i++) {
		coo_buf_put_str(&said, i ? " " : "");
		coo_buf_put_str(&said, event_name(r->events[i].type));
	}
	assert_span(coo_buf_span(&said),
		    coo_span_eq_str(row->c[EVENT], "-") ? coo_span_none() : row->c[EVENT],
		    row->name);
	coo_buf_init(&said, mem, sizeof(mem));
	for (size_t i = 0; i < r->n_sent; i++) {
		coo_buf_put_str(&said, i ? " " : "");
		coo_buf_put_str(&said, coo_cmd_name(r->sent[i].p.command));
	}
	assert_span(coo_buf_span(&said),
		    coo_span_eq_str(row->c[ANSWER], "-") ? coo_span_none() : row->c[ANSWER],
		    row->name);
	rig_close(r);
}

static void every_vector_decodes_to_its_fields(void **state)
{
	(void)state;
	assert_int_equal(each_row("tests/golden/expect.tsv", COLUMNS, check_fields), 77);
}

static void every_entry_decodes_to_its_names(void **state)
{
	(void)state;
	each_row("tests/golden/expect.tsv", COLUMNS, check_entry);
}

static void every_canonical_vector_is_written_as_it_was_read(void **state)
{
	(void)state;
	each_row("tests/golden/expect.tsv", COLUMNS, check_encoding);
}

static void a_node_does_with_every_vector_what_is_expected(void **state)
{
	(void)state;
	each_row("tests/golden/expect.tsv", COLUMNS, check_reaction);
}

/* Reads the records of packets.vec in order; the span is valid until the next call. */
static bool next_vector(FILE *f, char id[32], coo_span *bytes)
{
	static char line[LINE_CAP];
	static uint8_t mem[LINE_CAP / 2];
	coo_buf b;
	uint64_t v;

	while (fgets(line, sizeof(line), f)) {
		coo_span s = coo_span_trim_end(coo_span_str(line), '\n');

		if (coo_span_has_prefix(s, LIT("id ")))
			snprintf(id, 32, "%.*s", (int)(s.n - 3), line + 3);
		if (!coo_span_has_prefix(s, LIT("hex")))
			continue;
		coo_buf_init(&b, mem, sizeof(mem));
		for (size_t i = 4; i + 1 < s.n; i += 2) {
			assert_true(coo_num_hex(coo_span_of(s.p + i, 2), 255, &v));
			coo_buf_put_byte(&b, (uint8_t)v);
		}
		*bytes = coo_buf_span(&b);
		return true;
	}
	return false;
}

static void cut_everywhere(coo_span bytes, struct rig *r)
{
	for (size_t n = 0; n <= bytes.n; n += n < 300 ? 1 : 97) {
		uint8_t *copy = test_guard_copy(coo_span_head(bytes, n));
		coo_packet p;
		coo_entry e;

		if (coo_packet_decode(coo_span_of(copy, n), &p) == COO_OK)
			coo_entry_decode(&p, &e);
		test_guard_free(copy, n);
		rig_recv(r, rig_addr((uint8_t)(2 + n % 50)), coo_span_head(bytes, n));
		rig_clear(r);
	}
}

static void every_truncation_of_all_vectors_leaves_a_node_alive(void **state)
{
	coo_node_cfg cfg = rig_cfg();
	struct rig *r;
	char id[32] = "";
	coo_span bytes;
	unsigned n = 0;
	FILE *f = fopen("tests/golden/packets.vec", "r");

	(void)state;
	assert_non_null(f);
	cfg.send_read = true;
	r = rig_open(&cfg);
	while (next_vector(f, id, &bytes)) {
		cut_everywhere(bytes, r);
		n++;
	}
	fclose(f);
	assert_int_equal(n, 108);
	rig_run(r, COO_SEC(60));
	rig_clear(r);
	rig_recv(r, rig_addr(99), LIT("1:77:late:h:288:still there\0"));
	assert_int_equal(rig_count_events(r, COO_EV_MESSAGE), 1);
	assert_int_equal(rig_count_sent(r, COO_CMD_RECVMSG), 1);
	assert_int_equal(coo_node_get_stats(r->node)->events_lost, 0);
	rig_close(r);
}

/* Columns of real.tsv. */
enum real { CAPTURE, FRAME, T, PROTO, SENDER, RECEIVER, NAME, LEN, HEX, TEXT, REAL_COLUMNS };

static struct rig *lan;
static unsigned packets_seen;

static coo_span from_hex(coo_span hex, uint8_t *mem, size_t cap)
{
	coo_buf b;
	uint64_t v;

	coo_buf_init(&b, mem, cap);
	for (size_t i = 0; i + 1 < hex.n; i += 2) {
		assert_true(coo_num_hex(coo_span_of(hex.p + i, 2), 255, &v));
		coo_buf_put_byte(&b, (uint8_t)v);
	}
	assert_true(coo_buf_ok(&b));
	return coo_buf_span(&b);
}

/* "RECVMSG|SENDCHECK 0x121": the name it begins with and the number it ends with. */
static void check_real_command(const struct row *row, coo_span bytes)
{
	coo_span column = row->c[NAME], names, name = coo_span_none();
	const char *want;
	uint64_t command;
	coo_packet p;

	if (!coo_span_cut(&column, ' ', &names)) {
		assert_int_not_equal(coo_packet_decode(bytes, &p), COO_OK);
		return;
	}
	if (coo_packet_decode(bytes, &p) != COO_OK ||
	    !coo_num_hex(coo_span_skip(column, 2), UINT32_MAX, &command) || command != p.command)
		fail_msg("%s frame %.*s: command", row->name, (int)row->c[FRAME].n,
			 (const char *)row->c[FRAME].p);
	coo_ignore(coo_span_next(&names, '|', &name));
	want = coo_span_eq_str(name, "NOOP") ? "NOOPERATION" : coo_cmd_name(p.command);
	assert_non_null(want);
	if (!coo_span_eq_str(name, "NOOP"))
		assert_span(name, coo_span_str(want), row->name);
	packets_seen++;
}

static void replay(struct row *row)
{
	static uint8_t mem[LINE_CAP / 2];
	coo_span bytes = from_hex(row->c[HEX], mem, sizeof(mem));
	uint64_t len;

	if (!coo_num_dec(row->c[LEN], UINT32_MAX, &len))
		fail_msg("%s: length", row->name);
	/* long ones are cut in the table */
	assert_true(bytes.n <= len);
	check_real_command(row, bytes);
	lan->next_rx.was_broadcast = coo_span_has_prefix(row->c[RECEIVER], LIT("bcast"));
	rig_recv(lan, rig_addr((uint8_t)(2 + row->c[SENDER].n % 30)), bytes);
	rig_run(lan, COO_MS(10));
	if (coo_span_eq_str(row->c[NAME], "SENDMSG|SENDCHECK 0x120") &&
	    rig_count_sent(lan, COO_CMD_RECVMSG) != 1)
		fail_msg("%s frame %.*s: not acknowledged", row->name, (int)row->c[FRAME].n,
			 (const char *)row->c[FRAME].p);
	rig_clear(lan);
}

static void real_captures_replayed_into_a_node(void **state)
{
	coo_node_cfg cfg = rig_cfg();
	const coo_node_stats *s;

	(void)state;
	lan = rig_open(&cfg);
	assert_int_equal(each_row("tests/golden/real.tsv", REAL_COLUMNS, replay), 116);
	s = coo_node_get_stats(lan->node);
	assert_int_equal(packets_seen, 116 - 24 - 3);
	assert_int_equal(s->rx, 116);
	assert_int_equal(s->rx_ipdict, 3);
	assert_true(coo_node_peers(lan->node)->n >= 4);
	rig_run(lan, COO_SEC(10));
	rig_close(lan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vector_decodes_to_its_fields),
		cmocka_unit_test(every_entry_decodes_to_its_names),
		cmocka_unit_test(every_canonical_vector_is_written_as_it_was_read),
		cmocka_unit_test(a_node_does_with_every_vector_what_is_expected),
		cmocka_unit_test(every_truncation_of_all_vectors_leaves_a_node_alive),
		cmocka_unit_test(real_captures_replayed_into_a_node),
	};

	return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
