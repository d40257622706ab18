/* SPDX-License-Identifier: MIT */
#include "feature/doctor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/state.h"
#include "feature/doctor_int.h"

static const struct {
	const char *code, *name;
} checks[COO_CHECKS] = {
#define CHECK_ROW(id, number, text)                                                                \
	[COO_CHECK_##id] = { (number) < 10 ? "COO-D0" #number : "COO-D" #number, text },
	COO_CHECK_LIST(CHECK_ROW)
#undef CHECK_ROW
};

const char *coo_check_code(enum coo_check c)
{
	return checks[c].code;
}

const char *coo_check_name(enum coo_check c)
{
	return checks[c].name;
}

bool coo_doctor_stopped(const struct doctor *d)
{
	return d->cfg.stop && *d->cfg.stop;
}

void coo_doctor_say(struct doctor *d, enum coo_check c, enum coo_health h, const char *cure,
		    const char *fmt, ...)
{
	char detail[640];
	coo_finding f = { c, h, detail, h == COO_SOUND ? NULL : cure };
	va_list ap;

	if (coo_doctor_stopped(d)) /* what was cut short would be judged wrongly */
		return;
	va_start(ap, fmt);
	coo_log_format(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	d->faulty[c] = d->faulty[c] || h == COO_FAULT;
	d->sum.sound += h == COO_SOUND;
	d->sum.faults += h == COO_FAULT;
	d->sum.untold += h == COO_UNTOLD;
	d->cfg.report(d->cfg.user, &f);
}

/* What is on the wire, once something can be sent. */
static void examine_network(struct doctor *d)
{
	coo_doctor_ports(d);
	if (!coo_doctor_open(d))
		return;
	coo_doctor_routes(d);
	coo_doctor_hear_ourselves(d);
	coo_doctor_firewall(d);
	coo_doctor_echo(d);
	coo_doctor_rounds(d);
	coo_doctor_judge(d);
	coo_doctor_target(d);
	coo_doctor_leave(d);
	coo_doctor_close(d);
}

static void reserve_numbers(struct doctor *d, coo_state_block *block)
{
	coo_ignore(coo_state_reserve(block)); /* doctor_state tells where that fails */
	d->first_no = block->first;
}

coo_err coo_doctor_run(const coo_doctor_cfg *cfg, coo_doctor_sum *sum, const char **bad)
{
	struct doctor *d = calloc(1, sizeof(*d));
	coo_state_block block;
	coo_err e = COO_ENOMEM;

	if (!d)
		return e;
	d->cfg = *cfg;
	d->cfg.wait = cfg->wait ? cfg->wait : COO_SEC(2);
	d->peers = calloc(DOCTOR_PEERS_MAX, sizeof(*d->peers));
	if (d->peers)
		e = coo_netifs_read(cfg->names, cfg->n_names, &d->ifs, bad);
	if (e == COO_OK) {
		reserve_numbers(d, &block);
		coo_doctor_clock(d);
		coo_doctor_charsets(d);
		coo_doctor_state(d);
		if (coo_doctor_interfaces(d))
			examine_network(d);
		coo_state_give_back(&block, d->n_no);
		d->sum.complete = !coo_doctor_stopped(d);
		*sum = d->sum;
		coo_netifs_free(&d->ifs);
	}
	free(d->peers);
	free(d);
	return e;
}
