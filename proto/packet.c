/* SPDX-License-Identifier: MIT */
#include "proto/packet.h"

#include "proto/num.h"

/* A set bit in the byte that was a colon, and none below the first of them. */
static uint64_t colons(const uint8_t *p)
{
	const uint64_t low = UINT64_C(0x0101010101010101);
	uint64_t w;

	memcpy(&w, p, 8);
	w ^= low * ':';
	return (w - low) & ~w & (low << 7);
}

/* Which of eight bytes the first set bit of mask stands in, as far as that is known at once. */
static size_t first_byte(uint64_t mask)
{
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (size_t)__builtin_ctzll(mask) / 8;
#else
	(void)mask;
	return 0;
#endif
}

/* Fields are short, FeiQ's version is not: eight bytes a step find the colon sooner than memchr
 * does (make bench, decode). */
static bool cut_field(coo_span *rest, coo_span *field)
{
	uint64_t mask = 0;
	size_t i = 0;

	for (; rest->n - i >= 8; i += 8) {
		mask = colons(rest->p + i);
		if (mask)
			break;
	}
	if (mask)
		i += first_byte(mask);
	while (i < rest->n && rest->p[i] != ':')
		i++;
	if (i == rest->n)
		return false;
	*field = coo_span_of(rest->p, i);
	*rest = coo_span_of(rest->p + i + 1, rest->n - i - 1);
	return true;
}

/* Leading digits with the value 1, or FeiGe's "5." (PROTOCOL.md 2.1). */
static bool version_is_ours(coo_span v)
{
	uint64_t n;
	size_t used;

	if (v.n > 0 && v.p[0] == '1' && (v.n == 1 || !coo_is_digit(v.p[1])))
		return true; /* nearly every packet */
	if (!coo_num_dec_prefix(v, UINT32_MAX, &n, &used))
		return false;
	return n == 1 || (n == 5 && used < v.n && v.p[used] == '.');
}

static coo_err decode_number(coo_span digits, uint64_t max, uint64_t *out)
{
	uint64_t v;
	size_t i = 0;

	if (coo_num_dec_short(digits, &v) && v <= max) {
		*out = v;
		return COO_OK;
	}
	if (coo_num_dec(digits, max, out))
		return COO_OK;
	while (i < digits.n && coo_is_digit(digits.p[i]))
		i++;
	return i == digits.n && i > 0 ? COO_ERANGE : COO_EFORMAT;
}

coo_err coo_packet_decode(coo_span dgram, coo_packet *out)
{
	coo_packet p;
	coo_span command;
	uint64_t value = 0;
	coo_err e;

	if (!cut_field(&dgram, &p.version))
		return COO_EFORMAT;
	if (!version_is_ours(p.version))
		return COO_EVERSION;
	if (!cut_field(&dgram, &p.number) || !cut_field(&dgram, &p.user) ||
	    !cut_field(&dgram, &p.host))
		return COO_EFORMAT;
	if (!cut_field(&dgram, &command)) {
		/* four colons: no ext; NULs may stand behind the command all the same */
		command = coo_span_trim_end(dgram, 0);
		dgram = coo_span_none();
	}
	e = decode_number(p.number, UINT64_MAX, &p.packet_no);
	if (e == COO_OK)
		e = decode_number(command, UINT32_MAX, &value);
	if (e != COO_OK)
		return e;
	p.command = (uint32_t)value;
	p.ext = dgram;
	*out = p;
	return COO_OK;
}

static bool is_clean(coo_span field)
{
	return field.n > 0 && coo_span_find(field, ':') == field.n &&
	       coo_span_find(field, 0) == field.n;
}

coo_err coo_packet_encode(coo_buf *out, const coo_packet *p)
{
	if (!is_clean(p->version) || !is_clean(p->user) || !is_clean(p->host))
		return COO_EINVAL;
	coo_buf_put(out, p->version);
	coo_buf_put_byte(out, ':');
	coo_buf_put_u64(out, p->packet_no);
	coo_buf_put_byte(out, ':');
	coo_buf_put(out, p->user);
	coo_buf_put_byte(out, ':');
	coo_buf_put(out, p->host);
	coo_buf_put_byte(out, ':');
	coo_buf_put_u64(out, p->command);
	coo_buf_put_byte(out, ':');
	coo_buf_put(out, p->ext);
	return coo_buf_ok(out) ? COO_OK : COO_ENOBUF;
}

coo_span coo_packet_section(const coo_packet *p, unsigned i)
{
	coo_span rest = p->ext, section = coo_span_none();

	for (unsigned k = 0; k <= i; k++) {
		if (!coo_span_next(&rest, 0, &section))
			return coo_span_none();
	}
	return section;
}

coo_span coo_packet_text(const coo_packet *p)
{
	return coo_packet_section(p, 0);
}

bool coo_packet_ref(const coo_packet *p, uint64_t *number)
{
	size_t used;

	return coo_num_dec_prefix(p->ext, UINT64_MAX, number, &used);
}
