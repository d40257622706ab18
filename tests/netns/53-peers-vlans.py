#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A coo listen behind a router is found by who asks its network, and is no amplifier for others."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(4, "--vlans", "2")  # h1 and h2 on 10.77.0.0/24, h3 and h4 on 10.78.0.0/24
step = lab.Steps()
capture = lab.Capture("br1")
ASKER, LISTENER = "10.77.0.1", "10.78.0.3"
PUBLIC = "203.0.113.1"


def ip(*argv):
    subprocess.run(["ip", *argv], check=True)


def find(*args):
    """What h1 finds: address and how, for each."""
    _, out, _ = lab.coo("h1", "peers", "--json", "--wait", "1s", *args)
    return {(e["peer"]["addr"], e["peer"]["client"], e["found"])
            for e in map(json.loads, out.splitlines()) if e["type"] == "peer"}


def said(source, to):
    return sum(len(d) for s, t, d in list(capture.datagrams) if s[0] == source and t[0] == to)


listen = lab.Coo("h3", "listen", "--json", "--nick", "远方")
THERE = {(LISTENER, "coo", "sweep")}

with step("asked by its network it is found, by broadcast it is not"):
    assert find("10.78.0.0/24") == THERE
    assert find() == set()
    listen.expect(type="peer_up", peer__addr=ASKER)

with step("what it said there is not more than what it was sent"):
    assert 0 < said(LISTENER, ASKER) <= said(ASKER, LISTENER), (
        said(LISTENER, ASKER), said(ASKER, LISTENER))

with step("a question that is shorter than the answer is saved up until three make one"):
    ask = ("import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
           "s.bind(('', 2425))\ns.settimeout(3)\n"
           "def ask(n):\n s.sendto(b'1:%d:u:h:1:' % n, ('10.78.0.3', 2425))\n"
           "ask(1)\n"
           "try:\n s.settimeout(1.5); print('{\"first\": %d}' % len(s.recv(2000)), flush=True)\n"
           "except OSError:\n print('{\"first\": 0}', flush=True)\n"
           "for n in range(2, 12):\n ask(n)\n"
           "s.settimeout(5)\nprint('{\"later\": %d}' % len(s.recv(2000)), flush=True)\n")
    other = lab.Program("h2", sys.executable, "-c", ask)
    assert other.expect(first=lambda n: n is not None)["first"] == 0
    assert other.expect(later=lambda n: n is not None)["later"] > 12
    assert said(LISTENER, "10.77.0.2") <= said("10.77.0.2", LISTENER)

with step("coo doctor says so of it, and that broadcasts end at the router"):
    code, out, _ = lab.coo("h1", "doctor", "--json", "-w", "500ms", LISTENER)
    checks = {e["code"]: e for e in map(json.loads, out.splitlines()) if e["type"] == "check"}
    assert checks["COO-D21"]["ok"] and checks["COO-D23"]["ok"] is False, checks
    assert listen.stop() == 0

with step("--answer link: nobody behind the router learns that it is there"):
    listen = lab.Coo("h3", "listen", "--json", "--answer", "link")
    assert find("10.78.0.0/28") == set()
    assert lab.coo("h1", "send", LISTENER, "still taken")[0] == 0
    listen.expect(type="message", text="still taken")
    assert listen.stop() == 0

ip("-n", "h1", "addr", "add", PUBLIC + "/24", "dev", "eth0")
ip("-n", "r", "addr", "add", "203.0.113.254/24", "dev",
   json.loads(subprocess.run(["ip", "-n", "r", "-j", "route", "get", ASKER], capture_output=True,
                             check=True).stdout)[0]["dev"])

with step("a public address gets no answer, until its network is named"):
    listen = lab.Coo("h3", "listen", "--json")
    assert find("-b", PUBLIC, LISTENER) == set()
    assert listen.stop() == 0
    listen = lab.Coo("h3", "listen", "--json", "--answer", "203.0.113.0/24")
    assert find("-b", PUBLIC, LISTENER) == THERE
    assert find("-b", ASKER, LISTENER) == set()
    assert listen.stop() == 0

with step("a network named is trusted with the list of members, too"):
    near = lab.Coo("h4", "listen", "--json", "--nick", "邻居")
    listen = lab.Coo("h3", "listen", "--json", "--serve-list", "--answer", "10.77.0.0/24")
    listen.expect_peer("10.78.0.4")
    assert find("--host-list", LISTENER) == THERE | {("10.78.0.4", "unknown", "host list")}
    assert listen.stop() == 0
    assert near.stop() == 0

with step("what is no network is an error of usage"):
    code, _, err = lab.coo("h1", "listen", "--answer", "everybody")
    assert code == 2 and "--answer" in err and "everybody" in err, err

step.done()
