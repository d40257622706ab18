/* SPDX-License-Identifier: MIT */
#include "proto/rtx.h"

#include <string.h>

static size_t round_up(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

size_t coo_rtx_size(size_t cap, size_t n_bodies, size_t body_cap)
{
	return round_up(cap * sizeof(coo_rtx_entry)) + round_up(n_bodies * sizeof(coo_rtx_body)) +
	       n_bodies * body_cap;
}

void coo_rtx_init(coo_rtx *r, size_t cap, size_t n_bodies, size_t body_cap, coo_time interval,
		  void *mem)
{
	uint8_t *at = mem;

	memset(r, 0, sizeof(*r));
	r->v = mem;
	r->cap = cap;
	at += round_up(cap * sizeof(coo_rtx_entry));
	r->bodies = (void *)at;
	r->n_bodies = n_bodies;
	at += round_up(n_bodies * sizeof(coo_rtx_body));
	r->text = at;
	r->body_cap = body_cap;
	r->interval = interval;
	r->next_due = COO_NEVER;
}

coo_span coo_rtx_body_of(const coo_rtx *r, const coo_rtx_entry *e)
{
	return coo_span_of(r->text + e->body * r->body_cap, r->bodies[e->body].len);
}

/* The text of the message before is the usual case where one text goes to many. */
static bool find_body(coo_rtx *r, coo_span ext, size_t *out)
{
	const coo_rtx_body *last = &r->bodies[r->last_body];

	if (last->refs > 0 &&
	    coo_span_eq(ext, coo_span_of(r->text + r->last_body * r->body_cap, last->len))) {
		*out = r->last_body;
		return true;
	}
	for (size_t i = 0; i < r->n_bodies; i++) {
		if (r->bodies[i].refs > 0)
			continue;
		if (ext.n)
			memcpy(r->text + i * r->body_cap, ext.p, ext.n);
		r->bodies[i].len = (uint32_t)ext.n;
		*out = r->last_body = i;
		return true;
	}
	return false;
}

/* Numbers come in sequence, so the number itself spreads the entries over the table. */
static coo_rtx_entry *free_place(coo_rtx *r, uint32_t packet_no)
{
	for (size_t d = 0; d < r->cap; d++) {
		coo_rtx_entry *e = &r->v[(packet_no + d) % r->cap];

		if (e->state == COO_RTX_FREE) {
			if (d > r->probe_max)
				r->probe_max = d;
			return e;
		}
	}
	return NULL;
}

coo_err coo_rtx_add(coo_rtx *r, const coo_rtx_entry *e, coo_span ext, coo_time now)
{
	coo_rtx_entry *place;
	size_t body;

	if (ext.n > r->body_cap)
		return COO_EMSGSIZE;
	if (r->waiting + r->done == 0)
		r->probe_max = 0;
	place = free_place(r, e->packet_no);
	if (!place || !find_body(r, ext, &body))
		return COO_EFULL;
	r->bodies[body].refs++;
	*place = *e;
	place->body = (uint16_t)body;
	place->state = COO_RTX_WAITING;
	place->attempts = 0;
	place->acked = false;
	place->first_sent = place->acked_at = 0;
	place->next_at = now;
	place->error = 0;
	r->waiting++;
	if (now < r->next_due)
		r->next_due = now;
	return COO_OK;
}

static coo_rtx_entry *find(coo_rtx *r, uint64_t packet_no, enum coo_rtx_state state)
{
	for (size_t d = 0; d <= r->probe_max && packet_no <= UINT32_MAX; d++) {
		coo_rtx_entry *e = &r->v[((uint32_t)packet_no + d) % r->cap];

		if (e->state == state && e->packet_no == packet_no)
			return e;
	}
	return NULL;
}

coo_rtx_entry *coo_rtx_find(coo_rtx *r, uint64_t packet_no)
{
	return r->waiting > 0 ? find(r, packet_no, COO_RTX_WAITING) : NULL;
}

static void finish(coo_rtx *r, coo_rtx_entry *e, enum coo_rtx_result result)
{
	e->state = COO_RTX_DONE;
	e->result = (uint8_t)result;
	r->waiting--;
	r->done++;
}

void coo_rtx_ack(coo_rtx *r, coo_rtx_entry *e, bool read, coo_time now)
{
	if (!e->acked) {
		e->acked = true;
		e->acked_at = now;
	}
	if (read)
		finish(r, e, COO_RTX_READ);
	else if (!e->want_read)
		finish(r, e, COO_RTX_ACKED);
	else
		e->next_at = COO_NEVER; /* delivered: only the wait for READMSG goes on */
}

void coo_rtx_send_failed(coo_rtx *r, uint64_t packet_no, int error)
{
	coo_rtx_entry *e = find(r, packet_no, COO_RTX_WAITING);

	if (!e) {
		e = find(r, packet_no, COO_RTX_DONE);
		if (e && e->result == COO_RTX_SENT) {
			e->result = COO_RTX_FAILED;
			e->error = error;
		}
		return;
	}
	e->error = error;
	if (e->attempts >= e->max_attempts)
		finish(r, e, COO_RTX_FAILED);
}

static bool expire(coo_rtx *r, coo_rtx_entry *e, coo_time now)
{
	if (now < e->give_up_at)
		return false;
	if (e->acked)
		finish(r, e, COO_RTX_ACKED); /* delivered, but not read in time */
	else
		finish(r, e, e->error ? COO_RTX_FAILED : COO_RTX_TIMEOUT);
	return true;
}

static coo_time due_at(const coo_rtx_entry *e)
{
	return e->next_at < e->give_up_at ? e->next_at : e->give_up_at;
}

static void end_pass(coo_rtx *r)
{
	coo_time due = COO_NEVER;

	for (size_t i = 0; r->waiting > 0 && i < r->cap; i++) {
		if (r->v[i].state == COO_RTX_WAITING && due_at(&r->v[i]) < due)
			due = due_at(&r->v[i]);
	}
	r->next_due = due;
	r->scan = 0;
}

const coo_rtx_entry *coo_rtx_next_tx(coo_rtx *r, coo_time now)
{
	if (now < r->next_due)
		return NULL;
	while (r->scan < r->cap) {
		coo_rtx_entry *e = &r->v[r->scan++];

		if (e->state != COO_RTX_WAITING || expire(r, e, now) || now < e->next_at)
			continue;
		if (e->attempts == 0)
			e->first_sent = now;
		e->attempts++;
		e->error = 0;
		e->next_at =
		    e->attempts < e->max_attempts ? coo_time_add(now, r->interval) : COO_NEVER;
		if (e->next_at == COO_NEVER && !e->wants_ack && !e->want_read)
			finish(r, e, COO_RTX_SENT);
		return e;
	}
	end_pass(r);
	return NULL;
}

bool coo_rtx_take_done(coo_rtx *r, coo_rtx_entry *out)
{
	if (r->done == 0)
		return false;
	for (size_t i = 0; i < r->cap; i++) {
		coo_rtx_entry *e = &r->v[i];

		if (e->state != COO_RTX_DONE)
			continue;
		*out = *e;
		r->bodies[e->body].refs--;
		e->state = COO_RTX_FREE;
		r->done--;
		return true;
	}
	return false;
}

void coo_rtx_hurry(coo_rtx *r, uint64_t token, coo_time until)
{
	for (size_t i = 0; r->waiting > 0 && i < r->cap; i++) {
		coo_rtx_entry *e = &r->v[i];

		if (e->state == COO_RTX_WAITING && e->token == token && e->give_up_at > until)
			e->give_up_at = until;
	}
	if (r->next_due > until)
		r->next_due = until;
}

coo_time coo_rtx_deadline(const coo_rtx *r)
{
	return r->waiting > 0 ? r->next_due : COO_NEVER;
}
