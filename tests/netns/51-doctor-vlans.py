#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two LANs and a router between: coo doctor says why the hosts of the other one are not seen."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

lab.enter(4, "--vlans", "2")
step = lab.Steps()
WAIT = "1200ms"


def doctor(*args):
    code, out, _ = lab.coo("h1", "doctor", "--json", "-w", WAIT, *args)
    checks = [e for e in map(json.loads, out.splitlines()) if e["type"] == "check"]
    return code, checks


def detail(checks, code):
    found = [c["detail"] for c in checks if c["code"] == code]
    assert found, (code, checks)
    return found[0]


for host in ("h2", "h3"):
    lab.Coo(host, "listen", "--json", "--user", "u" + host)

with step("the near host answers, the far one does not, and it is said where broadcasts end"):
    code, checks = doctor()
    assert code == 0, checks
    text = detail(checks, "COO-D11")
    assert "10.77.0.2" in text and "10.78.0" not in text and "router" in text, text

with step("COO-D23: a host of the other LAN is named as such, and what helps"):
    code, checks = doctor("10.78.0.3")
    faults = [c for c in checks if c["ok"] is False]
    assert code == 1 and [c["code"] for c in faults] == ["COO-D23"], faults
    assert "10.77.0.1/24" in faults[0]["detail"] and "router" in faults[0]["detail"], faults
    assert "coo peers" in faults[0]["cure"], faults

with step("its TCP port is reached through the router"):
    assert "can be reached" in detail(checks, "COO-D22")

with step("COO-D21: no messenger runs on a host of the other LAN"):
    code, checks = doctor("10.78.0.4")
    assert code == 1 and {c["code"] for c in checks if c["ok"] is False} == {"COO-D21", "COO-D23"}
    assert "no messenger listens" in detail(checks, "COO-D21")

with step("COO-D21: there is no route to it"):
    os.system("ip -n h1 route del default")
    code, checks = doctor("10.78.0.3")
    assert code == 1 and "no route" in detail(checks, "COO-D21"), checks

step.done()
