#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo listen --accept ask: a question on the terminal, yes, no, and no terminal at all."""
import os
import pty
import select
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

step = lab.Steps()
place = files.Place()
target = place.dir("out")
path = files.write(place.dir("in"), "a\u202etxt", 10)
plain = files.write(place.dir("in"), "b.txt", 20)


def read_until(fd, text):
    got = b""
    while text not in got:
        assert select.select([fd], [], [], lab.WAIT)[0], got
        block = os.read(fd, 4096)
        assert block, got
        got += block
        print("    tty:", got[-300:], flush=True)
    return got


with step("without a terminal it is refused"):
    code, _, err = files.coo(place, "listen", "-b", "127.0.0.1", "-p", "0", "--accept", "ask")
    assert code == 2 and "terminal" in err, (code, err)

with step("no is told to the sender, yes fetches, and the name cannot turn the line around"):
    master, terminal = pty.openpty()
    listener = subprocess.Popen(
        [lab.COO, "listen", "-b", "127.0.0.1", "-p", "0", "--no-announce", "--accept", "ask",
         "--save-dir", target], stdin=terminal, stdout=terminal, stderr=terminal,
        env={**os.environ, **place.env}, start_new_session=True)
    os.close(terminal)
    said = read_until(master, b"Ctrl-C ends")
    at = said.split(b"listening on ")[1].split(b";")[0].decode()
    sender = lab.Coo(None, "send", at, "-f", path, env=place.env)
    question = read_until(master, b"[y/N] ")
    assert b"a\\u{202e}txt" in question and "\u202e".encode() not in question, question
    os.write(master, b"n\n")
    assert sender.process.wait(lab.WAIT) == 1
    sender = lab.Coo(None, "send", at, "-f", plain, env=place.env)
    read_until(master, b"[y/N] ")
    os.write(master, b"y\n")
    assert sender.process.wait(lab.WAIT) == 0
    read_until(master, b"sha256")
    assert os.listdir(target) == ["b.txt"], os.listdir(target)

with step("the question stands at the end, and is answered when it is understood"):
    # the question comes behind its message and again behind the next one; what it does not
    # understand it asks again; Ctrl-D is no, and not the last word
    first = lab.Coo(None, "send", at, "-f", plain, "-m", "the first", env=place.env)
    question = read_until(master, b"[y/N] ")
    assert question.index(b"the first") < question.index(b"offers b.txt (20 B). Fetch?"), question
    second = lab.Coo(None, "send", at, "-m", "a word", env=place.env)
    again = read_until(master, b"[y/N] ")
    assert again.index(b"a word") < again.rindex(b"offers b.txt (20 B). Fetch?"), again
    assert again.startswith((b"\r\n", b"\n")), again
    assert second.process.wait(lab.WAIT) == 0
    os.write(master, b"maybe\n")
    assert b"Answer y or n. " in read_until(master, b"[y/N] ")
    os.write(master, b"\x04")
    assert first.process.wait(lab.WAIT) == 1
    sender = lab.Coo(None, "send", at, "-f", plain, env=place.env)
    read_until(master, b"[y/N] ")
    os.write(master, b"yes\n")
    assert sender.process.wait(lab.WAIT) == 0
    read_until(master, b"sha256")
    listener.terminate()
    assert listener.wait(lab.WAIT) == 0
    os.close(master)

place.close()
step.done()
