#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo peers waits at least as long as the longest answering delay that it saw."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import dialects  # noqa: E402
import lab  # noqa: E402

lab.enter(3)
step = lab.Steps()
town = dialects.Town((1, 2))
SLOW, LATE = town.people["10.77.0.1"], town.people["10.77.0.2"]
answer = LATE.answer
awake = 0.0  # LATE sleeps until then: it hears the last question alone


def when_awake(command, source):
    return answer(command, source) if time.monotonic() >= awake else None


LATE.answer = when_awake
LATE.delay = lambda: 1.9


def peers(*args):
    global awake
    while town.due:  # answers that are still owed to the one before
        time.sleep(0.05)
    awake = time.monotonic() + 2.0
    code, out, _ = lab.coo("h3", "peers", "--json", *args)
    events = [json.loads(line) for line in out.splitlines()]
    return {e["peer"]["addr"] for e in events if e["type"] == "peer"}, events[-1]["took_ns"] / 1e9


with step("where all who are known answer at once, it ends after three seconds"):
    SLOW.delay = lambda: 0
    found, took = peers()
    assert found == {SLOW.address} and 2.9 < took < 3.6, (found, took)

with step("where somebody took two seconds, others get as long, and who was missed is asked again"):
    SLOW.delay = lambda: 2.0
    found, took = peers()
    assert found == {SLOW.address, LATE.address} and 4.2 < took < 11, (found, took)

with step("--min ends it as soon as there are enough, not before"):
    found, took = peers("--min", "1", "--wait", "30s")
    assert found == {SLOW.address} and 2.0 < took < 3.5, (found, took)
    found, took = peers("--min", "2", "--wait", "30s")
    assert found == {SLOW.address, LATE.address} and 3.5 < took < 8, (found, took)

with step("an answer from before the question has no round trip: it was to an earlier run"):
    # the first entry follows 250 ms behind a NOOPERATION
    def on_datagram(data, source):
        wakes = int(data.split(b":")[4]) & 0xff == 0
        return [(0, SLOW.entry(dialects.ANSENTRY), source)] if wakes else []

    SLOW.on_datagram = on_datagram
    code, out, _ = lab.coo("h3", "peers", "--json", "--wait", "300ms")
    found, = [e for e in map(json.loads, out.splitlines()) if e["type"] == "peer"]
    assert found["peer"]["addr"] == SLOW.address, found
    assert found["found"] == "heard" and found["rtt_ns"] is None, found

step.done()
