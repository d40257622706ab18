/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ECHO_LOOPS_H
#define BENCH_ECHO_LOOPS_H

/* Echo loops in C for the scale; none returns. */

/* recvfrom and sendto. */
void echo_plain_loop(int fd);

/* What the kernel can do when nobody asks who is answered: batches, trains, no check at all. */
void echo_bare_loop(int fd);

#endif
