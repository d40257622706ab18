#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo talk as a filter beside socat, interleaved: "name value unit" lines and ratios.

RUNS (5) and BYTES (1073741824) shorten it. The peer is the same Python program for both.
"""
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import talk  # noqa: E402

RUNS = int(os.environ.get("RUNS", "5"))
BYTES = int(os.environ.get("BYTES", str(1 << 30)))
LINES = int(os.environ.get("LINES", "200000"))
SOCAT = shutil.which("socat")
BLOCK = bytearray(1 << 20)


def quiet(argv, **kw):
    return subprocess.Popen(argv, stderr=subprocess.DEVNULL, **kw)


def sink(s):
    conn, _ = s.accept()
    with conn:
        while conn.recv_into(BLOCK):
            pass


def source(s):
    conn, _ = s.accept()
    with conn:
        for _ in range(BYTES >> 20):
            conn.sendall(BLOCK)


def send_1g(argv):
    """MB/s from a pipe through the program into a TCP peer."""
    server = talk.Server(sink)
    began = time.monotonic()
    feed = quiet(["head", "-c", str(BYTES), "/dev/zero"], stdout=subprocess.PIPE)
    program = quiet([a.replace("PORT", str(server.port)) for a in argv], stdin=feed.stdout,
                    stdout=subprocess.DEVNULL)
    feed.stdout.close()
    assert program.wait(120) == 0
    server.join()
    return BYTES / (time.monotonic() - began) / 1e6


def receive_1g(argv):
    """MB/s from a TCP peer through the program into a pipe."""
    server = talk.Server(source)
    began = time.monotonic()
    program = quiet([a.replace("PORT", str(server.port)) for a in argv],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    n = 0
    while got := os.readv(program.stdout.fileno(), [BLOCK]):
        n += got
    assert program.wait(120) == 0 and n == BYTES, n
    server.join()
    return BYTES / (time.monotonic() - began) / 1e6


def udp_sink():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind(("127.0.0.1", 0))
    return s


def send_lines(argv):
    """Lines of 63 bytes and a line feed from a file, each a datagram, per second."""
    with udp_sink() as s, open(lines_path, "rb") as f:
        began = time.monotonic()
        program = quiet([a.replace("PORT", str(s.getsockname()[1])) for a in argv], stdin=f,
                        stdout=subprocess.DEVNULL)
        assert program.wait(120) == 0
        return LINES / (time.monotonic() - began)


def receive_lines(argv):
    """Lines of 63 bytes a second that reach standard output, of a flood of two seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    program = quiet([a.replace("PORT", str(port)) for a in argv], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE)
    wanted = f":{port:04X} "
    while wanted not in open("/proc/net/udp", encoding="ascii").read() + \
            open("/proc/net/udp6", encoding="ascii").read():
        time.sleep(0.01)
    end = time.monotonic() + 2
    flood = quiet([talk.COO, "talk", "--repeat", "0", "--interval", "1ms",
                   f"udp://127.0.0.1:{port}"], stdin=open(burst_path, "rb"))
    total = [0]

    def count():
        while data := os.read(program.stdout.fileno(), 1 << 20):
            total[0] += len(data)
    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    time.sleep(max(0, end - time.monotonic()))
    got = total[0]
    flood.terminate()
    flood.wait()
    program.terminate()
    program.wait()
    thread.join(5)
    return got / 63 / 2


def compare(name, measure, unit, ours, theirs):
    values = {"coo": [], "socat": []}
    for _ in range(RUNS):
        values["coo"].append(measure(ours))
        if SOCAT:
            values["socat"].append(measure(theirs))
    coo = statistics.median(values["coo"])
    print(f"talk_{name} {coo:.0f} {unit}", flush=True)
    if SOCAT:
        socat = statistics.median(values["socat"])
        print(f"socat_{name} {socat:.0f} {unit}")
        print(f"talk_{name}_ratio {coo / socat:.2f} of_socat", flush=True)


folder = subprocess.run(["mktemp", "-d"], capture_output=True, text=True,
                        check=True).stdout.strip()
lines_path, burst_path = folder + "/lines", folder + "/burst"
with open(lines_path, "wb") as out:
    out.write((b"x" * 63 + b"\n") * LINES)
with open(burst_path, "wb") as out:
    out.write((b"x" * 63 + b"\n") * 400)
try:
    compare("tcp_send", send_1g, "MB/s", [talk.COO, "talk", "tcp://127.0.0.1:PORT"],
            ["socat", "-", "TCP:127.0.0.1:PORT"])
    compare("tcp_receive", receive_1g, "MB/s", [talk.COO, "talk", "tcp://127.0.0.1:PORT"],
            ["socat", "-", "TCP:127.0.0.1:PORT"])
    compare("tcp_send_256k", send_1g, "MB/s", [talk.COO, "talk", "tcp://127.0.0.1:PORT"],
            ["socat", "-b262144", "-", "TCP:127.0.0.1:PORT"])
    compare("udp_lines_sent", send_lines, "lines/s", [talk.COO, "talk", "udp://127.0.0.1:PORT"],
            ["socat", "-u", "-b64", "-", "UDP-SENDTO:127.0.0.1:PORT"])
    compare("udp_lines_received", receive_lines, "lines/s",
            [talk.COO, "talk", "-l", "--eol", "none", "udp://127.0.0.1:PORT"],
            ["socat", "-u", "UDP-RECV:PORT,bind=127.0.0.1,rcvbuf=4194304", "-"])
finally:
    shutil.rmtree(folder)
