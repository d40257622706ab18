#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""IPv6, several addresses of one peer, and interfaces that come and go while coo runs."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(3)
step = lab.Steps()
BR_ENTRY, BR_EXIT, BR_ABSENCE = 1, 2, 4


def ip(*argv):
    return subprocess.run(["ip", "-n", *argv], check=True, capture_output=True).stdout.decode()


def link_local(host):
    return next(a["local"] for i in json.loads(ip(host, "-j", "-6", "addr", "show", "eth0"))
                for a in i["addr_info"] if a["local"].startswith("fe80"))


def groups(host):
    return {a["address"] for i in json.loads(ip(host, "-j", "-6", "maddr", "show", "eth0"))
            for a in i["maddr"] if "address" in a}


def peers(host, *args):
    code, out, _ = lab.coo(host, "peers", "--json", *args)
    return {(e["peer"]["addr"], e["peer"]["nick"], e["found"])
            for e in map(json.loads, out.splitlines()) if e["type"] == "peer"}


# Datagrams to the groups, as they arrive at a host that runs no messenger.
EAR = """
import json, socket, struct
index = socket.if_nametoindex("eth0")
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
s.setsockopt(socket.IPPROTO_IPV6, 49, 1)  # IPV6_RECVPKTINFO
s.bind(("::", 2425))
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
             socket.inet_pton(socket.AF_INET6, "ff15::979") + struct.pack("I", index))
print('{"ready": true}', flush=True)
while True:
    data, control, _, peer = s.recvmsg(2000, 200)
    parts = data.split(b":", 5)
    print(json.dumps({"from": peer[0].split("%")[0], "to": socket.inet_ntop(
        socket.AF_INET6, control[0][2][:16]), "command": int(parts[4]) & 0xff}), flush=True)
"""
ear = lab.Program("h3", sys.executable, "-c", EAR)
ear.expect(ready=True)
HERE = link_local("h2")

with step("IPv6: both groups are joined, sent to, and left"):
    assert "ff15::979" not in groups("h2")
    listen = lab.Coo("h2", "listen", "--json", "--nick", "六")
    for group in ("ff02::1", "ff15::979"):
        ear.rewind()
        ear.expect(**{"from": HERE, "to": group, "command": BR_ENTRY})
    assert {"ff02::1", "ff15::979"} <= groups("h2"), groups("h2")

with step("one peer of two addresses is one peer; each of them finds it"):
    assert peers("h1") == {("10.77.0.2", "六", "broadcast")}
    assert peers("h1", HERE + "%eth0") == {(HERE + "%eth0", "六", "sweep")}
    assert {nick for _, nick, _ in peers("h1", "10.77.0.2", HERE + "%eth0")} == {"六"}
    assert lab.coo("h1", "send", f"[{HERE}%eth0]:2425", "über Sechs")[0] == 0
    listen.expect(type="message", text="über Sechs", peer__addr=lambda a: a.endswith("%eth0"))

with step("a host without IPv4 is found and reached by its name"):
    ip("h1", "addr", "flush", "dev", "eth0", "scope", "global")
    assert peers("h1") == {(HERE + "%eth0", "六", "broadcast")}
    code, out, _ = lab.coo("h1", "send", "nick:六", "ohne Vier")
    assert code == 0, out
    listen.expect(type="message", text="ohne Vier")
    ip("h1", "addr", "add", "10.77.0.1/24", "brd", "+", "dev", "eth0")

with step("who leaves says so to both groups"):
    assert listen.stop() == 0
    for group in ("ff02::1", "ff15::979"):
        ear.rewind()
        ear.expect(**{"from": HERE, "to": group, "command": BR_EXIT})
    assert "ff15::979" not in groups("h2"), groups("h2")

subprocess.run(["ip", "link", "add", "h2.eth1", "type", "veth", "peer", "name", "eth1", "netns",
                "h2"], check=True)
subprocess.run(["ip", "link", "set", "h2.eth1", "master", "br0", "up"], check=True)
capture = lab.Capture()


def entries(source):
    return len(capture.packets(source=source, command=BR_ENTRY))


with step("an address that comes while it runs is announced, one that goes is not used any more"):
    listen = lab.Coo("h2", "listen", "--json", "--nick", "变")
    capture.wait_for(source="10.77.0.2", command=BR_ENTRY)
    ip("h2", "addr", "add", "10.88.0.2/24", "brd", "+", "dev", "eth1")
    assert entries("10.88.0.2") == 0
    ip("h2", "link", "set", "eth1", "up")
    sent = capture.wait_for(source="10.88.0.2", command=BR_ENTRY)
    assert sent[0]["dst"] == ("10.88.0.255", 2425), sent[0]
    ip("h2", "addr", "add", "10.89.0.2/24", "brd", "+", "dev", "eth1")
    capture.wait_for(source="10.89.0.2", command=BR_ENTRY)
    ip("h2", "addr", "del", "10.88.0.2/24", "dev", "eth1")
    ip("h2", "link", "set", "eth0", "down")
    subprocess.run(["ip", "-n", "h1", "addr", "add", "10.89.0.1/24", "dev", "eth0"], check=True)
    assert peers("h1") == {("10.89.0.2", "变", "broadcast")}
    old = entries("10.88.0.2") + entries("10.77.0.2")
    ip("h2", "link", "set", "eth0", "up")
    capture.wait_for(source="10.77.0.2", command=BR_ENTRY,
                     at_least=entries("10.77.0.2") + 1)
    assert entries("10.88.0.2") + entries("10.77.0.2") > old and listen.stop() == 0
    last = capture.wait_for(source="10.77.0.2", command=BR_EXIT)
    assert not capture.packets(source="10.88.0.2", command=BR_EXIT), last

step.done()
