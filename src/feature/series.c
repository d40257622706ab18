/* SPDX-License-Identifier: MIT */
#include "feature/series.h"

#include <string.h>

void coo_series_init(coo_series *s, coo_time start, coo_time width)
{
	memset(s, 0, sizeof(*s));
	s->start = start;
	s->width = width;
}

void coo_series_join(coo_series_column *to, const coo_series_column *from)
{
	if (from->n && (to->n == 0 || from->min < to->min))
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	to->n += from->n;
	to->sum += from->sum;
	to->lost += from->lost;
	to->corrupted += from->corrupted;
	to->late += from->late;
	to->unsent += from->unsent;
}

static void halve(coo_series *s)
{
	for (size_t i = 0; i < COO_SERIES_MAX / 2; i++) {
		coo_series_column c = s->column[2 * i];

		coo_series_join(&c, &s->column[2 * i + 1]);
		s->column[i] = c;
	}
	memset(&s->column[COO_SERIES_MAX / 2], 0, sizeof(s->column) / 2);
	s->used = (s->used + 1) / 2;
	s->width *= 2;
}

static coo_series_column *at(coo_series *s, coo_time sent)
{
	coo_time since = sent > s->start ? sent - s->start : 0;

	while (since / s->width >= COO_SERIES_MAX)
		halve(s);
	if (since / s->width >= s->used)
		s->used = (size_t)(since / s->width) + 1;
	return &s->column[since / s->width];
}

void coo_series_received(coo_series *s, coo_time sent, uint64_t rtt)
{
	coo_series_column one = { .n = 1, .sum = rtt, .min = rtt, .max = rtt };

	coo_series_join(at(s, sent), &one);
}

void coo_series_lost(coo_series *s, coo_time sent)
{
	at(s, sent)->lost++;
}

void coo_series_corrupted(coo_series *s, coo_time sent)
{
	at(s, sent)->corrupted++;
}

void coo_series_late(coo_series *s, coo_time sent)
{
	at(s, sent)->late++;
}

void coo_series_unsent(coo_series *s, coo_time when)
{
	at(s, when)->unsent++;
}
