/* SPDX-License-Identifier: MIT */
#include "proto/entry.h"

#include "proto/dialect.h"

static void decode_block(coo_span block, coo_entry *e)
{
	coo_span line, key;

	e->has_block = true;
	while (coo_span_next(&block, '\n', &line)) {
		line = coo_span_trim_end(line, 0);
		if (!coo_span_cut(&line, ':', &key))
			continue;
		if (coo_span_eq_str(key, "UN"))
			e->un = line;
		else if (coo_span_eq_str(key, "HN"))
			e->hn = line;
		else if (coo_span_eq_str(key, "NN"))
			e->nn = line;
		else if (coo_span_eq_str(key, "GN"))
			e->gn = line;
		else if (coo_span_eq_str(key, "VS"))
			e->vs = line;
	}
}

static bool is_block(coo_span section)
{
	return section.n > 0 && section.p[0] == '\n';
}

static void decode_dialect(const coo_packet *p, coo_span rest, coo_entry *e)
{
	coo_span third = coo_span_none(), fourth = coo_span_none();

	coo_ignore(coo_span_next(&rest, 0, &third));
	coo_ignore(coo_span_next(&rest, 0, &fourth));
	switch (coo_client_of(p->version)) {
	case COO_CLIENT_SHIYELINE:
		e->user_id = third;
		break;
	case COO_CLIENT_FEIGE:
		e->mac = third;
		break;
	case COO_CLIENT_UNKNOWN:
	case COO_CLIENT_IPMSG:
	case COO_CLIENT_FEIQ:
	case COO_CLIENT_IPTUX:
	case COO_CLIENT_COO:
		e->icon = third;
		e->encoding = fourth;
		break;
	}
}

void coo_entry_decode(const coo_packet *p, coo_entry *out)
{
	bool may_have_block =
	    coo_packet_has(p, COO_OPT_ENTRY_CAPUTF8) || coo_packet_has(p, COO_OPT_ENTRY_UTF8);
	coo_span rest = p->ext;

	memset(out, 0, sizeof(*out));
	coo_ignore(coo_span_next(&rest, 0, &out->nick));
	if (!is_block(rest))
		coo_ignore(coo_span_next(&rest, 0, &out->group));
	if (is_block(rest)) {
		if (may_have_block)
			decode_block(rest, out);
	} else if (rest.n > 0) {
		decode_dialect(p, rest, out);
	}
}

static void put_line(coo_buf *out, const char *key, coo_span value)
{
	coo_buf_put_byte(out, '\n');
	coo_buf_put_str(out, key);
	coo_buf_put(out, value);
}

void coo_entry_encode(coo_buf *out, const coo_entry *e)
{
	coo_buf_put(out, e->nick);
	coo_buf_put_byte(out, 0);
	coo_buf_put(out, e->group);
	coo_buf_put_byte(out, 0);
	if (e->has_block) {
		if (e->un.n)
			put_line(out, "UN:", e->un);
		if (e->hn.n)
			put_line(out, "HN:", e->hn);
		if (e->nn.n)
			put_line(out, "NN:", e->nn);
		if (e->gn.n)
			put_line(out, "GN:", e->gn);
		if (e->vs.n)
			put_line(out, "VS:", e->vs);
	} else if (e->encoding.n) {
		coo_buf_put(out, e->icon);
		coo_buf_put_byte(out, 0);
		coo_buf_put(out, e->encoding);
		coo_buf_put_byte(out, 0);
	}
}
