/* SPDX-License-Identifier: MIT */

/*
 * What converting a text costs: with a descriptor opened for each, with one that is kept, and as
 * coo does it. Prints "name value unit" lines; each figure is the best of several rounds.
 */
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/charset.h"
#include "proto/utf8.h"

enum { ROUNDS = 9, LONG = 1400, SHORT = 20 };

static volatile size_t sink;

struct job {
	iconv_t cd; /* kept */
	coo_charset *cs;
	coo_span in;
	char out[4 * LONG + 16];
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double best(void (*fn)(struct job *), struct job *j, unsigned n)
{
	double least = 1e18;

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now_ns(), took;

		for (unsigned i = 0; i < n; i++) {
			__asm__ volatile("" : : "r"(j->in.p) : "memory");
			fn(j);
		}
		took = (now_ns() - start) / n;
		least = took < least ? took : least;
	}
	return least;
}

static void convert(iconv_t cd, struct job *j)
{
	char *in = (char *)(uintptr_t)j->in.p, *out = j->out;
	size_t in_n = j->in.n, out_n = sizeof(j->out);

	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &in, &in_n, &out, &out_n) == (size_t)-1)
		exit(1);
	sink += out_n;
}

static void opened_each_time(struct job *j)
{
	iconv_t cd = iconv_open("UTF-8", "GB18030");

	convert(cd, j);
	iconv_close(cd);
}

static void kept(struct job *j)
{
	convert(j->cd, j);
}

static void ours(struct job *j)
{
	coo_buf b;

	coo_buf_init(&b, j->out, sizeof(j->out));
	if (coo_charset_decode(j->cs, j->in, &b, NULL) != COO_OK)
		exit(1);
	sink += b.n;
}

static void validate(struct job *j)
{
	sink += coo_utf8_valid(j->in);
}

/* Character by character, as the definition says. */
static void validate_plainly(struct job *j)
{
	coo_span s = j->in;
	uint32_t cp;
	size_t n;

	while (s.n > 0 && (n = coo_utf8_next(s, &cp)) > 0)
		s = coo_span_skip(s, n);
	sink += s.n;
}

static void say(const char *what, const char *how, double ns, size_t n)
{
	printf("charset_%s_%s %.1f ns\n", what, how, ns);
	printf("charset_%s_%s_rate %.0f MB/s\n", what, how, (double)n / ns * 1e3);
}

static void run(struct job *j, const char *what, const void *bytes, size_t n)
{
	double opened, k, o;

	j->in = coo_span_of(bytes, n);
	opened = best(opened_each_time, j, 2000);
	k = best(kept, j, 10000);
	o = best(ours, j, 10000);
	say(what, "opened_each_time", opened, n);
	say(what, "descriptor_kept", k, n);
	say(what, "coo", o, n);
	printf("charset_%s_coo_vs_opened %.2f ratio\n", what, opened / o);
	printf("charset_%s_coo_vs_kept %.2f ratio\n", what, k / o);
}

static void run_validation(struct job *j, const char *what, const void *bytes, size_t n)
{
	double plain, fast;

	j->in = coo_span_of(bytes, n);
	plain = best(validate_plainly, j, 10000);
	fast = best(validate, j, 10000);
	printf("utf8_valid_%s %.1f ns\n", what, fast);
	printf("utf8_valid_%s_vs_plain_loop %.2f ratio\n", what, plain / fast);
}

/* Repeats a text until n bytes are filled, and no character is cut. */
static size_t fill(char *to, size_t n, const char *text)
{
	size_t len = strlen(text), used = 0;

	while (used + len <= n) {
		memcpy(to + used, text, len);
		used += len;
	}
	return used;
}

int main(void)
{
	static struct job j;
	static char text[LONG];
	/* GBK: the word for message twice, and words in ASCII */
	static const char mixed[] = "\xcf\xfb\xcf\xa2\xcf\xfb\xcf\xa2 lunch ok!";

	j.cd = iconv_open("UTF-8", "GB18030");
	if (j.cd == (iconv_t)-1 || coo_charset_open("gbk", &j.cs) != COO_OK) {
		fputs("bench_charset: no GB18030 here\n", stderr);
		return 1;
	}
	memset(text, 'a', sizeof(text));
	run(&j, "ascii_20", text, SHORT);
	run(&j, "ascii_1400", text, LONG);
	run_validation(&j, "ascii_1400", text, LONG);
	run(&j, "mixed_18", mixed, strlen(mixed));
	run(&j, "mixed_1400", text, fill(text, LONG, mixed));
	run_validation(&j, "chinese_1400", text, fill(text, LONG, "\xe6\xb6\x88\xe6\x81\xaf"));
	coo_charset_close(j.cs);
	iconv_close(j.cd);
	return 0;
}
