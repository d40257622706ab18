#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Three hosts on a bridge: entries seen, messages both ways, answers from the address asked."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(3)
step = lab.Steps()
capture = lab.Capture()
BR_ENTRY, BR_EXIT, RECVMSG = 0x01, 0x02, 0x21

nodes = {}
with step("each host that goes online is seen by those that are"):
    for host in ("h1", "h2", "h3"):
        nodes[host] = lab.Coo(host, "listen", "--json", "--nick", "nick-" + host)
    for host, node in nodes.items():
        for k in (1, 2, 3):
            if host == f"h{k}":
                continue
            peer = node.expect_peer(f"10.77.0.{k}")
            assert peer["nick"] == f"nick-h{k}" and peer["client"] == "coo", peer
        assert len(node.seen(type="peer_up")) == 2, "a host with two addresses is one peer"


def shown(event):
    return {k: v for k, v in event["peer"].items() if k != "last_heard"}


with step("a change is told where something shown is another: not for each further address"):
    nodes["h2"].stop()
    nodes["h1"].expect(type="peer_down", peer__addr="10.77.0.2")
    nodes["h2"] = lab.Coo("h2", "listen", "--json", "--nick", "nick-h2")
    nodes["h1"].expect(type="peer_up", peer__addr="10.77.0.2")
    nodes["h2"].expect_peer("10.77.0.1")
    nodes["h2"].expect_peer("10.77.0.3")
    for host, node in nodes.items():
        last = {}
        for event in node.seen(type=lambda t: str(t).startswith("peer_")):
            name = event["peer"]["host"]
            assert event["type"] != "peer_change" or shown(event) != last[name], (host, event)
            last[name] = shown(event)

with step("a host announces itself to its broadcast address, and again after 5 s"):
    entries = capture.wait_for(source="10.77.0.3", to="10.77.0.255", command=BR_ENTRY,
                               at_least=2)
    assert len(entries) == 2 and entries[0]["no"] != entries[1]["no"], entries

with step("messages both ways, each acknowledged and shown once"):
    for a, b in (("h1", "h2"), ("h2", "h1"), ("h3", "h1")):
        text = f"从 {a} 到 {b}"
        assert lab.coo(a, "send", "10.77.0." + b[1], text)[0] == 0
        nodes[b].expect(type="message", text=text)
    assert len(nodes["h1"].seen(type="message")) == 2

with step("one message to two hosts, and a partial result where one is silent"):
    code, out, _ = lab.coo("h1", "send", "--json", "10.77.0.2", "10.77.0.3", "-m", "to both")
    results = [r for r in map(json.loads, out.splitlines()) if r["type"] == "result"]
    assert code == 0 and [r["status"] for r in results] == ["acked", "acked"], results
    for host in ("h2", "h3"):
        nodes[host].expect(type="message", text="to both")
    code, _, _ = lab.coo("h1", "send", "-w", "400ms", "10.77.0.2", "10.77.0.99", "-m", "half")
    assert code == 3, code

with step("a host with two networks answers from the address that was asked"):
    ip = lambda *a: subprocess.run(["ip", *a], check=True)  # noqa: E731
    ip("-n", "h1", "addr", "add", "10.77.0.101/24", "brd", "+", "dev", "eth0")
    ip("link", "add", "h1.eth1", "type", "veth", "peer", "name", "eth1", "netns", "h1")
    ip("link", "set", "h1.eth1", "master", "br0", "up")
    ip("-n", "h1", "addr", "add", "10.99.0.1/24", "brd", "+", "dev", "eth1")
    ip("-n", "h1", "link", "set", "eth1", "up")
    ip("-n", "h2", "addr", "add", "10.99.0.2/24", "dev", "eth0")
    for address in ("10.77.0.101", "10.99.0.1", "10.77.0.1"):
        assert lab.coo("h2", "send", address, "which address?")[0] == 0
        nodes["h1"].expect(type="message", text="which address?")
        capture.wait_for(source=address, command=RECVMSG)

with step("a host that ends says so twice, and the others know"):
    assert nodes["h3"].stop() == 0
    nodes["h1"].expect(type="peer_down", peer__addr="10.77.0.3")
    exits = capture.wait_for(source="10.77.0.3", to="10.77.0.255", command=BR_EXIT, at_least=2)
    assert len(exits) == 2, exits

step.done()
