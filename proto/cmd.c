/* SPDX-License-Identifier: MIT */
#include "proto/cmd.h"

const char *coo_cmd_name(uint32_t command)
{
	switch (command & COO_CMD_MASK) {
#define NAME(name, value)                                                                          \
	case (value):                                                                              \
		return #name;
		COO_CMD_LIST(NAME)
#undef NAME
	}
	return NULL;
}

enum coo_cmd_class coo_cmd_class(uint32_t command)
{
	uint32_t cmd = command & COO_CMD_MASK;

	if (cmd < 0x20)
		return COO_CLASS_ENTRY;
	return cmd == COO_CMD_GETFILEDATA || cmd == COO_CMD_GETDIRFILES ? COO_CLASS_FILE
									: COO_CLASS_MESSAGE;
}

const char *coo_flag_name(enum coo_cmd_class cls, uint32_t bit)
{
#define MATCH(flag_class, name, value, text)                                                       \
	if (cls == COO_CLASS_##flag_class && bit == (value))                                       \
		return text;
	COO_FLAG_LIST(MATCH)
#undef MATCH
	return NULL;
}
