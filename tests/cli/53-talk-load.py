#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A coo talk server under a thousand clients: all served, none starved, memory bounded."""
import os
import resource
import select
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402
import talk  # noqa: E402

CLIENTS = 1000
ROUNDS = 5
step = lab.Steps()

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
need = CLIENTS + 100
if hard != resource.RLIM_INFINITY and hard < need:
    print(f"needs {need} open files, the limit is {hard}")
    sys.exit(77)
resource.setrlimit(resource.RLIMIT_NOFILE, (max(need, min(soft, hard)), hard))


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


coo = talk.Talk("tcp://:0", "--reply", "echo", stdout=subprocess.DEVNULL)
empty = memory(coo.process.pid)
clients = []


def one_round(round_number):
    """Every client sends, then all answers are awaited; gives how long each took."""
    poll = select.poll()
    began, took, texts = {}, [], {}
    for i, s in enumerate(clients):
        poll.register(s, select.POLLIN)
        texts[s.fileno()] = [f"client {i} round {round_number}".encode() * 20, b"", s]
        began[s.fileno()] = time.monotonic()
        s.sendall(texts[s.fileno()][0])
    end = time.monotonic() + 60
    while len(took) < len(clients):
        assert time.monotonic() < end, f"{len(took)} of {len(clients)} were answered"
        for fd, _ in poll.poll(1000):
            entry = texts[fd]
            entry[1] += entry[2].recv(65536)
            if len(entry[1]) >= len(entry[0]):
                assert entry[1] == entry[0], "an answer of another client"
                took.append(time.monotonic() - began[fd])
                poll.unregister(fd)
    return took


with step(f"{CLIENTS} clients at once are served, none waits ten times the median"):
    for _ in range(CLIENTS):
        clients.append(talk.connect(coo.port))
    worst = []
    for n in range(ROUNDS):
        took = one_round(n)
        worst.append(max(took) / statistics.median(took))
    print(f"    longest wait / median: {min(worst):.2f} … {max(worst):.2f}; "
          f"median {statistics.median(took) * 1000:.1f} ms")
    assert statistics.median(worst) < 10, worst

with step("memory per client is small"):
    each = (memory(coo.process.pid) - empty) / CLIENTS
    print(f"    memory per client: {each:.0f} bytes (empty: {empty} bytes)")
    assert each < 16384, each

with step("clients that never read are bounded and stop nobody"):
    greedy = []
    for _ in range(4):
        s = talk.connect(coo.port)
        s.setblocking(False)
        greedy.append(s)
    before, pushed = memory(coo.process.pid), 0
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < 0.5 and pushed < 400 << 20:
        _, ready, _ = select.select([], greedy, [], 0.1)
        for s in ready:
            try:
                pushed += s.send(b"z" * 262144)
                idle_since = time.monotonic()
            except BlockingIOError:
                pass
    grown = memory(coo.process.pid) - before
    print(f"    {pushed >> 20} MiB pushed by {len(greedy)} that never read: {grown >> 10} KiB more")
    assert pushed < 400 << 20, "coo took everything from those that read nothing"
    assert grown < len(greedy) * (3 << 20), grown
    took = one_round("beside the greedy")
    assert max(took) / statistics.median(took) < 10, (max(took), statistics.median(took))

with step("a flooding client does not starve the others"):
    for s in greedy:
        s.close()
    flooder = talk.connect(coo.port)
    flooder.setblocking(False)
    got = sent = 0
    asking = clients[0]
    waits = []
    end = time.monotonic() + 20
    for n in range(50):
        assert time.monotonic() < end
        began = time.monotonic()
        asking.sendall(b"ping%03d" % n)
        answer = b""
        while len(answer) < 7:
            ready, writable, _ = select.select([asking, flooder], [flooder], [], 5)
            if flooder in writable:
                try:
                    sent += flooder.send(b"f" * 262144)
                except BlockingIOError:
                    pass
            if flooder in ready:
                got += len(flooder.recv(1 << 20))
            if asking in ready:
                answer += asking.recv(7 - len(answer))
        waits.append(time.monotonic() - began)
    print(f"    beside {sent >> 20} MiB of flood: median {statistics.median(waits) * 1000:.1f} ms, "
          f"longest {max(waits) * 1000:.1f} ms")
    assert max(waits) < 2, max(waits)

with step("everything is given back"):
    for s in clients:
        s.close()
    flooder.close()
    assert coo.stop() == 0

step.done()
