/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "feature/prober_impl.h"
#include "proto/cmd.h"
#include "proto/echo.h"
#include "proto/packet.h"
#include "proto/stamp.h"

static size_t build_echo(coo_flow *f, uint64_t seq, coo_time now)
{
	coo_probe probe = { .session = f->session, .seq = (uint32_t)seq, .sent = now };

	coo_ignore(coo_probe_encode(&probe, f->payload, f->spec.size));
	return f->spec.size;
}

static size_t build_stamp(const coo_prober *p, coo_flow *f, uint64_t seq, coo_time now)
{
	coo_stamp_request r = { .seq = (uint32_t)seq,
				.time = coo_ntp_from_unix(prober_wall(p, now)) };
	coo_buf b;

	r.error = p->own_error == UINT64_MAX ? coo_stamp_error_of(COO_SEC(1), false)
					     : coo_stamp_error_of(p->own_error, true);
	coo_buf_init(&b, f->payload, f->spec.size);
	coo_stamp_put_request(&b, &r);
	return f->spec.size;
}

/* GETINFO has an empty body; the answer comes to the port it was sent from. */
static size_t build_peer(const coo_prober *p, coo_flow *f, uint64_t seq)
{
	coo_packet packet = { .version = coo_span_str("1"),
			      .packet_no = (f->session & 0x3fffffff) + seq + 1,
			      .user = coo_span_str(p->cfg.user),
			      .host = coo_span_str(p->cfg.host),
			      .command = COO_CMD_GETINFO };
	coo_buf b;

	coo_buf_init(&b, f->payload, f->spec.size);
	if (coo_packet_encode(&b, &packet) != COO_OK)
		return 0;
	coo_buf_put_byte(&b, 0);
	return coo_buf_ok(&b) ? b.n : 0;
}

static size_t build(const coo_prober *p, coo_flow *f, uint64_t seq, coo_time now)
{
	switch (p->cfg.mode) {
	case COO_PROBE_ECHO:
		return build_echo(f, seq, now);
	case COO_PROBE_STAMP:
		return build_stamp(p, f, seq, now);
	case COO_PROBE_PEER:
		return build_peer(p, f, seq);
	}
	return 0;
}

static void send_failed(coo_prober *p, coo_flow *f, coo_time now, int error)
{
	coo_probe_event ev = { .kind = COO_PING_SEND_ERROR,
			       .seq = f->account.next_seq,
			       .from = f->spec.target,
			       .size = f->spec.size,
			       .sent = now,
			       .error = error };

	f->send_errors++;
	f->last_errno = error;
	if (error == EMSGSIZE)
		f->too_big++;
	coo_series_unsent(&f->series, now);
	prober_tell(p, f, &ev);
}

void coo_prober_send(coo_prober *p, coo_flow *f, coo_time deadline)
{
	struct sockaddr_storage ss;
	socklen_t len = coo_addr_to_sockaddr(&f->spec.target, &ss);
	coo_time now = coo_clock_now();
	size_t n = build(p, f, f->account.next_seq, now);
	ssize_t sent = -1;
	int error = 0;

	/* An ICMP error that came since is told on the next call once; the error queue has it too.
	 */
	for (int tries = 0; tries < 3 && sent < 0; tries++) {
		sent = sendto(f->fd, f->payload, n, MSG_DONTWAIT, (struct sockaddr *)&ss, len);
		error = sent < 0 ? errno : 0;
		if (error && error != ECONNREFUSED && error != EHOSTUNREACH &&
		    error != ENETUNREACH && error != EINTR)
			break;
		if (error)
			coo_prober_errors(p, f);
	}
	if (sent < 0) {
		send_failed(p, f, now, error);
		return;
	}
	if (deadline)
		coo_hist_add(&p->timer, now > deadline ? now - deadline : 0);
	coo_account_sent(&f->account, now, n);
}
