#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo peers and coo broadcast on loopback: what is printed, escaped, refused and asked."""
import os
import pty
import re
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import cli  # noqa: E402

step = cli.Steps()
QUICK = ("-w", "300ms")


class Answerer:
    """Answers every BR_ENTRY with one ANSENTRY of these names; counts what it was asked."""

    def __init__(self, ext, user=b"someone", options=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.out = self.socket
        self.answer = b"1:7:%s:PC07:%d:%s" % (user, 3 | options, ext)
        self.heard = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            data, source = self.socket.recvfrom(65535)
            self.heard.append(cli.parse(data))
            if self.heard[-1].command & 0xff == cli.BR_ENTRY:
                self.out.sendto(self.answer, source)


with step("one is found by its address, in the table, as TSV and as JSON"):
    peer = Answerer("陈七".encode("gbk") + b"\0" + "研发".encode("gbk") + b"\0")
    run = cli.coo("peers", *QUICK, peer.target)
    cli.check(run, 0, re.compile(
        "NAME  GROUP  HOST  ADDRESS +CLIENT  CHARSET +RTT  STATE   FOUND BY\n"
        rf"陈七  研发   PC07  {re.escape(peer.target)}  ipmsg   GBK +\S+ \S+  online  sweep\n"),
        re.compile("coo: 1 found in .*\n"))
    cli.check(cli.coo("peers", *QUICK, "--tsv", peer.target), 0, re.compile(
        rf"陈七\t研发\tsomeone\tPC07\t127.0.0.1\t{peer.target[10:]}\tipmsg\tGBK\t\d+\tonline\t"
        "sweep\n"), "")
    start, found, summary = cli.objects(cli.coo("peers", *QUICK, "--json", peer.target))
    assert start["type"] == "start" and start["command"] == "peers" and start["schema"] == 1
    assert found["type"] == "peer" and found["found"] == "sweep" and found["rtt_ns"] > 0
    assert found["peer"]["nick"] == "陈七" and found["peer"]["client"] == "ipmsg"
    assert summary["type"] == "summary" and summary["found"] == 1 and summary["took_ns"] > 0

with step("who was asked is told goodbye"):
    commands = [p.command & 0xff for p in peer.heard]
    assert commands.count(cli.BR_EXIT) == 3 and commands[-1] == cli.BR_EXIT, commands

with step("a name cannot move the cursor, or forge a field or a line"):
    evil = Answerer(b"\x1b[2Ja\tb\nc\xe2\x80\xae\0g\tr\0", user=b"other", options=0x1000000)
    for words in ((), ("--tsv",)):
        run = cli.coo("peers", *QUICK, *words, evil.target)
        assert run.code == 0 and not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", run.out), run.out
        assert len(run.out.splitlines()) == (1 if words else 2), run.out
    assert run.out.count("\t") == 10, run.out

with step("nobody: exit code 1, and what may be the reason"):
    silent = cli.Peer(silent=True)
    cli.check(cli.coo("peers", *QUICK, silent.target), 1, "",
              re.compile("coo: nobody answered; .*firewall.*\n"))
    asked = [p for p in silent.packets if p.command & 0xff == cli.BR_ENTRY]
    assert 3 <= len(asked) <= 5, asked  # three passes; the plain form only from the usual port
    assert len({p.no for p in asked}) == len(asked)

with step("who was not asked and answers nevertheless was heard, and has no round trip"):
    asked = Answerer(b"eager\0\0")
    asked.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.out.bind(("127.0.0.2", 0))
    start, found, summary = cli.objects(cli.coo("peers", *QUICK, "--json", asked.target))
    assert found["peer"]["addr"] == "127.0.0.2" and found["found"] == "heard", found
    assert found["rtt_ns"] is None, found

with step("--passes and --min"):
    silent = cli.Peer(silent=True)
    assert cli.coo("peers", *QUICK, "--passes", "1", silent.target).code == 1
    assert len(silent.of(cli.BR_ENTRY)) == 1
    assert cli.coo("peers", "-w", "20s", "--min", "1", peer.target, wait=10).code == 0
    assert cli.coo("peers", *QUICK, "--min", "2", peer.target).code == 1
    run = cli.coo("peers", "--watch", "--min", "1", "--json", peer.target, wait=10)
    assert run.code == 0 and [e["type"] for e in cli.objects(run)] == \
        ["start", "peer_up", "summary"], run.out

with step("a preference of the configuration that does not fit is none"):
    cli.write("conf/coo/config", "[peers]\nsort = group\nrate = 100\n")
    more = {"XDG_CONFIG_HOME": cli.path("conf")}
    run = cli.coo("peers", "--watch", "--min", "1", peer.target, more=more, wait=10)
    assert run.code == 0 and run.out.startswith("+ "), run
    cli.check(cli.coo("peers", "-b", "127.0.0.1:0", more=more), 4, "", re.compile("coo: no inter.*\n"))

with step("addresses from a file and from stdin"):
    cli.write("office", f"# the office\n{peer.target}\n\n  {evil.target} # him\n")
    assert len(cli.objects(cli.coo("peers", *QUICK, "--json", "@" + cli.path("office")))) == 4
    run = cli.coo("peers", *QUICK, "--json", "@-", stdin=peer.target + "\n")
    assert len(cli.objects(run)) == 3

with step("what is wrong is said: exit codes 2, 4 and 5"):
    for words, code, says in (
            (["10.0.0.0/11"], 5, "wider than a /12"),
            (["fd00::/64"], 5, "wider than a /112"),
            (["127.0.0.0/12", "127.16.0.0/12"], 5, "more than 1048576 addresses"),
            (["10.0.0.0/33"], 2, '"10.0.0.0/33" is not a network'),
            (["10.0.0.0/24x"], 2, '"10.0.0.0/24x" is not a network'),
            (["10.077.0.1"], 2, "octal"),
            (["00.0.0.1:2425"], 2, "octal"),
            (["@/tmp"], 2, 'cannot read the addresses in "/tmp": Is a directory'),
            (["no such host."], 2, "cannot find"),
            (["@" + cli.path("no-such-file")], 2, "cannot read"),
            (["@" + cli.write("empty", "# nobody\n")], 2, "empty"),
            (["--tsv", "--json", "127.0.0.1"], 2, "exclude"),
            (["--watch", "--tsv", "127.0.0.1"], 2, "--tsv is about the list"),
            (["--watch", "--sort", "rtt"], 2, "--sort is about the list"),
            (["--rate", "9"], 2, "--rate is about asking address by address"),
            (["--passes", "2", "--watch"], 2, "--passes is about asking address by address"),
            (["--rate", "1001", "127.0.0.1"], 2, "rate"),
            (["--sort", "age", "127.0.0.1"], 2, "sort"),
            (["-b", "127.0.0.1:0"], 4, "no interface here can broadcast"),
    ):
        cli.check(cli.coo("peers", *words), code, "", re.compile(f"coo: .*{re.escape(says)}.*\n"))

with step("what is wrong in a file is told with its line, through files in files"):
    inner = cli.write("inner", "127.0.0.1\n\n# a comment\n 10.0.0.0/99 # here\n")
    outer = cli.write("outer", f"127.0.0.1\n@{inner}\n")
    cli.check(cli.coo("peers", "@" + outer), 2, "", re.compile(
        'coo: "10.0.0.0/99" is not a network .*\n'
        f"coo: that is line 4 of @{inner}\ncoo: that is line 2 of @{outer}\n"))
    cli.check(cli.coo("peers", "@-", stdin="\n10.0.0.0/99\n"), 2, "",
              re.compile("coo: .*\ncoo: that is line 2 of @-\n"))
    cli.check(cli.coo("peers", "@-", stdin="1" * 2000 + "\n"), 2, "",
              re.compile("coo: a line .* longer than 1022 bytes\ncoo: that is line 1 of @-\n"))
    cli.check(cli.coo("send", "@" + inner, "-m", "x"), 2, "", re.compile(
        f"coo: .*\ncoo: that is line 4 of @{inner}\n"))

with step("a name as target where no broadcast is possible: nothing is sent"):
    for name in ("张三", "nick:zhang", "group:研发"):
        cli.check(cli.coo("send", "-b", "127.0.0.1:0", name, "hello"), 4, "",
                  re.compile("coo: .*broadcast.*\n"))

with step("coo broadcast refuses what cannot be sent"):
    place = ("-b", "127.0.0.1:0")
    for words, stdin, code, says in (
            (["one", "two"], b"", 2, "quotes"),
            (["-m", "one", "two"], b"", 2, "quotes"),
            (["--sealed", "x"], b"", 2, "--each"),
            (["-w", "2s", "--retries", "2", "--find", "1s", "--sealed", "--group", "g", "x"], b"", 4,
             "no interface here can broadcast"),
            (["--find", "2s", "--max", "2", "x"], b"", 4, "no interface here can broadcast"),
            ([], b"", 2, "no text"),
            ([b"\xff"], b"", 2, "UTF-8"),
            (["x"], b"", 4, "broadcast"),
            (["--each", "x"], b"", 4, "broadcast"),
    ):
        run = cli.coo("broadcast", *place, *words, stdin=stdin)
        cli.check(run, code, "", re.compile(f"coo: .*{re.escape(says)}.*\n"))
    for option, value in (("--wait", "2s"), ("--retries", "2"), ("--find", "2s")):
        run = cli.coo("broadcast", *place, option, value, "x")
        cli.check(run, 2, "", re.compile(f"coo: {option} needs --each.*\n"))


def on_terminal(answer, *words):
    """coo broadcast on a terminal of its own, answered: its exit code and what it showed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(cli.COO, [cli.COO, "broadcast", "-b", "127.0.0.1:0", *words, "hello"],
                  cli.environment())
    shown = b""
    while True:
        try:
            data = os.read(fd, 1000)
        except OSError:
            break
        if not data:
            break
        shown += data
        if answer and b"[y/N]" in shown:
            os.write(fd, answer)
            answer = None
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    print(f"    | {shown!r}: exit {code}")
    return code, shown.decode()


with step("on a terminal it asks, and without a yes nothing is sent"):
    for answer in (b"n\n", b"\n", b"\x04"):
        code, shown = on_terminal(answer)
        assert code == 5 and "not confirmed" in shown, (answer, shown)
    code, shown = on_terminal(b"y\n")
    assert code == 4 and "no interface here can broadcast" in shown, shown
    code, shown = on_terminal(b"n\n", "--json")
    kinds = re.findall(r'^\{"type":"(\w+)"', shown, re.M)
    assert code == 5 and kinds == ["start", "summary"], (kinds, shown)

step.done()
