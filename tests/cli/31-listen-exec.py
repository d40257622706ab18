#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo listen --exec: a program for every message, and coo send beside it in a pipeline of two."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import cli  # noqa: E402

step = cli.Steps()
peer = cli.Peer()


def script(name, body):
    return cli.write(name, "#!/bin/sh\n" + body + "\n", 0o755)


def lines_of(name):
    try:
        with open(cli.path(name), encoding="utf-8") as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


def wait_until(what, wait=cli.WAIT):
    end = time.monotonic() + wait
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


with step("echo 你好 | coo send, and coo listen --exec ./reply.sh --exec-reply"):
    script("reply.sh", 'read text; echo "收到 $text"')
    listen = cli.Listen("--json", "--exec", "./reply.sh", "--exec-reply")
    # the answer comes to the port that the message came from: the sender's own listener
    other = cli.Listen("--json")
    assert cli.coo("send", listen.target, stdin="你好\n").code == 0
    listen.expect(type="message", text="你好")
    peer.send(cli.message(1, "你好".encode("gbk")), listen)
    answer = peer.wait_for(cli.SENDMSG)[0]
    assert answer.ext == "收到 你好".encode("gbk") + b"\0" and answer.command & cli.AUTORET, answer
    peer.send(cli.message(2, "你好", options=cli.UTF8), listen)
    peer.wait_for(cli.SENDMSG, 2)
    for sender in (listen, other):
        assert sender.stop().code == 0

with step("the text is on stdin as it is, the facts are in the environment"):
    env = script("env.sh", 'env | grep ^COO_ | sort >"$OUT.tmp"; cat >"$OUT.text"; mv "$OUT.tmp" "$OUT"')
    listen = cli.Listen("--json", "--exec", env, more={"OUT": cli.path("facts")})
    peer.send(b"1:5:li:PC2:%d:\xc0\xee\0\xd1\xd0\xb7\xa2\0" % cli.BR_ENTRY, listen)
    listen.expect(type="peer_up")
    text = "a\n$(touch owned) `touch owned` 'b' \"c\"\\\n; touch owned\n"
    peer.send(cli.message(6, text, "li", "PC2", options=cli.SECRET), listen)
    wait_until(lambda: os.path.exists(cli.path("facts")))
    facts = dict(line.split("=", 1) for line in lines_of("facts"))
    assert facts == {
        "COO_FROM": "李", "COO_FROM_USER": "li", "COO_FROM_HOST": "PC2", "COO_FROM_NICK": "李",
        "COO_FROM_GROUP": "研发", "COO_FROM_CLIENT": facts["COO_FROM_CLIENT"],
        "COO_FROM_PORT": str(peer.port), "COO_ADDR": "127.0.0.1", "COO_PACKET_NO": "6",
        "COO_TEXT_CHARSET": "US-ASCII", "COO_IS_BROADCAST": "0", "COO_IS_AUTOMATIC": "0",
        "COO_IS_SEALED": "1"}, facts
    with open(cli.path("facts.text"), encoding="utf-8") as f:
        assert f.read() == text
    assert not os.path.exists(cli.path("owned"))
    listen.stop()

with step("a command with arguments, a name with blanks, and what does not exist"):
    blanks = script("a name with blanks.sh", 'cat >>"$OUT"')
    for command, out in ((blanks, "blanks"), (f"tee {cli.path('tee out')[:-4]}", "tee")):
        listen = cli.Listen("--json", "--exec", command, more={"OUT": cli.path(out)})
        peer.send(cli.message(1, "words"), listen)
        wait_until(lambda name=out: lines_of(name) == ["words"])
        listen.stop()
    listen = cli.Listen("--json", "--exec", "./no-such-program", "-c", "1")
    peer.send(cli.message(1, "x"), listen)
    run = listen.ended()
    assert run.code == 0 and "cannot run ./no-such-program: no such file" in run.err, run

with step("what it prints goes nowhere near stdout; without --exec-reply it is no answer"):
    loud = script("loud.sh", "cat >/dev/null; echo loud")
    peer.packets.clear()
    listen = cli.Listen("--json", "--exec", loud, "-c", "1")
    peer.send(cli.message(1, "x"), listen)
    run = listen.ended()
    cli.objects(run)
    assert run.err == "loud\n" and not peer.of(cli.SENDMSG)

with step("no answer to machines, to everybody, where nothing is printed, and to no text"):
    script("maybe.sh", 'text=$(cat); case $text in say*) echo "$text";; bytes) printf "\\377";; esac; '
           'echo >>"$OUT"')
    listen = cli.Listen("--json", "--exec", "./maybe.sh", "--exec-reply", more={"OUT": cli.path("ran")})
    peer.packets.clear()
    for no, (text, options) in enumerate((("say auto", cli.AUTORET), ("say all", cli.BROADCAST),
                                          ("nothing", 0), ("bytes", 0), ("say this", 0))):
        peer.send(cli.message(no, text, options=options), listen)
    wait_until(lambda: len(lines_of("ran")) == 5)
    assert [p.ext for p in peer.wait_for(cli.SENDMSG)] == [b"say this\0"]
    run = listen.stop()
    assert "is not UTF-8 text; no answer" in run.err
    assert [p.ext for p in peer.of(cli.SENDMSG)] == [b"say this\0"]

with step("four at once, the others wait, and none is forgotten when it ends"):
    script("slow.sh", 'echo "+" >>"$OUT"; cat >/dev/null; until [ -e "$GATE" ]; do sleep 0.02; done; '
           'echo "-" >>"$OUT"')
    gate = cli.path("gate")
    listen = cli.Listen("--json", "--exec", "./slow.sh", "-c", "10",
                        more={"OUT": cli.path("slow"), "GATE": gate})
    for no in range(10):
        peer.send(cli.message(no, "x"), listen)
    listen.wait_count(10, type="message")
    wait_until(lambda: len(lines_of("slow")) == 4)
    peer.send(cli.message(99, "one too many"), listen)
    peer.send(b"1:100:q:h:64:\0", listen)  # still alive?
    peer.wait_for(0x41)
    assert not [p for p in peer.of(cli.RECVMSG) if p.ext == b"99\0"], "nobody will see it"
    assert lines_of("slow") == ["+"] * 4, "no more than four at once"
    cli.write("gate", "")
    assert listen.ended().code == 0
    marks, running = lines_of("slow"), 0
    for mark in marks:
        running += 1 if mark == "+" else -1
        assert running <= 4, marks
    assert marks.count("+") == marks.count("-") == 10

with step("the queue has a bound, and what exceeds it is said"):
    os.remove(gate)
    listen = cli.Listen("--json", "--exec", "./slow.sh", "--exec-timeout", "60s",
                        more={"OUT": cli.path("queue"), "GATE": gate})
    for no in range(0, 1100, 50):
        for k in range(no, no + 50):
            peer.send(cli.message(k, "x"), listen)
        listen.wait_count(no + 50, type="message")
    line = listen.wait_for(listen.said, "too many messages wait")
    assert line.startswith("coo: ")
    assert listen.process.poll() is None
    listen.process.kill()
    listen.process.wait()
    cli.write("gate", "")

with step("--exec-timeout ends one that takes too long, also one that does not want to end"):
    for name, body in (("sleeper.sh", 'echo $$ >"$OUT"; exec sleep 600'),
                       ("stubborn.sh", 'trap "" TERM; echo $$ >"$OUT"; while :; do sleep 0.05; done')):
        script(name, body)
        out = name + ".pid"
        for options in ([], ["--exec-reply"]):
            if os.path.exists(cli.path(out)):
                os.remove(cli.path(out))
            listen = cli.Listen("--json", "--exec", "./" + name, "--exec-timeout", "300ms", "-c", "1",
                                *options, more={"OUT": cli.path(out)})
            peer.send(cli.message(1, "x"), listen)
            run = listen.ended()
            assert run.code == 0 and "took too long and is ended" in run.err, run
            pid, = lines_of(out)
            assert not os.path.exists(f"/proc/{pid}"), "it has ended"

with step("one that leaves a program of its own behind, which holds its stdout, ends with its timeout"):
    script("parent.sh", 'cat >/dev/null; sleep 60 & echo $! >>"$OUT"; echo answer')
    peer.packets.clear()
    listen = cli.Listen("--json", "--exec", "./parent.sh", "--exec-reply", "--exec-timeout", "300ms",
                        "-c", "1", more={"OUT": cli.path("orphans")})
    peer.send(cli.message(1, "x"), listen)
    run = listen.ended()
    assert run.code == 0 and run.err.count("\n") == 1 and "holds its output open" in run.err, run
    assert [p.ext for p in peer.of(cli.SENDMSG)] == [b"answer\0"]
    for pid in lines_of("orphans"):
        os.kill(int(pid), 9)

with step("one that does not read its stdin does not hold anything up"):
    deaf = script("deaf.sh", "exec <&-; echo deaf")
    peer.packets.clear()
    listen = cli.Listen("--json", "--exec", deaf, "--exec-reply")
    for no in range(5):
        peer.send(cli.message(no, "x" * 60000 if no % 2 else "x"), listen)
    assert {p.ext for p in peer.wait_for(cli.SENDMSG, 5)} == {b"deaf\0"}
    run = listen.stop()
    assert run.code == 0 and run.err == ""

with step("one that fails is said, with its status"):
    bad = script("bad.sh", "cat >/dev/null; exit 7")
    listen = cli.Listen("--json", "--exec", bad, "-c", "1")
    peer.send(cli.message(1, "x"), listen)
    run = listen.ended()
    assert run.code == 0 and re.search("program ended with status 7", run.err)

with step("an answer longer than a datagram is cut between characters, and that is said"):
    long = script("long.sh", 'cat >/dev/null; i=0; while [ $i -lt 3000 ]; do printf 鸽子; i=$((i+1)); done')
    peer.packets.clear()
    listen = cli.Listen("--json", "--exec", long, "--exec-reply")
    peer.send(cli.message(1, "x"), listen)
    answer, = peer.wait_for(cli.SENDMSG)
    assert set(answer.ext.rstrip(b"\0").decode("gbk")) == set("鸽子") and len(answer.raw) <= 8192
    assert "an answer of 18000 bytes is cut to" in listen.wait_for(listen.said, "is cut to")
    listen.stop()

cli.done(step)
