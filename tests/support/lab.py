# SPDX-License-Identifier: MIT
"""Programs on the hosts of scripts/lab, for the tests in tests/netns and tests/interop.

    import lab
    lab.enter(hosts=2)                      # continues within the lab, or ends with 77
    step = lab.Steps()
    listen = lab.Coo("h1", "listen", "--json")
    with step("a message arrives"):
        lab.coo("h2", "send", "10.77.0.1", "hello")
        listen.expect(type="message", text="hello")
    step.done()

Nothing sleeps to be sure that something is ready: it waits for the event that says so.
"""
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("B", os.path.join(ROOT, "build")))
COO = os.path.abspath(os.environ.get("COO", os.path.join(BUILD, "coo")))
IPTUXD = os.path.join(BUILD, "tests/interop/iptuxd")
WAIT = 15.0  # how long anything may take that has to happen, in seconds


def enter(hosts, *options, needs_iptux=False):
    """Runs the calling script again within a lab, unless it is in one already."""
    if needs_iptux and not os.access(IPTUXD, os.X_OK):
        print("needs iptux and its headers (Debian: iptux libjsoncpp-dev libsigc++-2.0-dev "
              "libgoogle-glog-dev libglib2.0-dev)")
        sys.exit(77)
    if "LAB" in os.environ:
        return
    script = os.path.join(ROOT, "scripts/lab")
    os.execv(script, [script, *options, str(hosts), "--", sys.executable, *sys.argv])


class Steps:
    """Named steps of one scenario, printed as TAP so that each counts."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    @contextlib.contextmanager
    def __call__(self, name):
        self.count += 1
        try:
            yield
            print(f"ok {self.count} - {name}", flush=True)
        except Exception:  # a failed step must not hide what the next ones would tell
            self.failed += 1
            traceback.print_exc(file=sys.stdout)
            print(f"not ok {self.count} - {name}", flush=True)

    def needs(self, name, program, package):
        """Where the program is, or None: then the step of that name counts as skipped."""
        path = shutil.which(program)
        if not path:
            self.count += 1
            print(f"ok {self.count} - {name} # SKIP needs {program} (Debian: {package})", flush=True)
        return path

    def done(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed or not self.count else 0)


def host_argv(host, argv):
    return [*(["on", host] if host else []), *argv]


class Program:
    """A program on a host that prints one JSON object a line."""

    def __init__(self, host, *argv, env=None):
        self.name = f"{host} {os.path.basename(argv[0])}"
        self.events = []
        self.at = 0  # where expect() looks on from
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            host_argv(host, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            text = line.decode("utf-8", "backslashreplace").rstrip("\n")
            print(f"    {time.monotonic():.3f} {self.name}: {text[:400]}", flush=True)
            try:
                event = json.loads(text)
            except ValueError:
                event = {"said": text}
            with self.changed:
                self.events.append(event)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def expect(self, wait=WAIT, **fields):
        """The next event that has these fields (a__b means event["a"]["b"])."""
        end = time.monotonic() + wait
        with self.changed:
            while True:
                while self.at < len(self.events):
                    event = self.events[self.at]
                    self.at += 1
                    if matches(event, fields):
                        return event
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{self.name} did not say {fields} within {wait} s")
                self.changed.wait(left)

    def expect_peer(self, addr):
        """What it first tells of a peer at that address, from the beginning on.

        A host that speaks IPv6, too, may have come up by its other address: who answers an entry
        waits a random time, for each address that asked."""
        self.rewind()
        return self.expect(type=lambda t: t in ("peer_up", "peer_change"), peer__addr=addr)["peer"]

    def rewind(self):
        self.at = 0

    def seen(self, **fields):
        """All events so far that have these fields."""
        with self.changed:
            return [e for e in self.events if matches(e, fields)]

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def stop(self, wait=WAIT):
        """Asks it to end (SIGTERM) and gives its exit code."""
        self.process.terminate()
        return self.process.wait(wait)

    def kill(self):
        self.process.kill()
        self.process.wait()


def wait_until(happened, wait=WAIT):
    """Until it says so; the caller sees what there is then."""
    end = time.monotonic() + wait
    while not happened() and time.monotonic() < end:
        time.sleep(0.02)


def matches(event, fields):
    for key, want in fields.items():
        value = event
        for part in key.split("__"):
            value = value.get(part) if isinstance(value, dict) else None
        if callable(want):
            if not want(value):
                return False
        elif value != want:
            return False
    return True


class Coo(Program):
    """coo in the background; ready when it has printed its first event."""

    def __init__(self, host, *args, env=None):
        super().__init__(host, COO, *args, env=env)
        if "--json" in args:
            self.expect(type="start")


def coo(host, *args, stdin=None, wait=60):
    """Runs coo to its end; gives (exit code, stdout, stderr)."""
    run = subprocess.run(host_argv(host, [COO, *args]), input=stdin, capture_output=True,
                         timeout=wait, check=False)
    out, err = run.stdout.decode(), run.stderr.decode()
    print(f"    {host} coo {' '.join(args)[:200]!r}: exit {run.returncode}\n{out}{err}", flush=True)
    return run.returncode, out, err


class Iptux(Program):
    """A real iptux; ready when it has said so."""

    def __init__(self, host, nick, encoding="utf-8", group="研发组"):
        folder = f"/run/lab/{host}/iptux"
        os.makedirs(folder + "/downloads", exist_ok=True)
        config = {"nick_name": nick, "belong_group": group, "my_icon": "icon-tux.png",
                  "preference_encode": encoding, "personal_sign": "签名",
                  "candidacy_encode": "gb18030"}  # with utf-16 among them it takes half of all GBK for that
        with open(folder + "/config.json", "w", encoding="utf-8") as f:
            json.dump(config, f, ensure_ascii=False)
        super().__init__(host, IPTUXD, folder + "/config.json", folder + "/downloads")
        self.expect(event="ready")

    def offer(self, ip, *paths):
        """Offers files and folders."""
        words = [p.replace("\\", "\\\\").replace(" ", "\\ ") for p in paths]
        self.tell(" ".join(["file", ip, *words]))
        self.expect(event="ok")

    def quit(self):
        self.tell("quit")
        self.process.wait(WAIT)


class Capture:
    """Every UDP datagram on a bridge, from now on, as (source, destination, payload).

    Of one that came in fragments only the first is kept.
    """

    def __init__(self, bridge="br0"):
        self.datagrams = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
        self.socket.bind((bridge, 0))
        promiscuous = struct.pack("iHH8s", socket.if_nametoindex(bridge), 1, 0, b"")
        self.socket.setsockopt(263, 1, promiscuous)  # SOL_PACKET, PACKET_ADD_MEMBERSHIP
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            packet, where = self.socket.recvfrom(65535)
            if where[1] != 0x0800 or where[2] == socket.PACKET_OUTGOING or packet[9] != 17:
                continue
            if struct.unpack_from("!H", packet, 6)[0] & 0x1FFF:
                continue
            head = (packet[0] & 15) * 4
            ports = struct.unpack_from("!HH", packet, head)
            length = struct.unpack_from("!H", packet, 2)[0]
            self.datagrams.append(((socket.inet_ntoa(packet[12:16]), ports[0]),
                                   (socket.inet_ntoa(packet[16:20]), ports[1]),
                                   packet[head + 8:length]))

    def packets(self, source=None, to=None, command=None, contains=None):
        """The IPMsg packets seen so far, as dicts of their head."""
        found = []
        for src, dst, payload in list(self.datagrams):
            parts = payload.split(b":", 5)
            if len(parts) < 6 or not parts[4].isdigit():
                continue
            if (source and src[0] != source) or (to and dst[0] != to):
                continue
            if command is not None and int(parts[4]) & 0xFF != command:
                continue
            if contains and contains not in payload:
                continue
            found.append({"src": src, "dst": dst, "no": parts[1], "command": int(parts[4]),
                          "raw": payload})
        return found

    def wait_for(self, wait=WAIT, at_least=1, **what):
        """As packets(), as soon as there are so many: what a program said may be read earlier."""
        end = time.monotonic() + wait
        while len(self.packets(**what)) < at_least:
            if time.monotonic() > end:
                raise AssertionError(f"no packet {what} within {wait} s")
            time.sleep(0.02)
        return self.packets(**what)
