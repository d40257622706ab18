#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""STAMP (RFC 8762): a sender written from the RFC against coo echo, and coo ping --stamp."""
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from impair import Path, Plan  # noqa: E402

COO = os.environ.get("COO", "build/coo")
NTP = 2208988800


class Server:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [COO, "echo", "-p", "0", "-b", "127.0.0.1", "--stamp-port", "0", "--json", *options],
            stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["stamp_port"]

    def stop(self):
        self.process.terminate()
        summary = json.loads(self.process.stdout.read().splitlines()[-1])
        assert self.process.wait() == 0
        return summary


def ntp(t):
    return (int(t) + NTP) << 32 | int(t % 1 * 2**32)


def unix(stamp):
    return (stamp >> 32) - NTP + (stamp & 0xffffffff) / 2**32


def exchange(sock, port, seq, t1, error=0x8101, ssid=0, extension=b""):
    # RFC 8762 figure 2, with the SSID of RFC 8972 figure 1
    packet = struct.pack(">IQHH28x", seq, t1, error, ssid) + extension
    assert len(packet) == 44 + len(extension)
    sock.sendto(packet, ("127.0.0.1", port))
    answer, peer = sock.recvfrom(2000)
    assert peer == ("127.0.0.1", port)
    assert len(answer) == len(packet), "an answer is as long as its request"
    # RFC 8762 figure 4
    fields = struct.unpack(">IQHHQIQHHB3s", answer[:44])
    assert fields[8] == 0 and fields[10] == b"\0\0\0", "MBZ"
    return fields, answer[44:]


def new_socket(ttl=64):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    sock.settimeout(5)
    return sock


def test_stateful():
    server = Server()
    sock = new_socket(ttl=77)
    for i, seq in enumerate([10, 11, 15, 16]):
        t1 = ntp(time.time())
        before = time.time()
        f, rest = exchange(sock, server.port, seq, t1, 0x1234, 0xbeef, b"\x80\x01\x00\x04abcd")
        after = time.time()
        number, t3, _, ssid, t2, sender_seq, sender_time, sender_error, _, ttl, _ = f
        assert number == i, f"a stateful reflector counts for itself: {number}"
        assert (sender_seq, sender_time, sender_error) == (seq, t1, 0x1234)
        assert ssid == 0xbeef and ttl == 77 and rest == b"\x80\x01\x00\x04abcd"
        assert before - 0.001 <= unix(t2) <= unix(t3) + 1e-6 <= after + 0.001
        assert f[2] & 0xff, "the multiplier of an error estimate is never 0"
    other = new_socket()
    assert exchange(other, server.port, 500, ntp(time.time()))[0][0] == 0, "a session each"
    other.sendto(b"x" * 43, ("127.0.0.1", server.port))
    exchange(other, server.port, 501, ntp(time.time()))
    stamp = server.stop()["stamp"]
    assert (stamp["rx"], stamp["tx"], stamp["malformed"], stamp["sessions"]) == (7, 6, 1, 2), stamp


def test_stateless():
    server = Server("--stamp-stateless")
    sock = new_socket()
    for seq in [7, 9, 0xffffffff]:
        f, _ = exchange(sock, server.port, seq, ntp(time.time()))
        assert f[0] == seq and f[5] == seq
    server.stop()


def ping(port, *options):
    out = subprocess.run([COO, "ping", "--stamp", "-i", "10ms", "-W", "300ms", *options,
                          f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=60,
                         check=False)
    assert out.returncode == 0, out.stderr + out.stdout
    return out.stdout


def test_ping():
    server = Server()
    text = ping(server.port, "-c", "20")
    assert re.search(r"20 sent, 20 received, 0 lost \(0 %\), 0 on the way up, 0 on the way down",
                     text), text
    assert "up: varies by" in text and "down: varies by" in text, text
    events = [json.loads(x) for x in ping(server.port, "-c", "20", "--json").splitlines()]
    probes = [e for e in events if e["type"] == "probe"]
    ups = [p["up_raw_ns"] for p in probes]
    for p in probes:  # one clock on this path, so the parts and the whole can be compared
        rest = p["rtt_ns"] - p["up_raw_ns"] - p["down_raw_ns"]
        assert 0 <= rest <= p["rtt_ns"] and p["up_raw_ns"] > -1000, p
    assert events[-1]["up_ns"]["range"] == max(ups) - min(ups)
    server.stop()


def test_direction_of_loss():
    """What was lost on the way up and down, against a known schedule."""
    server = Server()
    with Path(server.port, number_up=0, number_down=24) as path:
        for seed in range(1, 11):
            plan = Plan(seed, probes=40, fates=["drop_up", "drop_down"])
            up, down = plan.fate.count("drop_up"), plan.fate.count("drop_down")
            events = ping(path.add(plan), "-c", "40", "--json").splitlines()
            summary = json.loads(events[-1])
            got = (summary["lost"], summary["lost_up"], summary["lost_down"])
            want = (up + down, up, down)
            # numbers that never differ do not tell a stateful reflector from a stateless one
            if up == 0 and down:
                want = (down, None, None)
            assert got == want, f"seed {seed}: {got}, not {want}"
    server.stop()


def test_port_behind_the_option():
    """--stamp PORT and --stamp-port PORT are the same."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    run = subprocess.run([COO, "echo", "-p", "0", "-b", "127.0.0.1", "--json", "--duration", "10ms",
                          "--stamp", str(port)], capture_output=True, text=True, timeout=20, check=True)
    assert json.loads(run.stdout.splitlines()[0])["stamp_port"] == port, run.stdout
    number = 'coo: --stamp cannot be "%s": its port is a number between 0 and 65535'
    for wrong, said in [
            (["--stamp", "70000"], number % 70000), (["--stamp", "x"], number % "x"),
            (["--stamp", "99999", "--stamp-port", "863"], number % 99999),
            (["--stamp-port", "99999"], 'coo: --stamp-port cannot be "99999": it has to be between 0'),
            (["--stamp", "862", "863"], 'no arguments, but there is "863"'),
            (["862"], 'no arguments, but there is "862"'),
            (["--stamp", "862", "--stamp-port", "863"], "one port, but there are --stamp-port and")]:
        run = subprocess.run([COO, "echo", "-p", "0", "-b", "127.0.0.1", *wrong],
                             capture_output=True, text=True, timeout=20, check=False)
        assert run.returncode == 2 and said in run.stderr, (wrong, run.stderr)


if __name__ == "__main__":
    for name, test in sorted(globals().items()):
        if name.startswith("test_"):
            test()
            print("ok", name, flush=True)
