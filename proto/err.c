/* SPDX-License-Identifier: MIT */
#include "proto/err.h"

const char *coo_err_text(coo_err e)
{
	switch (e) {
#define TEXT(name, value, text)                                                                    \
	case COO_##name:                                                                           \
		return text;
		COO_ERR_LIST(TEXT)
#undef TEXT
	}
	return "unknown error";
}

const char *coo_err_name(coo_err e)
{
	switch (e) {
#define NAME(name, value, text)                                                                    \
	case COO_##name:                                                                           \
		return #name;
		COO_ERR_LIST(NAME)
#undef NAME
	}
	return "UNKNOWN";
}
