/* SPDX-License-Identifier: MIT */

/*
 * What presence costs a LAN: 10 to 10,000 real nodes (CROWD="N N…" for others) go on line within
 * ten seconds, and one more when they have settled (tests/support/crowd.h). Prints "name value
 * unit" lines, and fails where somebody does not learn of somebody, a node sends more than its
 * budget, or a receiver would need more than the default socket buffer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/num.h"
#include "support/crowd.h"
#include "support/test.h"

enum {
	BUDGET = 2000 + 1000 + 4, /* answers at once, in a second after that, and four entries */
};

static void say(unsigned nodes, const char *name, double value, const char *unit)
{
	printf("crowd_%u_%s %.6g %s\n", nodes, name, value, unit);
}

static bool is_good(const struct crowd_result *r)
{
	return r->strangers == 0 && r->withheld == 0 && r->dropped == 0 && r->most_sent <= BUDGET &&
	       r->burst_charge <= CROWD_BUFFER;
}

static double seconds(coo_time t)
{
	return (double)t / 1e9;
}

static void print(unsigned n, const struct crowd_result *r)
{
	say(n, "strangers", (double)r->strangers, "pairs");
	say(n, "all_known", seconds(r->known_after), "s_after_the_last_entry");
	say(n, "sent", r->sent, "datagrams/node");
	say(n, "received", r->received, "datagrams/node");
	say(n, "most_sent", (double)r->most_sent, "datagrams_in_a_second");
	say(n, "burst", (double)r->burst, "datagrams_in_20_ms");
	say(n, "burst_charge", (double)r->burst_charge, "bytes_of_212992");
	say(n, "join_sent", (double)r->join_sent, "datagrams_by_all");
	say(n, "memory", (double)r->node_memory, "bytes/node");
}

static bool bench(unsigned n)
{
	struct crowd_cfg cfg = { n, COO_SEC(10), COO_SEC(n > 1000 ? 45 : 25), 1 };
	struct crowd_result r;
	size_t needs;
	time_t start = time(NULL);

	if (!crowd_run(&cfg, &r, &needs)) {
		fprintf(stderr, "bench_crowd: %u nodes take %zu MiB, which are not free here\n", n,
			needs >> 20);
		return true;
	}
	print(n, &r);
	say(n, "wall", difftime(time(NULL), start), "s");
	if (!is_good(&r))
		fprintf(stderr, "bench_crowd: %u nodes: not as it should be\n", n);
	return is_good(&r);
}

int main(void)
{
	const char *list = getenv("CROWD");
	coo_span left = coo_span_str(list ? list : "10 100 1000 3000 10000");
	bool good = true;

	while (left.n) {
		coo_span word = coo_span_head(left, coo_span_find(left, ' '));
		uint64_t n;

		left = coo_span_skip(left, word.n < left.n ? word.n + 1 : word.n);
		if (!coo_num_dec(word, 65000, &n) || n < 3) {
			fprintf(stderr, "bench_crowd: CROWD holds numbers from 3 to 65000\n");
			return 2;
		}
		good = bench((unsigned)n) && good;
	}
	return good ? 0 : 1;
}
