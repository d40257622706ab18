#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The terminal front of coo talk, in tmux: typing under load, resizing, Chinese, history."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402
import talk  # noqa: E402

if not shutil.which("tmux"):
    print("needs tmux")
    sys.exit(77)

step = lab.Steps()
home = tempfile.mkdtemp()
socket_path = os.path.join(home, "tmux")
ENV = {**os.environ, "TMUX_TMPDIR": home, "XDG_STATE_HOME": home + "/state", "LC_ALL": "C.UTF-8",
       "NO_COLOR": "1"}
ENV.pop("TMUX", None)


def tmux(*args):
    return subprocess.run(["tmux", "-u", "-f", "/dev/null", "-S", socket_path, *args], env=ENV,
                          capture_output=True, timeout=talk.WAIT, check=True).stdout.decode()


def screen():
    return tmux("capture-pane", "-p").rstrip("\n").split("\n")


def until(fits, what):
    end = time.monotonic() + talk.WAIT
    while time.monotonic() < end:
        lines = screen()
        if fits(lines):
            return lines
        time.sleep(0.02)
    raise AssertionError(f"{what}: {lines}")


def cursor():
    x, y = tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
    return int(x), int(y)


def keys(*names):
    tmux("send-keys", *names)


def type_in(text):
    tmux("send-keys", "-l", text)


class Flood:
    """A TCP server that sends 1,000 lines a second when told to and keeps what it gets."""

    def __init__(self):
        self.got, self.on, self.over = b"", threading.Event(), False
        self.sent = 0
        self.server = talk.Server(self.serve)

    def serve(self, s):
        conn, _ = s.accept()
        self.conn = conn
        threading.Thread(target=self.read, daemon=True).start()
        while not self.over:
            if not self.on.wait(0.1):
                continue
            due = time.monotonic() + 0.01
            for _ in range(10):
                conn.sendall(f"line {self.sent:06d} 你好，世界\n".encode())
                self.sent += 1
            time.sleep(max(0, due - time.monotonic()))
        conn.close()

    def read(self):
        try:
            while data := self.conn.recv(65536):
                self.got += data
        except OSError:
            pass

    def wait_for(self, data):
        end = time.monotonic() + talk.WAIT
        while data not in self.got:
            assert time.monotonic() < end, f"{data!r} did not come: {self.got!r}"
            time.sleep(0.02)


flood = Flood()
url = f"tcp://127.0.0.1:{flood.server.port}"
tmux("new-session", "-d", "-x", "80", "-y", "20", "exec bash --norc -i")
type_in(f"PS1='$ '; clear; '{talk.COO}' talk {url}")
keys("Enter")

try:
    with step("the input line stands below what is told"):
        lines = until(lambda l: any("connected to" in x for x in l) and l[-1] == ">", "no prompt")
        lines = screen()
        assert cursor() == (2, len(lines) - 1)

    with step("Chinese is typed, deleted and sent with the cursor where it belongs"):
        type_in("你好世界a")
        until(lambda l: l[-1] == "> 你好世界a", "typed")
        assert cursor()[0] == 2 + 8 + 1, cursor()
        keys("BSpace", "BSpace")
        until(lambda l: l[-1] == "> 你好世", "deleted")
        assert cursor()[0] == 2 + 6, cursor()
        keys("Left", "Left")
        type_in("x")
        until(lambda l: l[-1] == "> 你x好世", "inserted")
        assert cursor()[0] == 2 + 3, cursor()
        keys("C-e", "Enter")
        flood.wait_for("你x好世".encode())
        until(lambda l: l[-1] == ">" and any(re.search(r"> \S+  你x好世$", x) for x in l), "sent")

    with step("typing while 1,000 lines a second arrive: nothing is lost, the input is readable"):
        flood.on.set()
        typed = ""
        for i in range(60):
            piece = "你好"[i % 2] + str(i % 10)
            type_in(piece)
            typed += piece
        lines = until(lambda l: "".join(l).endswith(typed), "the typed text stands at the bottom")
        first = next(i for i, x in enumerate(lines) if x.startswith("> 你0"))
        for line in lines[:first]:
            assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} [<>*] .*", line), lines
        assert any("line 0" in x for x in lines[:first])
        keys("Enter")
        flood.wait_for(typed.encode())

    with step("a resize keeps what is typed, and traffic goes on above it"):
        type_in("改变大小")
        for width, height in ((60, 15), (100, 30), (45, 10)):
            tmux("resize-window", "-x", str(width), "-y", str(height))
            until(lambda l: l[-1] == "> 改变大小", f"the input at {width} columns")
            before = flood.sent
            until(lambda l: any((m := re.search(r"line (\d{6})", x)) and int(m.group(1)) > before
                                for x in l), "newer lines")
            until(lambda l: l[-1] == "> 改变大小", f"the input at {width} columns, later")
        keys("BSpace")
        type_in("了")
        keys("Enter")
        flood.wait_for("改变大了".encode())

    with step("the flood in between lost no line"):
        flood.on.clear()
        tmux("resize-window", "-x", "80", "-y", "20")
        time.sleep(0.2)
        last = f"line {flood.sent - 1:06d}"
        until(lambda l: any(last in x for x in l), "the last line")

    with step("the history brings the line back; commands are not sent"):
        keys("Up")
        until(lambda l: l[-1] == "> 改变大了", "history")
        keys("C-u")
        type_in("/list")
        keys("Enter")
        until(lambda l: any("#1 127.0.0.1" in x for x in l), "the list")
        type_in("//list")
        keys("Enter")
        flood.wait_for(b"/list")
        assert flood.got.count(b"/list") == 1, flood.got

    with step("escapes of the peer stay text on the screen"):
        flood.conn.sendall(b"\x1b[2J\x1b]0;t\x07evil\n")
        until(lambda l: any("evil" in x for x in l) and l[-1] == ">", "shown")

    with step("Ctrl-Z gives the terminal to the shell, fg brings back what was typed"):
        type_in("还在")
        until(lambda l: l[-1] == "> 还在", "typed")
        keys("C-z")
        until(lambda l: "Stopped" in "".join(l), "the shell")
        type_in("echo $((6*7))")
        keys("Enter")
        until(lambda l: "42" in l, "the shell's echo")
        type_in("fg")
        keys("Enter")
        until(lambda l: l[-1] == "> 还在", "what was typed")
        keys("Enter")
        flood.wait_for("还在".encode())

    with step("Ctrl-D leaves, the terminal is as before"):
        keys("C-d")
        until(lambda l: l[-1] == "$", "the shell")
        type_in("echo code=$?")
        keys("Enter")
        lines = until(lambda l: "code=0" in l, "exit code 0")
        assert "$ echo code=$?" in lines, "the terminal echoes again"
        assert not any(x.startswith("> ") or x == ">" for x in lines), lines
        files = os.listdir(home + "/state/coo/talk")
        assert len(files) == 1, files

    with step("a server: /list, /to one, /all, /kick"):
        tmux("resize-window", "-x", "90", "-y", "30")
        type_in(f"'{talk.COO}' talk tcp://:0")
        keys("Enter")
        lines = until(lambda l: any("listening on" in x for x in l) and l[-1] == ">", "listening")
        port = int(re.search(r"listening on \S+:(\d+)", "".join(lines)).group(1))
        one, two = talk.connect(port), talk.connect(port)
        until(lambda l: sum(" connected" in x for x in l) >= 2, "two clients")
        one.sendall("我是一\n".encode())
        until(lambda l: any(re.search(r"< #1 127\.0\.0\.1:\d+  我是一$", x) for x in l), "#1")
        type_in("/to 2")
        keys("Enter")
        type_in("only two")
        keys("Enter")
        assert two.recv(100) == b"only two"
        type_in("/all")
        keys("Enter")
        type_in("both")
        keys("Enter")
        assert one.recv(100) == b"both" and two.recv(100) == b"both"
        type_in("/kick 1")
        keys("Enter")
        assert one.recv(100) == b""
        until(lambda l: any(re.search(r"\* #1 \S+: closed$", x) for x in l), "kicked")
        type_in("/to 1")
        keys("Enter")
        until(lambda l: any("/to takes a number" in x for x in l), "nobody has that number")
        two.sendall(b"\n".join(b"%d" % i for i in range(3)))
        keys("C-d")
        until(lambda l: l[-1] == "$", "the shell")
        assert two.recv(100) == b""

    with step("UDP: whoever spoke last gets the answer, /to another"):
        type_in(f"'{talk.COO}' talk udp://:0")
        keys("Enter")
        lines = until(lambda l: l[-1] == ">" and "listening on 0.0.0.0" in "".join(l[-4:]), "UDP")
        port = int(re.findall(r"listening on \S+:(\d+)", "".join(lines))[-1])
        peers = []
        type_in("nobody yet")
        keys("Enter")
        until(lambda l: any("nobody to send it to" in x for x in l), "nobody")
        for i in range(2):
            u = talk.socket.socket(talk.socket.AF_INET, talk.socket.SOCK_DGRAM)
            u.settimeout(talk.WAIT)
            u.sendto(b"hello %d" % i, ("127.0.0.1", port))
            until(lambda l: any(f"hello {i}" in x for x in l), "shown")
            peers.append(u)
        type_in("to the last")
        keys("Enter")
        assert peers[1].recv(100) == b"to the last"
        type_in("/to 1")
        keys("Enter")
        type_in("to the first")
        keys("Enter")
        assert peers[0].recv(100) == b"to the first"
        keys("C-d")
        until(lambda l: l[-1] == "$", "the shell")
finally:
    flood.over = True
    subprocess.run(["tmux", "-S", socket_path, "kill-server"], env=ENV, capture_output=True,
                   check=False)
    shutil.rmtree(home, ignore_errors=True)

step.done()
