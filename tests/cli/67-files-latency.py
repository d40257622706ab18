#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A message is answered within 20 ms while eight transfers run at full speed, in either direction. The
machine may be busy with others: the best of five runs counts, since a loop that starves is slow in all."""
import multiprocessing
import os
import select
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

step = lab.Steps()
place = files.Place()
source = place.dir("in")
EIGHT = [files.write(source, f"file-{i}", 48 << 20) for i in range(8)]
SANITIZED = "asan" in lab.COO


def answers(to, is_over):
    """Milliseconds from a message to its receipt, again and again; in order of size."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.settimeout(lab.WAIT)
    took, number = [], int(time.time())
    while not is_over():
        number += 1
        begin = time.monotonic()
        udp.sendto(b"1:%d:bench:here:%d:ping\0" % (number, 0x120), to)
        while not udp.recv(65536).split(b":", 5)[5].startswith(b"%d" % number):
            pass
        took.append((time.monotonic() - begin) * 1000)
        time.sleep(0.002)
    return sorted(took)


def receiving():
    target = place.dir(f"out{time.monotonic()}")
    listener = files.Listener(place, "--accept", "all", "--save-dir", target)
    sender = lab.Coo(None, "send", "-q", listener.target, *[a for p in EIGHT for a in ("-f", p)],
                     env=place.env)
    listener.expect(type="transfer", status="progress")
    took = answers(("127.0.0.1", listener.at_port), lambda: sender.process.poll() is not None)
    assert sender.process.returncode == 0
    listener.stop()
    return took


def serving():
    share = lab.Coo(None, "share", "--json", "-b", "127.0.0.1", "-p", "0", source, env=place.env)
    share.rewind()
    at = ("127.0.0.1", share.expect(type="start")["port"])
    offers = []
    for i in range(8):
        offers.append(files.Recipient())
        offers[i].say(f"file-{i}", at)
        offers[i].take_offer()

    reader = multiprocessing.get_context("fork").Process(target=read_together, args=(offers,))
    reader.start()
    took = answers(at, lambda: not reader.is_alive())
    reader.join()
    assert reader.exitcode == 0
    assert share.stop() == 0
    return took


def read_together(offers):
    """All that is offered, as fast as it comes; in a process of its own, not to disturb the clock."""
    left = {o.ask(): 48 << 20 for o in offers}
    block = bytearray(1 << 20)
    while left:
        for s in select.select(list(left), [], [])[0]:
            n = s.recv_into(block)
            left[s] -= n
            if left[s] == 0:
                s.close()
                del left[s]
            elif n == 0:
                os._exit(1)


def best_of_five(run):
    best = None
    for _ in range(5):
        took = run()
        p95 = took[len(took) * 95 // 100]
        print(f"    {len(took)} answers: half within {took[len(took) // 2]:.2f} ms, 95 % within "
              f"{p95:.2f} ms, all within {took[-1]:.2f} ms")
        best = min(p95, best) if best else p95
        if best <= 20:
            break
    assert len(took) >= 5 and best <= (60 if SANITIZED else 20), best


with step("while eight files are received"):
    best_of_five(receiving)
with step("while eight files are sent"):
    best_of_five(serving)

place.close()
step.done()
