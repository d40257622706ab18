/* SPDX-License-Identifier: MIT */
#include "proto/cmd.h"
#include "support/test.h"

static void command_rows(void **state)
{
	static const struct {
		uint32_t command;
		const char *name;
		enum coo_cmd_class cls;
	} rows[] = {
		{ 0x0f640000, "NOOPERATION", COO_CLASS_ENTRY },
		{ 0x0f640001, "BR_ENTRY", COO_CLASS_ENTRY },
		{ 0x600003, "ANSENTRY", COO_CLASS_ENTRY },
		{ 0x18, "BR_ISGETLIST2", COO_CLASS_ENTRY },
		{ 98566432, "SENDMSG", COO_CLASS_MESSAGE },
		{ 0x121, "RECVMSG", COO_CLASS_MESSAGE },
		{ 0x200060, "GETFILEDATA", COO_CLASS_FILE },
		{ 0x200062, "GETDIRFILES", COO_CLASS_FILE },
		{ 0x61, "RELEASEFILES", COO_CLASS_MESSAGE },
		{ 0xffffffaa, NULL, COO_CLASS_MESSAGE },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		const char *name = coo_cmd_name(rows[i].command);

		if (coo_cmd_class(rows[i].command) != rows[i].cls || !name != !rows[i].name ||
		    (name && strcmp(name, rows[i].name) != 0))
			fail_msg("command 0x%x: %s", rows[i].command, name ? name : "none");
	}
}

/* "sendcheck fileattach" for the bits of a command, lowest first. */
static void flags_of(uint32_t command, char text[256])
{
	size_t n = 0;

	text[0] = 0;
	for (uint32_t bit = 0x100; bit; bit <<= 1) {
		const char *name = coo_flag_name(coo_cmd_class(command), bit);

		if (command & bit)
			n += (size_t)snprintf(text + n, 256 - n, "%s%s", n ? " " : "",
					      name ? name : "?");
	}
}

static void the_same_bit_means_another_thing_in_another_class(void **state)
{
	static const struct {
		uint32_t command;
		const char *want;
	} rows[] = {
		/* 98566432, taken apart */
		{ 98566432, "sendcheck fileattach encrypt utf8 caputf8 encextmsg" },
		{ 0x0f640001,
		  "capfileenc fileattach encrypt caputf8 capipdict encextmsg clipboard" },
		{ 0x101, "absence" },
		{ 0x401, "broadcast" },
		{ 0x100320, "sendcheck secret readcheck" },
		{ 9504, "sendcheck broadcast autoret" },
		{ 0xc00862, "encfile encrypt utf8" },
		{ 0x80000020, "?" },
	};

	(void)state;
	for (size_t i = 0; i < COO_ARRAY_LEN(rows); i++) {
		char text[256];

		flags_of(rows[i].command, text);
		assert_string_equal(text, rows[i].want);
	}
}

static void no_command_and_no_flag_is_there_twice(void **state)
{
	unsigned named = 0;
	bool seen[256] = { false };

	(void)state;
#define ONCE(name, value)                                                                          \
	assert_false(seen[value]);                                                                 \
	seen[value] = true;                                                                        \
	named++;
	COO_CMD_LIST(ONCE)
#undef ONCE
	for (uint32_t i = 0; i < 256; i++)
		named -= coo_cmd_name(i) != NULL;
	assert_int_equal(named, 0);
	assert_null(coo_flag_name(COO_CLASS_ENTRY, 1));
	assert_null(coo_flag_name(COO_CLASS_MESSAGE, 0x300));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_rows),
		cmocka_unit_test(the_same_bit_means_another_thing_in_another_class),
		cmocka_unit_test(no_command_and_no_flag_is_there_twice),
	};

	return cmocka_run_group_tests_name("cmd", tests, NULL, NULL);
}
