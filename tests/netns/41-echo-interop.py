#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo ping against other echo services, and other clients against coo echo.

Python, socat, nc, ncat, nping, inetutils-inetd, xinetd; what is not installed counts as skipped.
"""
import json
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(2)
step = lab.Steps()
os.environ["PATH"] += f":/usr/sbin:/sbin:{lab.ROOT}/build/rivals/usr/sbin"
TMP = os.environ.get("TMPDIR", "/tmp")


def write(name, text):
    path = os.path.join(TMP, name)
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def ping(port, count=20, *options):
    code, out, _ = lab.coo("h2", "ping", "--json", "-q", "-c", str(count), "-i", "20ms", *options,
                           f"10.77.0.1:{port}")
    summary = json.loads(out.splitlines()[-1])
    assert code == 0 and summary["received"] == count and summary["lost"] == 0, summary
    assert summary["corrupted"] == 0 and summary["foreign"] == 0, summary


class Background:
    """A service on h1, awaited on its UDP port."""

    def __init__(self, port, *argv):
        self.process = subprocess.Popen(["on", "h1", *argv], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        subprocess.run(["await", "h1", "udp", str(port)], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


if step.needs("socat answers coo ping", "socat", "socat"):
    with step("socat answers coo ping"), \
            Background(7001, "socat", "UDP4-RECVFROM:7001,fork", "PIPE"):
        ping(7001)

if step.needs("ncat answers coo ping", "ncat", "ncat"):
    with step("ncat answers coo ping"), \
            Background(7002, "ncat", "-u", "-l", "-k", "-e", "/bin/cat", "7002"):
        # its pipe knows no datagrams: two that meet in it come back as one, and that is told
        _, out, _ = lab.coo("h2", "ping", "--json", "-q", "-c", "5", "-i", "300ms",
                            "10.77.0.1:7002")
        end = json.loads(out.splitlines()[-1])
        assert end["received"] >= 3, end
        assert end["sent"] == end["received"] + end["lost"] + end["corrupted"] == 5, end

PYTHON = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7003))
while True:
    s.sendto(*s.recvfrom(65536))
"""
with step("a Python socket answers coo ping, of any size"), \
        Background(7003, sys.executable, "-c", PYTHON):
    for size in ["28", "64", "1472", "1473", "9000", "65507"]:
        ping(7003, 3, "-s", size)

inetd = step.needs("inetd's internal echo answers coo ping", "inetutils-inetd", "inetutils-inetd")
if inetd:
    with step("inetd's internal echo answers coo ping"), \
            Background(7, inetd, "-d", write("inetd.conf", "echo dgram udp wait root internal\n")):
        ping(7)

xinetd = step.needs("xinetd's internal echo answers coo ping", "xinetd", "xinetd")
if xinetd:
    conf = write("xinetd.conf", """
service echo
{
    type = INTERNAL UNLISTED
    id = echo-dgram
    socket_type = dgram
    protocol = udp
    port = 7004
    user = root
    wait = yes
    cps = 1000 1
}
""")
    with step("xinetd's internal echo answers coo ping"), \
            Background(7004, xinetd, "-dontfork", "-f", conf):
        ping(7004, 5)

echo = lab.Coo("h1", "echo", "--json", "--tcp")


def client(argv, text=b"", wait=20):
    out = subprocess.run(["on", "h2", *argv], input=text, capture_output=True, timeout=wait,
                         check=False)
    return out.stdout, out.stderr


if step.needs("socat asks coo echo over UDP and TCP", "socat", "socat"):
    with step("socat asks coo echo over UDP and TCP"):
        out, err = client(["socat", "-t", "1", "-", "UDP4:10.77.0.1:7"], b"hello over udp\n")
        assert out == b"hello over udp\n", (out, err)
        text = b"hello over tcp\n" * 10000
        out, err = client(["socat", "-t", "1", "-", "TCP4:10.77.0.1:7"], text)
        assert out == text, (len(out), err)

if step.needs("nc asks coo echo", "nc.openbsd", "netcat-openbsd"):
    with step("nc asks coo echo"):
        out, err = client(["nc.openbsd", "-u", "-w", "1", "10.77.0.1", "7"], b"hello from nc\n")
        assert out == b"hello from nc\n", (out, err)

if step.needs("nping asks coo echo", "nping", "nmap"):
    with step("nping asks coo echo"):
        out, err = client(["nping", "--udp", "-p", "7", "-g", "40000", "-c", "3", "--delay", "50ms",
                           "--data-string", "hello", "10.77.0.1"])
        assert b"RCVD" in out and out.count(b"RCVD (") == 3, (out, err)

with step("many TCP connections at once"):
    code = """
import socket
text = bytes(range(256)) * 64
s = [socket.create_connection(("10.77.0.1", 7), 10) for _ in range(200)]
for c in s:
    c.sendall(text)
for c in s:
    got = b""
    while len(got) < len(text):
        got += c.recv(65536)
    assert got == text
print("all", flush=True)
"""
    out, err = client([sys.executable, "-c", code])
    assert out == b"all\n", (out, err)

with step("the responder counted them"):
    assert echo.stop() == 0
    end = echo.expect(type="summary")
    assert end["rx"] == end["tx"] and end["tcp"]["accepted"] >= 200, end

with step("a messenger answers coo ping --peer"):
    listen = lab.Coo("h1", "listen", "--json")
    code, out, _ = lab.coo("h2", "ping", "--json", "--peer", "-c", "3", "-i", "1s", "10.77.0.1")
    end = json.loads(out.splitlines()[-1])
    assert code == 0 and end["received"] == 3 and end["foreign"] == 0, end
    assert listen.stop() == 0

step.done()
