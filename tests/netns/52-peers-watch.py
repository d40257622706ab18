#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo peers --watch, beside a listener, across a router; names as targets; coo broadcast."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import dialects  # noqa: E402
import lab  # noqa: E402

lab.enter(16, "--vlans", "2")
step = lab.Steps()
capture = lab.Capture()
# h1 … h6 on this LAN, one of each dialect; h9 … h11 on the other one
town = dialects.Town(range(1, 7))
far = dialects.Town(range(9, 12), network="10.78.0.{}")
LOCAL = {f"10.77.0.{n}" for n in range(1, 7)}
FAR = {f"10.78.0.{n}" for n in range(9, 12)}
BR_ENTRY, BR_EXIT, ANSENTRY = 1, 2, 3


def addresses(out, kind="peer"):
    events = [json.loads(line) for line in out.splitlines()]
    return {e["peer"]["addr"] for e in events if e["type"] == kind}


with step("a broadcast finds this LAN, a network given finds the other one"):
    code, out, _ = lab.coo("h8", "peers", "--json")
    assert code == 0 and addresses(out) == LOCAL, out
    code, out, _ = lab.coo("h8", "peers", "--json", "10.78.0.0/24", "--wait", "1s")
    assert code == 0 and addresses(out) == FAR, out

with step("a sweep says goodbye to those who answered"):
    exits = {p["dst"][0] for p in capture.packets(source="10.77.0.8", command=BR_EXIT)}
    assert FAR <= exits, exits

with step("a sweep keeps to its rate"):
    before = len(capture.packets(source="10.77.0.8", command=BR_ENTRY))
    code, _, _ = lab.coo("h8", "peers", "10.78.0.128/26", "--rate", "50", "--passes", "1",
                         "--wait", "100ms", "--json")
    assert code == 1
    assert len(capture.packets(source="10.77.0.8", command=BR_ENTRY)) - before <= 62

with step("--watch tells who is there, who comes, changes and goes"):
    watch = lab.Coo("h8", "peers", "--watch", "--json")
    for address in LOCAL:
        watch.rewind()
        watch.expect(type="peer_up", peer__addr=address)
    listen = lab.Coo("h7", "listen", "--json", "--nick", "鸽子", "--group", "邮局")
    up = watch.expect(type="peer_up", peer__addr="10.77.0.7")
    assert up["peer"]["nick"] == "鸽子" and up["peer"]["group"] == "邮局", up
    town.people["10.77.0.2"].nick = "新名字"
    town.say("10.77.0.2", 4)  # BR_ABSENCE
    watch.expect(type="peer_change", peer__addr="10.77.0.2", peer__nick="新名字")
    # a coo has an IPv6 address, too: one peer, and nothing of that to tell
    assert len(watch.seen(peer__user="root")) == 1, watch.seen(peer__user="root")
    assert listen.stop() == 0
    watch.expect(type="peer_down", peer__addr="10.77.0.7")
    assert watch.stop() == 0
    text = lab.Program("h8", lab.COO, "peers", "--watch")
    text.expect(said=lambda s: s and s.startswith("+ 新名字 (user2@PC-02, 10.77.0.2)"))
    town.people["10.77.0.2"].group = "新组"
    town.say("10.77.0.2", 4)
    text.expect(said="~ 新名字 (user2@PC-02, 10.77.0.2), iptux, 新组")
    town.say("10.77.0.2", BR_EXIT)
    text.expect(said=lambda s: s and s.startswith("- 新名字 (user2@PC-02, 10.77.0.2)"))
    assert text.stop() == 0

with step("who watches is on the lists of those who come later, but takes no messages"):
    for words in ((), ("10.77.0.7",)):
        answers = len(capture.packets(source="10.77.0.8", command=ANSENTRY))
        watch = lab.Coo("h8", "peers", "--watch", "--json", *words)
        listen = lab.Coo("h7", "listen", "--json")
        watch.expect_peer("10.77.0.7")
        # by the answer to its entry, not by a question of ours
        lab.wait_until(lambda: len(capture.packets(source="10.77.0.8", command=ANSENTRY)) > answers)
        listen.expect_peer("10.77.0.8")
        code, out, err = lab.coo("h7", "send", "10.77.0.8", "--wait", "1s", "hello")
        assert code == 1, (code, out, err)
        assert watch.stop() == 0
        listen.expect(type="peer_down", peer__host="h8")
        assert listen.stop() == 0

with step("--watch --min ends when so many are there"):
    code, out, _ = lab.coo("h8", "peers", "--watch", "--json", "--min", str(len(LOCAL)))
    assert code == 0 and addresses(out, "peer_up") == LOCAL, out

listen = lab.Coo("h8", "listen", "--json", "--nick", "主人")
with step("beside a listener: from another port and under another name; it gets iptux its answer"):
    code, out, err = lab.coo("h8", "peers", "--json")
    found = addresses(out)
    unheard = {a for a in LOCAL if town.people[a].client == "shiyeline"}
    assert code == 0 and found == LOCAL - unheard | {"10.77.0.8"}, found
    code, _, err = lab.coo("h8", "peers")
    assert "内网通" in err and code == 0, err
    asked = [p for p in capture.packets(source="10.77.0.8", command=BR_ENTRY)
             if p["src"][1] != 2425]
    assert asked and all(b"-coo:" in p["raw"] for p in asked), asked
    ghosts = [p for p in capture.packets(source="10.77.0.8", command=BR_EXIT)
              if p["src"][1] != 2425]
    assert ghosts and all(town.people[p["dst"][0]].client in ("ipmsg", "coo") for p in ghosts
                          if p["dst"][0] in LOCAL), ghosts
    assert not listen.seen(type="peer_up", peer__nick="主人") or \
        listen.seen(type="peer_down", peer__nick="主人")
assert listen.stop() == 0

with step("names as targets: nick, user, host, group"):
    for number, name in ((1, town.people["10.77.0.1"].nick), (3, "user3"), (4, "host:pc-04")):
        peer = town.people[f"10.77.0.{number}"]
        peer.messages.clear()
        code, _, err = lab.coo("h8", "send", name, "你好 " + name)
        assert code == 0, err
        (command, text), = peer.messages
        charset = "utf-8" if command & dialects.UTF8 or peer.client == "iptux" else "gbk"
        assert text.decode(charset) == "你好 " + name, (command, text)
        assert (peer.charset == "UTF-8") == (charset == "utf-8"), (peer.client, charset)
    code, out, _ = lab.coo("h8", "send", "group:" + town.people["10.77.0.1"].group, "全组")
    members = {a for a in LOCAL if town.people[a].group == town.people["10.77.0.1"].group}
    assert code == 0 and len(members) > 1 and all(a in out for a in members), out

with step("a name that nobody or several have sends nothing"):
    code, _, err = lab.coo("h8", "send", "nobody-is-called-so", "hello")
    assert code == 1 and "nobody-is-called-so" in err, err
    town.people["10.77.0.4"].nick = town.people["10.77.0.6"].nick = "同名"
    before = len(town.people["10.77.0.4"].messages)
    code, _, err = lab.coo("h8", "send", "同名", "hello")
    assert code == 5 and "10.77.0.4" in err and "10.77.0.6" in err, err
    assert len(town.people["10.77.0.4"].messages) == before

with step("coo broadcast reaches everybody with one packet number, and nobody acknowledges"):
    for peer in town.people.values():
        peer.messages.clear()
    code, out, _ = lab.coo("h8", "broadcast", "--json", "大家好")
    result, = [e for e in map(json.loads, out.splitlines()) if e["type"] == "result"]
    assert code == 0 and result["to"] == "everybody" and result["status"] == "sent", out
    for peer in town.people.values():
        lab.wait_until(lambda p=peer: p.messages)
        texts = {m for m in peer.messages}
        assert {t.decode("gbk") for _, t in texts} == {"大家好"}, (peer.client, texts)
        assert all(c & dialects.BROADCAST and not c & dialects.SENDCHECK for c, _ in texts)
    sent = capture.packets(source="10.77.0.8", contains="大家好".encode("gbk"))
    assert len({p["no"] for p in sent}) == 1 and len(sent) == 2, sent

with step("--each: one acknowledged message to each, in its own character set"):
    code, out, _ = lab.coo("h8", "broadcast", "--each", "--json", "各位 ☕")
    results = [e for e in map(json.loads, out.splitlines()) if e["type"] == "result"]
    assert code == 0 and {r["to"] for r in results} == {a + ":2425" for a in LOCAL}, out
    assert all(r["status"] == "acked" for r in results)
    assert {r["to"].split(":")[0] for r in results if r["charset"] == "UTF-8"} == \
        {a for a in LOCAL if town.people[a].charset == "UTF-8"}, results

with step("a receiver that is silent makes it a partial result"):
    town.people["10.77.0.5"].on_message = lambda parts, command, source: []
    code, out, _ = lab.coo("h8", "broadcast", "--each", "--wait", "500ms", "一半")
    assert code == 3 and "5 of 6 reached" in out, out
    rows = out.splitlines()
    assert rows[0].split() == ["TO", "RESULT", "TIME", "ATTEMPTS"] and len(rows) == 8, out
    silent, = [r for r in rows if "10.77.0.5" in r]
    assert "no answer" in silent and sum("acked" in r for r in rows) == 5, out

with step("--group, --match, --max and --dry-run choose"):
    group = town.people["10.77.0.1"].group
    code, out, _ = lab.coo("h8", "broadcast", "--group", group, "组")
    assert code == 0 and out.count("acked") == len(members) and "10.77.0.2" not in out, out
    code, out, _ = lab.coo("h8", "broadcast", "--match", "PC-0[12]", "两个")
    assert code == 0 and out.count("acked") == 2, out
    others = {p.group for p in town.people.values()} - {group}
    code, out, _ = lab.coo("h8", "broadcast", "--group", group, "--group", min(others), "两组")
    both = {a for a in LOCAL if town.people[a].group in (group, min(others))}
    assert code == 0 and len(both) > len(members) and out.count("acked") == len(both), out
    code, out, _ = lab.coo("h8", "broadcast", "--match", "PC-01", "--match", "PC-0[23]", "-n")
    assert code == 0 and [a in out for a in sorted(LOCAL)] == [True] * 3 + [False] * 3, out
    code, out, _ = lab.coo("h8", "broadcast", "--match", "nobody*", "没有")
    assert code == 1 and out == "", out
    before = len(capture.packets(source="10.77.0.8", command=0x20))
    code, out, _ = lab.coo("h8", "broadcast", "--dry-run")
    assert code == 0 and all(a in out for a in LOCAL), out
    code, out, err = lab.coo("h8", "broadcast", "--max", "5", "太多")
    assert code == 5 and "6 would get it" in err and out == "", err
    assert len(capture.packets(source="10.77.0.8", command=0x20)) == before

with step("--json begins with one start and ends with one summary, whatever becomes of it"):
    look = ("--find", "2s")
    for words, want, kinds, counts in (
            (["-y", "流"], 0, ["result"], (1, 1, None)),
            ([*look, "--max", "9", "流"], 0, ["result"], (1, 1, 6)),
            (["x" * 9000], 5, [], (1, 0, None)),
            ([*look, "-n"], 0, ["peer"] * 6, (1, 0, 6)),
            ([*look, "-n", "--each"], 0, ["peer"] * 6, (6, 0, 6)),
            ([*look, "--match", "PC-0[12]", "流"], 0, ["result"] * 2, (2, 2, 2)),
            ([*look, "--match", "PC-0[125]", "-w", "400ms", "流"], 3, ["result"] * 3, (3, 2, 3)),
            ([*look, "--match", "nobody*", "流"], 1, [], (0, 0, 0)),
            ([*look, "--match", "nobody*", "-n"], 1, [], (0, 0, 0)),
            ([*look, "--max", "5", "流"], 5, [], (1, 0, 6)),
            ([*look, "--each", "--max", "5", "流"], 5, [], (6, 0, 6)),
            ([*look, "--each", "x" * 9000], 5, [], (6, 0, 6)),
    ):
        code, out, _ = lab.coo("h8", "broadcast", "--json", *words)
        events = [json.loads(line) for line in out.splitlines()]
        assert code == want and len(events) >= 2, (words, code, out)
        assert [e["type"] for e in events] == ["start", *kinds, "summary"], (words, out)
        assert events[0]["command"] == "broadcast" and events[0]["port"] == 2425, events[0]
        assert tuple(events[-1][k] for k in ("targets", "reached", "found")) == counts, (words, out)

step.done()
