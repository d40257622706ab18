#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What "make run" does after building: goes online as far as this machine's network lets it, and
# says before what to do next. scripts/run.sh [OPTIONS OF coo listen]
set -eu

coo=${COO:-${B:-build}/coo}
PATH=$PATH:/usr/sbin:/sbin

# An interface that is up and has an IPv4 broadcast address; not the loopback, which has none.
has_network() {
	if command -v ip >/dev/null; then
		ip -o -4 addr show up 2>/dev/null | grep -q ' brd '
	else
		ifconfig 2>/dev/null | grep -q 'inet .*broadcast'
	fi
}

my_address() {
	local addr
	addr=$(ip -o -4 addr show up 2>/dev/null | sed -n '/ brd /s/.*inet \([0-9.]*\).*/\1/p' | head -n 1)
	[ -n "$addr" ] ||
		addr=$(ifconfig 2>/dev/null | sed -n '/broadcast/s/.*inet \([0-9.]*\).*/\1/p' | head -n 1)
	echo "$addr"
}

where=() to=127.0.0.1
if has_network; then
	to=$(my_address)
	cat >&2 <<END
coo goes online as FeiQ, IP Messenger and iptux on this network see it; messages appear below.
Its own address is $to, so from another machine, or from a second terminal here:
END
else
	where=(-b 127.0.0.1)
	cat >&2 <<END
No usable network here (no interface is up with an IPv4 broadcast address), so coo listens on the
loopback address alone. From a second terminal:
END
fi
cat >&2 <<END

    $coo send $to 'Hello, 你好'        send a message, see that it arrived
    $coo help                           all that coo can do

Ctrl-C ends it.

END
exec "$coo" listen "${where[@]}" "$@"
