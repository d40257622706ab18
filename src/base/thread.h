/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_THREAD_H
#define COO_BASE_THREAD_H

/*
 * From now on the calling thread takes only the processor time that nothing else wants. It cannot
 * be undone. Where threads have no priority of their own it does nothing.
 */
void coo_thread_background(void);

#endif
