/* SPDX-License-Identifier: MIT */
#ifndef COO_FEATURE_PROBER_H
#define COO_FEATURE_PROBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feature/account.h"
#include "feature/oneway.h"
#include "feature/series.h"
#include "proto/addr.h"
#include "proto/attr.h"
#include "proto/err.h"

/*
 * The echo tester. A flow is one socket towards one target with probes of one size; flows take
 * turns within an interval. Sending follows absolute deadlines and never waits for answers, but for
 * flood, which keeps a window full. All books are in feature/account. Single thread: run blocks
 * until the test is over and calls back from within.
 */
typedef struct coo_prober coo_prober;

enum coo_probe_mode {
	COO_PROBE_ECHO,	 /* RFC 862, probes of proto/echo */
	COO_PROBE_STAMP, /* RFC 8762 */
	COO_PROBE_PEER,	 /* a messenger: GETINFO, answered by SENDINFO */
};

/* Kinds of ICMP and ICMPv6 errors. */
#define COO_ICMP_LIST(X)                                                                           \
	X(PORT, "port_unreachable")                                                                \
	X(HOST, "host_unreachable")                                                                \
	X(NET, "net_unreachable")                                                                  \
	X(PROHIBITED, "prohibited")                                                                \
	X(TOO_BIG, "fragmentation_needed")                                                         \
	X(TTL, "time_exceeded")                                                                    \
	X(OTHER, "other")

enum coo_icmp_kind {
#define COO_ICMP_ENUM(name, key) COO_ICMP_##name,
	COO_ICMP_LIST(COO_ICMP_ENUM)
#undef COO_ICMP_ENUM
	    COO_ICMP_COUNT
};

const char *coo_icmp_key(enum coo_icmp_kind k); /* static */

/* Which clock gave the times of a round trip. */
enum coo_probe_clock { COO_CLOCK_USER, COO_CLOCK_KERNEL_RX, COO_CLOCK_KERNEL };

typedef struct coo_flow_spec {
	const char *name; /* as the user wrote the target; borrowed for the prober's life */
	coo_addr target;
	size_t size; /* of the payload */
	bool df;     /* forbid fragmentation */
} coo_flow_spec;

/* Broadcasts: of each host is known which of so many probes it answered, a bit for each. */
enum { COO_REPLIERS_MAX = 4096, COO_FLOWS_MAX = 1024, COO_BROADCASTS_MAX = 64 };

/* A host that answered a broadcast. */
typedef struct coo_replier {
	coo_addr addr;
	uint64_t received, duplicate, late;
	uint64_t rtt_min, rtt_max, rtt_sum; /* of received */
	uint64_t seen;			    /* a bit for each probe */
} coo_replier;

typedef struct coo_flow {
	coo_flow_spec spec;
	int fd;
	uint16_t local_port;
	uint64_t session;
	bool proved; /* it answered */
	coo_account account;
	coo_oneway oneway; /* STAMP */
	coo_series series;
	uint64_t icmp[COO_ICMP_COUNT];
	uint64_t send_errors, too_big; /* refused by this host; too_big: longer than DF lets pass */
	int last_errno;
	uint64_t user_times, kernel_rx, kernel_both; /* answers by clock */
	int ttl;				     /* of the latest answer; 0: not known */
	bool wrong_source;			     /* answers to us came from wrong_addr */
	coo_addr wrong_addr;
	coo_replier *repliers; /* broadcast */
	size_t n_repliers;
	uint64_t repliers_over; /* no room for them */
	uint8_t *payload;
	coo_slot *slots;
} coo_flow;

enum coo_probe_event_kind {
	COO_PING_RECEIVED,
	COO_PING_LATE,
	COO_PING_DUPLICATE,
	COO_PING_CORRUPTED,
	COO_PING_FOREIGN,
	COO_PING_LOST,
	COO_PING_ICMP,
	COO_PING_SEND_ERROR,
};

typedef struct coo_probe_event {
	enum coo_probe_event_kind kind;
	uint64_t seq; /* from 0; UINT64_MAX: not known */
	coo_addr from;
	size_t size;
	bool has_rtt, has_ipdv, reordered;
	uint64_t rtt;
	int64_t ipdv;
	int ttl; /* 0: not known */
	coo_time sent;
	enum coo_icmp_kind icmp;
	int error; /* errno of a send error */
	enum coo_probe_clock clock;
	/* STAMP: delays with the clocks' offset in them */
	bool has_oneway;
	int64_t up, down;
} coo_probe_event;

typedef struct coo_prober_cfg {
	enum coo_probe_mode mode;
	coo_time interval;   /* between two probes of one flow */
	coo_time late_after; /* an answer after this is late, its probe lost */
	uint64_t count;	     /* probes of each flow; 0: no end */
	coo_time duration;   /* stop sending after this; 0: never */
	uint64_t window;     /* flood: outstanding probes of a flow; 0: no flood */
	bool broadcast;
	int dscp; /* -1: as it is; else 0…63 */
	int ttl;  /* 0: as it is */
	const char *device;
	coo_addr bind;	     /* family 0: any */
	const uint8_t *fill; /* repeated over the payload; fill_n 0: zeros */
	size_t fill_n;
	bool fill_random;
	bool user_clock;	 /* no kernel timestamps */
	bool stateful;		 /* the STAMP reflector is known to be stateful */
	bool must_prove;	 /* hold back to one probe until the target has answered */
	coo_time report_every;	 /* 0: no interval reports */
	const char *user, *host; /* peer mode: who asks */

	void (*on_event)(void *ctx, const coo_flow *f, const coo_probe_event *ev);
	void (*on_report)(void *ctx);
	/* Asked several times a second: 0 go on; 1 show the state; 2 stop, with a little patience
	 * for what is on its way; 3 stop now. */
	int (*poll)(void *ctx);
	void *ctx;
} coo_prober_cfg;

/* Opens a socket for each flow. COO_ESYS with errno; *bad (may be NULL) is the flow it was. Gives:
 * coo_prober_close. */
COO_MUST_CHECK coo_err coo_prober_open(const coo_prober_cfg *cfg, const coo_flow_spec *specs,
				       size_t n, coo_prober **out, size_t *bad);

/* Runs the test. COO_ELIMIT where must_prove was asked for and nobody answered. */
COO_MUST_CHECK coo_err coo_prober_run(coo_prober *p);

void coo_prober_close(coo_prober *p); /* accepts NULL */

size_t coo_prober_flows(const coo_prober *p);
const coo_flow *coo_prober_flow(const coo_prober *p, size_t i);

/* How late probes left, against their schedule. */
const coo_hist *coo_prober_timer(const coo_prober *p);

/* From the first probe to the end of the run, or to now. */
coo_time coo_prober_elapsed(const coo_prober *p);
coo_time coo_prober_started(const coo_prober *p);

/* Which clock most answers of a flow were measured with: the poorest that occurred. */
enum coo_probe_clock coo_flow_clock(const coo_flow *f);

/* Bytes that IP and UDP add to a probe of this flow. */
size_t coo_flow_overhead(const coo_flow *f);

#endif
