/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_SCALE_H
#define COO_FEATURE_SCALE_H

#include <stddef.h>

/*
 * Scales of plots. Pure, and without libm: its pages would be a tenth of what a small service of
 * ours has in memory.
 */

/* Cuts low…high (0 < low <= high) into n classes, each as many times wider than the one before:
 * edge has n + 1 places, the first is low, the last high. */
void coo_scale_geometric(double low, double high, size_t n, double *edge);

/* The least of 1, 2 … 9 times a power of ten that is at least v (v >= 1; less counts as 1). */
double coo_scale_nice(double v);

#endif
