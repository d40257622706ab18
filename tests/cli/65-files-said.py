#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What becomes of files is said: why somebody does not want them, what changed under the sender, how
far it is, on a terminal and off it; and what is stored has the modes that the user wants."""
import os
import json
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
MIB = 1 << 20


def offered(paths, *args, stderr=subprocess.PIPE):
    """coo send with an offer that was taken: (the process, its recipient)."""
    to = files.Recipient()
    sender = subprocess.Popen([lab.COO, "send", *args, to.target,
                               *[a for p in paths for a in ("-f", p)]], stdout=subprocess.DEVNULL,
                              stderr=stderr, env={**os.environ, **place.env})
    to.take_offer()
    return sender, to


def ended(sender):
    err = sender.communicate(timeout=60)[1].decode()
    print("    |", err.replace("\n", "\n    | "))
    return sender.returncode, err


with step("the sender hears why it is refused, by a limit before and in the middle"):
    tree = os.path.join(source, "tree")
    os.makedirs(tree)
    for i in range(20):
        files.write(tree, f"f{i}", 100)
    one = files.write(source, "one", 2000)
    listener = files.Listener(place, "--accept", "all", "--save-dir", target, "--max-file", "1k",
                              "--max-entries", "5")
    code, _, err = files.coo(place, "send", listener.target, "-f", one)
    assert code == 1 and "does not want the files (a file is larger than --max-file" in err, err
    begin = time.monotonic()
    code, _, err = files.coo(place, "send", listener.target, "-f", tree)
    assert code == 1 and "does not want the files (the folder has too many entries)" in err, err
    assert time.monotonic() - begin < 10, "it waited though it was refused"

with step("which target has what is told, on stdout too, by the address that was given"):
    small = files.write(source, "small", 3)
    yes = files.Listener(place, "--accept", "all", "--save-dir", target)
    args = ["send", listener.target, yes.target, "-f", one, "-f", small, "-m", "x"]
    code, out, err = files.coo(place, *args)
    assert code == 3 and "2 of 2 reached, 1 fetched everything" in out, (code, out)
    assert f"{yes.target}: fetched small" in out and f"{listener.target} does not want" in err, (out, err)
    code, out, _ = files.coo(place, *args, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    told = {e["to"]: (e["status"], e["reason"]) for e in events if e["type"] == "files"}
    assert code == 3 and told == {listener.target: ("refused", "a file is larger than --max-file allows"),
                                  yes.target: ("fetched", None)}, told
    assert events[-1]["reached"] == 2 and events[-1]["fetched"] == 1, events[-1]
    moved = [e for e in events if e["type"] == "transfer"]
    assert {f"{e['addr']}:{e['port']}" for e in moved} == {yes.target}, moved
    never = files.Listener(place)
    code, out, err = files.coo(place, "send", "--json", never.target, "-f", one, "--offer-wait", "200ms")
    assert code == 1 and '"status":"incomplete"' in out, (code, out)
    waits = subprocess.Popen([lab.COO, "send", never.target, "-f", one], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env={**os.environ, **place.env})
    assert b"acked" in waits.stdout.readline()
    waits.send_signal(signal.SIGINT)
    code, err = ended(waits)
    assert code == 1 and "interrupted\n" in err and "0 of 1" not in err, (code, err)
    never.stop()
    yes.stop()

with step("-q prints failures of the fetch, and nothing else"):
    never = files.Listener(place)
    code, out, err = files.coo(place, "send", "-q", never.target, "-f", small, "--offer-wait", "200ms")
    assert code == 1 and not out and err == f"coo: {never.target} has not fetched everything\n", (code, out, err)
    never.stop()
    yes = files.Listener(place, "--accept", "all", "--save-dir", target)
    assert files.coo(place, "send", "-q", yes.target, "-f", small) == (0, "", "")
    yes.stop()

with step("who offers nothing but bad names hears it, in a packet that others understand"):
    peer = files.Peer(listener)
    number = peer.offer(b"0:..:5:6a52e280:1:\a")
    while True:
        head = peer.udp.recv(4096).split(b":", 5)
        if int(head[4]) & 0xff == 0x61:
            break
    assert head[5] == b"%d\0no name in it is safe\0" % number, head
    listener.stop()

with step("a name that refuses a folder is named on both sides, and nothing empty is left behind"):
    bad = place.dir("in/bad-tree")
    files.write(bad, "aux.c", 1)
    alone = place.dir("alone")
    listener = files.Listener(place, "--accept", "all", "--save-dir", alone)
    code, _, err = files.coo(place, "send", listener.target, "-f", bad)
    assert code == 1 and "not safe: aux.c" in err, (code, err)
    failed = listener.expect(type="transfer", status="failed")
    assert "not safe: aux.c" in failed["error"] and os.listdir(alone) == [], (failed, os.listdir(alone))
    listener.stop()
    begin = time.monotonic()
    listener = files.Listener(place, "--accept", "all", "--save-dir", alone, "--min-free", "8192T")
    code, _, err = files.coo(place, "send", listener.target, "-f", one)
    assert code == 1 and "too little room" in err and time.monotonic() - begin < 10, (code, err)
    listener.stop()

with step("a file that changes while it is sent is not sent to its end"):
    path = files.write(source, "log", 24 * MIB)
    sender, to = offered([path], "--offer-wait", "3s")
    s = to.ask(buffer=65536)
    files.read_some(s, 30000)
    with open(path, "ab") as f:
        f.write(b"one line more")
    got = files.read_all(s)
    assert len(got) < 24 * MIB, len(got)
    code, err = ended(sender)
    assert code == 1 and "the file changed while it was sent" in err, (code, err)

with step("one that was changed before it is asked for is not sent at all"):
    path = files.write(source, "early", 1000)
    sender, to = offered([path], "--offer-wait", "2s")
    with open(path, "r+b") as f:
        f.write(b"other")
    got = files.read_all(to.ask())
    assert got == b"", got
    code, err = ended(sender)
    assert code == 1 and "has changed since it was offered" in err, (code, err)

with step("in a folder, what changes or vanishes is said, and the rest arrives"):
    box = os.path.join(source, "box")
    os.makedirs(box)
    for name in "abc":
        files.write(box, name, 12 * MIB)
    sender, to = offered([box])
    s = to.ask(folder=True, buffer=65536)
    first = s.recv(70, socket.MSG_PEEK)
    while first.count(b":") < 10:
        first = s.recv(200, socket.MSG_PEEK)
    first = first.split(b":")[7].decode()  # 0030:box:0:2:14=…:16=…:002f:NAME:…
    last = {"a", "b", "c"} - {first}
    os.remove(os.path.join(box, last.pop()))
    with open(os.path.join(box, first), "ab") as f:
        f.write(b"more")
    got = files.read_all(s)
    s.close()
    assert b":.:000000000:3:" in got[-60:] or b":.:0:3:" in got[-60:], got[-60:]
    code, err = ended(sender)
    assert code == 0 and f"{first} in box: it changed while it was sent" in err, (code, err)
    assert "in box is not sent: it cannot be read" in err or len(got) > 24 * MIB, (err, len(got))

with step("a file in a folder that becomes shorter ends the transfer"):
    cut = os.path.join(source, "cut")
    os.makedirs(cut)
    files.write(cut, "a", 24 * MIB)
    sender, to = offered([cut], "--offer-wait", "3s")
    s = to.ask(folder=True, buffer=65536)
    files.read_some(s, 30000)
    os.truncate(os.path.join(cut, "a"), MIB)
    got = files.read_all(s)
    assert len(got) < 24 * MIB, len(got)
    code, err = ended(sender)
    assert code == 1 and "became shorter while it was sent" in err, (code, err)


def drip(sockets, seconds, left):
    """Reads so that the transfers take about that long; left: bytes of each."""
    begin = time.monotonic()
    taken = [0] * len(sockets)
    while any(n < left for n in taken):
        due = min(1, (time.monotonic() - begin) / seconds) * left
        for i, s in enumerate(sockets):
            while taken[i] < due:
                block = s.recv(65536)
                assert block
                taken[i] += len(block)
        time.sleep(0.02)
    for s in sockets:
        assert s.recv(1) == b""
        s.close()


PROGRESS = rb"(slow\d) to 127\.0\.0\.1:\d+: (\d+)%, [\d.]+ [KMG]?i?B/s(, [\d.]+ m?s left)?"
slow = [files.write(source, f"slow{i}", 24 * MIB) for i in (1, 2)]

with step("away from a terminal progress is a line every five seconds"):
    sender, to = offered(slow[:1])
    drip([to.ask(buffer=65536)], 6.5, 24 * MIB)
    code, err = ended(sender)
    lines = [x for x in err.splitlines() if "%" in x]
    assert code == 0 and len(lines) == 1 and "\r" not in err and "\033" not in err, (code, err)
    assert re.fullmatch(PROGRESS, lines[0].encode()) and "left" in lines[0], lines

with step("and -q has none"):
    sender, to = offered(slow[:1], "-q")
    drip([to.ask(buffer=65536)], 5.5, 24 * MIB)
    code, err = ended(sender)
    assert code == 0 and err == "", (code, err)

with step("on a terminal each transfer has a line, which is written over"):
    master, terminal = pty.openpty()
    sender, to = offered(slow, stderr=terminal)
    os.close(terminal)
    drip([to.ask(i, buffer=65536) for i in (0, 1)], 1.5, 24 * MIB)
    assert sender.wait(lab.WAIT) == 0
    seen = b""
    while select.select([master], [], [], 0.2)[0]:
        try:
            seen += os.read(master, 65536)
        except OSError:
            break
    os.close(master)
    print("    tty:", seen[-300:])
    for name in (b"slow1", b"slow2"):
        assert len({m[1] for m in re.findall(PROGRESS, seen) if m[0] == name}) > 3, name
    assert b"\033[1A\r\033[J" in seen, "two lines are taken back at once"
    assert seen.endswith(b"\033[J"), "and nothing of them stays"

with step("modes are 0644 and 0755 less the umask, whatever the sender's are"):
    tool = os.path.join(source, "tools")
    os.makedirs(os.path.join(tool, "sub"), mode=0o777)
    os.chmod(files.write(tool, "run", 10), 0o4777)
    for mask, file_mode, dir_mode in ((0o022, 0o644, 0o755), (0o077, 0o600, 0o700),
                                      (0, 0o644, 0o755)):
        into = place.dir(f"mask{mask}")
        before = os.umask(mask)
        listener = files.Listener(place, "--accept", "all", "--save-dir", into)
        os.umask(before)
        assert files.coo(place, "send", listener.target, "-f", tool, "-f",
                         os.path.join(tool, "run"))[0] == 0
        for name, mode in (("run", file_mode), ("tools", dir_mode), ("tools/sub", dir_mode),
                           ("tools/run", file_mode)):
            got = os.stat(os.path.join(into, name)).st_mode & 0o7777
            assert got == mode, (oct(mask), name, oct(got))
        listener.stop()

place.close()
step.done()
