#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A flood on loopback for ten minutes (FLOOD_SECONDS): no leak, and every probe accounted for.

The memory of responder and tester is looked at all along: once both are warm it may not grow. A
build with sanitizers (COO=build-asan/coo) finds leaks by itself at the end instead.
"""
import json
import os
import signal
import subprocess
import sys
import threading

COO = os.environ.get("COO", "build/coo")
SECONDS = int(os.environ.get("FLOOD_SECONDS", 600))
WARM = max(3, SECONDS // 20)
GROWTH_MAX = 128  # kB: pages of code that are touched late


def resident(pid, what="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(what + ":"))


def has_sanitizer():
    with open(COO, "rb") as f:
        return b"__asan_init" in f.read()


class Watch:
    """The memory of a process, once a second."""

    def __init__(self, name, process):
        self.name, self.process, self.kb = name, process, []
        self.done = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while not self.done.wait(1) and self.process.poll() is None:
            self.kb.append(resident(self.process.pid))

    def check(self):
        self.done.set()
        warm, end = self.kb[WARM], self.kb[-1]
        print(f"{self.name}: {warm} kB after {WARM} s, {end} kB at the end, {max(self.kb)} kB at most")
        if not has_sanitizer():
            assert max(self.kb[WARM:]) - warm <= GROWTH_MAX, self.kb


def main():
    echo = subprocess.Popen([COO, "echo", "-p", "0", "-b", "127.0.0.1", "--json"],
                            stdout=subprocess.PIPE, text=True)
    port = json.loads(echo.stdout.readline())["port"]
    ping = subprocess.Popen([COO, "ping", "--json", "-q", "--flood", "--window", "32", "-d",
                             f"{SECONDS}s", "-W", "5s", "--interval-stats", "1s",
                             f"127.0.0.1:{port}"], stdout=subprocess.PIPE, text=True)
    watches = [Watch("echo", echo), Watch("ping", ping)]
    intervals, end = [], None
    for line in ping.stdout:
        event = json.loads(line)
        if event["type"] == "interval":
            intervals.append(event)
        elif event["type"] == "summary":
            end = event
    assert ping.wait() == 0, ping.returncode
    for w in watches:
        w.check()
    echo.send_signal(signal.SIGINT)
    other = json.loads(echo.communicate(timeout=60)[0].splitlines()[-1])
    assert echo.returncode == 0, echo.returncode
    print(f"sent {end['sent']}, received {end['received']}, lost {end['lost']}; responder: "
          f"rx {other['rx']}, tx {other['tx']}, kernel drops {other['kernel_drops']}")
    assert end["sent"] == end["received"] + end["lost"] + end["corrupted"] + end["pending"], end
    assert end["sent"] > 1000 * SECONDS and end["corrupted"] == end["foreign"] == 0, end
    assert other["rx"] == other["tx"] + other["send_errors"] == end["sent"] - other["kernel_drops"]
    # what the intervals told before the summary is never more than it, and all but the last second
    for key in ["sent", "received", "lost"]:
        told = sum(i[key] for i in intervals)
        assert told <= end[key], (key, told, end[key])
    assert sum(i["sent"] for i in intervals) >= end["sent"] * (SECONDS - 3) / SECONDS * 0.5
    assert len(intervals) >= SECONDS - 1, len(intervals)


if __name__ == "__main__":
    sys.exit(main())
