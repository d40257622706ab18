/* SPDX-License-Identifier: MIT */
#include "cli/listen_report.h"

#include <inttypes.h>

#include "base/addr.h"
#include "cli/out.h"

void listen_say_where(struct net *n, bool announces)
{
	coo_addr local = coo_driver_local(n->driver);
	char addr[COO_ADDR_TEXT_CAP];

	out_start("listen", &local);
	if (coo_driver_n_broadcast(n->driver) == 0 && announces && !coo_addr_is_loopback(&local))
		say_warn("no interface here can broadcast, so nobody will see you; messages to "
			 "your address still arrive (\"-v\" says why)");
	say_info("listening on %s; Ctrl-C ends", coo_addr_text(&local, addr));
	say_note("the receive buffer has %zu bytes", coo_driver_rcvbuf(n->driver));
}

void listen_report(struct net *n, uint64_t shown)
{
	const coo_node_stats *s = coo_node_get_stats(net_node(n));
	const coo_udp_stats *u = coo_driver_udp_stats(n->driver);

	if (out_is_json()) {
		json_t *o = out_event("summary");

		json_object_set_new(o, "shown", json_integer((json_int_t)shown));
#define STAT_JSON(name, text) json_object_set_new(o, #name, json_integer((json_int_t)s->name));
		COO_NODE_STAT_LIST(STAT_JSON)
#undef STAT_JSON
		json_object_set_new(o, "kernel_dropped", json_integer((json_int_t)u->rx_dropped));
		out_json(o);
	} else {
#define STAT_TEXT(name, text)                                                                      \
	if (s->name)                                                                               \
		say_note("%" PRIu64 " %s", s->name, text);
		COO_NODE_STAT_LIST(STAT_TEXT)
#undef STAT_TEXT
	}
	if (u->rx_dropped)
		say_warn("the kernel dropped %" PRIu64 " datagrams because the receive buffer of "
			 "%zu bytes was full; \"sysctl net.core.rmem_max\" bounds it",
			 u->rx_dropped, coo_driver_rcvbuf(n->driver));
}
