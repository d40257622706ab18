#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo iface: every column and key, for interfaces of each kind and class."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(1)
step = lab.Steps()


def ip(*argv):
    subprocess.run(["ip", "-n", "h1", *argv], check=True)


def link(name, address, *flags):
    subprocess.run(["ip", "link", "add", "x." + name, "type", "veth", "peer", "name", name,
                    "netns", "h1"], check=True)
    subprocess.run(["ip", "link", "set", "x." + name, "up"], check=True)
    ip("link", "set", name, "mtu", "1400")
    ip("addr", "add", address, "brd", "+", "dev", name)
    if "down" not in flags:
        ip("link", "set", name, "up")


def table(*args):
    code, out, _ = lab.coo("h1", "iface", *args)
    assert code == 0
    rows = out.splitlines()
    starts = [rows[0].index(t) for t in ("NAME", "ADDRESS", "MASK", "NETWORK", "BROADCAST")]
    for row in rows[1:]:  # columns of text begin beneath their titles
        assert all(at == 0 or row[at - 1] == " " and row[at] != " " for at in starts), row
    return {(w[0], w[1]): " ".join(w[2:]) for w in (row.split() for row in rows[1:])}


def objects(*args):
    code, out, _ = lab.coo("h1", "iface", "--json", *args)
    start, *found = map(json.loads, out.splitlines())
    assert code == 0 and start["type"] == "start" and start["command"] == "iface"
    return {o["addr"]: o for o in found}


link("clb", "172.16.5.6/20")
link("clc", "192.168.7.8/28")
link("publ", "198.18.0.1/15")
link("apipa", "169.254.3.4/16")
link("point", "10.9.9.9/32")
link("pair", "10.9.8.0/31")
link("docker0", "172.17.0.1/16")
link("off", "192.168.99.1/24", "down")

with step("address, mask, network, broadcast, hosts, kind and class, MTU, state, used or why not"):
    rows = table("-4")
    want = {
        ("lo", "127.0.0.1/8"): "255.0.0.0 127.0.0.0 127.255.255.255 16777214 loopback, class A "
                               "65536 up is loopback",
        ("eth0", "10.77.0.1/24"): "255.255.255.0 10.77.0.0 10.77.0.255 254 private, class A "
                                  "1500 up yes",
        ("clb", "172.16.5.6/20"): "255.255.240.0 172.16.0.0 172.16.15.255 4094 private, class B "
                                  "1400 up yes",
        ("clc", "192.168.7.8/28"): "255.255.255.240 192.168.7.0 192.168.7.15 14 private, class C "
                                   "1400 up yes",
        ("publ", "198.18.0.1/15"): "255.254.0.0 198.18.0.0 198.19.255.255 131070 public, class C "
                                   "1400 up yes",
        ("apipa", "169.254.3.4/16"): "255.255.0.0 169.254.0.0 169.254.255.255 65534 link-local, "
                                    "class B 1400 up yes",
        ("off", "192.168.99.1/24"): "255.255.255.0 192.168.99.0 192.168.99.255 254 private, "
                                    "class C 1400 down is down",
    }
    for key, text in want.items():
        assert rows[key] == text, (key, rows[key], text)
    assert rows["point", "10.9.9.9/32"].startswith("255.255.255.255 10.9.9.9 - 1 private"), rows
    assert rows["pair", "10.9.8.0/31"].startswith("255.255.255.254 10.9.8.0 - 2 private"), rows
    for key in (("point", "10.9.9.9/32"), ("pair", "10.9.8.0/31")):
        assert rows[key].endswith("cannot broadcast") or "broadcast" in rows[key], rows[key]
    assert "yes" not in rows["docker0", "172.17.0.1/16"], rows

with step("-I NAME uses what is skipped unless named, and nothing else"):
    rows = table("-4", "-I", "docker0")
    assert rows["docker0", "172.17.0.1/16"].endswith("up yes"), rows
    assert [key for key, text in rows.items() if text.endswith(" yes")] == \
        [("docker0", "172.17.0.1/16")], rows
    assert lab.coo("h1", "iface", "-I", "eth9")[0] == 2

with step("the same in JSON, with index and MAC, and IPv6 with its zone"):
    found = objects()
    eth0 = found["10.77.0.1"]
    index = json.loads(subprocess.run(["ip", "-n", "h1", "-j", "link", "show", "eth0"], check=True,
                                      capture_output=True).stdout)[0]
    for key, value in {"name": "eth0", "index": index["ifindex"], "family": 4, "prefix": 24,
                       "mask": "255.255.255.0", "network": "10.77.0.0",
                       "broadcast": "10.77.0.255", "hosts": 254, "kind": "private", "class": "A",
                       "mtu": 1500, "mac": index["address"], "up": True, "carrier": True,
                       "used": True, "why": None}.items():
        assert eth0[key] == value, (key, eth0)
    off = found["192.168.99.1"]
    assert (off["up"], off["used"], off["why"]) == (False, False, "is down"), off
    six, = [o for a, o in found.items() if a.startswith("fe80:") and o["name"] == "eth0"]
    assert six["addr"].endswith("%eth0") and six["prefix"] == 64 and six["broadcast"] is None
    assert "class" not in six and six["kind"] == "link-local" and six["used"], six
    assert {o["family"] for o in objects("-6").values()} == {6}
    assert {o["family"] for o in objects("-4").values()} == {4}

with step("the cable is out"):
    subprocess.run(["ip", "link", "set", "h1.eth0", "down"], check=True)
    assert table("-4")["eth0", "10.77.0.1/24"].endswith("no carrier has no carrier"), table()
    assert objects()["10.77.0.1"]["carrier"] is False

step.done()
