/* SPDX-License-Identifier: MIT */
#include "feature/dissect.h"

#include <stdlib.h>
#include <string.h>

/* Datagrams waiting for fragments at a time; the one begun longest ago gives way. */
#define SLOTS 16
#define DATAGRAM_MAX 65535
#define UNITS ((DATAGRAM_MAX + 7) / 8)
#define HEADERS_MAX 8 /* VLAN tags or IPv6 extension headers of one frame */

enum { PROTO_TCP = 6, PROTO_UDP = 17 };
enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW_12 = 12, LINK_RAW_14 = 14, LINK_RAW = 101 };
enum { LINK_LOOP = 108, LINK_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276 };
enum { ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd, ETHER_VLAN = 0x8100, ETHER_QINQ = 0x88a8 };

/* An IP packet, its headers read. */
struct ip {
	coo_addr from, to;
	coo_span body;
	uint64_t wire_n; /* length of body on the wire */
	uint32_t id;	 /* of the fragments of one datagram */
	uint32_t offset; /* bytes */
	uint8_t proto;
	bool more;
};

struct slot {
	coo_addr from, to;
	uint64_t since; /* number of the frame that began it; 0: free */
	uint32_t id, have, total;
	uint8_t proto;
	uint8_t units[(UNITS + 7) / 8]; /* which 8-byte units are there */
	uint8_t bytes[DATAGRAM_MAX];
};

struct coo_dissect {
	coo_dissect_stats stats;
	struct slot slots[SLOTS];
};

coo_err coo_dissect_new(coo_dissect **out)
{
	coo_dissect *f = calloc(1, sizeof(*f));

	if (!f)
		return COO_ENOMEM;
	*out = f;
	return COO_OK;
}

void coo_dissect_free(coo_dissect *f)
{
	free(f);
}

coo_dissect_stats coo_dissect_counts(const coo_dissect *f)
{
	coo_dissect_stats s = f->stats;

	for (size_t i = 0; i < SLOTS; i++)
		s.lost += f->slots[i].since != 0;
	return s;
}

/* 0 where s does not reach that far, which callers have looked at before. */
static uint32_t be16(coo_span s, size_t at)
{
	s = coo_span_skip(s, at);
	return s.n < 2 ? 0 : (uint32_t)s.p[0] << 8 | s.p[1];
}

static uint32_t be32(coo_span s, size_t at)
{
	return be16(s, at) << 16 | be16(s, at + 2);
}

/* --- link layer ------------------------------------------------------------------------------ */

bool coo_dissect_knows(uint32_t link)
{
	static const uint16_t links[] = { LINK_NULL, LINK_ETHERNET, LINK_RAW_12, LINK_RAW_14,
					  LINK_RAW,  LINK_LOOP,	    LINK_SLL,	 LINK_IPV4,
					  LINK_IPV6, LINK_SLL2 };

	for (size_t i = 0; i < COO_ARRAY_LEN(links); i++) {
		if (link == links[i])
			return true;
	}
	return false;
}

/* Skips n bytes behind which an IP packet stands, if the type at offset type_at says so. */
static bool skip_typed(coo_span *s, size_t type_at, size_t n)
{
	for (unsigned i = 0; i < HEADERS_MAX; i++) {
		uint32_t type;

		if (s->n < n)
			return false;
		type = be16(*s, type_at);
		*s = coo_span_skip(*s, n);
		if (type == ETHER_IPV4 || type == ETHER_IPV6)
			return true;
		if (type != ETHER_VLAN && type != ETHER_QINQ)
			return false;
		type_at = 2;
		n = 4;
	}
	return false;
}

/* Leaves the IP packet in *s. */
static bool skip_link(uint32_t link, coo_span *s)
{
	switch (link) {
	case LINK_ETHERNET:
		return skip_typed(s, 12, 14);
	case LINK_SLL:
		return skip_typed(s, 14, 16);
	case LINK_SLL2:
		return skip_typed(s, 0, 20);
	case LINK_NULL: /* the family before the packet differs by system, the packet does not */
	case LINK_LOOP:
		*s = coo_span_skip(*s, 4);
		return true;
	default:
		return true;
	}
}

/* --- IP -------------------------------------------------------------------------------------- */

static coo_addr address(coo_span s, size_t at, uint8_t family)
{
	coo_addr a;

	memset(&a, 0, sizeof(a));
	memcpy(a.ip, s.p + at, family == 4 ? 4 : 16);
	a.family = family;
	return a;
}

static bool read_ipv4(coo_span s, struct ip *out)
{
	size_t head, total;

	if (s.n < 20)
		return false;
	head = (size_t)(s.p[0] & 15) * 4;
	total = be16(s, 2);
	if (total == 0) /* segmentation by the card: the capture tells */
		total = s.n;
	if (head < 20 || head > s.n || head > total)
		return false;
	out->from = address(s, 12, 4);
	out->to = address(s, 16, 4);
	out->proto = s.p[9];
	out->id = be16(s, 4);
	out->offset = (be16(s, 6) & 0x1fff) * 8;
	out->more = (be16(s, 6) & 0x2000) != 0;
	out->wire_n = total - head;
	out->body = coo_span_skip(coo_span_head(s, total), head);
	return true;
}

/* Length of the extension header at the start of s, or 0 where it is none or is not all there. */
static size_t extension(uint8_t type, coo_span s)
{
	size_t n;

	if (s.n < 8)
		return 0;
	switch (type) {
	case 0:	 /* hop by hop */
	case 43: /* routing */
	case 60: /* destination */
		n = ((size_t)s.p[1] + 1) * 8;
		break;
	case 44: /* fragment */
		n = 8;
		break;
	case 51: /* authentication */
		n = ((size_t)s.p[1] + 2) * 4;
		break;
	default:
		return 0;
	}
	return n <= s.n ? n : 0;
}

static bool read_ipv6(coo_span s, struct ip *out)
{
	uint64_t wire;
	coo_span body;
	size_t n;

	if (s.n < 40)
		return false;
	out->from = address(s, 8, 6);
	out->to = address(s, 24, 6);
	out->proto = s.p[6];
	wire = be16(s, 4) ? be16(s, 4) : s.n - 40;
	body = coo_span_head(coo_span_skip(s, 40), (size_t)wire);
	for (unsigned i = 0; i < HEADERS_MAX && (n = extension(out->proto, body)) > 0; i++) {
		if (out->proto == 44) {
			out->offset = be16(body, 2) & 0xfff8;
			out->more = (be16(body, 2) & 1) != 0;
			out->id = be32(body, 4);
		}
		out->proto = (uint8_t)(be16(body, 0) >> 8);
		body = coo_span_skip(body, n);
		wire -= n;
		if (out->offset > 0)
			break; /* what follows continues a payload */
	}
	out->body = body;
	out->wire_n = wire;
	return true;
}

static bool read_ip(coo_span s, struct ip *out)
{
	memset(out, 0, sizeof(*out));
	if (s.n == 0)
		return false;
	switch (s.p[0] >> 4) {
	case 4:
		return read_ipv4(s, out);
	case 6:
		return read_ipv6(s, out);
	default:
		return false;
	}
}

/* --- fragments ------------------------------------------------------------------------------- */

static bool is_same(const struct slot *s, const struct ip *ip)
{
	return s->since && s->id == ip->id && s->proto == ip->proto &&
	       coo_addr_eq(&s->from, &ip->from) && coo_addr_eq(&s->to, &ip->to);
}

static struct slot *find_slot(coo_dissect *f, const struct ip *ip)
{
	struct slot *oldest = &f->slots[0];

	for (size_t i = 0; i < SLOTS; i++) {
		if (is_same(&f->slots[i], ip))
			return &f->slots[i];
		if (f->slots[i].since < oldest->since)
			oldest = &f->slots[i];
	}
	f->stats.lost += oldest->since != 0;
	memset(oldest, 0, offsetof(struct slot, bytes));
	oldest->from = ip->from;
	oldest->to = ip->to;
	oldest->id = ip->id;
	oldest->proto = ip->proto;
	oldest->since = f->stats.frames;
	return oldest;
}

/* False where the fragment contradicts those before it; overlaps are no accident (RFC 5722). */
static bool add_fragment(struct slot *s, const struct ip *ip)
{
	size_t n = ip->body.n, end = ip->offset + n;

	if (n == 0 || n != ip->wire_n || end > DATAGRAM_MAX || (ip->more && n % 8 != 0))
		return false;
	if ((s->total && end > s->total) || (!ip->more && s->total))
		return false;
	for (size_t u = ip->offset / 8; u * 8 < end; u++) {
		uint8_t bit = (uint8_t)(1u << u % 8);

		if (s->units[u / 8] & bit)
			return false;
		s->units[u / 8] |= bit;
	}
	memcpy(s->bytes + ip->offset, ip->body.p, n);
	s->have += (uint32_t)n;
	if (!ip->more)
		s->total = (uint32_t)end;
	return true;
}

/* True where this fragment was the last one missing: then ip is the whole datagram. */
static bool reassemble(coo_dissect *f, struct ip *ip)
{
	struct slot *s = find_slot(f, ip);

	f->stats.fragments++;
	if (!add_fragment(s, ip) || (s->total && s->have > s->total)) {
		f->stats.lost++;
		s->since = 0;
		return false;
	}
	if (s->have != s->total)
		return false;
	s->since = 0;
	ip->body = coo_span_of(s->bytes, s->total);
	ip->wire_n = s->total;
	return true;
}

/* --- UDP and TCP ----------------------------------------------------------------------------- */

static bool read_udp(const struct ip *ip, coo_segment *out)
{
	uint64_t n;

	if (ip->body.n < 8)
		return false;
	n = be16(ip->body, 4);
	if (n < 8 || n > ip->wire_n)
		return false;
	out->payload = coo_span_skip(coo_span_head(ip->body, (size_t)n), 8);
	out->cut = ip->body.n < n;
	return true;
}

static bool read_tcp(const struct ip *ip, coo_segment *out)
{
	size_t head;

	if (ip->body.n < 20)
		return false;
	head = (size_t)(ip->body.p[12] >> 4) * 4;
	if (head < 20 || head > ip->body.n)
		return false;
	out->payload = coo_span_skip(ip->body, head);
	out->cut = ip->body.n < ip->wire_n;
	out->tcp = true;
	return true;
}

bool coo_dissect_take(coo_dissect *f, uint32_t link, coo_span frame, coo_segment *out)
{
	coo_segment seg;
	struct ip ip;
	bool ok;

	f->stats.frames++;
	if (!skip_link(link, &frame)) {
		f->stats.other++;
		return false;
	}
	if (!read_ip(frame, &ip)) {
		f->stats.malformed++;
		return false;
	}
	if (ip.proto != PROTO_UDP && ip.proto != PROTO_TCP) {
		f->stats.other++;
		return false;
	}
	if ((ip.more || ip.offset) && !reassemble(f, &ip))
		return false;
	memset(&seg, 0, sizeof(seg));
	ok = ip.proto == PROTO_UDP ? read_udp(&ip, &seg) : read_tcp(&ip, &seg);
	if (!ok) {
		f->stats.malformed++;
		return false;
	}
	seg.from = ip.from;
	seg.to = ip.to;
	seg.from.port = (uint16_t)be16(ip.body, 0);
	seg.to.port = (uint16_t)be16(ip.body, 2);
	*out = seg;
	return !seg.tcp || seg.payload.n > 0;
}
