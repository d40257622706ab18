#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo ping beside irtt and sockperf on the same path: median and p99 of the round trip, in µs.

64 and 1,400 bytes; loopback, and veth between two hosts of scripts/lab; interleaved, medians of
BENCH_RUNS (3) runs.
Each tester asks its own responder: irtt's and sockperf's answer nobody else. Prints "name value
unit" lines.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(2)
RUNS = int(os.environ.get("BENCH_RUNS", 3))
RATE = 100  # probes a second: the most that an irtt server lets its clients send


def run(host, *argv):
    return subprocess.run(["on", host, *argv], capture_output=True, text=True, timeout=60,
                          check=False).stdout


def rank(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def coo(host, target, size):
    out = run(host, lab.COO, "ping", "--json", "-q", "-d", "2s", "--pps", str(RATE), "-s",
              str(size), target)
    summary = json.loads(out.splitlines()[-1])
    return summary["rtt_ns"]["p50"] / 1e3, summary["rtt_ns"]["p99"] / 1e3


def irtt(host, target, size):
    out = run(host, "irtt", "client", "-Q", "-i", f"{1000 // RATE}ms", "-d", "2s", "-l", str(size), "-o", "-",
              target)
    trips = json.loads(out[out.index("{"):])["round_trips"]
    rtt = [t["delay"]["rtt"] / 1e3 for t in trips if "rtt" in t["delay"]]
    return rank(rtt, 0.5), rank(rtt, 0.99)


def sockperf(host, target, size):
    out = run(host, "sockperf", "ping-pong", "-i", target, "-p", "11111", "--full-rtt", "-t", "2",
              f"--mps={RATE}", f"--msg-size={size}")
    got = dict(re.findall(r"percentile ([\d.]+) =\s+([\d.]+)", out))
    return float(got["50.000"]), float(got["99.000"])


def serve(*argv):
    return subprocess.Popen(["on", "h1", *argv], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def main():
    testers = {"coo": coo}
    servers = [serve(lab.COO, "echo")]
    subprocess.run(["await", "h1", "udp", "7"], check=True)
    if shutil.which("irtt"):
        servers.append(serve("irtt", "server"))
        subprocess.run(["await", "h1", "udp", "2112"], check=True)
        testers["irtt"] = irtt
    if shutil.which("sockperf"):
        servers.append(serve("sockperf", "server", "-p", "11111"))
        subprocess.run(["await", "h1", "udp", "11111"], check=True)
        testers["sockperf"] = sockperf
    for path, host, target in [("loopback", "h1", "127.0.0.1"), ("veth", "h2", "10.77.0.1")]:
        for size in [64, 1400]:
            compare(f"{path}_{size}B", lambda tester: tester(host, target, size), testers)
    for server in servers:
        server.terminate()


def compare(name, measure, testers):
    results = {tester: [] for tester in testers}
    for _ in range(RUNS):
        for tester in testers:
            results[tester].append(measure(testers[tester]))
    for i, what in enumerate(["p50", "p99"]):
        for tester, got in results.items():
            print(f"ping_{tester}_{name}_{what} {statistics.median(g[i] for g in got):.1f} us")
        for tester in results:
            if tester != "coo":
                ratio = statistics.median(c[i] / o[i] for c, o in zip(results["coo"], results[tester]))
                print(f"ratio_ping_coo_to_{tester}_{name}_{what} {ratio:.3f} x", flush=True)


if __name__ == "__main__":
    main()
