#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo talk between hosts: broadcast, multicast, zones, the pace off loopback, silent services."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(3)
step = lab.Steps()

# Python programs of the classroom, run on a host; they print one line when they are ready.
RECEIVER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))
print("ready", flush=True)
for _ in range(int(sys.argv[2])):
    data, peer = s.recvfrom(2048)
    print("got", data.decode("gbk"), "from", peer[0], flush=True)
    s.sendto("收到".encode("gbk"), peer)
"""
SENDER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.bind(("", int(sys.argv[3])))
s.sendto(sys.argv[4].encode("gbk"), (sys.argv[1], int(sys.argv[2])))
print("sent", flush=True)
"""


def python(host, program, *args):
    return lab.Program(host, sys.executable, "-c", program, *args)


with step("a broadcast reaches the receivers of the classroom, their answers come back"):
    receivers = [python(h, RECEIVER, "7788", "1") for h in ("h2", "h3")]
    for r in receivers:
        r.expect(said="ready")
    code, out, _ = lab.coo("h1", "talk", "--charset", "gbk", "--count", "2", "--wait", "5s",
                           "udp://*:7788", "大家好")
    assert code == 0 and out == "收到\n收到\n", (code, out)
    for r in receivers:
        r.expect(said="got 大家好 from 10.77.0.1")
        r.process.wait(lab.WAIT)

with step("--broadcast is the same, -I names the interface"):
    receiver = python("h2", RECEIVER, "7788", "1")
    receiver.expect(said="ready")
    code, _, err = lab.coo("h1", "talk", "--broadcast", "-I", "nosuch0", "udp://:7788", "x")
    assert code == 2 and "nosuch0" in err, (code, err)
    assert lab.coo("h1", "talk", "--broadcast", "-I", "eth0", "udp://:7788", "x")[0] == 0
    receiver.expect(said="got x from 10.77.0.1")
    receiver.process.wait(lab.WAIT)

with step("a broadcast receiver: coo shows what a Python sender broadcasts"):
    coo = lab.Coo("h2", "talk", "--json", "--charset", "gbk", "udp://:7788")
    coo.expect(type="listening")
    python("h1", SENDER, "10.77.0.255", "7788", "7789", "通知").expect(said="sent")
    event = coo.expect(type="data", text="通知")
    assert event["peer"]["addr"] == "10.77.0.1", event
    assert coo.stop() == 0

with step("a multicast group: every member hears the others, nobody hears itself"):
    members = [lab.Coo(h, "talk", "--json", "udp://239.1.2.3:7788", "-I", "eth0")
               for h in ("h1", "h2", "h3")]
    for m in members:
        m.expect(type="listening")
    members[0].tell("hello group")
    for m in members[1:]:
        event = m.expect(type="data", text="hello group")
        assert event["peer"]["addr"] == "10.77.0.1", event
    members[1].tell("and back")
    members[0].expect(type="data", text="and back")
    assert not members[0].seen(type="data", text="hello group")
    for m in members:
        assert m.stop() == 0

with step("an echo is not sent to a service port, nor answered to a broadcast"):
    coo = lab.Coo("h2", "talk", "--json", "udp://:7788", "--reply", "echo")
    coo.expect(type="listening")
    python("h1", SENDER, "10.77.0.2", "7788", "7", "to the echo service").expect(said="sent")
    coo.expect(type="data", text="to the echo service")
    python("h1", SENDER, "10.77.0.255", "7788", "7789", "to all").expect(said="sent")
    coo.expect(type="data", text="to all")
    python("h1", SENDER, "10.77.0.2", "7788", "7789", "to you").expect(said="sent")
    coo.expect(type="data", text="to you")
    coo.expect(type="sent", text="to you")
    assert len(coo.seen(type="sent")) == 1, coo.seen(type="sent")
    assert coo.stop() == 0

with step("1,000 datagrams a second off loopback, none lost for it"):
    coo = lab.Coo("h2", "talk", "--json", "--count", "400", "udp://:7788")
    coo.expect(type="listening")
    began = time.monotonic()
    assert lab.coo("h1", "talk", "udp://10.77.0.2:7788",
                   stdin=b"".join(b"%d\n" % i for i in range(400)))[0] == 0
    took = time.monotonic() - began
    coo.process.wait(lab.WAIT)
    assert len(coo.seen(type="data")) == 400
    assert took > 0.35, took

with step("TCP over a link-local IPv6 address with its zone"):
    with open("/proc/self/net/if_inet6", encoding="ascii") as f:
        print(f.read())
    server = lab.Coo("h2", "talk", "--json", "tcp://:7000", "--reply", "upper")
    server.expect(type="listening")
    where = lab.Program("h2", "sh", "-c", "ip -6 -o addr show dev eth0 scope link")
    text = where.expect(said=lambda t: t and "fe80" in t)["said"]
    address = text.split("inet6 ")[1].split("/")[0]
    end = time.monotonic() + lab.WAIT
    while True:  # the address is tentative for a moment
        code, out, _ = lab.coo("h1", "talk", f"tcp://[{address}%eth0]:7000", "zone")
        if code == 0 or time.monotonic() > end:
            break
        time.sleep(0.1)
    assert (code, out) == (0, "ZONE"), (code, out)
    assert server.stop() == 0

step.done()
