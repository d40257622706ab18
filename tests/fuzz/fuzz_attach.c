/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proto/attach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read once is written and read again: it has to be the same. */
static void check_round_trip(const coo_attach *a)
{
	static uint8_t mem[4 * COO_ATTACH_NAME_MAX], plain[COO_ATTACH_NAME_MAX];
	coo_attach out = *a, back;
	coo_span list;
	coo_buf b, name;

	coo_buf_init(&name, plain, sizeof(plain));
	coo_attach_name(a->name, &name);
	out.name = coo_buf_span(&name);
	coo_buf_init(&b, mem, sizeof(mem));
	if (coo_attach_put(&b, &out) != COO_OK)
		return;
	list = coo_buf_span(&b);
	if (coo_attach_next(&list, &back) != COO_OK || back.id != a->id || back.size != a->size ||
	    back.mtime != a->mtime || back.attr != coo_attach_type(a) ||
	    back.has_position != a->has_position || back.position != a->position)
		abort();
	if (coo_attach_next(&list, &back) != COO_ENOENT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	coo_span list = coo_span_of(data, size);
	size_t before;
	coo_attach a;
	coo_err e;

	do {
		before = list.n;
		e = coo_attach_next(&list, &a);
		if (e == COO_OK)
			check_round_trip(&a);
		if (e != COO_ENOENT && list.n >= before)
			abort();
	} while (e != COO_ENOENT);
	return 0;
}
