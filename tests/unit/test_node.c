/* SPDX-License-Identifier: MIT */

/* Who is answered and who never, and what is a duplicate (PROTOCOL.md 5.3, 6.2, 12). */

#include "proto/node.h"
#include "support/rig.h"

static void reply_matrix(void **state)
{
	/* answers: what is sent within 5 s, by command; 0 ends */
	static const struct {
		const char *name, *packet;
		bool broadcast, off_link, guest;
		uint32_t answers[3];
		size_t messages;
	} rows[] = {
		{ "entry by broadcast", "1:1:a:b:1:n", true, false, false, { 3 }, 0 },
		{ "entry to us alone", "1:1:a:b:1:n", false, false, false, { 3 }, 0 },
		{ "entry from outside our networks", "1:1:a:b:1:n", false, true, false, { 0 }, 0 },
		{ "entry to one who is no member", "1:1:a:b:1:n", true, false, true, { 0 }, 0 },
		{ "answer to an entry", "1:1:a:b:3:n", false, false, false, { 0 }, 0 },
		{ "answer to an entry with SENDCHECK's bit",
		  "1:1:a:b:259:n",
		  false,
		  false,
		  false,
		  { 0 },
		  0 },
		{ "absence", "1:1:a:b:260:n", true, false, false, { 0 }, 0 },
		{ "exit", "1:1:a:b:2:n", true, false, false, { 0 }, 0 },
		{ "NOOPERATION", "1:1:a:b:0:", true, false, false, { 0 }, 0 },
		{ "message from a stranger", "1:1:a:b:288:t", false, false, false, { 0x21, 1 }, 1 },
		{ "message without SENDCHECK", "1:1:a:b:32:t", false, false, false, { 1 }, 1 },
		{ "NOADDLIST", "1:1:a:b:524576:t", false, false, false, { 0x21 }, 1 },
		{ "BROADCASTOPT", "1:1:a:b:1312:t", false, false, false, { 0 }, 1 },
		{ "AUTORETOPT", "1:1:a:b:8480:t", false, false, false, { 0 }, 1 },
		{ "BROADCAST and AUTORET", "1:1:a:b:9504:t", false, false, false, { 0 }, 1 },
		{ "MULTICASTOPT", "1:1:a:b:2336:t", false, false, false, { 0x21, 1 }, 1 },
		{ "sent to a broadcast address", "1:1:a:b:288:t", true, false, false, { 0 }, 1 },
		{ "message from outside", "1:1:a:b:288:t", false, true, false, { 0x21 }, 1 },
		{ "message to one who is no member",
		  "1:1:a:b:288:t",
		  false,
		  false,
		  true,
		  { 0 },
		  1 },
		{ "encrypted message",
		  "1:1:a:b:4194592:20002:ff:ff",
		  false,
		  false,
		  false,
		  { 0 },
		  1 },
		{ "RECVMSG with SENDCHECK's bit", "1:1:a:b:289:9", false, false, false, { 0 }, 0 },
		{ "READMSG", "1:1:a:b:48:9", false, false, false, { 0 }, 0 },
		{ "READMSG with READCHECK", "1:1:a:b:1048624:9", false, false, false, { 0x32 }, 0 },
		{ "READMSG with READCHECK by broadcast",
		  "1:1:a:b:1048624:9",
		  true,
		  false,
		  false,
		  { 0 },
		  0 },
		{ "ANSREADMSG", "1:1:a:b:50:9", false, false, false, { 0 }, 0 },
		{ "GETINFO", "1:1:a:b:64:", false, false, false, { 0x41 }, 0 },
		{ "GETINFO by broadcast", "1:1:a:b:64:", true, false, false, { 0 }, 0 },
		{ "GETINFO from outside", "1:1:a:b:64:", false, true, false, { 0 }, 0 },
		{ "GETABSENCEINFO", "1:1:a:b:80:", false, false, false, { 0x51 }, 0 },
		{ "SENDINFO", "1:1:a:b:65:x", false, false, false, { 0 }, 0 },
		{ "GETPUBKEY", "1:1:a:b:114:21003", false, false, false, { 0 }, 0 },
		{ "a list is asked for", "1:1:a:b:24:n", true, false, false, { 0 }, 0 },
		{ "FeiQ types",
		  "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9:1:a:b:121:",
		  false,
		  false,
		  false,
		  { 0 },
		  0 },
		{ "FeiQ shakes",
		  "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9:1:a:b:209:",
		  false,
		  false,
		  false,
		  { 0 },
		  0 },
		{ "a file is asked for by UDP",
		  "1:1:a:b:96:1:1:0:",
		  false,
		  false,
		  false,
		  { 0 },
		  0 },
		{ "not a packet", "hello", false, false, false, { 0 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_node_cfg cfg = rig_cfg();
		struct rig *r;
		size_t n = 0;

		cfg.member = !rows[i].guest;
		r = rig_open(&cfg);
		r->next_rx.was_broadcast = rows[i].broadcast;
		r->next_rx.off_link = rows[i].off_link;
		rig_recv_str(r, rig_addr(2), rows[i].packet);
		rig_run(r, COO_SEC(5));
		while (rows[i].answers[n])
			n++;
		if (r->n_sent != n || rig_count_events(r, COO_EV_MESSAGE) != rows[i].messages)
			fail_msg("row \"%s\": %zu answers, %zu messages", rows[i].name, r->n_sent,
				 rig_count_events(r, COO_EV_MESSAGE));
		for (size_t k = 0; k < n; k++) {
			coo_addr two = rig_addr(2);

			if (coo_packet_cmd(&r->sent[k].p) != rows[i].answers[k] ||
			    !coo_addr_eq(&r->sent[k].tx.to, &two) || r->sent[k].tx.broadcast)
				fail_msg("row \"%s\": answer %zu", rows[i].name, k);
		}
		rig_close(r);
	}
}

static void nothing_is_answered_to_port_zero(void **state)
{
	struct rig *r = rig_member();
	coo_addr zero = coo_addr_v4(10, 0, 0, 2, 0);

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:1:a:b:1:n");
	rig_recv_str(r, zero, "1:2:c:d:1:n");
	rig_recv_str(r, zero, "1:3:c:d:288:text");
	rig_recv_str(r, zero, "1:4:a:b:1:n");
	rig_run(r, COO_SEC(5));
	assert_int_equal(r->n_sent, 1);
	assert_int_equal(r->sent[0].tx.to.port, 2425);
	rig_close(r);
}

static void a_receipt_is_exactly_33_and_the_number_and_nul(void **state)
{
	struct rig *r = rig_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:1783728000123456:a:b:288:t");
	assert_span(coo_span_of(r->sent[0].bytes, r->sent[0].n),
		    LIT("1_coo:1000:me:here:33:1783728000123456\0"), "receipt");
	rig_close(r);
}

static void who_takes_no_more_acknowledges_only_what_was_told_before(void **state)
{
	struct rig *r = rig_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:5:b:p:288:before");
	coo_node_refuse_messages(r->node);
	rig_recv_str(r, rig_addr(2), "1:6:b:p:288:after");
	rig_recv_str(r, rig_addr(2), "1:5:b:p:288:before");
	rig_recv_str(r, rig_addr(2), "1:6:b:p:288:after");
	assert_int_equal(rig_count_events(r, COO_EV_MESSAGE), 1);
	assert_int_equal(rig_count_sent(r, COO_CMD_RECVMSG), 2);
	assert_int_equal(coo_node_get_stats(r->node)->rx_late, 2);
	assert_int_equal(coo_node_get_stats(r->node)->rx_duplicate, 1);
	rig_close(r);
}

static void answers_leave_from_the_address_that_was_asked(void **state)
{
	struct rig *r = rig_member();
	coo_addr local = rig_addr(1);

	(void)state;
	r->next_rx.local = local;
	r->next_rx.ifindex = 3;
	rig_recv_str(r, rig_addr(2), "1:1:a:b:288:t");
	assert_true(coo_addr_eq(&r->sent[0].tx.local, &local));
	assert_int_equal(r->sent[0].tx.ifindex, 3);
	rig_clear(r);
	r->next_rx.was_broadcast = true;
	rig_recv_str(r, rig_addr(3), "1:1:c:d:1:t");
	rig_run(r, COO_SEC(5));
	assert_int_equal(rig_first(r, COO_CMD_ANSENTRY)->tx.local.family, 0);
	rig_close(r);
}

static void a_duplicate_is_acknowledged_again_but_shown_once(void **state)
{
	static const char *const same[] = { "1:9:a:b:288:t", "1:9:A:B:288:t", "1:9:a:b:16672:t" };
	struct rig *r = rig_member();

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(same); i++)
		rig_recv_str(r, rig_addr(2), same[i]);
	rig_recv(r, rig_addr(2), LIT("1:9:a:b:288:t\0\0\0\0\0\0\0\0\0\0\0"));
	assert_int_equal(rig_count_events(r, COO_EV_MESSAGE), 1);
	assert_int_equal(rig_count_sent(r, COO_CMD_RECVMSG), 4);
	assert_int_equal(coo_node_get_stats(r->node)->rx_duplicate, 3);
	rig_close(r);
}

static void what_differs_is_no_duplicate(void **state)
{
	static const struct {
		const char *name, *packet;
		uint8_t from;
	} rows[] = {
		{ "another number", "1:10:a:b:288:t", 2 },
		{ "another text with the same number (ipmsg-rs)", "1:9:a:b:288:u", 2 },
		{ "another user", "1:9:c:b:288:t", 2 },
		{ "another host name", "1:9:a:d:288:t", 2 },
		{ "the same names at another address", "1:9:a:b:288:t", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct rig *r = rig_member();

		rig_recv_str(r, rig_addr(2), "1:9:a:b:288:t");
		rig_recv_str(r, rig_addr(rows[i].from), rows[i].packet);
		if (rig_count_events(r, COO_EV_MESSAGE) != 2)
			fail_msg("row \"%s\"", rows[i].name);
		rig_close(r);
	}
}

static void a_retry_after_the_sender_became_known_is_a_duplicate(void **state)
{
	struct rig *r = rig_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:9:a:b:288:t");
	rig_recv_str(r, rig_addr(2), "1:10:a:b:3:n");
	rig_recv_str(r, rig_addr(2), "1:9:a:b:288:t");
	assert_int_equal(rig_count_events(r, COO_EV_MESSAGE), 1);
	rig_close(r);
}

static void a_restarted_peer_with_small_numbers_is_heard(void **state)
{
	static const struct {
		const char *name, *first, *again;
	} rows[] = {
		{ "numbers begin below the last entry's", "1:50:a:b:1:n", "1:1:a:b:1:n" },
		{ "numbers begin at 1 each time (iptux)", "1:1:a:b:1:n", "1:1:a:b:1:n" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct rig *r = rig_member();

		rig_recv_str(r, rig_addr(2), rows[i].first);
		rig_recv_str(r, rig_addr(2), "1:60:a:b:288:hello");
		rig_run(r, COO_SEC(5));
		rig_recv_str(r, rig_addr(2), rows[i].again);
		rig_recv_str(r, rig_addr(2), "1:60:a:b:288:hello");
		if (rig_count_events(r, COO_EV_MESSAGE) != 2)
			fail_msg("row \"%s\"", rows[i].name);
		rig_close(r);
	}
}

static void an_entry_doubled_or_overtaken_is_no_restart(void **state)
{
	struct rig *r = rig_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:50:a:b:1:n");
	rig_recv_str(r, rig_addr(2), "1:60:a:b:288:hello");
	rig_recv_str(r, rig_addr(2), "1:50:a:b:1:n");
	rig_recv_str(r, rig_addr(2), "1:49:a:b:1:n");
	rig_run(r, COO_SEC(5));
	rig_recv_str(r, rig_addr(2), "1:55:a:b:1:n");
	rig_recv_str(r, rig_addr(2), "1:61:a:b:1:n");
	rig_recv_str(r, rig_addr(2), "1:60:a:b:288:hello");
	assert_int_equal(rig_count_events(r, COO_EV_MESSAGE), 1);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_matrix),
		cmocka_unit_test(nothing_is_answered_to_port_zero),
		cmocka_unit_test(a_receipt_is_exactly_33_and_the_number_and_nul),
		cmocka_unit_test(who_takes_no_more_acknowledges_only_what_was_told_before),
		cmocka_unit_test(answers_leave_from_the_address_that_was_asked),
		cmocka_unit_test(a_duplicate_is_acknowledged_again_but_shown_once),
		cmocka_unit_test(what_differs_is_no_duplicate),
		cmocka_unit_test(a_retry_after_the_sender_became_known_is_a_duplicate),
		cmocka_unit_test(a_restarted_peer_with_small_numbers_is_heard),
		cmocka_unit_test(an_entry_doubled_or_overtaken_is_no_restart),
	};

	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
