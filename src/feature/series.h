/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_SERIES_H
#define COO_FEATURE_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "proto/time.h"

/*
 * What happened over time, in constant memory: COO_SERIES_MAX columns of equal width. When the run
 * outgrows them, neighbours are joined and the width doubles. Pure.
 */
enum { COO_SERIES_MAX = 512 };

typedef struct coo_series_column {
	uint64_t n, sum, min, max; /* RTT of what was received, by the time it was sent */
	uint64_t lost, corrupted, late;
	uint64_t unsent; /* the system refused to send them */
} coo_series_column;

typedef struct coo_series {
	coo_time start, width;
	size_t used;
	coo_series_column column[COO_SERIES_MAX];
} coo_series;

/* width: of a column at first, not 0. */
void coo_series_init(coo_series *s, coo_time start, coo_time width);

/* Adds what from holds to to. */
void coo_series_join(coo_series_column *to, const coo_series_column *from);

void coo_series_received(coo_series *s, coo_time sent, uint64_t rtt);
void coo_series_lost(coo_series *s, coo_time sent);
void coo_series_corrupted(coo_series *s, coo_time sent);
void coo_series_late(coo_series *s, coo_time sent);
void coo_series_unsent(coo_series *s, coo_time when);

#endif
