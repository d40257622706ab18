# SPDX-License-Identifier: MIT
"""coo talk and the classroom programs around it, for the tests in tests/cli and tests/netns."""
import os
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402,F401

COO = lab.COO
WAIT = 20.0


def run(*args, stdin=b"", wait=WAIT, env=None):
    """Runs coo talk to its end; gives (exit code, stdout, stderr), the latter as text."""
    done = subprocess.run([COO, "talk", *args], input=stdin, capture_output=True, timeout=wait,
                          env={**os.environ, **(env or {})}, check=False)
    err = done.stderr.decode("utf-8", "backslashreplace")
    print(f"    coo talk {' '.join(args)[:160]!r}: exit {done.returncode} {done.stdout[:160]!r} "
          f"{err[:300]!r}", flush=True)
    return done.returncode, done.stdout, err


class Talk:
    """coo talk in the background. With listen=True it is ready, and port is known, at return."""

    def __init__(self, *args, listen=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                 env=None):
        self.out, self.err = b"", ""
        self.changed = threading.Condition()
        self.process = subprocess.Popen([COO, "talk", *args], stdin=stdin, stdout=stdout,
                                        stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
        if stdout == subprocess.PIPE:
            threading.Thread(target=self._read_out, daemon=True).start()
        self.reading = threading.Thread(target=self._read_err, daemon=True)
        self.reading.start()
        self.port = None
        if listen:
            self.expect_err(r"listening on \S+:\d+")
            self.port = int(re.search(r"listening on \S+:(\d+)", self.err).group(1))

    def _add(self, out=b"", err=""):
        with self.changed:
            self.out += out
            self.err += err
            self.changed.notify_all()

    def _read_out(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            self._add(out=data)
        self._add()

    def _read_err(self):
        for line in self.process.stderr:
            text = line.decode("utf-8", "backslashreplace")
            print(f"    coo: {text.rstrip()[:300]}", flush=True)
            self._add(err=text)
        self._add()

    def _wait_for(self, fits, what, wait):
        end = time.monotonic() + wait
        with self.changed:
            while not fits():
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"no {what!r} within {wait} s: {self.out[-400:]!r} "
                                         f"{self.err[-400:]!r}")
                self.changed.wait(left)

    def expect(self, what, wait=WAIT):
        self._wait_for(lambda: what in self.out, what, wait)

    def expect_err(self, pattern, wait=WAIT):
        self._wait_for(lambda: re.search(pattern, self.err), pattern, wait)

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait(self, wait=WAIT):
        return self.process.wait(wait)

    def stop(self):
        """Ctrl-C; gives the exit code."""
        self.process.send_signal(2)
        return self.process.wait(WAIT)


class Server:
    """A TCP or UDP server of a few lines in a thread: serve(socket) is the program."""

    def __init__(self, serve, kind=socket.SOCK_STREAM, family=socket.AF_INET):
        self.socket = socket.socket(family, kind)
        self.socket.settimeout(WAIT)
        self.socket.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        if kind == socket.SOCK_STREAM:
            self.socket.listen()
        self.port = self.socket.getsockname()[1]
        self.failed = None
        self.thread = threading.Thread(target=self._serve, args=(serve,), daemon=True)
        self.thread.start()

    def _serve(self, serve):
        try:
            serve(self.socket)
        except Exception as e:  # told by join()
            self.failed = e

    def join(self):
        self.thread.join(WAIT)
        assert not self.thread.is_alive(), "the Python server did not end"
        self.socket.close()
        if self.failed:
            raise self.failed


def connect(port, family=socket.AF_INET):
    s = socket.socket(family)
    s.settimeout(WAIT)
    s.connect(("127.0.0.1" if family == socket.AF_INET else "::1", port))
    return s


def receive_all(s):
    data = b""
    while piece := s.recv(65536):
        data += piece
    return data


def receive_exactly(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        assert piece, f"the stream ended after {len(data)} of {n} bytes"
        data += piece
    return data
