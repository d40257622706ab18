/* SPDX-License-Identifier: MIT */
/* From the text of a value to the field of an options struct. */
#include "cli/opt.h"

#include <stdlib.h>
#include <string.h>

#include "cli/xalloc.h"
#include "proto/num.h"

bool opt_parse_uint(const char *text, uint64_t *out)
{
	return coo_num_dec(coo_span_str(text), UINT64_MAX, out);
}

/* "12.345" → whole 12, thousandths… as a double; the caller multiplies by its unit. */
static bool parse_decimal(const char **text, double *out)
{
	char *end;
	double v;

	if (**text < '0' || **text > '9')
		return false;
	v = strtod(*text, &end);
	if (end == *text || !(v >= 0) || v > 1e15)
		return false;
	/* strtod would also take 0x10 and 1e5, which nobody means here */
	for (const char *c = *text; c < end; c++) {
		if ((*c < '0' || *c > '9') && *c != '.')
			return false;
	}
	*text = end;
	*out = v;
	return true;
}

bool opt_parse_real(const char *text, double *out)
{
	double v;

	if (!parse_decimal(&text, &v))
		return false;
	if (strcmp(text, "%") == 0)
		v /= 100;
	else if (*text)
		return false;
	*out = v;
	return true;
}

struct unit {
	const char *name;
	double factor;
};

static bool take_unit(const char **text, const struct unit *units, size_t n, double *factor)
{
	size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (size_t i = 0; i < n; i++) {
		if (strlen(units[i].name) == len && strncmp(units[i].name, *text, len) == 0) {
			*text += len;
			*factor = units[i].factor;
			return true;
		}
	}
	return false;
}

bool opt_parse_duration(const char *text, coo_time *out)
{
	static const struct unit units[] = { { "ns", 1 },     { "us", 1e3 }, { "ms", 1e6 },
					     { "s", 1e9 },    { "m", 60e9 }, { "h", 3600e9 },
					     { "d", 86400e9 } };
	double sum = 0, v, factor;

	if (strcmp(text, "0") == 0) {
		*out = 0;
		return true;
	}
	do {
		if (!parse_decimal(&text, &v) ||
		    !take_unit(&text, units, COO_ARRAY_LEN(units), &factor))
			return false;
		sum += v * factor;
	} while (*text);
	if (sum > 9e18)
		return false;
	*out = (coo_time)(sum + 0.5);
	return true;
}

bool opt_parse_size(const char *text, uint64_t *out)
{
	static const struct unit units[] = { { "", 1 },
					     { "b", 1 },
					     { "B", 1 },
					     { "k", 1024 },
					     { "K", 1024 },
					     { "m", 1048576.0 },
					     { "M", 1048576.0 },
					     { "g", 1073741824.0 },
					     { "G", 1073741824.0 },
					     { "t", 1099511627776.0 },
					     { "T", 1099511627776.0 } };
	double v, factor;

	if (!parse_decimal(&text, &v) || !take_unit(&text, units, COO_ARRAY_LEN(units), &factor) ||
	    *text)
		return false;
	if (v * factor > 9e18)
		return false;
	*out = (uint64_t)(v * factor);
	return true;
}

static bool in_bounds(const struct opt *o, uint64_t v, const char *unit, double per, char *why,
		      size_t cap)
{
	if (v < o->min || (o->max && v > o->max)) {
		if (o->max)
			snprintf(why, cap, "it has to be between %.12g%s and %.12g%s",
				 (double)o->min / per, unit, (double)o->max / per, unit);
		else
			snprintf(why, cap, "it has to be at least %.12g%s", (double)o->min / per,
				 unit);
		return false;
	}
	return true;
}

static bool set_choice(const struct opt *o, int *out, const char *text, char *why, size_t cap)
{
	size_t used;

	for (int i = 0; o->choices[i]; i++) {
		if (strcmp(o->choices[i], text) == 0) {
			*out = i;
			return true;
		}
	}
	used = (size_t)snprintf(why, cap, "it has to be one of");
	for (int i = 0; o->choices[i] && used < cap; i++)
		used += (size_t)snprintf(why + used, cap - used, " %s", o->choices[i]);
	return false;
}

static bool set_flag(bool *out, const char *text, char *why, size_t cap)
{
	if (!text || strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 ||
	    strcmp(text, "1") == 0) {
		*out = true;
		return true;
	}
	if (strcmp(text, "no") == 0 || strcmp(text, "false") == 0 || strcmp(text, "0") == 0) {
		*out = false;
		return true;
	}
	snprintf(why, cap, "it has to be yes or no");
	return false;
}

static void append(struct str_list *list, const char *text)
{
	list->v = xrealloc(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = text;
}

static bool set_uint(const struct opt *o, uint64_t *out, const char *text, char *why, size_t cap)
{
	uint64_t v;

	if (!opt_parse_uint(text, &v)) {
		snprintf(why, cap, "it is not a whole number");
		return false;
	}
	if (!in_bounds(o, v, "", 1, why, cap))
		return false;
	*out = v;
	return true;
}

static bool set_duration(const struct opt *o, coo_time *out, const char *text, char *why,
			 size_t cap)
{
	coo_time v;

	if (!opt_parse_duration(text, &v)) {
		snprintf(why, cap, "a duration has a unit: 500ms, 2s, 1m30s");
		return false;
	}
	if (!in_bounds(o, v, "s", 1e9, why, cap))
		return false;
	*out = v;
	return true;
}

static bool set_size(const struct opt *o, uint64_t *out, const char *text, char *why, size_t cap)
{
	uint64_t v;

	if (!opt_parse_size(text, &v)) {
		snprintf(why, cap, "a size is a number of bytes, or has a unit: 64k, 1M, 2G");
		return false;
	}
	if (!in_bounds(o, v, " bytes", 1, why, cap))
		return false;
	*out = v;
	return true;
}

bool opt_set(const struct opt *o, void *opts, const char *text, char *why, size_t cap)
{
	void *at = (char *)opts + o->at;

	switch (o->kind) {
	case OPT_FLAG:
		return set_flag(at, text, why, cap);
	case OPT_COUNT:
		if (!text)
			*(unsigned *)at += 1;
		else if (text[0] >= '0' && text[0] <= '9' && text[1] == '\0')
			*(unsigned *)at = (unsigned)(text[0] - '0');
		return true;
	case OPT_STR:
		*(const char **)at = text;
		return true;
	case OPT_LIST:
		append(at, text);
		return true;
	case OPT_UINT:
		return set_uint(o, at, text, why, cap);
	case OPT_DURATION:
		return set_duration(o, at, text, why, cap);
	case OPT_SIZE:
		return set_size(o, at, text, why, cap);
	case OPT_REAL:
		if (opt_parse_real(text, at))
			return true;
		snprintf(why, cap, "it is a number such as 0.01 or 1%%");
		return false;
	case OPT_CHOICE:
		return set_choice(o, at, text, why, cap);
	}
	return false;
}
