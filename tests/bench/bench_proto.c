/* SPDX-License-Identifier: MIT */

/*
 * What the protocol costs per packet. Prints "name value unit" lines; each figure is the best of
 * several rounds, since what disturbs a measurement only ever adds. Ratios compare with a plain
 * way of doing the same in the same run, so they hold on any machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/node.h"
#include "proto/utf8.h"

enum { ROUNDS = 9 };

static volatile uint64_t sink;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Best time of one call of fn(arg, n) divided by n. */
static double measure(void (*fn)(void *, unsigned), void *arg, unsigned n)
{
	double best = 1e18;

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now_ns(), took;

		fn(arg, n);
		took = (now_ns() - start) / n;
		best = took < best ? took : best;
	}
	return best;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static void say(const char *name, double value, const char *unit)
{
	printf("%s %.3g %s\n", name, value, unit);
}

/* --- decoding ------------------------------------------------------------------------------------
 */

static void decode(void *arg, unsigned n)
{
	const coo_span *s = arg;
	coo_packet p;

	for (unsigned i = 0; i < n; i++) {
		__asm__ volatile("" : : "r"(s->p) : "memory");
		if (coo_packet_decode(*s, &p) == COO_OK)
			sink += p.packet_no + p.command + p.ext.n;
	}
}

/* The same by memchr and strtoul, without any check: what one writes first. */
static void decode_plain(void *arg, unsigned n)
{
	const coo_span *s = arg;

	for (unsigned i = 0; i < n; i++) {
		const char *at = (const char *)s->p, *end = at + s->n, *field[6];

		__asm__ volatile("" : : "r"(at) : "memory");
		for (unsigned k = 0; k < 6 && at; k++) {
			field[k] = at;
			at = memchr(at, ':', (size_t)(end - at));
			at = at ? at + 1 : NULL;
		}
		sink += strtoul(field[0], NULL, 10) + strtoul(field[1], NULL, 10) +
			strtoul(field[4], NULL, 10) + (size_t)(end - field[5]);
	}
}

static void bench_decode(const char *name, coo_span packet)
{
	char label[64];
	double ours = 1e18, plain = 1e18;

	/* in turn, so that both see the same of what else the machine does */
	for (unsigned i = 0; i < 5; i++) {
		ours = least(ours, measure(decode, &packet, 100000));
		plain = least(plain, measure(decode_plain, &packet, 100000));
	}
	snprintf(label, sizeof(label), "decode_%s", name);
	say(label, ours, "ns/packet");
	snprintf(label, sizeof(label), "decode_%s_memchr_strtoul", name);
	say(label, plain, "ns/packet");
	snprintf(label, sizeof(label), "decode_%s_ratio", name);
	say(label, ours / plain, "of_memchr_strtoul");
}

/* --- the node ------------------------------------------------------------------------------------
 */

struct node_bench {
	coo_node *node;
	coo_time now;
	uint64_t no;
	const char *head, *tail; /* before and behind the packet number */
	uint8_t bytes[256];
	size_t n;
};

static coo_node *open_node(void)
{
	coo_node_cfg cfg;
	coo_node *node = NULL;
	void *mem;

	memset(&cfg, 0, sizeof(cfg));
	cfg.seed = 1;
	cfg.first_packet_no = 1000;
	cfg.member = true;
	cfg.legacy.user = cfg.utf8.user = coo_span_str("me");
	cfg.legacy.host = cfg.utf8.host = coo_span_str("here");
	mem = calloc(1, coo_node_size(&cfg));
	if (!mem || coo_node_init(&node, &cfg, mem, coo_node_size(&cfg)) != COO_OK)
		abort();
	return node;
}

static void write_packet(struct node_bench *b)
{
	coo_buf out;

	coo_buf_init(&out, b->bytes, sizeof(b->bytes));
	coo_buf_put_str(&out, b->head);
	coo_buf_put_u64(&out, b->no++);
	coo_buf_put_str(&out, b->tail);
	coo_buf_put_byte(&out, 0);
	b->n = out.n;
}

/* Datagram in, event out, receipt out: a new message each time. */
static void receive(void *arg, unsigned n)
{
	static uint8_t mem[COO_PACKET_MAX];
	struct node_bench *b = arg;
	coo_event ev;
	coo_buf out;
	coo_tx tx;
	coo_rx rx;

	memset(&rx, 0, sizeof(rx));
	rx.from = coo_addr_v4(10, 0, 0, 2, 2425);
	coo_buf_init(&out, mem, sizeof(mem));
	for (unsigned i = 0; i < n; i++) {
		write_packet(b);
		b->now += COO_US(60);
		coo_node_recv(b->node, &rx, coo_span_of(b->bytes, b->n), b->now);
		while (coo_node_next_event(b->node, &ev))
			sink += ev.packet.packet_no;
		while (coo_node_next_tx(b->node, b->now, &out, &tx))
			sink += out.n;
	}
}

/* Writing the packet is no work of the node. */
static void write_only(void *arg, unsigned n)
{
	struct node_bench *b = arg;

	for (unsigned i = 0; i < n; i++) {
		write_packet(b);
		sink += b->n;
	}
}

static void bench_node(const char *name, const char *entry, const char *head, const char *tail)
{
	struct node_bench b = { open_node(), COO_SEC(1), 1783728000, head, tail, { 0 }, 0 };
	char label[80];
	coo_event ev;
	coo_rx rx;
	double ns;

	memset(&rx, 0, sizeof(rx));
	rx.from = coo_addr_v4(10, 0, 0, 2, 2425);
	coo_node_recv(b.node, &rx, coo_span_str(entry), b.now);
	while (coo_node_next_event(b.node, &ev))
		sink++;
	ns = measure(receive, &b, 40000) - measure(write_only, &b, 40000);
	snprintf(label, sizeof(label), "node_%s_%zu_bytes", name, b.n);
	say(label, ns, "ns/message");
	if (coo_node_get_stats(b.node)->messages != (uint64_t)ROUNDS * 40000)
		abort();
	free(b.node);
}

/* --- UTF-8 ---------------------------------------------------------------------------------------
 */

static void validate(void *arg, unsigned n)
{
	const coo_span *s = arg;

	for (unsigned i = 0; i < n; i++) {
		__asm__ volatile("" : : "r"(s->p) : "memory");
		sink += coo_utf8_valid(*s);
	}
}

static bool valid_plain(coo_span s)
{
	uint32_t cp;

	for (size_t i = 0, n; i < s.n; i += n) {
		n = coo_utf8_next(coo_span_of(s.p + i, s.n - i), &cp);
		if (n == 0)
			return false;
	}
	return true;
}

static void validate_plain(void *arg, unsigned n)
{
	const coo_span *s = arg;

	for (unsigned i = 0; i < n; i++) {
		__asm__ volatile("" : : "r"(s->p) : "memory");
		sink += valid_plain(*s);
	}
}

static void bench_utf8(void)
{
	static uint8_t text[1400];
	coo_span s = coo_span_of(text, sizeof(text));
	double ours, plain;

	memset(text, 'x', sizeof(text));
	ours = measure(validate, &s, 20000);
	plain = measure(validate_plain, &s, 2000);
	say("utf8_valid_ascii_1400", ours, "ns");
	say("utf8_valid_ascii_1400_speedup", plain / ours, "times_a_loop_by_character");
	for (size_t i = 0; i + 3 <= sizeof(text); i += 3)
		memcpy(text + i, "\xe9\xa3\x9e", 3);
	s.n = sizeof(text) / 3 * 3;
	say("utf8_valid_chinese_1400", measure(validate, &s, 5000), "ns");
}

#define FEIQ "1_lbt6_0#128#C85B76BD9F3F#0#0#0#4001#9:"
#define GBK_TAIL(command)                                                                          \
	":Lee:LEE-PC:" #command                                                                    \
	":\xc4\xe3\xba\xc3\xa3\xac\xb7\xc9\xb8\xeb\xd4\xda\xc2\xf0\xa3\xbf"                        \
	"{/font;-8 0 0 0 400 0 0 0 134 0 0 2 32 \xce\xa2\xc8\xed\xd1\xc5\xba\xda 8404992;}"

int main(void)
{
	bench_decode("ascii_60",
		     coo_span_str("1:1783728000:shirouzu:jupiter:288:Hello, how are you doing?!"));
	bench_decode("feiq_150", coo_span_str(FEIQ "1783728503" GBK_TAIL(288)));
	bench_node("ascii", "1:1:shirouzu:jupiter:3:n",
		   "1:", ":shirouzu:jupiter:32:Hello, how are you doing?!!");
	bench_node("ascii_with_receipt", "1:1:shirouzu:jupiter:3:n",
		   "1:", ":shirouzu:jupiter:288:Hello, how are you doing?!");
	bench_node("feiq_gbk_with_receipt", FEIQ "1:Lee:LEE-PC:3:Lee", FEIQ, GBK_TAIL(288));
	bench_node("feiq_gbk", FEIQ "1:Lee:LEE-PC:3:Lee", FEIQ, GBK_TAIL(32));
	bench_utf8();
	return 0;
}
