#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The limits of time as they are: 10 s for a request, 120 s without progress on either side, where a
drip of single bytes is none."""
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
listener = files.Listener(place, "--accept", "all", "--save-dir", target)
peer = files.Peer(listener)
to = files.Recipient()
path = files.write(source, "big", 64 << 20)
sender = lab.Coo(None, "send", "--json", "-v", "--offer-wait", "5m", to.target, "-f", path,
                 env=place.env)
to.take_offer()
took = {}


def time_of(name, wait):
    begin = time.monotonic()
    wait()
    took[name] = time.monotonic() - begin


def no_request(body):
    with socket.create_connection(to.sender, 200) as s:
        s.sendall(body)
        assert files.read_all(s) == b""


def take_nothing():
    s = to.ask(buffer=65536)
    sender.expect(wait=200, type="transfer", status="failed")
    s.close()


def receive(name, blocks):
    peer.offer(b"0:%s:1000000:6a52e280:1:\a" % name.encode(), blocks)
    while not listener.seen(type="transfer", status="failed", name=name):
        time.sleep(0.1)


ways = [("silent", lambda: no_request(b"")), ("half a request", lambda: no_request(b"1:5:me:here:9")),
        ("takes nothing", take_nothing), ("sends nothing", lambda: receive("mute", [b"x", 200])),
        ("drips", lambda: receive("drip", [b"x", 0.1] * 2000))]
threads = [threading.Thread(target=time_of, args=way, daemon=True) for way in ways]
for t in threads:
    t.start()
for t in threads:
    t.join(260)
print("   ", took)
for name, least, most in (("silent", 10, 12), ("half a request", 0.3, 12), ("takes nothing", 120, 125),
                          ("sends nothing", 120, 125), ("drips", 120, 245)):
    with step(f"{name}: ended within {most} s, not before {least} s"):
        assert least - 0.2 <= took[name] <= most, took
with step("and both go on"):
    s = to.ask()
    assert len(files.read_all(s)) == 64 << 20
    s.close()
    assert sender.process.wait(lab.WAIT) == 0
    peer.offer(b"0:good:5:6a52e280:1:\a", [b"hello"])
    listener.expect(type="transfer", status="done", name="good")
    assert listener.stop() == 0

place.close()
step.done()
