#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fifty hosts of six dialects that lose 20 % of what comes and of what they send."""
import concurrent.futures
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import dialects  # noqa: E402
import lab  # noqa: E402

lab.enter(52)
step = lab.Steps()
town = dialects.Town(range(1, 51), loss=0.2, seed=int(os.environ.get("SEED", "1")))
RUNS = 20


def run(host):
    """How many of the town each run finds; the other run beside it is no member of it."""
    return [find(host) for _ in range(RUNS // 2)]


def find(host):
    code, out, _ = lab.coo(host, "peers", "--json", wait=60)
    events = [json.loads(line) for line in out.splitlines()]
    found = [e for e in events if e["type"] == "peer" and e["peer"]["addr"] in town.people]
    assert code == 0, code
    return len(town.check(found, "broadcast"))


with step(f"at least 49 of 50 are found in each of {RUNS} runs, two at a time"):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        counts = sum(pool.map(run, ("h51", "h52")), [])
    print(f"    found in each run: {counts}; {town.lost} datagrams lost")
    assert min(counts) >= 49 and town.lost > 1000, counts

step.done()
