#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fifty hosts of six dialects: coo peers lists all of them right."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import dialects  # noqa: E402
import lab  # noqa: E402

lab.enter(51)
step = lab.Steps()
HERE = "h51"
town = dialects.Town(range(1, 51))


def peers(*args, wait=60):
    code, out, err = lab.coo(HERE, "peers", "--json", *args, wait=wait)
    events = [json.loads(line) for line in out.splitlines()]
    assert events[0]["type"] == "start" and events[0]["command"] == "peers", events[0]
    return code, [e for e in events if e["type"] == "peer"], events[-1]


for i in range(3):
    with step(f"all 50 are found with their names, groups, clients and charsets, run {i + 1}"):
        code, found, summary = peers()
        assert code == 0 and len(town.check(found, "broadcast")) == 50 == summary["found"], len(found)
        assert summary["took_ns"] < 6e9, summary

with step("all 50 are found by asking address by address"):
    code, found, _ = peers("10.77.0.0/26", "--wait", "2s")
    assert code == 0 and len(town.check(found, "sweep")) == 50, len(found)

with step("--min ends as soon as there are enough, and is 1 where there are not"):
    code, found, summary = peers("--min", "10", "--wait", "20s")
    assert code == 0 and len(found) >= 10 and summary["took_ns"] < 3e9, summary
    assert peers("--min", "51", "--wait", "1s")[0] == 1

with step("the table is aligned by what is seen, the fields of --tsv are the same"):
    _, table, _ = lab.coo(HERE, "peers", "--sort", "address")
    lines = table.splitlines()
    assert len(lines) == 51, len(lines)
    width = lambda s: sum(2 if ord(c) > 0x2e7f else 1 for c in s)  # noqa: E731
    for line in lines[1:]:
        assert width(line[:line.index("PC-")]) == lines[0].index("HOST"), line
    _, tsv, _ = lab.coo(HERE, "peers", "--tsv", "--sort", "address")
    rows = [line.split("\t") for line in tsv.splitlines()]
    assert [r[4] for r in rows] == [f"10.77.0.{n}" for n in range(1, 51)], rows
    for row in rows:
        real = town.people[row[4]]
        assert row[:4] == [real.nick, real.group, real.user, real.host], row
        assert row[5:8] == ["2425", real.client, real.charset] and row[9] == "online", row

with step("addresses that the system does not send to: its reason, and exit code 4 where all are"):
    subprocess.run(["on", HERE, "ip", "route", "add", "unreachable", "10.99.0.0/24"], check=True)
    code, out, err = lab.coo(HERE, "peers", "10.99.0.0/29")
    assert code == 4 and "No route to host" in err and "firewall" not in err, (code, err)
    code, found, summary = peers("10.99.0.0/29")
    assert code == 4 and summary["unsent"] == 6 and summary["error"] == "No route to host", summary
    assert summary["took_ns"] < 1e9, summary  # there is nothing to wait for
    code, found, summary = peers("10.99.0.0/29", "10.77.0.1", "--passes", "1", "--wait", "1500ms")
    assert code == 0 and len(found) == 1 and summary["unsent"] == 6, summary
    code, found, summary = peers("10.77.0.1", "--passes", "1", "--wait", "1500ms")
    assert code == 0 and summary["unsent"] == 0 and summary["error"] is None, summary

step.done()
