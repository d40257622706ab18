/* SPDX-License-Identifier: MIT */
#include "cli/recv_release.h"

#include <string.h>

#include "cli/out.h"
#include "cli/xalloc.h"

/* What another program may make us show. */
enum { REASON_MAX = 120 };

void recv_release(struct net *net, const coo_addr *to, uint64_t packet_no, const char *reason)
{
	uint8_t mem[32 + REASON_MAX];
	coo_span text = coo_span_str(reason);
	coo_send s;
	coo_buf b;

	coo_buf_init(&b, mem, sizeof(mem));
	coo_buf_put_u64(&b, packet_no);
	coo_buf_put_byte(&b, '\0');
	coo_buf_put(&b, coo_span_head(text, coo_utf8_truncate(text, REASON_MAX)));
	coo_buf_put_byte(&b, '\0');
	memset(&s, 0, sizeof(s));
	s.token = UINT64_MAX;
	s.to = *to;
	s.command = COO_CMD_RELEASEFILES;
	s.ext = coo_buf_span(&b);
	coo_ignore(coo_node_send(net_node(net), &s, coo_driver_now(net->driver), NULL) != COO_OK);
	coo_driver_kick(net->driver);
	offers_update(to, packet_no, UINT64_MAX);
}

char *recv_release_reason(const coo_packet *p)
{
	coo_span reason = coo_packet_section(p, 1);

	if (reason.n == 0 || !coo_utf8_valid(reason))
		return xcalloc(1, 1);
	reason = coo_span_head(reason, coo_utf8_truncate(reason, REASON_MAX));
	return out_safe_dup(reason, COO_UTF8_ONE_LINE);
}
