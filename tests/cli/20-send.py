#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo send: targets, texts, receipts, results and exit codes."""
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import cli  # noqa: E402

step = cli.Steps()
RTT = r"(\d+(\.\d)? (ms|µs|ns)|\d+(\.\d)? s)"
SHORT = ("-w", "250ms")


def lines(*patterns):
    return re.compile("".join(p + "\n" for p in patterns))


def acked(target, more=""):
    return re.escape(target) + ": acked in " + RTT + more


with step("a peer that acknowledges: exit code 0 and the round trip"):
    peer = cli.Peer()
    cli.check(cli.coo("send", peer.target, "hello"), 0, lines(acked(peer.target)), "")
    p, = peer.of(cli.SENDMSG)
    assert p.command == cli.SENDMSG | cli.SENDCHECK | cli.NOADDLIST, hex(p.command)
    assert p.ext == b"hello\0" and p.version.startswith(b"1_") and 0 < p.no < 1 << 31
    assert p.user and p.host and p.raw.count(b"\0") == 1

with step("a link-local address needs its interface"):
    cli.check(cli.coo("send", "fe80::7", "x"), 2, "",
              "coo: fe80::7 may be on any link; say on which: fe80::7%eth0\n")

with step("the same in JSON"):
    run = cli.coo("send", "--json", peer.target, "你好")
    start, result, summary = cli.objects(run)
    assert run.code == 0 and run.err == ""
    assert start["type"] == "start" and start["schema"] == 1 and start["command"] == "send"
    assert result["type"] == "result" and result["to"] == peer.target
    assert result["status"] == "acked" and result["attempts"] == 1 and result["error"] is None
    assert 0 < result["rtt_ns"] < 5_000_000_000 and result["charset"] == "GBK"
    assert result["packet_no"] == str(peer.of(cli.SENDMSG)[-1].no)
    assert summary["type"] == "summary" and summary["targets"] == summary["reached"] == 1
    assert peer.of(cli.SENDMSG)[-1].ext == "你好".encode("gbk") + b"\0"

with step("a silent port: exit code 1 after the wait, five identical datagrams"):
    silent = cli.Peer(silent=True)
    began = time.monotonic()
    run = cli.coo("send", "-w", "1s", silent.target, "anybody?")
    took = time.monotonic() - began
    cli.check(run, 1, f"{silent.target}: no answer after 5 attempts\n", "")
    assert 0.95 <= took < 4, took
    sent = [p.raw for p in silent.of(cli.SENDMSG)]
    assert len(sent) == 5 and len(set(sent)) == 1, sent

with step("one of each: exit code 3, a line for each and a summary"):
    run = cli.coo("send", *SHORT, peer.target, silent.target, "-m", "both")
    cli.check(run, 3, lines(acked(peer.target),
                            re.escape(silent.target) + ": no answer after 5 attempts",
                            "1 of 2 reached"), "")
    assert all(p.command & cli.MULTICAST for p in peer.of(cli.SENDMSG)[-1:])
    run = cli.coo("send", "--json", *SHORT, silent.target, peer.target, "-m", "both")
    found = cli.objects(run)
    assert {(r["to"], r["status"]) for r in found if r["type"] == "result"} == {
        (silent.target, "timeout"), (peer.target, "acked")}
    assert run.code == 3 and found[-1]["timeout"] == 1 and found[-1]["reached"] == 1

with step("bad options and values: exit code 2, and nothing is sent"):
    before = len(peer.of(cli.SENDMSG))
    for words, says in (
            (["--nonsense"], 'no option --nonsense'),
            (["-x"], "no option -x"),
            (["-w"], "needs a value"),
            (["-w", "5"], "a duration has a unit"),
            (["-w", "1ms"], "between 0.01s and 86400s"),
            (["--retries", "0"], "between 1 and 100"),
            (["--retries", "x"], "not a whole number"),
            (["-p", "65536"], "between 0 and 65535"),
            (["--port=2425x"], "not a whole number"),
            (["--max-packet", "100"], "between 256 bytes and 65507 bytes"),
            (["--max-packet", "1z"], "a size is a number of bytes"),
            (["--color", "red"], "one of auto always never"),
            (["--compat", "icq"], "one of auto feiq ipmsg iptux"),
            (["--no-wait=yes"], "takes no value"),
            (["--charset", "klingon"], 'the charset "klingon" is not known here'),
            (["--charset", "utf-16"], 'the charset "utf-16" is not known here'),
            (["-I", "nosuch0"], 'there is no interface "nosuch0"'),
            (["-b", "10.0.0.300"], "--bind wants an address"),
            (["--user", b"\xff\xfe"], "is not UTF-8"),
    ):
        tail = [peer.target, "x"] if words != ["-w"] else []
        run = cli.coo("send", *tail, *words)
        cli.check(run, 2, "", re.compile(f"coo: .*{re.escape(says)}.*\n"))
    assert len(peer.of(cli.SENDMSG)) == before

with step("no target, no text, a text that is none: exit code 2"):
    for words, stdin, says in (
            ([], b"text", "there is no target"),
            ([peer.target], b"", "there is no text to send"),
            ([peer.target, ""], b"", "there is no text to send"),
            ([peer.target, b"\xb0\xa1"], b"", "is not UTF-8"),
            ([peer.target], b"\xff", "is not UTF-8"),
            ([peer.target], b"a\0b", "NUL"),
            (["@" + cli.path("no-such-list"), "x"], b"", "cannot read the targets"),
            (["@" + cli.write("empty", "# nobody\n\n"), "x"], b"", "list of targets is empty"),
            (["no such host.", "x"], b"", 'cannot find "no such host."'),
            (["127.0.0.1:70000", "x"], b"", 'cannot find "127.0.0.1:70000"'),
            (["-p", "0", "255.255.255.255", "x"], b"", "is an address of many hosts"),
            (["-p", "0", "224.0.0.1", "x"], b"", "is an address of many hosts"),
            (["--no-wait", "--read", peer.target, "x"], b"", "--no-wait does not wait for --read"),
    ):
        cli.check(cli.coo("send", *words, stdin=stdin), 2, "",
                  re.compile(f"coo: .*{re.escape(says)}.*\n"))

with step("the text comes from the argument, from -m, or from stdin"):
    for words, stdin, want in (
            ([peer.target, "from the argument"], b"unused", b"from the argument"),
            ([peer.target, "-m", "--help"], b"", b"--help"),
            (["-m", "from -m", peer.target], b"unused", b"from -m"),
            (["--message=--dashes", peer.target], b"", b"--dashes"),
            (["--", peer.target, "-m"], b"", b"-m"),
            ([peer.target, "-"], b"from\nstdin\n", b"from\nstdin"),
            ([peer.target, "@all: lunch?"], b"unused", b"@all: lunch?"),
            ([peer.target], b"from a pipe\r\n", b"from a pipe"),
            (["-m", "-", peer.target], b"by -m", b"by -m"),
            ([peer.target], b"one\r\ntwo\rthree\n\n", b"one\ntwo\nthree\n"),
    ):
        cli.check(cli.coo("send", *words, stdin=stdin), 0, lines(acked(peer.target)), "")
        assert peer.of(cli.SENDMSG)[-1].ext == want + b"\0", peer.of(cli.SENDMSG)[-1]

with step("a word that may be a target is the text; where stdin waits unread, that is said"):
    peer = cli.Peer()
    for word, stdin, said in (("web7", "from the pipe", True), ("web7", "", False),
                              ("two words", "from the pipe", False)):
        run = cli.coo("send", peer.target, word, stdin=stdin)
        assert run.code == 0 and ("-m -" in run.err) == said, run
        assert peer.of(cli.SENDMSG)[-1].ext == word.encode() + b"\0", peer.of(cli.SENDMSG)[-1]
    assert "-m -" not in cli.coo("send", "-q", peer.target, "web7", stdin="more").err
    assert "-m -" not in cli.coo("send", peer.target, "-m", "web7", stdin="more").err

with step("options stand before, between and after the operands"):
    for words in (["-w", "5s", peer.target, "x"], [peer.target, "-w5s", "x"],
                  [peer.target, "x", "--wait=5s"]):
        assert cli.coo("send", *words).code == 0

with step("--no-wait sends once, asks for no receipt and does not wait"):
    cli.check(cli.coo("send", "--no-wait", silent.target, "fire and forget"), 0,
              f"{silent.target}: sent, no receipt asked for\n", "")
    p = silent.wait_for(cli.SENDMSG)[-1]
    assert p.ext == b"fire and forget\0" and not p.command & cli.SENDCHECK
    time.sleep(0)
    assert sum(q.no == p.no for q in silent.packets) == 1
    result = cli.objects(cli.coo("send", "--no-wait", "--json", silent.target, "x"))[1]
    assert result["status"] == "sent" and result["rtt_ns"] is None

with step("--sealed sets SECRETOPT alone; --multicast-flag sets its bit"):
    assert cli.coo("send", "--sealed", peer.target, "for you").code == 0
    p = peer.of(cli.SENDMSG)[-1]
    assert p.command & (cli.SECRET | cli.READCHECK) == cli.SECRET
    assert cli.coo("send", "--multicast-flag", peer.target, "x").code == 0
    assert peer.of(cli.SENDMSG)[-1].command & cli.MULTICAST

with step("--read waits for READMSG and answers it"):
    reader = cli.Peer(read=True)
    cli.check(cli.coo("send", "--read", reader.target, "open me"), 0,
              lines(acked(reader.target, ", and read")), "")
    p, = reader.of(cli.SENDMSG)
    assert p.command & (cli.SECRET | cli.READCHECK) == cli.SECRET | cli.READCHECK
    answer, = reader.wait_for(cli.ANSREADMSG)
    assert answer.ext.rstrip(b"\0") == b"%d" % (p.no + 1), answer
    result = cli.objects(cli.coo("send", "--read", "--json", reader.target, "x"))[1]
    assert result["status"] == "read" and result["rtt_ns"] > 0
    run = cli.coo("send", "--read", *SHORT, peer.target, "x")
    cli.check(run, 1, lines(acked(peer.target, ", but not read yet")), "")

with step("--retries says how often, --wait how long in all"):
    for retries, count in (("1", 1), ("3", 3)):
        silent.packets.clear()
        run = cli.coo("send", "--retries", retries, *SHORT, silent.target, "x")
        cli.check(run, 1, f"{silent.target}: no answer after {count} "
                          f"attempt{'s' if count > 1 else ''}\n", "")
        assert len(silent.of(cli.SENDMSG)) == count

with step("a receipt counts only with the right number and from the right address"):
    liar = cli.Peer(silent=True)
    liar.receipt = lambda p: liar.socket.sendto(
        b"1:9:peer:host:%d:%d\0" % (cli.RECVMSG, p.no + 1), p.source)
    liar.silent = False
    assert cli.coo("send", *SHORT, liar.target, "x").code == 1
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.9", 0))
    assert cli.coo("send", *SHORT, cli.Peer(reply_from=stranger).target, "x").code == 1

with step("@FILE names the targets, one a line; more than 30, each with its own receipt"):
    crowd = [cli.Peer() for _ in range(40)]
    quiet = [cli.Peer(silent=True) for _ in range(3)]
    names = [p.target for p in crowd]
    office = cli.write("office", "# the office\n" + "\n".join(names[:20]) + "   # tail\r\n\n\t" +
                       "\n".join(names[20:]))
    run = cli.coo("send", "@" + office, "-m", "lunch")
    assert run.code == 0 and run.err == ""
    said = run.out.splitlines()
    assert said[-1] == "40 of 40 reached" and len(said) == 41
    assert {s.split(": acked in ")[0] for s in said[:-1]} == set(names)
    numbers = set()
    for p in crowd:
        packet, = p.of(cli.SENDMSG)
        assert packet.ext == b"lunch\0" and packet.command & cli.MULTICAST
        numbers.add(packet.no)
    assert len(numbers) == 40, "each target has a packet number of its own"
    some = cli.coo("send", *SHORT, "@" + office, *(p.target for p in quiet), "-m", "x")
    assert some.code == 3 and some.out.endswith("40 of 43 reached\n")
    assert cli.coo("send", "@office", "x", cwd=cli.home).code == 0, "a list, then the text"

with step("thousands of targets, more than may wait for a receipt at once"):
    many = cli.Crowd()
    names = [f"127.{1 + i // 60000}.{i // 250 % 240}.{1 + i % 250}:{many.port}" for i in range(6000)]
    everybody = cli.write("everybody", "\n".join(names))
    run = cli.coo("send", "@" + everybody, "-m", "fire drill")
    assert run.code == 0 and run.out.endswith("6000 of 6000 reached\n"), run.out[-200:]
    assert len(many.heard) == 6000 and many.close() is None

with step("a target that is named twice gets one message"):
    peer.packets.clear()
    assert cli.coo("send", peer.target, peer.target, "-m", "x").code == 0
    assert len(peer.of(cli.SENDMSG)) == 1

with step("a target without a port gets --port; -p 0 asks for any source port"):
    run = cli.coo("send", "-b", "127.0.0.2", "-p", str(peer.port), "127.0.0.1", "x")
    cli.check(run, 0, lines(acked("127.0.0.1")), "")
    assert peer.of(cli.SENDMSG)[-1].source == ("127.0.0.2", peer.port)
    assert cli.coo("send", "-p", "0", peer.target, "x").code == 0
    assert peer.of(cli.SENDMSG)[-1].source[1] not in (0, 2425, peer.port)

with step("the usual port is left alone where every target is on this machine"):
    assert cli.coo("send", "-p", "2425", peer.target, "x").code == 0
    assert peer.of(cli.SENDMSG)[-1].source[1] != 2425

with step("where the port is taken another one is used, and -v says so"):
    run = cli.coo("send", "-v", "-p", str(silent.port), "-b", "127.0.0.1", peer.target, "x")
    assert run.code == 0
    assert f"coo: port {silent.port} is taken, so another source port is used" in run.err
    assert cli.coo("send", "-p", str(silent.port), "-b", "127.0.0.1", peer.target, "x").err == ""
    assert peer.of(cli.SENDMSG)[-1].source[1] != silent.port

with step("a target in IPv6, with a zone or without"):
    try:
        six = cli.Peer(ip="::1")
    except OSError:
        six = None
        print("    this machine has no IPv6")
    if six:
        cli.check(cli.coo("send", six.target, "六"), 0, lines(acked(six.target)), "")
        assert six.of(cli.SENDMSG)[-1].ext == "六".encode("gbk") + b"\0"

with step("charsets: GBK for strangers, --charset and --utf8 force another"):
    for options, want, flag in (([], "gbk", 0), (["--charset", "gb18030"], "gb18030", 0),
                                (["--charset", "cp932"], "cp932", 0),
                                (["--charset", "UTF-8"], "utf-8", cli.UTF8),
                                (["--utf8"], "utf-8", cli.UTF8)):
        assert cli.coo("send", *options, peer.target, "日本").code == 0
        p = peer.of(cli.SENDMSG)[-1]
        assert p.ext == "日本".encode(want) + b"\0" and p.command & cli.UTF8 == flag, p

with step("what a charset cannot hold becomes ?, counted and said"):
    run = cli.coo("send", "--charset", "cp932", peer.target, "天气🌤好们")
    cli.check(run, 0, lines(acked(peer.target)),
              re.compile(r"coo: \d+ characters do not exist in CP932 .*--utf8.*\n"))
    assert b"?" in peer.of(cli.SENDMSG)[-1].ext
    result = cli.objects(cli.coo("send", "--json", "--charset", "gbk", peer.target, "a🌤b"))[1]
    assert result["lost"] == 1 and result["charset"] == "GBK"
    assert peer.of(cli.SENDMSG)[-1].ext == b"a?b\0"
    result = cli.objects(cli.coo("send", "--json", peer.target, "a🌤b"))[1]
    assert result["lost"] == 0 and result["charset"] == "GB18030", result

with step("a text too long for a datagram is refused, with how many bytes fit"):
    peer.packets.clear()
    long = "鸽" * 5000
    run = cli.coo("send", peer.target, stdin=long)
    cli.check(run, 5, "", re.compile(r"coo: the text has 15000 bytes, but only (\d+) fit .*--split.*\n"))
    fits = int(re.search(r"only (\d+) fit", run.err)[1])
    assert peer.of(cli.SENDMSG) == []
    run = cli.coo("send", peer.target, stdin=long.encode()[:fits])
    assert run.code == 0, "what is said to fit does fit"
    assert len(peer.of(cli.SENDMSG)[-1].raw) <= 8192
    run = cli.coo("send", peer.target, stdin=long.encode()[:fits + 3])
    assert run.code == 5, "and not one character more"

with step("--split sends a long text in parts, in order, cut between characters"):
    for options, charset, text in (([], "gbk", "".join(f"第{i}只鸽子 pigeon {i}\n" for i in range(2000))),
                                   (["--utf8"], "utf-8", "a鸽🕊é" * 3000)):
        peer.packets.clear()
        run = cli.coo("send", "--split", *options, peer.target, stdin=text)
        parts = peer.of(cli.SENDMSG)
        cli.check(run, 0, lines(acked(peer.target, rf" \({len(parts)} parts\)")), "")
        assert len(parts) > 1 and all(len(p.raw) <= 8192 for p in parts)
        got = [p.ext.rstrip(b"\0").decode(charset) for p in parts]
        assert "".join(got) == text.rstrip("\n"), "nothing lost, nothing twice, in order"
        assert len({p.no for p in parts}) == len(parts)
    run = cli.coo("send", "--split", "--max-packet", "256", peer.target, stdin="鸽" * 500)
    assert run.code == 0 and max(len(p.raw) for p in peer.packets[-5:]) <= 256

with step("what the network refuses is an error of its own: exit code 4"):
    run = cli.coo("send", "-b", "127.0.0.1", "-p", "0", "192.0.2.1", "x", *SHORT)
    cli.check(run, 4, re.compile(r"192\.0\.2\.1: not sent: .+\n"), "")
    found = cli.objects(cli.coo("send", "--json", "-b", "127.0.0.1", "-p", "0", "192.0.2.1",
                                "x", *SHORT))
    assert found[1]["status"] == "error" and found[1]["error"] and found[-1]["error"] == 1
    run = cli.coo("send", "-b", "127.0.0.1", "-p", "0", "192.0.2.1", peer.target, "-m", "x", *SHORT)
    assert run.code == 3
    run = cli.coo("send", "-b", "192.0.2.7", peer.target, "x")
    cli.check(run, 4, "", "coo: 192.0.2.7 is not an address of this machine\n")

with step("the names of the sender: given ones, cleaned of what breaks a packet"):
    for options, user, host in ((["--user", "张三", "--host", "机器"], "张三", "机器"),
                                (["--user", "a:b\tc"], "a;b;c", None)):
        assert cli.coo("send", *options, peer.target, "x").code == 0
        p = peer.of(cli.SENDMSG)[-1]
        assert p.user == user.encode("gbk") and host in (None, p.host.decode("gbk"))
    for compat, version in (("feiq", rb"1_lbt6_0#128#[0-9A-F]{12}#.*"), ("ipmsg", b"1"),
                            ("iptux", b"1_iptux .*"), ("auto", b"1_coo_.*")):
        assert cli.coo("send", "--compat", compat, peer.target, "x").code == 0
        assert re.fullmatch(version, peer.of(cli.SENDMSG)[-1].version), peer.packets[-1]

with step("packet numbers rise from one run to the next"):
    peer.packets.clear()
    for _ in range(5):
        assert cli.coo("send", peer.target, "x").code == 0
    numbers = [p.no for p in peer.of(cli.SENDMSG)]
    assert numbers == sorted(set(numbers)) and len(numbers) == 5, numbers
    closed = {"XDG_STATE_HOME": "/proc/no/such/place"}
    run = cli.coo("send", peer.target, "x", more=closed)
    assert run.code == 0 and run.err == "" and peer.packets[-1].no > 0
    run = cli.coo("send", "-v", peer.target, "x", more=closed)
    assert "packet numbers come from the clock alone" in run.err

with step("-q prints nothing where all went well, and failures all the same"):
    cli.check(cli.coo("send", "-q", peer.target, "x"), 0, "", "")
    cli.check(cli.coo("send", "-q", *SHORT, silent.target, "x"), 1,
              f"{silent.target}: no answer after 5 attempts\n", "")

with step("what stdout cannot take: exit code 4"):
    with open("/dev/full", "wb") as full:
        run = cli.coo("send", peer.target, "x", stdout=full)
    cli.check(run, 4, None, re.compile("coo: cannot write the output: .*\n"))

for number in (signal.SIGINT, signal.SIGTERM):
    with step(f"{number.name} ends a sender that waits, with its summary"):
        silent.packets.clear()
        process = subprocess.Popen([cli.COO, "send", "--json", "-w", "60s", silent.target, "x"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=cli.environment())
        silent.wait_for(cli.SENDMSG)
        process.send_signal(number)
        out, err = process.communicate(timeout=cli.WAIT)
        assert process.returncode == 1, (process.returncode, err)
        assert b'"type":"summary"' in out.splitlines()[-1]

with step("results come line by line, as they are known"):
    process = subprocess.Popen([cli.COO, "send", "-w", "60s", peer.target, silent.target, "-m", "x"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=cli.environment())
    assert re.fullmatch(acked(peer.target) + "\n", process.stdout.readline().decode())
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=cli.WAIT)

cli.done(step)
