/* SPDX-License-Identifier: MIT */
#include "cli/listen_peers.h"

#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "cli/show.h"
#include "cli/xalloc.h"
#include "feature/message.h"

struct listen_peers {
	uint8_t scratch[COO_MESSAGE_SCRATCH];
	uint64_t told[]; /* hash of what was told of the peer last, by place in the node's table */
};

struct listen_peers *listen_peers_new(struct net *n)
{
	size_t cap = coo_node_peers(net_node(n))->cap;

	return xcalloc(1, sizeof(struct listen_peers) + cap * sizeof(uint64_t));
}

static void print_json(const struct net *n, const coo_peer_view *v, const char *type)
{
	json_t *o = out_event(type);

	json_object_set_new(o, "peer", show_peer_json(v, coo_driver_now(n->driver)));
	out_json(o);
}

static void say(const coo_peer_view *v, char sign)
{
	char *name;

	if (out_verbosity() == 0)
		return;
	name = show_peer_name(v);
	say_note("%c %s, %s", sign, name, coo_client_name(v->client));
	free(name);
}

/* A host with IPv4 and IPv6 announces itself from both addresses, one of which is not shown. */
static bool shows(struct listen_peers *l, size_t place, const coo_event *ev, uint64_t hash)
{
	bool same = l->told[place] == hash;

	l->told[place] = hash;
	return ev->type != COO_EV_PEER_CHANGE || !same;
}

void listen_peers_tell(struct listen_peers *l, struct net *n, const coo_event *ev)
{
	const coo_peers *peers = coo_node_peers(net_node(n));
	bool up = ev->type == COO_EV_PEER_UP, down = ev->type == COO_EV_PEER_DOWN;
	coo_peer_view view;
	coo_buf scratch;

	coo_buf_init(&scratch, l->scratch, sizeof(l->scratch));
	if (coo_peer_view_of(n->text, peers, ev->peer, &scratch, &view) != COO_OK ||
	    !shows(l, coo_peers_index(peers, ev->peer), ev, show_peer_hash(&view)))
		return;
	if (out_is_json())
		print_json(n, &view, up ? "peer_up" : down ? "peer_down" : "peer_change");
	else
		say(&view, up ? '+' : down ? '-' : '~');
}
