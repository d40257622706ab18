#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Discovery in both orders and text both ways, in UTF-8, with a real iptux.

h1 listens, h2 is iptux, h3 sends.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(3, needs_iptux=True)
step = lab.Steps()
capture = lab.Capture()
SENDMSG = 0x20
LISTEN = ("listen", "--json", "--charset", "utf-8", "--nick", "鸽子")
SEND = ("send", "--charset", "utf-8", "10.77.0.2")

listen = lab.Coo("h1", *LISTEN, "--group", "邮局")
with step("coo is there first: iptux sees it, and it sees iptux"):
    iptux = lab.Iptux("h2", "阿B")
    seen = iptux.expect(event="up", ip="10.77.0.1")
    assert seen["nick"] == "鸽子" and seen["enc"].lower() == "utf-8", seen
    up = listen.expect(type="peer_up", peer__addr="10.77.0.2")["peer"]
    assert up["nick"] == "阿B" and up["group"] == "研发组" and up["client"] == "iptux", up

with step("iptux is told that coo leaves"):
    assert listen.stop() == 0
    iptux.expect(event="down", ip="10.77.0.1")

with step("iptux is there first: a coo that starts sees it and is seen"):
    listen = lab.Coo("h1", *LISTEN)
    listen.expect(type="peer_up", peer__addr="10.77.0.2")
    iptux.expect(event="up", ip="10.77.0.1", nick="鸽子")

texts = {
    "Chinese with a line break": "第一行\n第二行",
    "emoji and rare characters": "😀 𠮷野家 ñ €",
    "8 kB": "中文" * 1290 + "end",
    "one letter": "x",
    "colons": "a:b:c::d",
}
for what, text in texts.items():
    with step(f"iptux to coo: {what}"):
        iptux.tell("msg 10.77.0.1 " + text.replace("\\", "\\\\").replace("\n", "\\n"))
        iptux.expect(event="ok")
        message = listen.expect(type="message", peer__addr="10.77.0.2")
        assert message["text"] == text, message
        assert message["charset"] in ("UTF-8", "US-ASCII") and message["replacements"] == 0, message
    with step(f"coo to iptux: {what}"):
        code, _, _ = lab.coo("h3", *SEND, stdin=text.encode())
        assert code == 0, code
        message = iptux.expect(event="message", source="pal")
        assert message["text"] == text, message

with step("three texts within one second all arrive, in order"):
    for i in range(3):
        assert lab.coo("h3", *SEND, f"quick {i}")[0] == 0
    for i in range(3):
        iptux.expect(event="message", source="pal", text=f"quick {i}")
    for i in range(3):
        iptux.tell(f"msg 10.77.0.1 swift {i}")
    for i in range(3):
        listen.expect(type="message", text=f"swift {i}")

with step("a message from beside a running coo listen is acknowledged too"):
    assert lab.coo("h1", *SEND, "from beside")[0] == 0
    iptux.expect(event="message", source="pal", text="from beside")

with step("a renamed iptux is a changed peer"):
    iptux.tell("name 新名字")
    listen.expect(type="peer_change", peer__addr="10.77.0.2", peer__nick="新名字")

with step("neither side repeats a delivered message within 6 s"):
    marks = {"10.77.0.3": "once from coo", "10.77.0.2": "once from iptux"}
    assert lab.coo("h3", *SEND, marks["10.77.0.3"])[0] == 0
    iptux.tell("msg 10.77.0.1 " + marks["10.77.0.2"])
    listen.expect(type="message", text=marks["10.77.0.2"])
    time.sleep(6)  # not for readiness: the time in which nothing may happen
    for source, text in marks.items():
        sent = capture.packets(source=source, command=SENDMSG, contains=text.encode())
        assert len(sent) == 1, sent
    assert not iptux.seen(event="message", source="error"), "iptux saw no receipt"
    assert len(listen.seen(type="message", text=marks["10.77.0.2"])) == 1

with step("iptux accepts the packet numbers of a coo that was restarted"):
    assert listen.stop() == 0
    listen = lab.Coo("h1", *LISTEN)
    iptux.expect(event="up", ip="10.77.0.1")
    iptux.tell("msg 10.77.0.1 after the restart")
    listen.expect(type="message", text="after the restart")
    assert lab.coo("h3", *SEND, "one more")[0] == 0
    iptux.expect(event="message", source="pal", text="one more")

with step("a coo that is absent is seen, and answers once with its reason"):
    assert listen.stop() == 0
    listen = lab.Coo("h1", *LISTEN, "--absence", "吃饭去了")
    iptux.expect(event="up", ip="10.77.0.1")
    for text in ("are you there?", "hello?"):
        iptux.tell("msg 10.77.0.1 " + text)
        listen.expect(type="message", text=text)
    iptux.expect(event="message", source="pal", text="吃饭去了")
    iptux.tell("msg 10.77.0.1 a third")
    listen.expect(type="message", text="a third")
    assert len(iptux.seen(event="message", source="pal", text="吃饭去了")) == 1

with step("coo sees iptux leave"):
    iptux.quit()
    listen.expect(type="peer_down", peer__addr="10.77.0.2")

with step("to a host without a client coo says so with exit code 1"):
    code, _, _ = lab.coo("h3", *SEND, "--wait", "300ms", "anybody?")
    assert code == 1, code

step.done()
