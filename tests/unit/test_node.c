/* SPDX-License-Identifier: MIT */

/* What a node answers, to whom, how often and when (protocol.md 3.7, 4, 12.5, 14). */

#include "proto/node.h"
#include "support/rig.h"

static struct rig *open_member(void)
{
	coo_node_cfg cfg = rig_cfg();

	return rig_open(&cfg);
}

static coo_send a_message(coo_addr to, const char *text)
{
	coo_send s;

	memset(&s, 0, sizeof(s));
	s.token = 7;
	s.to = to;
	s.options = COO_OPT_SENDCHECK;
	s.ext = coo_span_of(text, strlen(text) + 1);
	return s;
}

static uint32_t send_text(struct rig *r, coo_addr to, const char *text)
{
	coo_send s = a_message(to, text);
	uint32_t no = 0;

	assert_int_equal(coo_node_send(r->node, &s, r->now, &no), COO_OK);
	rig_drain(r);
	return no;
}

static void receipt(struct rig *r, coo_addr from, uint32_t cmd, uint64_t of)
{
	char text[80];

	snprintf(text, sizeof(text), "1:5:bob:pc:%u:%llu", cmd, (unsigned long long)of);
	rig_recv(r, from, coo_span_of(text, strlen(text) + 1));
}

static enum coo_rtx_result only_result(const struct rig *r)
{
	assert_int_equal(rig_count_events(r, COO_EV_RESULT), 1);
	for (size_t i = 0; i < r->n_events; i++) {
		if (r->events[i].type == COO_EV_RESULT)
			return (enum coo_rtx_result)r->events[i].result.result;
	}
	return COO_RTX_FAILED;
}

/* --- who gets what ------------------------------------------------------------------------------
 */

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
	struct rig *r = open_member();
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
	struct rig *r = open_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:1783728000123456:a:b:288:t");
	assert_span(coo_span_of(r->sent[0].bytes, r->sent[0].n),
		    LIT("1_coo:1000:me:here:33:1783728000123456\0"), "receipt");
	rig_close(r);
}

static void answers_leave_from_the_address_that_was_asked(void **state)
{
	struct rig *r = open_member();
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

/* --- duplicates ---------------------------------------------------------------------------------
 */

static void a_duplicate_is_acknowledged_again_but_shown_once(void **state)
{
	static const char *const same[] = { "1:9:a:b:288:t", "1:9:A:B:288:t", "1:9:a:b:16672:t" };
	struct rig *r = open_member();

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
		struct rig *r = open_member();

		rig_recv_str(r, rig_addr(2), "1:9:a:b:288:t");
		rig_recv_str(r, rig_addr(rows[i].from), rows[i].packet);
		if (rig_count_events(r, COO_EV_MESSAGE) != 2)
			fail_msg("row \"%s\"", rows[i].name);
		rig_close(r);
	}
}

static void a_retry_after_the_sender_became_known_is_a_duplicate(void **state)
{
	struct rig *r = open_member();

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
		struct rig *r = open_member();

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
	struct rig *r = open_member();

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

/* --- sending ------------------------------------------------------------------------------------
 */

static void five_equal_datagrams_a_second_apart_and_then_no_more(void **state)
{
	struct rig *r = open_member();
	coo_time start = r->now;

	(void)state;
	send_text(r, rig_addr(2), "hi");
	rig_run(r, COO_SEC(30));
	assert_int_equal(r->n_sent, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_span(coo_span_of(r->sent[i].bytes, r->sent[i].n),
			    LIT("1_coo:1000:me:here:288:hi\0"), "attempt");
		assert_int_equal(r->sent[i].at, start + COO_SEC(i));
	}
	assert_int_equal(only_result(r), COO_RTX_TIMEOUT);
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
		struct rig *r = open_member();

		assert_int_equal(send_text(r, rig_addr(2), "hi"), 1000);
		rig_recv_str(r, rig_addr(rows[i].from), rows[i].packet);
		if ((rig_count_events(r, COO_EV_RESULT) == 1) != rows[i].ends)
			fail_msg("row \"%s\"", rows[i].name);
		rig_close(r);
	}
}

static void a_foreign_receipt_is_counted_and_the_true_one_still_counts(void **state)
{
	struct rig *r = open_member();
	uint32_t no = send_text(r, rig_addr(2), "hi");

	(void)state;
	receipt(r, rig_addr(3), COO_CMD_RECVMSG, no);
	assert_int_equal(coo_node_get_stats(r->node)->rx_receipt_foreign, 1);
	receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	assert_int_equal(only_result(r), COO_RTX_ACKED);
	receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	assert_int_equal(coo_node_get_stats(r->node)->rx_receipt_unknown, 1);
	rig_close(r);
}

static void a_receipt_from_another_address_of_the_peer_counts(void **state)
{
	struct rig *r = open_member();
	uint32_t no;

	(void)state;
	rig_recv_str(r, rig_addr(3), "1:1:bob:pc:3:n");
	rig_recv_str(r, rig_addr(2), "1:2:bob:pc:3:n");
	no = send_text(r, rig_addr(2), "hi");
	receipt(r, rig_addr(3), COO_CMD_RECVMSG, no);
	assert_int_equal(only_result(r), COO_RTX_ACKED);
	rig_close(r);
}

static void a_message_without_a_receipt_ends_when_it_is_sent(void **state)
{
	struct rig *r = open_member();
	coo_send s = a_message(rig_addr(2), "hi");

	(void)state;
	s.options = 0;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_OK);
	rig_drain(r);
	assert_int_equal(r->n_sent, 1);
	assert_int_equal(only_result(r), COO_RTX_SENT);
	rig_close(r);
}

static void a_sealed_message_waits_for_being_read(void **state)
{
	struct rig *r = open_member();
	coo_send s = a_message(rig_addr(2), "secret");
	uint32_t no;

	(void)state;
	s.options |= COO_OPT_SECRET | COO_OPT_READCHECK;
	s.want_read = true;
	s.wait = COO_SEC(60);
	assert_int_equal(coo_node_send(r->node, &s, r->now, &no), COO_OK);
	rig_drain(r);
	receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	assert_int_equal(rig_count_events(r, COO_EV_ACKED), 1);
	assert_int_equal(rig_count_events(r, COO_EV_RESULT), 0);
	rig_run(r, COO_SEC(10));
	assert_int_equal(r->n_sent, 1);
	receipt(r, rig_addr(2), COO_CMD_READMSG | COO_OPT_READCHECK, no);
	assert_int_equal(only_result(r), COO_RTX_READ);
	assert_span(coo_packet_text(&rig_first(r, COO_CMD_ANSREADMSG)->p), LIT("5"), "ref");
	rig_close(r);
}

static void a_sealed_message_that_nobody_reads_counts_as_delivered(void **state)
{
	struct rig *r = open_member();
	coo_send s = a_message(rig_addr(2), "secret");
	uint32_t no;

	(void)state;
	s.options |= COO_OPT_SECRET;
	s.want_read = true;
	s.wait = COO_SEC(20);
	assert_int_equal(coo_node_send(r->node, &s, r->now, &no), COO_OK);
	rig_drain(r);
	receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	rig_run(r, COO_SEC(21));
	assert_int_equal(only_result(r), COO_RTX_ACKED);
	rig_close(r);
}

static void a_wrong_message_is_refused(void **state)
{
	static uint8_t long_text[5000];
	struct rig *r = open_member();
	coo_send s = a_message(rig_addr(2), "x");
	size_t n = 0;

	(void)state;
	s.token = 0;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EINVAL);
	s = a_message(coo_addr_v4(10, 0, 0, 2, 0), "x");
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EINVAL);
	s = a_message(rig_addr(2), "x");
	s.to.family = 0;
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EINVAL);
	s = a_message(rig_addr(2), "x");
	s.ext = coo_span_of(long_text, sizeof(long_text));
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_EMSGSIZE);
	s = a_message(rig_addr(2), "x");
	while (coo_node_send(r->node, &s, r->now, NULL) == COO_OK)
		n++;
	assert_int_equal(n, 32);
	rig_drain(r);
	receipt(r, rig_addr(2), COO_CMD_RECVMSG, 1005);
	assert_int_equal(coo_node_send(r->node, &s, r->now, NULL), COO_OK);
	rig_close(r);
}

static void what_the_system_refuses_five_times_has_failed(void **state)
{
	struct rig *r = open_member();
	uint32_t no = send_text(r, rig_addr(2), "hi");

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		coo_node_tx_failed(r->node, no, 113);
		rig_run(r, COO_SEC(1));
	}
	assert_int_equal(only_result(r), COO_RTX_FAILED);
	coo_node_tx_failed(r->node, no, 113);
	coo_node_tx_failed(r->node, 1, 113);
	rig_close(r);
}

static void room_is_what_a_packet_leaves(void **state)
{
	struct rig *r = open_member();
	size_t room = coo_node_room(r->node, COO_OPT_SENDCHECK, 1400);

	(void)state;
	assert_int_equal(room, 1400 - strlen("1_coo:2147483647:me:here:4294967295:"));
	assert_int_equal(coo_node_room(r->node, 0, 10), 0);
	rig_close(r);
}

/* --- being told that something was read ---------------------------------------------------------
 */

static struct rig *open_reader(void)
{
	coo_node_cfg cfg = rig_cfg();

	cfg.send_read = true;
	return rig_open(&cfg);
}

static void opening_a_sealed_message_is_told(void **state)
{
	struct rig *r = open_reader();
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
	struct rig *r = open_reader();
	uint64_t no;

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:77:a:b:1049376:secret");
	rig_run(r, COO_MS(2500));
	assert_int_equal(rig_count_sent(r, COO_CMD_READMSG), 3);
	no = rig_first(r, COO_CMD_READMSG)->p.packet_no;
	assert_int_equal(rig_first(r, COO_CMD_READMSG)->p.command,
			 COO_CMD_READMSG | COO_OPT_READCHECK);
	receipt(r, rig_addr(2), COO_CMD_ANSREADMSG, no);
	rig_run(r, COO_SEC(30));
	assert_int_equal(rig_count_sent(r, COO_CMD_READMSG), 3);
	assert_int_equal(rig_count_events(r, COO_EV_RESULT), 0);
	assert_true(coo_node_is_idle(r->node));
	rig_close(r);
}

static void sealed_messages_to_everybody_are_not_told_as_read(void **state)
{
	static const char *const packets[] = { "1:77:a:b:1050400:x", "1:78:a:b:1057568:x" };
	struct rig *r = open_reader();

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(packets); i++)
		rig_recv_str(r, rig_addr(2), packets[i]);
	rig_run(r, COO_SEC(20));
	assert_int_equal(r->n_sent, 0);
	rig_close(r);
}

static void a_flood_of_sealed_messages_leaves_room_for_own_ones(void **state)
{
	struct rig *r = open_reader();
	coo_send s = a_message(rig_addr(3), "mine");
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
	struct rig *r = open_member();
	uint32_t no = send_text(r, rig_addr(2), "hi");

	(void)state;
	receipt(r, rig_addr(2), COO_CMD_RECVMSG, no);
	receipt(r, rig_addr(2), COO_CMD_READMSG, no);
	assert_int_equal(rig_count_events(r, COO_EV_SECOND), 1);
	rig_close(r);
}

/* --- presence -----------------------------------------------------------------------------------
 */

static void going_on_line_takes_four_broadcasts(void **state)
{
	static const struct {
		uint32_t cmd;
		coo_time at;
	} want[] = {
		{ COO_CMD_NOOPERATION, 0 },
		{ COO_CMD_BR_ENTRY, COO_MS(250) },
		{ COO_CMD_NOOPERATION, COO_MS(5000) },
		{ COO_CMD_BR_ENTRY, COO_MS(5250) },
	};
	struct rig *r = open_member();
	coo_time start = r->now;

	(void)state;
	coo_node_announce(r->node, r->now);
	rig_run(r, COO_SEC(60));
	assert_int_equal(r->n_sent, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(coo_packet_cmd(&r->sent[i].p), want[i].cmd);
		assert_int_equal(r->sent[i].at - start, want[i].at);
		assert_true(r->sent[i].tx.broadcast);
		assert_int_equal(r->sent[i].tx.to.port, 2425);
	}
	assert_span(coo_span_of(r->sent[1].bytes, r->sent[1].n),
		    LIT("1_coo:1001:me:here:16777217:coo\0grp\0\nUN:me\nHN:here\nNN:coo\nGN:grp"),
		    "entry");
	rig_close(r);
}

static void leaving_is_said_twice_100_ms_apart(void **state)
{
	struct rig *r = open_member();

	(void)state;
	coo_node_announce(r->node, r->now);
	rig_run(r, COO_MS(300));
	rig_clear(r);
	coo_node_leave(r->node, r->now);
	coo_node_leave(r->node, r->now);
	rig_run(r, COO_SEC(10));
	assert_int_equal(r->n_sent, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(coo_packet_cmd(&r->sent[i].p), COO_CMD_BR_EXIT);
		assert_true(r->sent[i].tx.broadcast);
	}
	assert_int_equal(r->sent[1].at - r->sent[0].at, COO_MS(100));
	rig_clear(r);
	rig_recv_str(r, rig_addr(2), "1:1:a:b:1:n");
	rig_run(r, COO_SEC(5));
	assert_int_equal(r->n_sent, 0);
	rig_close(r);
}

static void leaving_does_not_swallow_the_receipt_that_is_owed(void **state)
{
	struct rig *r = open_member();
	coo_span text = LIT("1:9:a:b:524576:last one");
	coo_rx rx;

	(void)state;
	memset(&rx, 0, sizeof(rx));
	rx.from = rig_addr(2);
	coo_node_announce(r->node, r->now);
	coo_node_recv(r->node, &rx, text, r->now);
	coo_node_leave(r->node, r->now);
	rig_run(r, COO_SEC(1));
	assert_int_equal(rig_count_sent(r, COO_CMD_RECVMSG), 1);
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_EXIT), 2);
	rig_close(r);
}

static void own_broadcasts_are_not_taken_for_a_peer(void **state)
{
	struct rig *r = open_member();
	struct rig_sent own;

	(void)state;
	coo_node_announce(r->node, r->now);
	rig_run(r, COO_MS(300));
	own = r->sent[1];
	rig_clear(r);
	rig_recv(r, rig_addr(1), coo_span_of(own.bytes, own.n));
	rig_run(r, COO_SEC(4));
	assert_int_equal(r->n_sent + r->n_events, 0);
	assert_int_equal(coo_node_get_stats(r->node)->rx_own, 1);
	rig_recv_str(r, rig_addr(9), "1_coo:77:me:here:16777217:twin");
	assert_int_equal(rig_count_events(r, COO_EV_PEER_UP), 1);
	rig_close(r);
}

static void answers_are_written_as_the_asker_reads_them(void **state)
{
	static const struct {
		const char *name, *packet, *want;
		size_t n;
	} rows[] = {
#define ROW(name, packet, want) { name, packet, want, sizeof(want) - 1 }
		ROW("official client, CAPUTF8", "1:5:a:b:16777217:n",
		    "1_coo:1000:\xe6\x88\x91:here:25165827:\xe6\x88\x91\0\xe7\xbb\x84\0"),
		ROW("old client", "1:5:a:b:1:n",
		    "1_coo:1000:\xce\xd2:here:16777219:\xce\xd2\0\xd7\xe9\0"),
		ROW("iptux", "1_iptux 0.8.3:5:a:b:257:n",
		    "1_coo:1000:\xe6\x88\x91:here:16777219:\xe6\x88\x91\0\xe7\xbb\x84\0"
		    "icon-tux.png\0utf-8\0"),
		ROW("FeiQ, whatever its flags",
		    "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9:5:a:b:16777217:n",
		    "1_coo:1000:\xce\xd2:here:16777219:\xce\xd2\0\xd7\xe9\0"),
		ROW("neiwangtong wants no option at all", "1@shiyeline:5:a:b:1:n",
		    "1_coo:1000:\xce\xd2:here:3:\xce\xd2\0\xd7\xe9\0"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		coo_node_cfg cfg = rig_cfg();
		struct rig *r;

		cfg.legacy.user = cfg.legacy.nick = LIT("\xce\xd2");
		cfg.legacy.group = LIT("\xd7\xe9");
		cfg.utf8.user = cfg.utf8.nick = LIT("\xe6\x88\x91");
		cfg.utf8.group = LIT("\xe7\xbb\x84");
		r = rig_open(&cfg);
		rig_recv_str(r, rig_addr(2), rows[i].packet);
		rig_run(r, COO_SEC(5));
		assert_span(coo_span_of(r->sent[0].bytes, r->sent[0].n),
			    coo_span_of(rows[i].want, rows[i].n), rows[i].name);
		rig_close(r);
	}
}

static void the_answer_to_an_entry_waits_a_random_while(void **state)
{
	coo_time least = COO_NEVER, most = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		coo_node_cfg cfg = rig_cfg();
		struct rig *r;
		coo_time took;

		cfg.seed = seed;
		r = rig_open(&cfg);
		took = r->now;
		rig_recv_str(r, rig_addr(2), "1:5:a:b:1:n");
		rig_run(r, COO_SEC(5));
		took = rig_first(r, COO_CMD_ANSENTRY)->at - took;
		least = took < least ? took : least;
		most = took > most ? took : most;
		rig_close(r);
	}
	assert_true(least >= COO_MS(5) && least < COO_MS(200));
	assert_true(most > COO_MS(600) && most <= COO_MS(5 + 1024));
}

static void a_peer_that_asks_again_and_again_gets_few_answers(void **state)
{
	struct rig *r = open_member();
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "1:%u:a:b:%u:n", 5 + i, i & 1 ? 1u : 64u);
		rig_recv_str(r, rig_addr(2), text);
		rig_run(r, COO_MS(10));
	}
	assert_in_range(rig_count_sent(r, COO_CMD_ANSENTRY), 5, 24);
	assert_in_range(rig_count_sent(r, COO_CMD_SENDINFO), 20, 24);
	assert_true(coo_node_get_stats(r->node)->limited > 400);
	rig_close(r);
}

static void a_stranger_is_asked_who_it_is_until_it_answers(void **state)
{
	struct rig *r = open_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:9:a:b:288:t");
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ENTRY), 1);
	assert_false(rig_first(r, COO_CMD_BR_ENTRY)->tx.broadcast);
	rig_recv_str(r, rig_addr(2), "1:10:a:b:3:n");
	rig_clear(r);
	rig_recv_str(r, rig_addr(2), "1:11:a:b:288:u");
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ENTRY), 0);
	assert_true(r->events[0].has_peer);
	rig_close(r);
}

static void one_who_left_and_talks_is_asked_again(void **state)
{
	struct rig *r = open_member();

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:9:a:b:3:n");
	rig_recv_str(r, rig_addr(2), "1:10:a:b:2:n");
	rig_recv_str(r, rig_addr(2), "1:11:a:b:288:t");
	assert_int_equal(rig_count_sent(r, COO_CMD_BR_ENTRY), 1);
	rig_close(r);
}

static void coming_changing_and_leaving_are_told_once(void **state)
{
	static const struct {
		const char *name, *packet;
		uint8_t from;
		enum coo_event_type type;
		size_t n;
	} steps[] = {
		{ "comes", "1:1:a:b:1:nick", 2, COO_EV_PEER_UP, 1 },
		{ "says it again", "1:2:a:b:1:nick", 2, COO_EV_PEER_UP, 0 },
		{ "in capitals", "1:2:A:B:3:nick", 2, COO_EV_PEER_UP, 0 },
		{ "a new nick", "1:3:a:b:4:nock", 2, COO_EV_PEER_CHANGE, 1 },
		{ "is absent", "1:4:a:b:260:nock", 2, COO_EV_PEER_CHANGE, 1 },
		{ "another address", "1:5:a:b:260:nock", 3, COO_EV_PEER_CHANGE, 1 },
		{ "the first address again", "1:6:a:b:260:nock", 2, COO_EV_PEER_CHANGE, 0 },
		{ "a forged exit", "1:7:a:b:2:nock", 66, COO_EV_PEER_DOWN, 0 },
		{ "leaves", "1:8:a:b:2:nock", 3, COO_EV_PEER_DOWN, 1 },
		{ "the second exit", "1:9:a:b:2:nock", 3, COO_EV_PEER_DOWN, 0 },
		{ "an exit of nobody", "1:9:x:y:2:nock", 3, COO_EV_PEER_DOWN, 0 },
		{ "comes back", "1:10:a:b:1:nock", 2, COO_EV_PEER_UP, 1 },
	};
	struct rig *r = open_member();

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(steps); i++) {
		rig_clear(r);
		rig_recv_str(r, rig_addr(steps[i].from), steps[i].packet);
		if (rig_count_events(r, steps[i].type) != steps[i].n ||
		    (i != 2 && r->n_events != steps[i].n))
			fail_msg("step \"%s\": %zu events", steps[i].name, r->n_events);
	}
	assert_int_equal(coo_node_get_stats(r->node)->rx_exit_foreign, 1);
	assert_int_equal(coo_node_peers(r->node)->n, 1);
	rig_close(r);
}

static void names_come_from_the_block_and_else_from_the_sections(void **state)
{
	static const struct {
		const char *name;
		coo_span packet;
		const char *nick, *group;
		bool utf8;
	} rows[] = {
#define P(s) { (const uint8_t *)(s), sizeof(s) - 1 }
		{ "both in the block",
		  P("1:1:a:b:16777217:\xb3\xc2\0\xd7\xe9\0\nNN:\xe9\x99\x88\nGN:\xe7\xbb\x84"),
		  "\xe9\x99\x88", "\xe7\xbb\x84", true },
		{ "group is ASCII and stands before the block only",
		  P("1:1:a:b:16777217:\xb3\xc2\0Sales\0\nNN:\xe9\x99\x88"), "\xe9\x99\x88", "Sales",
		  true },
		{ "nick is ASCII and stands before the block only",
		  P("1:1:a:b:16777217:Li\0\xd7\xe9\0\nGN:\xe7\xbb\x84"), "Li", "\xe7\xbb\x84",
		  true },
		{ "an empty GN is no group", P("1:1:a:b:16777217:Li\0\0\nNN:Li\nGN:"), "Li", "",
		  true },
		{ "no block", P("1:1:a:b:1:\xb3\xc2\0\xd7\xe9\0"), "\xb3\xc2", "\xd7\xe9", false },
		{ "UTF8OPT", P("1:1:a:b:8388611:\xe9\x99\x88\0\xe7\xbb\x84\0"), "\xe9\x99\x88",
		  "\xe7\xbb\x84", true },
#undef P
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct rig *r = open_member();
		const coo_peers *t = coo_node_peers(r->node);
		const coo_peer *p;
		size_t at = 0;

		rig_recv(r, rig_addr(2), rows[i].packet);
		p = coo_peers_next(t, &at);
		assert_non_null(p);
		assert_span(coo_peer_name(t, p, COO_NAME_NICK), coo_span_str(rows[i].nick),
			    rows[i].name);
		assert_span(coo_peer_name(t, p, COO_NAME_GROUP), coo_span_str(rows[i].group),
			    rows[i].name);
		if (p->names_utf8 != rows[i].utf8)
			fail_msg("row \"%s\": names_utf8", rows[i].name);
		rig_close(r);
	}
}

static void who_understands_utf8(void **state)
{
	static const struct {
		const char *name, *packet;
		bool want;
	} rows[] = {
		{ "CAPUTF8 and an ASCII nick", "1:1:a:b:16777217:n", true },
		{ "CAPUTF8 and a UTF-8 nick", "1:1:a:b:16777217:\xe9\x99\x88", true },
		{ "the same bit on a GBK nick (IpMsg.Net)", "1:1:a:b:16777217:\xb3\xc2", false },
		{ "no CAPUTF8", "1:1:a:b:1:n", false },
		{ "FeiQ", "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9:1:a:b:16777217:n", false },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		struct rig *r = open_member();
		size_t at = 0;

		rig_recv_str(r, rig_addr(2), rows[i].packet);
		if (coo_peers_next(coo_node_peers(r->node), &at)->has_utf8 != rows[i].want)
			fail_msg("row \"%s\"", rows[i].name);
		rig_close(r);
	}
}

static void a_full_table_forgets_strangers_not_partners(void **state)
{
	struct rig *r = open_member();
	char text[64];

	(void)state;
	rig_recv_str(r, rig_addr(2), "1:1:friend:pc:1:n");
	send_text(r, rig_addr(2), "hi");
	for (unsigned i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "1:1:u%u:h:3:n", i);
		rig_recv_str(r, coo_addr_v4(10, 1, (uint8_t)(i >> 8), (uint8_t)i, 2425), text);
	}
	assert_int_equal(coo_node_peers(r->node)->n, 64);
	assert_int_equal(coo_node_peers(r->node)->evicted, 500 - 63);
	assert_non_null(
	    coo_peers_find(coo_node_peers(r->node), LIT("friend"), LIT("pc"), coo_span_none()));
	rig_close(r);
}

static void every_answer_is_small(void **state)
{
	static const uint32_t asks[] = { 1, 3, 64, 80, 288, 1049376, 1048624, 2, 4 };
	struct rig *r = open_reader();
	char text[900];

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(asks); i++) {
		int n = snprintf(text, sizeof(text), "1:%zu:a:b:%u:", 20 + i, asks[i]);

		memset(text + n, 'x', sizeof(text) - (size_t)n);
		rig_recv(r, rig_addr(2), coo_span_of(text, sizeof(text)));
		rig_run(r, COO_SEC(3));
	}
	for (size_t i = 0; i < r->n_sent; i++)
		assert_true(r->sent[i].n <= 100);
	rig_close(r);
}

static void a_node_that_cannot_be_is_refused(void **state)
{
	static uint64_t mem[4096];
	coo_node_cfg good = rig_cfg(), cfg;
	coo_node *n;

	(void)state;
	good.max_peers = good.max_messages = good.max_texts = good.max_seen = 1;
	good.text_cap = 100;
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		cfg = good;                                                                        \
		change;                                                                            \
		assert_int_equal(coo_node_init(&n, &cfg, mem, SIZE_MAX), COO_EINVAL);              \
	} while (0)
	REFUSED(cfg.first_packet_no = 0);
	REFUSED(cfg.first_packet_no = 0x80000000u);
	REFUSED(cfg.legacy.user = coo_span_none());
	REFUSED(cfg.utf8.host = coo_span_none());
	REFUSED(cfg.legacy.user = LIT("a:b"));
	REFUSED(cfg.legacy.host = LIT("a\0b"));
	REFUSED(cfg.utf8.nick = LIT("a\0b"));
	REFUSED(cfg.version = LIT("1:2"));
	REFUSED(cfg.names_cap = 100);
#undef REFUSED
	assert_int_equal(coo_node_init(&n, &good, mem, 10), COO_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_matrix),
		cmocka_unit_test(nothing_is_answered_to_port_zero),
		cmocka_unit_test(a_receipt_is_exactly_33_and_the_number_and_nul),
		cmocka_unit_test(answers_leave_from_the_address_that_was_asked),
		cmocka_unit_test(a_duplicate_is_acknowledged_again_but_shown_once),
		cmocka_unit_test(what_differs_is_no_duplicate),
		cmocka_unit_test(a_retry_after_the_sender_became_known_is_a_duplicate),
		cmocka_unit_test(a_restarted_peer_with_small_numbers_is_heard),
		cmocka_unit_test(an_entry_doubled_or_overtaken_is_no_restart),
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
		cmocka_unit_test(opening_a_sealed_message_is_told),
		cmocka_unit_test(readmsg_with_readcheck_is_repeated_until_it_is_answered),
		cmocka_unit_test(sealed_messages_to_everybody_are_not_told_as_read),
		cmocka_unit_test(a_flood_of_sealed_messages_leaves_room_for_own_ones),
		cmocka_unit_test(reading_of_a_message_no_longer_waited_for_is_told),
		cmocka_unit_test(going_on_line_takes_four_broadcasts),
		cmocka_unit_test(leaving_is_said_twice_100_ms_apart),
		cmocka_unit_test(leaving_does_not_swallow_the_receipt_that_is_owed),
		cmocka_unit_test(own_broadcasts_are_not_taken_for_a_peer),
		cmocka_unit_test(answers_are_written_as_the_asker_reads_them),
		cmocka_unit_test(the_answer_to_an_entry_waits_a_random_while),
		cmocka_unit_test(a_peer_that_asks_again_and_again_gets_few_answers),
		cmocka_unit_test(a_stranger_is_asked_who_it_is_until_it_answers),
		cmocka_unit_test(one_who_left_and_talks_is_asked_again),
		cmocka_unit_test(coming_changing_and_leaving_are_told_once),
		cmocka_unit_test(names_come_from_the_block_and_else_from_the_sections),
		cmocka_unit_test(who_understands_utf8),
		cmocka_unit_test(a_full_table_forgets_strangers_not_partners),
		cmocka_unit_test(every_answer_is_small),
		cmocka_unit_test(a_node_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
