/* SPDX-License-Identifier: MIT */
#include "feature/sweep.h"

#include <stdlib.h>
#include <string.h>

/* The last 32 bits of an address, which are all that a range counts through. */
static uint32_t low_bits(const coo_addr *a)
{
	const uint8_t *p = a->family == 4 ? a->ip : a->ip + 12;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void set_low_bits(coo_addr *a, uint32_t v)
{
	uint8_t *p = a->family == 4 ? a->ip : a->ip + 12;

	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static bool is_too_wide(const coo_cidr *net)
{
	return net->bits < (net->base.family == 4 ? COO_SWEEP_MIN_BITS : COO_SWEEP_MIN_BITS6);
}

coo_err coo_sweep_add(coo_sweep *s, const coo_cidr *net, uint16_t port)
{
	unsigned host_bits = (net->base.family == 4 ? 32 : 128) - net->bits;
	coo_sweep_range r = { net->base, 1 };
	void *v;

	if (is_too_wide(net))
		return COO_ERANGE;
	r.n = (uint32_t)1 << host_bits;
	r.first.port = port;
	if (net->base.family == 4 && host_bits >= 2) {
		set_low_bits(&r.first, low_bits(&r.first) + 1);
		r.n -= 2;
	}
	if (r.n > COO_SWEEP_MAX - s->total)
		return COO_ELIMIT;
	v = realloc(s->ranges, (s->n_ranges + 1) * sizeof(*s->ranges));
	if (!v)
		return COO_ENOMEM;
	s->ranges = v;
	s->ranges[s->n_ranges++] = r;
	s->total += r.n;
	return COO_OK;
}

/* The address under the cursor; moves it on. */
static coo_addr advance(coo_sweep *s)
{
	const coo_sweep_range *r = &s->ranges[s->range];
	coo_addr a = r->first;

	set_low_bits(&a, low_bits(&a) + s->offset);
	s->at++;
	if (++s->offset == r->n) {
		s->range++;
		s->offset = 0;
	}
	return a;
}

static bool is_within(const coo_sweep_range *r, const coo_addr *a, uint32_t *offset)
{
	coo_addr x = *a;

	*offset = low_bits(a) - low_bits(&r->first);
	set_low_bits(&x, low_bits(&r->first));
	return *offset < r->n && coo_addr_eq_ip(&x, &r->first);
}

bool coo_sweep_next(coo_sweep *s, coo_time now, coo_addr *out)
{
	if (!s->asked && s->total > 0)
		s->asked = calloc(s->total, sizeof(*s->asked));
	while (s->asked && s->at < s->total) {
		coo_time *asked = &s->asked[s->at];
		coo_addr a = advance(s);

		if (*asked == COO_NEVER)
			continue;
		s->unsent -= *asked == COO_SWEEP_UNSENT;
		*asked = now;
		*out = a;
		return true;
	}
	return false;
}

void coo_sweep_restart(coo_sweep *s)
{
	s->at = s->offset = 0;
	s->range = 0;
}

/* An address may stand in several ranges: the answer counts for each. */
bool coo_sweep_answer(coo_sweep *s, const coo_addr *addr, coo_time *asked)
{
	uint32_t base = 0, offset;
	bool was_asked = false;

	for (size_t i = 0; s->asked && i < s->n_ranges; base += s->ranges[i++].n) {
		coo_time *at;

		if (!is_within(&s->ranges[i], addr, &offset))
			continue;
		at = &s->asked[base + offset];
		if (*at == 0 || *at == COO_SWEEP_UNSENT)
			continue;
		if (!was_asked)
			*asked = *at;
		was_asked = true;
		s->answered += *at != COO_NEVER;
		*at = COO_NEVER;
	}
	return was_asked;
}

bool coo_sweep_fail(coo_sweep *s, const coo_addr *addr)
{
	uint32_t base = 0, offset;
	bool is_ours = false;

	for (size_t i = 0; s->asked && i < s->n_ranges; base += s->ranges[i++].n) {
		coo_time *at;

		if (!is_within(&s->ranges[i], addr, &offset))
			continue;
		is_ours = true;
		at = &s->asked[base + offset];
		if (*at == 0 || *at == COO_NEVER || *at == COO_SWEEP_UNSENT)
			continue;
		*at = COO_SWEEP_UNSENT;
		s->unsent++;
	}
	return is_ours;
}

void coo_sweep_free(coo_sweep *s)
{
	free(s->ranges);
	free(s->asked);
	memset(s, 0, sizeof(*s));
}
