#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real iptux, in UTF-8 and in GBK, in coo peers; names and coo broadcast --each reach it."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(3, needs_iptux=True)
step = lab.Steps()
iptux = lab.Iptux("h2", "阿B")
gbk = lab.Iptux("h3", "阿丙", encoding="gb18030", group="营业")


def peers(*args):
    code, out, _ = lab.coo("h1", "peers", "--json", *args)
    return code, {e["peer"]["addr"]: e["peer"] for e in map(json.loads, out.splitlines())
                  if e["type"] == "peer"}


def check(found):
    peer = found["10.77.0.2"]
    assert (peer["nick"], peer["group"], peer["client"], peer["charset"]) == \
        ("阿B", "研发组", "iptux", "UTF-8"), peer
    peer = found["10.77.0.3"]
    assert (peer["nick"], peer["group"], peer["client"]) == ("阿丙", "营业", "iptux"), peer
    assert peer["charset"].upper() in ("GBK", "GB18030"), peer


with step("coo peers lists both with their names and character sets"):
    code, found = peers()
    assert code == 0 and len(found) == 2, found
    check(found)

with step("asked by address too"):
    code, found = peers("10.77.0.0/28", "--wait", "1s")
    assert code == 0 and len(found) == 2, found
    check(found)

with step("what coo peers said is taken back when it ends"):
    for node in (iptux, gbk):
        node.rewind()
        node.expect(event="up", ip="10.77.0.1")
        node.expect(event="down", ip="10.77.0.1")

with step("coo send finds one by its name, and writes as it reads"):
    for node, name in ((iptux, "阿B"), (gbk, "阿丙")):
        assert lab.coo("h1", "send", name, f"给{name}：中文")[0] == 0
        assert node.expect(event="message", source="pal")["text"] == f"给{name}：中文"

with step("coo broadcast --each reaches both, and each acknowledges"):
    code, out, _ = lab.coo("h1", "broadcast", "--each", "--json", "各位：下午三点开会")
    results = [e for e in map(json.loads, out.splitlines()) if e["type"] == "result"]
    assert code == 0 and [r["status"] for r in results] == ["acked", "acked"], results
    for node in (iptux, gbk):
        node.expect(event="message", source="pal", text="各位：下午三点开会")

with step("beside a listener their answers go to the listener, which hands them on"):
    listen = lab.Coo("h1", "listen", "--json", "--nick", "鸽子")
    for address in ("10.77.0.2", "10.77.0.3"):
        listen.rewind()
        listen.expect(type="peer_up", peer__addr=address)
    code, found = peers()
    assert code == 0 and {"10.77.0.2", "10.77.0.3"} <= set(found), found
    assert not listen.seen(type="peer_down", peer__addr="10.77.0.2")
    iptux.tell("msg 10.77.0.1 还在吗")
    listen.expect(type="message", peer__addr="10.77.0.2", text="还在吗")
    assert listen.stop() == 0

with step("who leaves is on the list no more, and --watch says that it went"):
    watch = lab.Coo("h1", "peers", "--watch", "--json")
    watch.expect(type="peer_up", peer__addr="10.77.0.2")
    iptux.quit()
    watch.expect(type="peer_down", peer__addr="10.77.0.2")
    assert watch.stop() == 0
    code, found = peers()
    assert code == 0 and set(found) == {"10.77.0.3"}, found

step.done()
