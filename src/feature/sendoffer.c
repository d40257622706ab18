/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "feature/filesend_int.h"

void coo_offer_bind(struct coo_offer *o, coo_span user, coo_span host)
{
	if (o->user_n > 0 || o->host_n > 0)
		return;
	o->user_n = coo_span_head(user, COO_SEND_NAME_CAP).n;
	o->host_n = coo_span_head(host, COO_SEND_NAME_CAP).n;
	if (o->user_n)
		memcpy(o->user, user.p, o->user_n);
	if (o->host_n)
		memcpy(o->host, host.p, o->host_n);
}

struct coo_offer *coo_offer_new(uint64_t packet, coo_fileset *set, const coo_filesend_to *to)
{
	struct coo_offer *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->packet = packet;
	o->addr = to->addr;
	o->names = to->names;
	o->expires = to->expires;
	coo_offer_bind(o, to->user, to->host);
	coo_fileset_ref(set);
	o->set = set;
	return o;
}

void coo_offer_free(struct coo_offer *o)
{
	coo_fileset_unref(o->set);
	free(o);
}

bool coo_offer_complete(const struct coo_offer *o)
{
	for (size_t i = 0; i < o->set->n; i++) {
		if (!(o->fetched[i / 8] & 1u << i % 8))
			return false;
	}
	return true;
}

void coo_offer_fetched(struct coo_offer *o, uint64_t id)
{
	if (id < COO_FILESET_MAX)
		o->fetched[id / 8] = (uint8_t)(o->fetched[id / 8] | 1u << id % 8);
}

/* Empty names of the offer fit any. */
static bool is_for(const struct coo_offer *o, coo_span user, coo_span host, const coo_addr *from,
		   coo_time now)
{
	if (o->released || now >= o->expires || !coo_addr_eq_ip(&o->addr, from))
		return false;
	return (o->user_n == 0 || coo_span_eq(coo_span_of(o->user, o->user_n),
					      coo_span_head(user, COO_SEND_NAME_CAP))) &&
	       (o->host_n == 0 || coo_span_eq(coo_span_of(o->host, o->host_n),
					      coo_span_head(host, COO_SEND_NAME_CAP)));
}

struct coo_offer *coo_offer_find(struct coo_offer *list, const coo_request *r, coo_span user,
				 coo_span host, const coo_addr *from, coo_time now,
				 const coo_fileset_file **file)
{
	for (unsigned reading = 0; reading < 4; reading++) {
		const coo_request_num *packet = &r->packet, *id = &r->id;
		bool packet_dec = reading & 2, id_dec = reading & 1;

		if (!(packet_dec ? packet->is_dec : packet->is_hex) ||
		    !(id_dec ? id->is_dec : id->is_hex))
			continue;
		for (struct coo_offer *o = list; o; o = o->next) {
			if (o->packet != (packet_dec ? packet->dec : packet->hex) ||
			    !is_for(o, user, host, from, now))
				continue;
			*file = coo_fileset_find(o->set, id_dec ? id->dec : id->hex);
			if (*file)
				return o;
		}
	}
	return NULL;
}
