/* SPDX-License-Identifier: MIT */

/*
 * 1,000,000 entries from forged identities and sources into one node, with a conversation in the
 * middle of it. Prints "name value unit" lines; ends with an error where the conversation suffers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "proto/hash.h"
#include "proto/node.h"

enum { ENTRIES = 1000000, TALK_EVERY = 1000 };

struct flood {
	coo_node *node;
	coo_time now;
	uint64_t random, messages, receipts, delivered;
	coo_addr partner;
};

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long rss_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void drain(struct flood *f)
{
	static uint8_t mem[COO_PACKET_MAX];
	coo_packet p;
	coo_event ev;
	coo_buf out;
	coo_tx tx;

	coo_buf_init(&out, mem, sizeof(mem));
	for (unsigned i = 0; i < 2; i++) {
		while (coo_node_next_event(f->node, &ev)) {
			f->messages += ev.type == COO_EV_MESSAGE;
			f->delivered +=
			    ev.type == COO_EV_RESULT && ev.result.result == COO_RTX_ACKED;
		}
		coo_node_tick(f->node, f->now);
	}
	while (coo_node_next_tx(f->node, f->now, &out, &tx))
		f->receipts += coo_packet_decode(coo_buf_span(&out), &p) == COO_OK &&
			       coo_packet_cmd(&p) == COO_CMD_RECVMSG;
}

static void receive(struct flood *f, coo_addr from, const char *text, size_t n)
{
	coo_rx rx;

	memset(&rx, 0, sizeof(rx));
	rx.from = from;
	f->now += COO_US(20);
	coo_node_recv(f->node, &rx, coo_span_of(text, n), f->now);
	drain(f);
}

static void stranger(struct flood *f)
{
	uint64_t x = coo_random_next(&f->random);
	char text[96];
	int n = snprintf(text, sizeof(text), "1:%u:u%llx:h%llx:1:n", (unsigned)(x >> 40) + 1,
			 (unsigned long long)x, (unsigned long long)x >> 32);

	receive(f,
		coo_addr_v4(11, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24),
			    (uint16_t)(1024 + x % 60000)),
		text, (size_t)n);
}

/* One message and its receipt each way. */
static void talk(struct flood *f, unsigned i)
{
	char text[96];
	coo_send s;
	uint32_t no;
	int n;

	memset(&s, 0, sizeof(s));
	s.token = 7;
	s.to = f->partner;
	s.options = COO_OPT_SENDCHECK;
	s.ext = coo_span_of("hello", 6);
	if (coo_node_send(f->node, &s, f->now, &no) != COO_OK)
		abort();
	drain(f);
	n = snprintf(text, sizeof(text), "1:%u:li:pc:33:%u", 10 + 2 * i, (unsigned)no);
	receive(f, f->partner, text, (size_t)n);
	n = snprintf(text, sizeof(text), "1:%u:li:pc:288:hello", 11 + 2 * i);
	receive(f, f->partner, text, (size_t)n);
	if (f->messages != i + 1 || f->receipts != i + 1 || f->delivered != i + 1 ||
	    !coo_peers_at(coo_node_peers(f->node), &f->partner)) {
		fprintf(stderr, "bench_flood: the conversation suffered in round %u\n", i);
		exit(1);
	}
}

static size_t open_node(struct flood *f)
{
	coo_node_cfg cfg;
	size_t size;
	void *mem;

	memset(&cfg, 0, sizeof(cfg));
	cfg.seed = 1;
	cfg.first_packet_no = 1000;
	cfg.member = true;
	cfg.legacy.user = cfg.utf8.user = coo_span_str("me");
	cfg.legacy.host = cfg.utf8.host = coo_span_str("here");
	size = coo_node_size(&cfg);
	mem = calloc(1, size);
	if (!mem || coo_node_init(&f->node, &cfg, mem, size) != COO_OK)
		abort();
	return size;
}

static void say(const char *name, double value, const char *unit)
{
	printf("flood_%s %.0f %s\n", name, value, unit);
}

int main(void)
{
	static struct flood f = { NULL, COO_SEC(1000), 1, 0, 0, 0, { { 0 }, 0, 0, 0, 0 } };
	size_t size = open_node(&f);
	const coo_node_stats *stats = coo_node_get_stats(f.node);
	const coo_peers *peers = coo_node_peers(f.node);
	double start = cpu_ns();
	long rss = 0;

	coo_node_announce(f.node, f.now);
	f.partner = coo_addr_v4(10, 0, 0, 2, 2425);
	receive(&f, f.partner, "1:1:li:pc:3:li", 14);
	for (unsigned i = 0; i < ENTRIES; i++) {
		stranger(&f);
		if (i % TALK_EVERY == TALK_EVERY - 1)
			talk(&f, i / TALK_EVERY);
		if (i == ENTRIES / 10)
			rss = rss_kib();
	}
	say("cpu", (cpu_ns() - start) / ENTRIES, "ns/entry");
	say("evicted", (double)peers->evicted, "peers");
	say("refused", (double)peers->refused, "peers");
	say("answers_withheld", (double)stats->limited, "answers");
	say("queue_full", (double)stats->queue_full, "answers");
	say("messages_and_receipts", (double)(f.messages + f.delivered), "of_2000");
	say("node_size", (double)size / 1024, "KiB");
	say("rss_growth", (double)(rss_kib() - rss), "KiB_after_the_first_tenth");
	return 0;
}
