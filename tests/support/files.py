# SPDX-License-Identifier: MIT
"""Files and folders for the tests that move them, over the loopback interface."""
import hashlib
import os
import random
import shutil
import subprocess
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402


class Place:
    """A directory of its own, with a state directory, that goes with the process."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="coo-files-")
        self.env = {"COO_STATE_DIR": self.dir("state"), "XDG_RUNTIME_DIR": self.dir("run")}

    def dir(self, name):
        path = os.path.join(self.path, name)
        os.makedirs(path, exist_ok=True)
        return path

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


def write(folder, name, size, seed=0):
    """A file of reproducible bytes; gives its path."""
    path = os.path.join(folder, name)
    rng = random.Random(f"{name} {seed}")
    with open(path, "wb") as f:
        while size > 0:
            n = min(size, 1 << 20)
            f.write(rng.randbytes(n))
            size -= n
    os.utime(path, (1783728000, 1783728000 + seed))
    return path


def write_sparse(folder, name, size):
    """A file of size bytes that takes no room: zeros, some bytes in the middle, one at the end."""
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.seek(size // 2)
        f.write(b"middle of " + name.encode())
        f.seek(size - 1)
        f.write(b"x")
    os.utime(path, (1783728000, 1783728001))
    return path


def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def tree(path):
    """Everything beneath path: {relative name: (kind, contents or target, seconds)}."""
    found = {}
    for root, folders, names in os.walk(path):
        for name in folders + names:
            full = os.path.join(root, name)
            key = os.path.relpath(full, path)
            stat = os.lstat(full)
            if os.path.islink(full):
                found[key] = ("link", os.readlink(full), 0)
            elif os.path.isdir(full):
                found[key] = ("dir", None, int(stat.st_mtime))
            else:
                found[key] = ("file", sha256(full), int(stat.st_mtime))
    return found


def assert_same_tree(a, b):
    """The same names, contents and times beneath both; says where not."""
    a, b = tree(a), tree(b)
    differ = [(k, a.get(k), b.get(k)) for k in sorted({*a, *b}) if a.get(k) != b.get(k)]
    assert not differ, (len(differ), differ[:3])


class Listener(lab.Coo):
    """coo listen on a port of its own; its address is self.at."""

    def __init__(self, place, *args):
        super().__init__(None, "listen", "--json", "-b", "127.0.0.1", "-p", "0", "--no-announce",
                         *args, env=place.env)
        self.rewind()
        self.at_port = self.expect(type="start")["port"]
        self.target = f"127.0.0.1:{self.at_port}"


def coo(place, *args, wait=60):
    """Runs coo to its end in this place; gives (exit code, stdout, stderr)."""
    os.environ.update(place.env)
    return lab.coo(None, *args, wait=wait)


class Peer:
    """Offers by hand, and answers requests with whatever bytes the case has."""

    def __init__(self, listener):
        self.to = ("127.0.0.1", listener.at_port)
        while True:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                self.tcp.bind(self.udp.getsockname())
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(16)
        self.udp.settimeout(lab.WAIT)
        self.number = int(time.time())
        self.version = b"1"
        self.answers = {}
        self.requests = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            s, _ = self.tcp.accept()
            threading.Thread(target=self._answer, args=(s,), daemon=True).start()

    def _answer(self, s):
        request = s.recv(4096)
        self.requests.append(request)
        number = int(request.split(b":")[5], 16)
        try:
            for block in self.answers.get(number, ()):
                if isinstance(block, bytes):
                    s.sendall(block)
                elif callable(block):
                    block()
                else:
                    time.sleep(block)
        except OSError:
            pass
        s.close()

    def send(self, command, ext):
        self.number += 1
        self.udp.sendto(b"%s:%d:mallory:evil:%d:" % (self.version, self.number, command) + ext,
                        self.to)
        return self.number

    def offer(self, entries, answer=()):
        self.answers[self.number + 1] = answer
        return self.send(0x200120, b"\0" + entries)

    def is_alive(self):
        """The listener still acknowledges a message."""
        number = self.send(0x120, b"still there?\0")
        while True:
            answer = self.udp.recv(65536)
            if answer.split(b":", 5)[5].startswith(b"%d" % number):
                return True


class Recipient:
    """Gets an offer by hand, acknowledges it, and asks for the files as slowly as it likes."""

    def __init__(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.settimeout(lab.WAIT)
        self.target = "127.0.0.1:%d" % self.udp.getsockname()[1]
        self.sender = self.packet = None

    def take_offer(self):
        command = 0
        while command & 0xff != 0x20:  # receipts and questions may come first
            raw, self.sender = self.udp.recvfrom(65535)
            command = int(raw.split(b":", 5)[4])
        self.packet = int(raw.split(b":", 2)[1])
        self.udp.sendto(b"1:%d:slow:here:33:%d\0" % (self.packet, self.packet), self.sender)

    def say(self, text, to):
        self.udp.sendto(b"1:%d:slow:here:288:%s\0" % (time.time_ns() // 1000 % 2**31, text.encode()),
                        to)

    def ask(self, file_id=0, offset=0, folder=False, buffer=None):
        """A connection on which that file comes."""
        s = socket.socket()
        if buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        s.settimeout(lab.WAIT)
        s.connect(self.sender)
        s.sendall(b"1:5:slow:here:%d:%x:%x:%x:\0" %
                  (0x62 if folder else 0x60, self.packet, file_id, offset))
        return s


def read_some(s, n):
    """Exactly n bytes, which have to come."""
    got = bytearray()
    while len(got) < n:
        block = s.recv(n - len(got))
        assert block, len(got)
        got += block
    return bytes(got)


def read_all(s):
    """What comes until the end, whichever way it ends."""
    got = bytearray()
    try:
        while block := s.recv(1 << 20):
            got += block
    except ConnectionResetError:
        pass
    return bytes(got)


class WithIptux:
    """In a lab: coo on h1 takes all files, a real iptux is on h2, and they know each other."""

    def __init__(self):
        self.place = Place()
        self.source, self.target = self.place.dir("in"), self.place.dir("out")
        shim = os.path.join(self.place.path, "fixmkdir.so")
        subprocess.run(["c++", "-shared", "-fPIC", "-O1", "-o", shim,
                        os.path.join(lab.ROOT, "tests/interop/fixmkdir.cpp")], check=True)
        self.listen = lab.Coo("h1", "listen", "--json", "--charset", "utf-8", "--accept", "all",
                              "--save-dir", self.target, env=self.place.env)
        os.environ["LD_PRELOAD"] = shim
        self.iptux = lab.Iptux("h2", "阿B")
        del os.environ["LD_PRELOAD"]
        self.downloads = "/run/lab/h2/iptux/downloads"
        self.iptux.expect(event="up", ip="10.77.0.1")
        self.listen.expect(type="peer_up", peer__client="iptux")
