#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Faults that coo ping and coo echo have to name: a bad flow among good ones, a full receive buffer."""
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

COO = os.environ.get("COO", "build/coo")


class Echo:
    """An echo service that treats the n-th source port it meets as fates says."""

    def __init__(self, fates):
        self.fates, self.ports = fates, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            data, peer = self.socket.recvfrom(65536)
            if peer[1] not in self.ports:
                self.ports.append(peer[1])
            fate = self.fates.get(self.ports.index(peer[1]))
            number = int.from_bytes(data[12:16], "big")
            if fate == "dead" or (fate == "lossy" and number % 2):
                continue
            # scattered: of 21 answers 11 are slow, which makes a slow median and no slow path
            wait = 0.03 if fate == "slow" or (fate == "scattered" and number % 2 == 0) else 0
            threading.Timer(wait, self.socket.sendto, (data, peer)).start()


def ping(*args):
    run = subprocess.run([COO, "ping", *args], capture_output=True, text=True, timeout=60, check=False)
    return run.returncode, run.stdout


FATES = {1: "dead", 4: "lossy", 6: "slow"}
FAULTS = {"dead": "dead", "lossy": "loses more than the others", "slow": "slower than the others"}


def test_a_bad_flow_is_named():
    echo = Echo(FATES)
    options = ["-q", "-c", "20", "-i", "40ms", "-W", "400ms", "--source-ports", "8"]
    _, out = ping("--json", *options, echo.target)
    events = [json.loads(line) for line in out.splitlines()]
    flows = {e["source_port"]: e for e in events if e["type"] == "flow"}
    want = {echo.ports[n]: FAULTS[fate] for n, fate in FATES.items()}
    assert {p: f["fault"] for p, f in flows.items() if f["fault"]} == want, (flows, want)
    lost = {p: f["lost"] for p, f in flows.items() if f["lost"]}
    assert lost == {echo.ports[1]: 20, echo.ports[4]: 10}, lost
    for key in ["sent", "received", "lost"]:
        assert sum(f[key] for f in flows.values()) == events[-1][key], key
    echo = Echo(FATES)
    _, out = ping(*options, echo.target)
    named = dict(re.findall(r"^ *(\d+) .*<- +(.*)$", out, re.M))
    assert named == {str(echo.ports[n]): FAULTS[fate] for n, fate in FATES.items()}, out


def test_equal_flows_are_not_accused():
    echo = Echo({})
    _, out = ping("-q", "-c", "20", "-i", "40ms", "--source-ports", "8", echo.target)
    assert out.count(" 20 ") >= 8 and "loses more" not in out and "dead" not in out, out


def test_a_flow_that_scatters_is_not_slow():
    echo = Echo({3: "scattered"})
    _, out = ping("-q", "-c", "21", "-i", "40ms", "--source-ports", "8", echo.target)
    assert "slower" not in out, out


def test_what_the_kernel_dropped_is_counted():
    sent = 20000
    echo = subprocess.Popen([COO, "echo", "-p", "0", "-b", "127.0.0.1", "--json", "--stats", "50ms"],
                            stdout=subprocess.PIPE, text=True)
    port = json.loads(echo.stdout.readline())["port"]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    echo.send_signal(signal.SIGSTOP)
    while "T (stopped)" not in open(f"/proc/{echo.pid}/status", encoding="ascii").read():
        time.sleep(0.01)
    for _ in range(sent):
        sock.sendto(bytes(1400), ("127.0.0.1", port))
    echo.send_signal(signal.SIGCONT)
    for line in echo.stdout:  # until what waited has been answered
        event = json.loads(line)
        if event["rx"] + event["kernel_drops"] > 0:
            break
    while json.loads(echo.stdout.readline())["rx"]:
        pass
    echo.terminate()
    end = json.loads(echo.stdout.read().splitlines()[-1])
    assert end["type"] == "summary" and end["kernel_drops"] > 0, end
    assert end["rx"] + end["kernel_drops"] == sent, end
    for key in ["rx", "rx_bytes", "tx", "tx_bytes", "rx_per_second", "tx_per_second", "trains",
                "sources", "send_errors", "dropped", "duplicated", "reordered", "corrupted",
                "not_shown"]:
        assert isinstance(end[key], (int, float)), key
    assert set(end["refused"]) == {"port", "own", "broadcast", "off_link", "rate", "size", "loop"}


if __name__ == "__main__":
    for name, test in sorted(globals().items()):
        if name.startswith("test_"):
            test()
            print("ok", name, flush=True)
