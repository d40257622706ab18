/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ECHO_NET_H
#define BENCH_ECHO_NET_H

#include <stdbool.h>

/*
 * Where a bench runs: in a network namespace of its own, so that fixed ports (inetd's) meet nobody,
 * and in a second one at the other end of a veth.
 */
#define ECHO_NET_FAR "10.99.0.1"

/* Enters a namespace with nothing but lo; false where the kernel allows none. */
bool echo_net_isolate(void);

/* Makes the second one, which has ECHO_NET_FAR; the caller stays in the first. */
bool echo_net_add_veth(void);

/* Goes to the second, where there is one, or back to the first: responders are started there. */
bool echo_net_enter_far(void);
bool echo_net_enter_near(void);

#endif
