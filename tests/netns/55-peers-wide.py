#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo peers over wide networks: nobody is passed over, on the own link or behind a router."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(3)
step = lab.Steps()

# Answers at three of all the addresses that lead here; tells how often each was asked.
MANY = """
import collections, json, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
s.bind(("", 2425))
there = {socket.inet_aton(a): a for a in sys.argv[1:]}
asked = collections.Counter()
print('{"ready": true}', flush=True)
while True:
    data, control, _, peer = s.recvmsg(2000, 100)
    local = control[0][2][8:12]
    command = int(data.split(b":", 5)[4]) & 0xff
    if command == 1:
        asked[local] += 1
        if local in there:
            s.sendmsg([b"1:7:u%s:PC:3:name\\0\\0" % there[local].encode()],
                      [(socket.IPPROTO_IP, 8, struct.pack("I", 0) + local + bytes(4))], 0, peer)
    elif command == 2 and local in there:
        del there[local]
        if not there:
            print(json.dumps({"addresses": len(asked), "most": max(asked.values())}), flush=True)
"""


def on(host, *argv):
    subprocess.run(["on", host, *argv], check=True)


def peers(*args):
    code, out, err = lab.coo("h1", "peers", "--json", *args, wait=110)
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0, err
    return {e["peer"]["addr"] for e in events if e["type"] == "peer"}, events[-1], err


with step("all 16,382 addresses of a /18 behind a router are asked, once"):
    on("h2", "ip", "route", "add", "local", "10.80.0.0/18", "dev", "lo")
    on("h1", "ip", "route", "add", "10.80.0.0/18", "via", "10.77.0.2")
    there = ("10.80.0.1", "10.80.31.255", "10.80.63.254")
    many = lab.Program("h2", sys.executable, "-c", MANY, *there)
    many.expect(ready=True)
    found, summary, err = peers("10.80.0.0/18", "--rate", "1000", "--wait", "500ms")
    assert found == set(there), found
    assert 16e9 < summary["took_ns"] < 40e9, summary
    counts = many.expect(addresses=lambda n: n is not None)
    assert counts["addresses"] == 16382 and counts["most"] == 1, counts
    many.kill()

with step("on the own link nobody is lost behind 2,000 who are not there"):
    for host, address in (("h1", "10.77.0.1"), ("h3", "10.77.7.250")):
        on(host, "ip", "addr", "flush", "dev", "eth0")
        on(host, "ip", "addr", "add", address + "/16", "brd", "+", "dev", "eth0")
    listen = lab.Coo("h3", "listen", "--json", "--no-announce")
    for rate in ((), ("--rate", "1000")):
        found, summary, err = peers("10.77.0.0/21", *rate, "--passes", "1")
        assert found == {"10.77.7.250"}, found
        assert 5e9 < summary["took_ns"] < 40e9, summary
    assert listen.stop() == 0

step.done()
