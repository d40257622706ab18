/* SPDX-License-Identifier: MIT */
#include "feature/ipcalc.h"

#include <stdbool.h>

#include "base/addr.h"
#include "proto/attr.h"

struct range {
	uint8_t net[4];
	unsigned bits;
	enum coo_ip_kind kind;
};

/* The first that matches counts. */
static const struct range v4[] = {
	{ { 255, 255, 255, 255 }, 32, COO_IP_BROADCAST },
	{ { 0, 0, 0, 0 }, 8, COO_IP_UNSPECIFIED },
	{ { 10, 0, 0, 0 }, 8, COO_IP_PRIVATE },
	{ { 100, 64, 0, 0 }, 10, COO_IP_SHARED },
	{ { 127, 0, 0, 0 }, 8, COO_IP_LOOPBACK },
	{ { 169, 254, 0, 0 }, 16, COO_IP_LINK_LOCAL },
	{ { 172, 16, 0, 0 }, 12, COO_IP_PRIVATE },
	{ { 192, 0, 2, 0 }, 24, COO_IP_DOCUMENTATION },
	{ { 192, 168, 0, 0 }, 16, COO_IP_PRIVATE },
	{ { 198, 51, 100, 0 }, 24, COO_IP_DOCUMENTATION },
	{ { 203, 0, 113, 0 }, 24, COO_IP_DOCUMENTATION },
	{ { 224, 0, 0, 0 }, 4, COO_IP_MULTICAST },
	{ { 240, 0, 0, 0 }, 4, COO_IP_RESERVED },
};

static unsigned length_of(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

/* Byte i of a mask of so many bits. */
static uint8_t mask_byte(unsigned prefix, unsigned i)
{
	unsigned bits = prefix > i * 8 ? prefix - i * 8 : 0;

	return (uint8_t)(bits >= 8 ? 0xff : 0xff00u >> bits);
}

static bool in_range(const coo_addr *a, const struct range *r)
{
	for (unsigned i = 0; i < 4; i++) {
		if ((a->ip[i] ^ r->net[i]) & mask_byte(r->bits, i))
			return false;
	}
	return true;
}

static enum coo_ip_kind kind_v6(const coo_addr *a)
{
	static const uint8_t documentation[4] = { 0x20, 0x01, 0x0d, 0xb8 };

	if (coo_addr_is_loopback(a))
		return COO_IP_LOOPBACK;
	if (coo_addr_is_any(a))
		return COO_IP_UNSPECIFIED;
	if (coo_addr_is_multicast(a))
		return COO_IP_MULTICAST;
	if (coo_addr_is_link_local(a))
		return COO_IP_LINK_LOCAL;
	if ((a->ip[0] & 0xfe) == 0xfc)
		return COO_IP_PRIVATE;
	return memcmp(a->ip, documentation, 4) == 0 ? COO_IP_DOCUMENTATION : COO_IP_PUBLIC;
}

enum coo_ip_kind coo_ip_kind_of(const coo_addr *a)
{
	if (a->family != 4)
		return kind_v6(a);
	for (size_t i = 0; i < COO_ARRAY_LEN(v4); i++) {
		if (in_range(a, &v4[i]))
			return v4[i].kind;
	}
	return COO_IP_PUBLIC;
}

const char *coo_ip_kind_text(enum coo_ip_kind kind)
{
	switch (kind) {
	case COO_IP_PUBLIC:
		return "public";
	case COO_IP_PRIVATE:
		return "private";
	case COO_IP_SHARED:
		return "shared";
	case COO_IP_LINK_LOCAL:
		return "link-local";
	case COO_IP_LOOPBACK:
		return "loopback";
	case COO_IP_MULTICAST:
		return "multicast";
	case COO_IP_BROADCAST:
		return "broadcast";
	case COO_IP_DOCUMENTATION:
		return "documentation";
	case COO_IP_UNSPECIFIED:
		return "unspecified";
	case COO_IP_RESERVED:
		return "reserved";
	}
	return "unknown";
}

char coo_ip_class(const coo_addr *a)
{
	if (a->family != 4)
		return 0;
	if (a->ip[0] < 128)
		return 'A';
	if (a->ip[0] < 192)
		return 'B';
	if (a->ip[0] < 224)
		return 'C';
	return a->ip[0] < 240 ? 'D' : 'E';
}

coo_addr coo_ip_mask(uint8_t family, unsigned prefix)
{
	coo_addr m;

	memset(&m, 0, sizeof(m));
	m.family = family;
	for (unsigned i = 0; i < length_of(family) / 8; i++)
		m.ip[i] = mask_byte(prefix, i);
	return m;
}

coo_addr coo_ip_network(const coo_addr *a, unsigned prefix)
{
	coo_addr n = *a;

	for (unsigned i = 0; i < length_of(a->family) / 8; i++)
		n.ip[i] = (uint8_t)(n.ip[i] & mask_byte(prefix, i));
	n.port = 0;
	return n;
}

uint64_t coo_ip_hosts(uint8_t family, unsigned prefix)
{
	unsigned length = length_of(family), bits = prefix > length ? 0 : length - prefix;

	if (bits >= 64)
		return UINT64_MAX;
	if (family == 4 && bits > 1)
		return (UINT64_C(1) << bits) - 2;
	return UINT64_C(1) << bits;
}
