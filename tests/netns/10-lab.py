#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The lab itself: hosts see each other's broadcasts, a router joins two LANs, nothing stays behind."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(4, "--vlans", "2")
step = lab.Steps()

RECEIVE = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 2425))
s.settimeout(15)
print('{"bound": true}', flush=True)
data, peer = s.recvfrom(100)
print('{"got": "%s", "from": "%s"}' % (data.decode(), peer[0]), flush=True)
"""
SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.sendto(sys.argv[2].encode(), (sys.argv[1], 2425))
"""


def send(host, to, text):
    subprocess.run(["on", host, sys.executable, "-c", SEND, to, text], check=True)


def receiver(host):
    program = lab.Program(host, sys.executable, "-c", RECEIVE)
    program.expect(bound=True)
    return program


for address in ("255.255.255.255", "10.77.0.255"):
    with step(f"a broadcast to {address} reaches the LAN and no other"):
        near, far = receiver("h2"), receiver("h4")
        send("h1", address, "for all")
        near.expect(got="for all", **{"from": "10.77.0.1"})
        send("h3", "10.78.0.4", "for one")
        far.expect(got="for one", **{"from": "10.78.0.3"})

with step("the router carries unicast between the LANs, and names are known"):
    far = receiver("h4")
    send("h1", "h4", "far away")
    far.expect(got="far away", **{"from": "10.77.0.1"})

with step("each host has its name and its own folders"):
    out = [subprocess.run(["on", h, "sh", "-c", "hostname; echo $XDG_STATE_HOME"],
                          capture_output=True, check=True).stdout for h in ("h1", "h2")]
    assert out[0].startswith(b"h1\n") and out[1].startswith(b"h2\n") and \
        out[0].split(b"\n")[1] != out[1].split(b"\n")[1], out

with step("await ends when a port is bound, and fails when none is"):
    waiting = receiver("h2")
    subprocess.run(["await", "h2", "udp", "2425"], check=True)
    assert subprocess.run(["await", "h1", "udp", "2425", "1"], check=False).returncode == 1
    waiting.kill()

step.done()
