# SPDX-License-Identifier: MIT
"""The program and its peers on loopback, for the tests in tests/cli.

    import cli
    peer = cli.Peer()                        # answers SENDMSG with RECVMSG
    run = cli.coo("send", peer.target, "hello")
    listen = cli.Listen("--json")            # ready, on a free port
    listen.expect(type="message", text="hello")

Each test has a HOME of its own, uses 127.0.0.0/8 alone and ports that the kernel chose.
"""
import atexit
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import namedtuple

from lab import COO, ROOT, WAIT, Steps, matches  # noqa: F401

NOOPERATION, BR_ENTRY, BR_EXIT, ANSENTRY = 0, 1, 2, 3
SENDMSG, RECVMSG, READMSG, ANSREADMSG = 0x20, 0x21, 0x30, 0x32
SENDCHECK, SECRET, BROADCAST, MULTICAST = 0x100, 0x200, 0x400, 0x800
AUTORET, NOADDLIST, READCHECK, UTF8 = 0x2000, 0x80000, 0x100000, 0x800000

Run = namedtuple("Run", "code out err")
Packet = namedtuple("Packet", "version no user host command ext raw source")

home = tempfile.mkdtemp(prefix="coo-cli.")
for name in ("config", "state", "run"):
    os.mkdir(os.path.join(home, name))
env = {k: v for k, v in os.environ.items() if not k.startswith("COO_")}
env.update(HOME=home, XDG_CONFIG_HOME=home + "/config", XDG_STATE_HOME=home + "/state",
           XDG_RUNTIME_DIR=home + "/run", LC_ALL="C.UTF-8", USER="tester")
env.pop("NO_COLOR", None)


def is_sanitized():
    """Whether the program was built with the address sanitizer, which takes memory of its own."""
    with open(COO, "rb") as program:
        return b"__asan_init" in program.read()


def environment(more=None):
    """That of a program started here; a value of None takes a variable away."""
    full = {**env, **(more or {})}
    return {k: v for k, v in full.items() if v is not None}


def path(name):
    return os.path.join(home, name)


def write(name, text, mode=0o644):
    """A file in the HOME of the test; gives its path."""
    where = path(name)
    os.makedirs(os.path.dirname(where), exist_ok=True)
    with open(where, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(where, mode)
    return where


def coo(*args, stdin=b"", more=None, wait=60, preexec_fn=None, **how):
    """Runs coo to its end."""
    stdin = stdin.encode() if isinstance(stdin, str) else stdin
    how.setdefault("stdout", subprocess.PIPE)
    how.setdefault("stderr", subprocess.PIPE)
    if stdin is not None:
        how["input"] = stdin
    run = subprocess.run([COO, *args], env=environment(more), timeout=wait, check=False,
                         cwd=how.pop("cwd", home), preexec_fn=preexec_fn, **how)
    text = [x.decode("utf-8", "backslashreplace") if x is not None else "" for x in
            (run.stdout, run.stderr)]
    print(f"    coo {' '.join(a if isinstance(a, str) else repr(a) for a in args)[:160]!r}: "
          f"exit {run.returncode}")
    for line in (text[0] + text[1]).splitlines()[:40]:
        print("    | " + line[:300])
    return Run(run.returncode, *text)


def check(run, code, out=None, err=None):
    """Exit code, stdout and stderr of a run; a text has to be equal, a pattern has to match all."""
    def same(name, got, want):
        if want is None:
            return
        ok = want.fullmatch(got) if isinstance(want, re.Pattern) else got == want
        assert ok, f"{name} is {got!r}, not {getattr(want, 'pattern', want)!r}"
    same("stdout", run.out, out)
    same("stderr", run.err, err)
    assert run.code == code, f"exit code {run.code}, not {code}"


def objects(run):
    """The JSON objects on stdout; each has to be on a line of its own, type and time first."""
    found = []
    for line in run.out.splitlines():
        found.append(json.loads(line))
        assert list(found[-1])[:2] == ["type", "time"], line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d",
                            found[-1]["time"]), line
    return found


def parse(raw, source=None):
    """A datagram as a packet, or None."""
    parts = raw.split(b":", 5)
    if len(parts) < 6 or not parts[4].isdigit():
        return None
    return Packet(parts[0], int(parts[1]), parts[2], parts[3], int(parts[4]), parts[5], raw, source)


def message(no, text, user="u", host="h", options=SENDCHECK, command=SENDMSG):
    body = text if isinstance(text, bytes) else text.encode()
    name = user if isinstance(user, bytes) else user.encode()
    return b"1:%d:%s:%s:%d:%s\0" % (no, name, host.encode(), command | options, body)


class Peer:
    """A host of the office in few lines: it keeps what it hears and answers messages."""

    def __init__(self, silent=False, read=False, ip="127.0.0.1", reply_from=None, family=None):
        family = family or (socket.AF_INET6 if ":" in ip else socket.AF_INET)
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((ip, 0))
        self.ip, self.port = self.socket.getsockname()[:2]
        self.target = f"[{ip}]:{self.port}" if ":" in ip else f"{ip}:{self.port}"
        self.silent, self.read, self.reply_from = silent, read, reply_from
        self.packets = []
        self.changed = threading.Condition()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                raw, source = self.socket.recvfrom(65535)
            except OSError:
                return
            packet = parse(raw, source)
            if packet is None:
                continue
            with self.changed:
                self.packets.append(packet)
                self.changed.notify_all()
            if packet.command & 0xff == SENDMSG and not self.silent:
                self.receipt(packet)

    def receipt(self, packet):
        out = self.reply_from or self.socket
        if packet.command & SENDCHECK:
            out.sendto(b"1:%d:peer:host:%d:%d\0" % (packet.no, RECVMSG, packet.no), packet.source)
        if self.read and packet.command & SECRET:
            out.sendto(b"1:%d:peer:host:%d:%d\0" % (packet.no + 1, READMSG | READCHECK, packet.no),
                       packet.source)

    def send(self, raw, to):
        """to: a Listen, or an address and port."""
        self.socket.sendto(raw, (to.ip, to.port) if isinstance(to, Listen) else to)

    def of(self, command):
        return [p for p in list(self.packets) if p.command & 0xff == command]

    def wait_for(self, command, count=1, wait=WAIT):
        """The packets of that command, when there are so many."""
        end = time.monotonic() + wait
        with self.changed:
            while len(self.of(command)) < count:
                left = end - time.monotonic()
                assert left > 0, f"{len(self.of(command))} of {count} packets of {command:#x}"
                self.changed.wait(left)
            return self.of(command)

    def close(self):
        self.socket.close()


class Crowd:
    """All of 127.0.0.0/8 on one port: each address acknowledges as itself."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
        self.socket.bind(("0.0.0.0", 0))
        self.port = self.socket.getsockname()[1]
        self.heard = set()  # addresses
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                raw, about, _, source = self.socket.recvmsg(65535, 256)
            except OSError:
                return
            asked = about[0][2][8:12]
            self.heard.add(asked)
            no = raw.split(b":", 2)[1]
            self.socket.sendmsg([b"1:%s:peer:host:%d:%s\0" % (no, RECVMSG, no)],
                                [(socket.IPPROTO_IP, 8, b"\0\0\0\0" + asked + b"\0\0\0\0")],
                                0, source)

    def close(self):
        self.socket.close()


class Listen:
    """coo listen in the background, on a free port of 127.0.0.1 unless told otherwise."""

    def __init__(self, *args, more=None, bind="127.0.0.1:0", stdout=None, preexec_fn=None):
        place = ["-b", bind] if bind else []
        self.json = "--json" in args
        self.lines, self.said, self.events, self.at = [], [], [], 0
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [COO, "listen", *place, *args], stdin=subprocess.DEVNULL,
            stdout=stdout if stdout is not None else subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(more), cwd=home, preexec_fn=preexec_fn)
        atexit.register(self._kill)
        self.threads = [threading.Thread(target=self._read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines),
                                     (self.process.stderr, self.said)) if pair[0]]
        for thread in self.threads:
            thread.start()
        if stdout is None or not self.json:
            self._wait_ready()

    def _kill(self):
        if self.process.poll() is None:
            self.process.kill()

    def _wait_ready(self):
        if self.json:
            start = self.expect(type="start")
            self.ip, self.port = start["addr"], start["port"]
            return
        line = self.wait_for(self.said, "listening on ")
        where = re.search(r"listening on (\S+):(\d+);", line)
        self.ip, self.port = where[1].strip("[]"), int(where[2])

    def _read(self, stream, into):
        for raw in stream:
            text = raw.decode("utf-8", "backslashreplace").rstrip("\n")
            with self.changed:
                into.append(text)
                if into is self.lines and self.json:
                    self.events.append(json.loads(text))
                self.changed.notify_all()

    def wait_for(self, lines, part, wait=WAIT):
        """The first of the lines (stdout: lines, stderr: said) that holds part."""
        end = time.monotonic() + wait
        with self.changed:
            while True:
                for line in lines:
                    if part in line:
                        return line
                left = end - time.monotonic()
                assert left > 0, f"no line with {part!r} in {lines[-20:]} {self.said[-20:]}"
                self.changed.wait(left)

    def expect(self, wait=WAIT, **fields):
        """The next event with these fields."""
        end = time.monotonic() + wait
        with self.changed:
            while True:
                while self.at < len(self.events):
                    event = self.events[self.at]
                    self.at += 1
                    if matches(event, fields):
                        return event
                left = end - time.monotonic()
                assert left > 0, f"no event {fields} in {wait} s; {self.events[-3:]} {self.said}"
                self.changed.wait(left)

    def seen(self, **fields):
        with self.changed:
            return [e for e in self.events if matches(e, fields)]

    def wait_count(self, count, wait=WAIT, **fields):
        """All events with these fields, when there are so many."""
        end = time.monotonic() + wait
        with self.changed:
            while len(self.seen_now(fields)) < count:
                left = end - time.monotonic()
                assert left > 0, f"{len(self.seen_now(fields))} of {count} events {fields}"
                self.changed.wait(left)
            return self.seen_now(fields)

    def seen_now(self, fields):
        return [e for e in self.events if matches(e, fields)]

    @property
    def target(self):
        return f"{self.ip}:{self.port}"

    def rss(self):
        """Bytes of memory that are its own or mapped into it."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS:"))

    def ended(self, wait=WAIT):
        """Waits for its end; gives exit code, stdout and stderr."""
        code = self.process.wait(wait)
        for thread in self.threads:
            thread.join(wait)
        print(f"    coo listen: exit {code}; stderr {self.said}")
        return Run(code, "".join(x + "\n" for x in self.lines), "".join(x + "\n" for x in self.said))

    def stop(self, number=15):
        self.process.send_signal(number)
        return self.ended()


def done(step):
    """At the end of a test: its HOME goes, its result counts."""
    shutil.rmtree(home, ignore_errors=True)
    sys.stdout.flush()
    step.done()
