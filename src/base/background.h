/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_BACKGROUND_H
#define COO_BASE_BACKGROUND_H

/*
 * From here on the calling thread takes only the processor time that nobody else wants. For threads
 * of a pool that do what can wait; there is no way back. Linux only, where each thread has a
 * priority of its own: elsewhere it does nothing.
 */
void coo_background(void);

#endif
