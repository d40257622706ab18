#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo listen: what it shows and answers, its options, and how it ends."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import cli  # noqa: E402

step = cli.Steps()
CLOCK = r"\[\d\d:\d\d:\d\d\] "
READY = r"coo: listening on 127\.0\.0\.1:\d+; Ctrl-C ends\n"
SEED = "1:123123:吴彦祖:吴彦祖-pc:32:haha"

with step("the packet of every tutorial, in GBK and in UTF-8, in JSON"):
    listen = cli.Listen("--json")
    peer = cli.Peer()
    for charset in ("gbk", "utf-8"):
        peer.send(SEED.replace("123123", "123123" + str(len(charset))).encode(charset), listen)
        m = listen.expect(type="message")
        assert m["peer"]["user"] == "吴彦祖" and m["peer"]["host"] == "吴彦祖-pc", m
        assert m["text"] == "haha" and m["packet_no"] == "123123" + str(len(charset))
        assert m["command"] == 32 and m["flags"] == [] and m["files"] == []
        assert m["replacements"] == 0 and not m["broadcast"] and not m["sealed"]
        assert m["peer"]["addr"] == "127.0.0.1" and m["peer"]["port"] == peer.port
    assert list(listen.events[0]) == ["type", "time", "schema", "command", "version", "addr", "port"]
    run = listen.stop()
    assert run.code == 0 and run.err == ""
    summary = cli.objects(run)[-1]
    assert summary["type"] == "summary" and summary["shown"] == 2 and summary["messages"] == 2
    assert peer.of(cli.RECVMSG) == [], "no receipt unless it is asked for"

with step("the same as text"):
    listen = cli.Listen()
    for charset in ("gbk", "utf-8"):
        peer.send(SEED.replace("123123", str(len(charset))).encode(charset), listen)
    listen.wait_for(listen.lines, "haha")
    peer.send(cli.message(7, "three\nlines\tof\n[23:59:59] text", "zhang", "PC01"), listen)
    listen.wait_for(listen.lines, "] text")
    cli.check(listen.stop(), 0, re.compile(
        2 * (CLOCK + r"吴彦祖 \(吴彦祖@吴彦祖-pc, 127\.0\.0\.1\): haha\n") +
        CLOCK + r"zhang \(zhang@PC01, 127\.0\.0\.1\): three\n    lines\tof\n"
        r"    \[23:59:59\] text\n"), re.compile(READY))
    receipt, = peer.wait_for(cli.RECVMSG)
    assert receipt.ext == b"7\0" and receipt.command == cli.RECVMSG

with step("a message is shown once and acknowledged each time; another with its number is another"):
    listen = cli.Listen("--json")
    peer.packets.clear()
    for text in ("one", "one", "one", "two"):
        peer.send(cli.message(50, text), listen)
    peer.wait_for(cli.RECVMSG, 4)
    assert [m["text"] for m in listen.wait_count(2, type="message")] == ["one", "two"]

with step("receipts are withheld from messages to everybody and from machines"):
    peer.packets.clear()
    for no, options in ((60, cli.BROADCAST), (61, cli.AUTORET), (62, 0)):
        peer.send(cli.message(no, "x", options=cli.SENDCHECK | options), listen)
        listen.expect(type="message", packet_no=str(no), broadcast=options == cli.BROADCAST)
    assert [r.ext for r in peer.wait_for(cli.RECVMSG)] == [b"62\0"]

with step("flags by name, charsets and replacements, a font told apart"):
    peer.send(cli.message(70, "晚安".encode("utf-8"), options=cli.UTF8 | cli.SECRET), listen)
    m = listen.expect(type="message", packet_no="70")
    assert m["text"] == "晚安" and m["charset"] == "UTF-8" and m["sealed"]
    assert m["flags"] == ["secret", "utf8"] and m["command"] == 0x20 | cli.UTF8 | cli.SECRET
    peer.send(cli.message(71, "晚安".encode("gbk") + b"\xff!", options=0), listen)
    m = listen.expect(type="message", packet_no="71")
    assert m["text"] == "晚安\ufffd!" and m["replacements"] == 1, m
    peer.send(b"1_lbt4_0#128#0011223344AA#0#0#0#4001#9:72:u:h:32:hi" + "{/font;-13 0 0 0 400 0 0 0 134"
              " 0 0 0 0 宋体 0;}".encode("gbk") + b"\0", listen)
    m = listen.expect(type="message", packet_no="72")
    assert m["text"] == "hi" and "宋体" in m["font"] and m["peer"]["client"] == "feiq", m

with step("an encrypted message is shown as that, and not acknowledged"):
    peer.packets.clear()
    peer.send(cli.message(80, "4:abcdef", options=cli.SENDCHECK | 0x400000), listen)
    m = listen.expect(type="message", packet_no="80")
    assert m["encrypted"] and m["text"] is None
    peer.send(cli.message(81, "x"), listen)
    assert [r.ext for r in peer.wait_for(cli.RECVMSG)] == [b"81\0"]

with step("peers come, change and go"):
    peer.send(b"1:90:li:PC2:%d:nick\0group\0" % cli.BR_ENTRY, listen)
    up = listen.expect(type="peer_up")["peer"]
    assert up["nick"] == "nick" and up["group"] == "group" and up["user"] == "li", up
    assert set(up) == {"addr", "port", "user", "host", "nick", "group", "client", "version",
                       "charset", "absent", "last_heard"}
    answer = peer.wait_for(cli.ANSENTRY)[-1]
    assert answer.ext.count(b"\0") >= 2
    peer.send(b"1:91:li:PC2:%d:other\0group\0" % cli.ANSENTRY, listen)
    assert listen.expect(type="peer_change")["peer"]["nick"] == "other"
    peer.send(b"1:92:li:PC2:%d:other\0" % cli.BR_EXIT, listen)
    assert listen.expect(type="peer_down")["peer"]["user"] == "li"

with step("questions are answered: who are you, are you away"):
    peer.send(b"1:95:q:h:64:\0", listen)
    assert peer.wait_for(0x41)[0].ext.startswith(b"coo ")
    peer.send(b"1:96:q:h:80:\0", listen)
    assert peer.wait_for(0x51)[0].ext.startswith(b"Not Absence")
    listen.stop()

with step("escapes, controls and turned text are made harmless on a terminal, kept in JSON"):
    nasty = "\033]0;owned\a\033[2J\u202egnp.exe\u2066\x9b1m\r\x08\x7f"
    text, json_ = cli.Listen("-v", "--color", "always"), cli.Listen("--json")
    for listen in (text, json_):
        peer.send(b"1:1:%s:%s:%d:%s\0%s\0" % ((nasty.replace("\r", "").encode(),) * 2 + (
            cli.BR_ENTRY | 0x1800000,) + (nasty.encode(),) * 2), listen)
        peer.send(cli.message(2, nasty + "\U000e0041\nsecond", nasty.encode(), "h", cli.UTF8), listen)
        peer.send(cli.message(3, b"\xff\xfe\x1b[31m", b"\xff\x1b[1m"), listen)
    text.wait_for(text.lines, "[31m")
    shown = "\n".join(text.lines + text.said)
    clean = shown.replace("\033[1m", "").replace("\033[0m", "")
    assert clean.isprintable() or not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
                                                clean), ascii(clean)
    assert r"\x1b]0;owned\x07" in clean and r"\u{202e}gnp" in clean, clean
    assert "\n    second" in shown
    m = json_.expect(type="message", packet_no="2")
    assert m["text"] == (nasty + "\U000e0041\nsecond").replace("\r", "\n"), ascii(m)
    raw = "".join(json_.lines)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", raw), ascii(raw)
    text.stop(), json_.stop()

with step("--count ends after so many messages, having acknowledged them and no other"):
    for _ in range(5):
        listen = cli.Listen("--count", "2", "--json")
        peer.packets.clear()
        os.kill(listen.process.pid, signal.SIGSTOP)  # all three are there when it looks
        for no in (1, 2, 3):
            peer.send(cli.message(no, "x"), listen)
        os.kill(listen.process.pid, signal.SIGCONT)
        run = listen.ended()
        assert run.code == 0 and len([e for e in cli.objects(run) if e["type"] == "message"]) == 2
        assert {r.ext for r in peer.wait_for(cli.RECVMSG, 2)} == {b"1\0", b"2\0"}
        peer.send(b"1:9:q:h:0:\0", (peer.ip, peer.port))  # what came before this has been seen
        peer.wait_for(0)
        assert {r.ext for r in peer.of(cli.RECVMSG)} == {b"1\0", b"2\0"}

with step("--timeout ends in time: 0, or 1 where --count is not reached"):
    began = time.monotonic()
    assert cli.Listen("-t", "300ms").ended().code == 0
    assert 0.3 <= time.monotonic() - began < 5
    assert cli.Listen("-t", "100ms", "-c", "1").ended().code == 1

with step("--from shows only what these wrote; the rest is acknowledged all the same"):
    other = cli.Peer(ip="127.0.0.7")
    for who, wanted in (("127.0.0.7", {"b"}), (f"127.0.0.1:{peer.port}", {"a", "c"}),
                        ("li", {"b"}), ("LI", {"b"}), ("pc3", {"c"}), ("nobody", set())):
        listen = cli.Listen("--json", "--from", who)
        for p, raw in ((peer, cli.message(1, "a", "zhang", "pc1")),
                       (other, cli.message(2, "b", "li", "pc2")),
                       (peer, cli.message(3, "c", "wang", "pc3"))):
            p.packets.clear()
            p.send(raw, listen)
            p.wait_for(cli.RECVMSG)
        run = listen.stop()
        assert {e["text"] for e in cli.objects(run) if e["type"] == "message"} == wanted, who
    listen = cli.Listen("--json", "--from", "li", "--from", "zhang", "-c", "2")
    for no, user in enumerate(("zhang", "wang", "li")):
        peer.send(cli.message(no, "x", user), listen)
    assert [e["peer"]["user"] for e in cli.objects(listen.ended()) if e["type"] == "message"] == \
        ["zhang", "li"]

with step("--reply answers people, marked as automatic; never machines or everybody"):
    listen = cli.Listen("--json", "--reply", "出去了")
    peer.packets.clear()
    for no, options in ((1, cli.AUTORET), (2, cli.BROADCAST), (3, cli.SENDCHECK)):
        peer.send(cli.message(no, "there?", options=options), listen)
    answer, = peer.wait_for(cli.SENDMSG)
    assert answer.command & cli.AUTORET and not answer.command & cli.SENDCHECK
    assert answer.ext == "出去了".encode("gbk") + b"\0"
    peer.send(cli.message(4, "真的", options=cli.UTF8), listen)
    peer.wait_for(cli.SENDMSG, 2)
    listen.stop()
    assert len(peer.of(cli.SENDMSG)) == 2
    cli.check(cli.coo("listen", "--reply", b"\xff"), 2, "", re.compile("coo: .*not UTF-8\n"))

with step("--absence answers each peer once, and tells why when asked"):
    listen = cli.Listen("--json", "--absence", "回家了")
    peer.packets.clear()
    for no in (1, 2, 3):
        peer.send(cli.message(no, "there?"), listen)
        peer.wait_for(cli.RECVMSG, no)
    answer, = peer.wait_for(cli.SENDMSG)
    assert answer.ext == "回家了".encode("gbk") + b"\0" and answer.command & cli.AUTORET
    peer.send(b"1:9:q:h:80:\0", listen)
    assert peer.wait_for(0x51)[0].ext.rstrip(b"\0") == "回家了".encode("gbk")
    listen.stop()
    assert len(peer.of(cli.SENDMSG)) == 1

with step("of --reply, --absence and --exec-reply one is given: a message gets one answer"):
    given = {"--reply": ["a"], "--absence": ["b"], "--exec-reply": ["--exec", "cat"]}
    for a, b in (("--reply", "--absence"), ("--reply", "--exec-reply"), ("--absence", "--exec-reply")):
        run = cli.coo("listen", "-b", "127.0.0.1:0", "-t", "50ms", b, *given[b], a, *given[a])
        cli.check(run, 2, "", f"coo: {a} and {b} are two answers to one message; give one of them\n")
    assert cli.coo("listen", "-b", "127.0.0.1:0", "-t", "50ms", "--absence", "b", "--exec", "cat").code == 0

with step("--max-peers bounds who is remembered; who was answered is kept"):
    listen = cli.Listen("--json", "--max-peers", "16", "--serve-list", "--reply", "hi")
    friend = cli.Peer()
    friend.send(b"1:1:friend:PC:1:Friend\0", listen)
    friend.send(cli.message(2, "hello", "friend", "PC"), listen)
    listen.expect(type="message", text="hello", peer__nick="Friend")
    strangers = [cli.Peer() for _ in range(40)]
    for n, stranger in enumerate(strangers):
        stranger.send(b"1:1:stranger%d:PC%d:1:\0" % (n, n), listen)
        listen.expect(type="peer_up", peer__user=f"stranger{n}")
    friend.send(cli.message(3, "still there", "friend", "PC"), listen)
    listen.expect(type="message", text="still there", peer__nick="Friend")
    friend.send(b"1:4:friend:PC:18:0\0", listen)  # GETLIST
    page = friend.wait_for(0x13)[0].ext.split(b"\a")
    assert int(page[1]) == 16 and b"friend" in page and b"stranger39" in page, page
    assert b"stranger0" not in page
    listen.stop()
    assert cli.coo("listen", "--max-peers", "15").code == 2

with step("two that answer automatically do not answer each other for ever"):
    a, b = cli.Listen("--json", "--reply", "a"), cli.Listen("--json", "--reply", "b")
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    assert cli.coo("send", "-p", str(b.port), "-b", "127.0.0.1", a.target, "hi").code == 0
    a.expect(type="message", text="hi")
    for listen in (a, b):
        listen.stop()
        assert len(listen.seen(type="message")) <= 1

with step("a sealed message is told to be read, with READCHECK until ANSREADMSG comes"):
    listen = cli.Listen("--json")
    peer.packets.clear()
    peer.send(cli.message(5, "secret", options=cli.SENDCHECK | cli.SECRET), listen)
    read = peer.wait_for(cli.READMSG)[0]
    assert read.ext == b"5\0"
    assert cli.coo("send", "--read", listen.target, "open").code == 0
    listen.stop()

with step("--no-announce announces nothing; without it nobody on loopback hears it either"):
    for options in ([], ["--no-announce"]):
        listen = cli.Listen("--json", *options)
        peer.packets.clear()
        peer.send(cli.message(1, "x"), listen)
        peer.wait_for(cli.RECVMSG)
        listen.stop()
        assert not peer.of(cli.BR_EXIT) + peer.of(cli.NOOPERATION)

with step("-q shows messages and nothing else; -v says more"):
    run = cli.coo("listen", "-q", "-b", "127.0.0.1:0", "-t", "50ms")
    cli.check(run, 0, "", "")
    run = cli.coo("listen", "-v", "-b", "127.0.0.1:0", "-t", "50ms")
    assert run.code == 0 and "the receive buffer has" in run.err

with step("bad options and arguments: exit code 2"):
    for words, says in ((["--count", "0"], "at least 1"), (["-t", "5"], "a duration has a unit"),
                        (["-t", "0"], "at least 0.001s"),
                        (["extra"], 'takes no argument such as "extra"'),
                        (["--exec-reply"], "--exec-reply needs --exec"),
                        (["--exec", " "], "--exec names no program"),
                        (["--exec", "x", "--exec-timeout", "1ms"], "at least 0.01s"),
                        (["--charset", "klingon"], 'the charset "klingon" is not known here'),
                        (["-I", "nosuch0"], 'there is no interface "nosuch0"'),
                        (["-b", "nonsense"], "--bind wants an address")):
        run = cli.coo("listen", "-b", "127.0.0.1:0", "-t", "50ms", *words)
        cli.check(run, 2, "", re.compile(f"coo: .*{re.escape(says)}.*\n"))

with step("a port that is taken names the program and its pid: exit code 4"):
    listen = cli.Listen("--json")
    run = cli.coo("listen", "-b", "127.0.0.1", "-p", str(listen.port))
    cli.check(run, 4, "", re.compile(
        rf"coo: port {listen.port} is in use by {os.path.basename(cli.COO)} "
        rf"\(pid {listen.process.pid}\); .*--port.*\n"))
    listen.stop()
    run = cli.coo("listen", "-b", "192.0.2.7", "-p", "0")
    cli.check(run, 4, "", "coo: 192.0.2.7 is not an address of this machine\n")


def become_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


with step("a port below 1024 without the right to it: exit code 4"):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as f:
        low = int(f.read()) - 1
    if low > 0:
        os.chmod(cli.home, 0o755)
        reachable = all(os.stat(d).st_mode & 1 for d in [cli.COO, *pathlib.Path(cli.COO).parents])
        root = os.getuid() == 0
        if root and not reachable:
            print("    nobody cannot reach the program here")
        else:
            run = cli.coo("listen", "-b", "127.0.0.1", "-p", str(min(low, 1023)),
                          more={"COO_CONFIG": "/nonexistent"},
                          preexec_fn=become_nobody if root else None, cwd="/")
            cli.check(run, 4, "", re.compile(rf"coo: no permission for port {min(low, 1023)}: .*\n"))

for number in (signal.SIGINT, signal.SIGTERM):
    with step(f"{number.name} ends it with its summary and exit code 0"):
        listen = cli.Listen("--json")
        run = listen.stop(number)
        assert run.code == 0 and run.err == "" and cli.objects(run)[-1]["type"] == "summary"

with step("each line is out before the next message comes, also into a pipe"):
    for options in ([], ["--json"]):
        listen = cli.Listen(*options)
        for no in range(3):
            peer.send(cli.message(no, f"line {no}"), listen)
            listen.wait_for(listen.lines, f"line {no}")
        listen.stop()

def start_into(stdout, *options):
    """A listener whose stdout is not read here; gives the process and its port."""
    process = subprocess.Popen([cli.COO, "listen", *options, "-v", "-b", "127.0.0.1:0"],
                               stdout=stdout, stderr=subprocess.PIPE, env=cli.environment())
    # in JSON nothing says the port on stderr: the kernel is asked
    end = time.monotonic() + cli.WAIT
    while time.monotonic() < end and process.poll() is None:
        inodes = set()
        for fd in os.listdir(f"/proc/{process.pid}/fd"):
            try:
                inodes.add(os.readlink(f"/proc/{process.pid}/fd/{fd}"))
            except OSError:
                continue
        with open("/proc/net/udp", encoding="ascii") as table:
            for row in list(table)[1:]:
                if f"socket:[{row.split()[9]}]" in inodes:
                    return process, int(row.split()[1].split(":")[1], 16)
    return process, None


with step("a full disk: exit code 4, at once"):
    with open("/dev/full", "wb") as full:
        process, port = start_into(full)
        peer.send(cli.message(1, "x"), ("127.0.0.1", port))
        _, err = process.communicate(timeout=cli.WAIT)
        assert process.returncode == 4 and b"cannot write the output: No space" in err, err
        process, _ = start_into(full, "--json")
        _, err = process.communicate(timeout=cli.WAIT)
        assert process.returncode == 4 and b"cannot write the output: No space" in err, err

with step("a reader that went away: exit code 4, with the next message"):
    for options in ([], ["--json"]):
        reader, writer = os.pipe()
        process, port = start_into(writer, *options)
        os.close(writer)
        if options:
            os.read(reader, 65536)
        os.close(reader)
        peer.send(cli.message(1, "x"), ("127.0.0.1", port))
        _, err = process.communicate(timeout=cli.WAIT)
        assert process.returncode == 4 and b"cannot write the output: Broken pipe" in err, err

with step("an idle listener needs no more than 6 MiB of memory"):
    listen = cli.Listen("--json")
    assert cli.is_sanitized() or listen.rss() <= 6 << 20, listen.rss()
    listen.stop()

cli.done(step)
