#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Text both ways with an iptux that writes GB18030, as one among FeiQ users is set up."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(3, needs_iptux=True)
step = lab.Steps()
capture = lab.Capture()
SENDMSG, UTF8OPT = 0x20, 0x00800000

iptux = lab.Iptux("h2", "国标", encoding="gb18030")
listen = lab.Coo("h1", "listen", "--json", "--nick", "鸽子", "--charset", "gbk")

with step("the names of a GB18030 iptux are read"):
    up = listen.expect(type="peer_up", peer__addr="10.77.0.2")["peer"]
    assert up["nick"] == "国标" and up["group"] == "研发组", up
    capture.wait_for(source="10.77.0.2", contains="国标".encode("gb18030"))

with step("iptux reads the names of coo"):
    iptux.expect(event="up", ip="10.77.0.1", nick="鸽子")

for what, text in {"Chinese with a line break": "你好，世界\n第二行", "the euro sign": "5 €",
                   "ASCII": "hello"}.items():
    with step(f"iptux to coo: {what}"):
        iptux.tell("setenc 10.77.0.1 gb18030")
        iptux.expect(event="ok")
        iptux.tell("msg 10.77.0.1 " + text.replace("\n", "\\n"))
        message = listen.expect(type="message", peer__addr="10.77.0.2")
        assert message["text"] == text and message["replacements"] == 0, message
        capture.wait_for(source="10.77.0.2", command=SENDMSG, contains=text.encode("gb18030"))

with step("coo in GBK to iptux: the bytes are GBK and iptux shows the text"):
    assert lab.coo("h3", "send", "--charset", "gbk", "10.77.0.2", "国标的消息")[0] == 0
    iptux.expect(event="message", source="pal", text="国标的消息")
    sent = capture.wait_for(source="10.77.0.3", command=SENDMSG,
                            contains="国标的消息".encode("gbk"))
    assert not sent[0]["command"] & UTF8OPT, sent

with step("a coo set to GBK and an iptux set to UTF-8 read each other's names and texts"):
    iptux.quit()
    assert listen.stop() == 0
    iptux = lab.Iptux("h2", "阿B")
    listen = lab.Coo("h1", "listen", "--json", "--nick", "鸽子一号", "--charset", "gbk")
    # iptux may have guessed wrong at first and been put right: that comes as a change
    iptux.expect(ip="10.77.0.1", nick="鸽子一号")
    iptux.tell("msg 10.77.0.1 给鸽子的信")
    listen.expect(type="message", peer__addr="10.77.0.2", text="给鸽子的信")
    assert lab.coo("h3", "send", "--charset", "gbk", "10.77.0.2", "鸽子的回信")[0] == 0
    iptux.expect(event="message", source="pal", text="鸽子的回信")

step.done()
