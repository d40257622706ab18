/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "cli/decode.h"
#include "proto/num.h"
#include "proto/packet.h"

static const char *const fields[] = { "version", "packet number", "user", "host", "command" };

/* One of the two numbers: not digits, or too large. */
static bool explain_number(coo_span field, const char *name, size_t at, uint64_t max,
			   struct decode_fault *out)
{
	size_t i = 0;
	uint64_t n;

	if (coo_num_dec(field, max, &n))
		return false;
	while (i < field.n && coo_is_digit(field.p[i]))
		i++;
	if (i == field.n && i > 0) {
		out->at = at;
		snprintf(out->why, sizeof(out->why), "the %s is larger than %" PRIu64, name, max);
		return true;
	}
	out->at = at + i;
	if (field.n == 0)
		snprintf(out->why, sizeof(out->why), "the %s is empty", name);
	else
		snprintf(out->why, sizeof(out->why),
			 "the %s is not a decimal number: 0x%02x is no digit", name, field.p[i]);
	return true;
}

static bool has_utf16_mark(coo_span bytes)
{
	return bytes.n > 1 && (bytes.p[0] ^ bytes.p[1]) == 1 && bytes.p[0] >= 0xfe;
}

/* IpMsg.Net's own form: version, then binary numbers (PROTOCOL.md 13). */
static bool is_binary(coo_span bytes)
{
	return bytes.n >= 32 && (bytes.p[0] == 2 || bytes.p[0] == '2') &&
	       coo_span_find(coo_span_head(bytes, 21), 0) < 21;
}

/* "0030:name:…": length and name of a record of a directory stream (PROTOCOL.md 8.4). */
static bool is_dir_stream(coo_span bytes)
{
	uint64_t n;

	return bytes.n > 5 && bytes.p[4] == ':' &&
	       coo_num_hex(coo_span_head(bytes, 4), UINT16_MAX, &n) && n > 5;
}

static void explain_version(coo_span bytes, struct decode_fault *out)
{
	const char *why = "the version field does not begin with the number 1";

	if (has_utf16_mark(bytes))
		why = "it begins with the byte order mark of UTF-16";
	else if (coo_span_has_prefix(bytes, coo_span_str("IP2:")))
		why = "it begins as an IPDict, but its lengths do not add up to the whole datagram";
	else if (is_dir_stream(bytes))
		why = "it begins as the records of a folder being downloaded do";
	else if (is_binary(bytes))
		why = "the version is 2: a binary packet of IpMsg.Net";
	snprintf(out->why, sizeof(out->why), "%s", why);
}

void decode_explain(coo_span bytes, struct decode_fault *out)
{
	coo_span rest = bytes, field = coo_span_none();
	coo_packet p;
	size_t at = 0;

	out->at = 0;
	out->error = coo_packet_decode(bytes, &p);
	snprintf(out->why, sizeof(out->why), "%s", coo_err_text(out->error));
	if (out->error == COO_EVERSION || has_utf16_mark(bytes) || is_binary(bytes)) {
		explain_version(bytes, out);
		return;
	}
	for (size_t i = 0; i < COO_ARRAY_LEN(fields); i++, at += field.n + 1) {
		if (i == 4 && !coo_span_cut(&rest, ':', &field))
			field = coo_span_trim_end(rest, 0);
		else if (i < 4 && !coo_span_cut(&rest, ':', &field)) {
			out->at = bytes.n;
			snprintf(out->why, sizeof(out->why),
				 "it ends in the field %s: a packet has at least four colons",
				 fields[i]);
			return;
		}
		if ((i == 1 && explain_number(field, fields[i], at, UINT64_MAX, out)) ||
		    (i == 4 && explain_number(field, fields[i], at, UINT32_MAX, out)))
			return;
	}
}
