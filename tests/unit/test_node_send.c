/* SPDX-License-Identifier: MIT */

/* Own messages: retries, receipts, results, being read (PROTOCOL.md 6.1 to 6.3). */

#include "proto/node.h"
#include "support/rig.h"

static void five_equal_datagrams_a_second_apart_and_then_no_more(void **state)
{
	struct rig *r = rig_member();
	coo_time start = r->now;

	(void)state;
	rig_send_text(r, rig_addr(2), "hi");
	rig_run(r, COO_SEC(30));
	assert_int_equal(r->n_sent, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_span(coo_span_of(r->sent[i].bytes, r->sent[i].n),
			    LIT("1_coo:1000:me:here:288:hi\0"), "attempt");
		assert_int_equal(r->sent[i].at, start + COO_SEC(i));
	}
	assert_int_equal(rig_result(r), COO_RTX_TIMEOUT);
	assert_true(coo_node_is_idle(r->node));
	rig_close(r);
}

static void a_receipt_ends_a_message(void **state)
{
	static const struct {
		const char *name, *packet;
		uint8_t from;
		bool ends;
	} rows[] = {
		{ "33 and the number", "1:5:b:p:33:1000", 2, true },
		{ "289 as iptux writes it", "1_iptux 0.8.3:5:b:p:289:1000", 2, true },
		{ "things behind the number", "1:5:b:p:33:1000iot", 2, true },
		{ "from another host", "1:5:b:p:33:1000", 3, false },
		{ "another number", "1:5:b:p:33:1001", 2, false },
		{ "a number that has it as its low half", "1:5:b:p:33:4294968296", 2, false },
		{ "no number", "1:5:b:p:33:", 2, false },
		{ "a negative number", "1:5:b:p:33:-1", 2, false },
		{ "READMSG", "1:5:b:p:48:1000", 2, true },
		{ "ANSREADMSG", "1:5:b:p:50:1000", 2, false },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct rig *r = rig_member();

		assert_int_equal(rig_send_text(r, rig_addr(2), "hi"), 1000);
		rig_recv_str(r, rig_addr(rows[i].from), rows[i].packet);
		if ((rig_count_events(r, COO_EV_RESULT) == 1) != rows[i].ends)
			fail_msg("row \"%s\"", rows[i].name);
		rig_close(r);
	}
}

static void a_foreign_receipt_is_counted_and_the_true_one_still_counts(void **state)
{
	struct rig *r = rig_member();
	uint32_t no = rig_send_text(r, rig_addr(2), "hi");

	(void)state;
	rig_receipt(r, rig_addr(3), COO_CMD_RECVMSG, no);
	assert_int_equal(coo_node_get_stats(r->node)->rx_receipt_foreign, 1);
	rig_receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	assert_int_equal(rig_result(r), COO_RTX_ACKED);
	rig_receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	assert_int_equal(coo_node_get_stats(r->node)->rx_receipt_unknown, 1);
	rig_close(r);
}

static void a_receipt_from_another_address_of_the_peer_counts(void **state)
{
	struct rig *r = rig_member();
	uint32_t no;

	(void)state;
	rig_recv_str(r, rig_addr(3), "1:1:bob:pc:3:n");
	rig_recv_str(r, rig_addr(2), "1:2:bob:pc:3:n");
	no = rig_send_text(r, rig_addr(2), "hi");
	rig_receipt(r, rig_addr(3), COO_CMD_RECVMSG, no);
	assert_int_equal(rig_result(r), COO_RTX_ACKED);
	rig_close(r);
}

static void a_message_without_a_receipt_ends_when_it_is_sent(void **state)
{
	struct rig *r = rig_member();
	coo_send s = rig_message(rig_addr(2), "hi");

	(void)state;
	s.options = 0;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_OK);
	rig_drain(r);
	assert_int_equal(r->n_sent, 1);
	assert_int_equal(rig_result(r), COO_RTX_SENT);
	rig_close(r);
}

static void a_sealed_message_waits_for_being_read(void **state)
{
	struct rig *r = rig_member();
	coo_send s = rig_message(rig_addr(2), "secret");
	uint32_t no;

	(void)state;
	s.options |= COO_OPT_SECRET | COO_OPT_READCHECK;
	s.want_read = true;
	s.wait = COO_SEC(60);
	assert_int_equal(coo_node_send(r->node, &s, r->now, &no), COO_OK);
	rig_drain(r);
	rig_receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	rig_receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	assert_int_equal(rig_count_events(r, COO_EV_ACKED), 1);
	assert_int_equal(rig_count_events(r, COO_EV_RESULT), 0);
	rig_run(r, COO_SEC(10));
	assert_int_equal(r->n_sent, 1);
	rig_receipt(r, rig_addr(2), COO_CMD_READMSG | COO_OPT_READCHECK, no);
	assert_int_equal(rig_result(r), COO_RTX_READ);
	assert_span(coo_packet_text(&rig_first(r, COO_CMD_ANSREADMSG)->p), LIT("5"), "ref");
	rig_close(r);
}

static void a_sealed_message_that_nobody_reads_counts_as_delivered(void **state)
{
	struct rig *r = rig_member();
	coo_send s = rig_message(rig_addr(2), "secret");
	uint32_t no;

	(void)state;
	s.options |= COO_OPT_SECRET;
	s.want_read = true;
	s.wait = COO_SEC(20);
	assert_int_equal(coo_node_send(r->node, &s, r->now, &no), COO_OK);
	rig_drain(r);
	rig_receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	rig_run(r, COO_SEC(21));
	assert_int_equal(rig_result(r), COO_RTX_ACKED);
	rig_close(r);
}

static void a_wrong_message_is_refused(void **state)
{
	static uint8_t long_text[5000];
	struct rig *r = rig_member();
	coo_send s = rig_message(rig_addr(2), "x");
	size_t n = 0;

	(void)state;
	s.token = 0;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EINVAL);
	s = rig_message(coo_addr_v4(10, 0, 0, 2, 0), "x");
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EINVAL);
	s = rig_message(rig_addr(2), "x");
	s.to.family = 0;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EINVAL);
	s = rig_message(rig_addr(2), "x");
	s.ext = coo_span_of(long_text, sizeof(long_text));
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EMSGSIZE);
	s = rig_message(rig_addr(2), "x");
	while (coo_node_send(r->node, &s, r->now, NULL) == COO_OK)
		n++;
	assert_int_equal(n, 32);
	rig_drain(r);
	rig_receipt(r, rig_addr(2), COO_CMD_RECVMSG, 1005);
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_OK);
	rig_close(r);
}

static void what_the_system_refuses_five_times_has_failed(void **state)
{
	struct rig *r = rig_member();
	uint32_t no = rig_send_text(r, rig_addr(2), "hi");

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		coo_node_tx_failed(r->node, no, 113);
		rig_run(r, COO_SEC(1));
	}
	assert_int_equal(rig_result(r), COO_RTX_FAILED);
	coo_node_tx_failed(r->node, no, 113);
	coo_node_tx_failed(r->node, 1, 113);
	rig_close(r);
}

static void room_is_what_a_packet_leaves(void **state)
{
	struct rig *r = rig_member();
	size_t room = coo_node_room(r->node, COO_OPT_SENDCHECK, 1400);

	(void)state;
	assert_int_equal(room, 1400 - strlen("1_coo:2147483647:me:here:4294967295:"));
	assert_int_equal(coo_node_room(r->node, 0, 10), 0);
	rig_close(r);
}

static void numbers_begin_again_after_the_largest_that_all_clients_read(void **state)
{
	coo_node_cfg cfg = rig_cfg();
	struct rig *r;

	(void)state;
	cfg.first_packet_no = INT32_MAX;
	r = rig_open(&cfg);
	assert_int_equal(rig_send_text(r, rig_addr(2), "a"), INT32_MAX);
	assert_int_equal(rig_send_text(r, rig_addr(2), "b"), 1);
	rig_receipt(r, rig_addr(2), COO_CMD_RECVMSG, INT32_MAX);
	rig_receipt(r, rig_addr(2), COO_CMD_RECVMSG, 1);
	assert_int_equal(rig_count_events(r, COO_EV_RESULT), 2);
	rig_close(r);
}

static void a_text_longer_than_a_datagram_is_refused(void **state)
{
	static uint8_t text[COO_PACKET_MAX];
	coo_node_cfg cfg = rig_cfg();
	coo_send s = rig_message(rig_addr(2), "x");
	struct rig *r;
	size_t room;

	(void)state;
	cfg.text_cap = sizeof(text);
	r = rig_open(&cfg);
	room = coo_node_room(r->node, s.options, COO_PACKET_MAX);
	s.ext = coo_span_of(text, room + 1);
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EMSGSIZE);
	s.ext.n = room;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_OK);
	rig_drain(r);
	assert_int_equal(r->n_sent, 1);
	rig_close(r);
}

static void utf8opt_goes_with_the_names_in_utf8(void **state)
{
	coo_node_cfg cfg = rig_cfg();
	coo_send s = rig_message(rig_addr(2), "x");
	struct rig *r;

	(void)state;
	cfg.legacy.user = LIT("\xce\xd2");
	cfg.utf8.user = LIT("\xe6\x88\x91");
	r = rig_open(&cfg);
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_OK);
	s.options |= COO_OPT_UTF8;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_OK);
	rig_drain(r);
	assert_span(r->sent[0].p.user, cfg.legacy.user, "legacy");
	assert_span(r->sent[1].p.user, cfg.utf8.user, "UTF-8");
	rig_close(r);
}

static void asking_and_probing_one_host(void **state)
{
	struct rig *r = rig_member();
	coo_addr two = rig_addr(2);

	(void)state;
	coo_node_ask(r->node, &two, COO_CMD_GETINFO, r->now);
	coo_node_probe(r->node, &two, r->now);
	rig_drain(r);
	assert_int_equal(r->n_sent, 2);
	assert_span(coo_span_of(r->sent[0].bytes, r->sent[0].n), LIT("1_coo:1000:me:here:64:\0"),
		    "GETINFO");
	assert_int_equal(coo_packet_cmd(&r->sent[1].p), COO_CMD_BR_ENTRY);
	assert_false(r->sent[1].tx.broadcast);
	assert_true(coo_addr_eq(&r->sent[1].tx.to, &two));
	rig_recv_str(r, two, "1:9:a:b:65:a program");
	assert_int_equal(rig_count_events(r, COO_EV_SECOND), 1);
	rig_close(r);
}

static void opening_a_sealed_message_is_told(void **state)
{
	struct rig *r = rig_reader();
	const struct rig_sent *read;

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:77:a:b:800:secret"); /* SENDCHECK SECRET */
	read = rig_first(r, COO_CMD_READMSG);
	assert_span(read->p.ext, LIT("77\0"), "ref");
	assert_int_equal(read->p.command, COO_CMD_READMSG);
	rig_run(r, COO_SEC(30));
	assert_int_equal(rig_count_sent(r, COO_CMD_READMSG), 1);
	rig_close(r);
}

static void readmsg_with_readcheck_is_repeated_until_it_is_answered(void **state)
{
	struct rig *r = rig_reader();
	uint64_t no;

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:77:a:b:1049376:secret");
	rig_run(r, COO_MS(2500));
	assert_int_equal(rig_count_sent(r, COO_CMD_READMSG), 3);
	no = rig_first(r, COO_CMD_READMSG)->p.packet_no;
	assert_int_equal(rig_first(r, COO_CMD_READMSG)->p.command,
			 COO_CMD_READMSG | COO_OPT_READCHECK);
	rig_receipt(r, rig_addr(2), COO_CMD_ANSREADMSG, no);
	rig_run(r, COO_SEC(30));
	assert_int_equal(rig_count_sent(r, COO_CMD_READMSG), 3);
	assert_int_equal(rig_count_events(r, COO_EV_RESULT), 0);
	assert_true(coo_node_is_idle(r->node));
	rig_close(r);
}

static void sealed_messages_to_everybody_are_not_told_as_read(void **state)
{
	static const char *const packets[] = { "1:77:a:b:1050400:x", "1:78:a:b:1057568:x" };
	struct rig *r = rig_reader();

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(packets); i++)
		rig_recv_str(r, rig_addr(2), packets[i]);
	rig_run(r, COO_SEC(20));
	assert_int_equal(r->n_sent, 0);
	rig_close(r);
}

static void a_receipt_of_a_twin_counts_whatever_its_number(void **state)
{
	struct rig *r = rig_member();

	(void)state;
	rig_send_text(r, rig_addr(2), "hi");
	r->next_rx.foreign = true;
	rig_recv_str(r, rig_addr(2), "1_coo:1000:me:here:33:1000");
	assert_int_equal(rig_result(r), COO_RTX_ACKED);
	rig_close(r);
}

static void who_leaves_does_not_wait_long_for_those_it_told_of_reading(void **state)
{
	struct rig *r = rig_reader();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:5:b:p:1049376:x");
	assert_int_equal(rig_count_sent(r, COO_CMD_READMSG), 1);
	coo_node_leave(r->node, r->now);
	rig_run(r, COO_MS(900));
	assert_false(coo_node_is_idle(r->node));
	rig_run(r, COO_MS(600));
	assert_true(coo_node_is_idle(r->node));
	rig_close(r);
}

static void a_flood_of_sealed_messages_leaves_room_for_own_ones(void **state)
{
	struct rig *r = rig_reader();
	coo_send s = rig_message(rig_addr(3), "mine");
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "1:%u:a:b:1049376:secret", 100 + i);
		rig_recv_str(r, rig_addr(2), text);
	}
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_OK);
	rig_close(r);
}

static void reading_of_a_message_no_longer_waited_for_is_told(void **state)
{
	struct rig *r = rig_member();
	uint32_t no = rig_send_text(r, rig_addr(2), "hi");

	(void)state;
	rig_receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	rig_receipt(r, rig_addr(2), COO_CMD_READMSG, no);
	assert_int_equal(rig_count_events(r, COO_EV_SECOND), 1);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_equal_datagrams_a_second_apart_and_then_no_more),
		cmocka_unit_test(a_receipt_ends_a_message),
		cmocka_unit_test(a_foreign_receipt_is_counted_and_the_true_one_still_counts),
		cmocka_unit_test(a_receipt_from_another_address_of_the_peer_counts),
		cmocka_unit_test(a_message_without_a_receipt_ends_when_it_is_sent),
		cmocka_unit_test(a_sealed_message_waits_for_being_read),
		cmocka_unit_test(a_sealed_message_that_nobody_reads_counts_as_delivered),
		cmocka_unit_test(a_wrong_message_is_refused),
		cmocka_unit_test(what_the_system_refuses_five_times_has_failed),
		cmocka_unit_test(room_is_what_a_packet_leaves),
		cmocka_unit_test(numbers_begin_again_after_the_largest_that_all_clients_read),
		cmocka_unit_test(a_text_longer_than_a_datagram_is_refused),
		cmocka_unit_test(utf8opt_goes_with_the_names_in_utf8),
		cmocka_unit_test(asking_and_probing_one_host),
		cmocka_unit_test(opening_a_sealed_message_is_told),
		cmocka_unit_test(readmsg_with_readcheck_is_repeated_until_it_is_answered),
		cmocka_unit_test(sealed_messages_to_everybody_are_not_told_as_read),
		cmocka_unit_test(a_receipt_of_a_twin_counts_whatever_its_number),
		cmocka_unit_test(who_leaves_does_not_wait_long_for_those_it_told_of_reading),
		cmocka_unit_test(a_flood_of_sealed_messages_leaves_room_for_own_ones),
		cmocka_unit_test(reading_of_a_message_no_longer_waited_for_is_told),
	};

	return cmocka_run_group_tests_name("node_send", tests, NULL, NULL);
}
