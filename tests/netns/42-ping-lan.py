#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo ping between hosts: a link of its own that goes down, no route, who answers a broadcast."""
import csv
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

LATER = """
import socket, sys, threading
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7))
print('{"type": "ready"}', flush=True)
while True:
    data, peer = s.recvfrom(2000)
    threading.Timer(float(sys.argv[1]), s.sendto, (data, peer)).start()
"""

lab.enter(4)
step = lab.Steps()
folder = tempfile.mkdtemp()


def ip(host, *args):
    subprocess.run(["on", host, "ip", *args], check=True)


def ping(host, *args):
    code, out, err = lab.coo(host, "ping", *args)
    return code, out, err


def ping_through_a_gap(*args):
    """Forty probes in two seconds; the tester's own link is down for some in the middle."""
    test = subprocess.Popen(["on", "h2", lab.COO, "ping", "-c", "40", "-i", "50ms", "-W", "300ms", *args, "10.77.0.1"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    ip("h2", "link", "set", "eth0", "down")
    time.sleep(0.5)
    ip("h2", "link", "set", "eth0", "up")
    out, err = test.communicate(timeout=30)
    return test.returncode, out, err


with step("what could not be sent is told in every output, and no condition passes over it"):
    echo = lab.Coo("h1", "echo", "--json")
    table, metrics, page = (os.path.join(folder, n) for n in ["a.csv", "a.prom", "a.html"])
    code, out, _ = ping_through_a_gap("--json", "--csv", table, "--prometheus", metrics, "--report", page)
    end = json.loads(out.splitlines()[-1])
    failed = end["send_errors"]
    assert code == 0 and failed > 0 and end["received"] > 0, end
    assert end["sent"] + failed == 40, end
    refused = [json.loads(line) for line in out.splitlines() if '"send_error"' in line]
    assert {e["error"] for e in refused} == {"Network is unreachable"}, refused
    with open(table, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert rows[-1]["type"] == "summary" and rows[-1]["send_errors"] == str(failed), rows[-1]
    assert f'coo_ping_send_errors_total{{target="10.77.0.1:7"}} {failed}\n' in open(metrics, encoding="utf-8").read()
    assert f"<b>{failed}</b><span>not sent</span>" in open(page, encoding="utf-8").read()
    code, out, err = ping_through_a_gap("-q", "--plot", "--fail-if", "loss>99%", "--interval-stats", "100ms")
    assert code == 1 and "could not be sent: Network is unreachable" in err, (code, out, err)
    assert "could not be sent" in out and "!" in out.split("lost ┤")[1].splitlines()[0], out
    code, out, err = ping_through_a_gap("-q", "--fail-if", "loss>99%", "--fail-if", "send-errors>39")
    assert code == 0, (code, out, err)
    code, out, _ = ping_through_a_gap("--nagios")
    assert code == 2 and "CRITICAL - 10.77.0.1:7: probes could not be sent" in out, out
    assert "not sent (Network is unreachable)" in out and " send_errors=" in out, out
    echo.stop()

with step("where nothing could be sent, the reason stands in the message and the code is 4"):
    code, out, err = ping("h2", "-q", "-c", "2", "-i", "20ms", "-W", "200ms", "192.0.2.1")
    assert code == 4 and "nothing could be sent to 192.0.2.1:7: Network is unreachable" in err, (code, out, err)
    code, out, err = ping("h2", "-q", "-c", "2", "-i", "20ms", "-W", "200ms", "-M", "-s", "3000", "10.77.0.1")
    assert code == 4 and "longer than the interface" in err, (code, out, err)
    code, out, _ = ping("h2", "--nagios", "-c", "2", "-i", "20ms", "-W", "200ms", "192.0.2.1")
    assert code == 2 and "nothing could be sent" in out and "unreachable" in out, (code, out)

with step("every host has its whole time to answer a broadcast, and who does not is missing"):
    hosts = {"h1": 0, "h3": 0.4, "h4": 2.5}
    servers = [lab.Program(host, sys.executable, "-c", LATER, str(wait)) for host, wait in hosts.items()]
    for server in servers:
        server.expect(type="ready")
    code, out, _ = ping("h2", "--json", "--broadcast", "-W", "1s", "10.77.0.255")
    *probes, end = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and [r["addr"] for r in end["repliers"]] == ["10.77.0.1", "10.77.0.3"], end
    # the same round trip in the line of the first answer, the table and the summary
    first = next(p for p in probes if p.get("from") == "10.77.0.1:7")
    assert end["repliers"][0]["rtt_min_ns"] == first["rtt_ns"] == end["rtt_ns"]["min"], (first, end)
    assert end["repliers"][1]["rtt_min_ns"] > 400_000_000, end
    expected = os.path.join(folder, "hosts")
    with open(expected, "w", encoding="utf-8") as f:
        f.write("# the office\n 10.77.0.1  # door\n10.77.0.4\n\n10.77.0.1\n")
    code, out, _ = ping("h2", "-q", "--broadcast", "-W", "600ms", "--expect", expected, "10.77.0.255")
    assert code == 3 and "missing: 10.77.0.4\n1 of 2 expected hosts are missing" in out, (code, out)
    code, out, _ = ping("h2", "--nagios", "--broadcast", "-W", "600ms", "--expect", expected, "10.77.0.255")
    assert code == 2 and "expected hosts are missing" in out and "missing=1" in out, (code, out)
    code, out, _ = ping("h2", "-q", "--broadcast", "-W", "600ms", "--expect", expected, "--fail-if", "missing>0",
                        "10.77.0.255")
    assert code == 1, (code, out)
    # answers that come late are told, and no time of theirs is among the others
    code, out, _ = ping("h2", "--json", "--broadcast", "-c", "4", "-i", "1s", "-W", "1s", "10.77.0.255")
    end = json.loads(out.splitlines()[-1])
    slow = next(r for r in end["repliers"] if r["addr"] == "10.77.0.4")
    assert (slow["received"], slow["rtt_max_ns"]) == (0, None) and slow["late"] == end["late"] > 0, end
    for server in servers:
        server.stop()

with step("who is silent is named, not who comes first"):
    echo = lab.Coo("h1", "echo", "--json")
    code, _, err = ping("h2", "-q", "--pps", "2000", "-c", "50", "-W", "300ms", "10.77.0.1", "10.77.0.4")
    assert code == 5 and "10.77.0.4:7 does not answer" in err, (code, err)
    echo.stop()

with step("a link-local address takes its zone from --interface"):
    shown = subprocess.run(["on", "h1", "ip", "-6", "-o", "addr", "show", "dev", "eth0"], capture_output=True,
                           text=True, check=True).stdout
    address = shown.split("inet6 ")[1].split("/")[0]
    echo = lab.Coo("h1", "echo", "--json")
    code, out, _ = ping("h2", "-q", "--json", "-c", "2", "-i", "20ms", "-I", "eth0", address)
    assert code == 0 and json.loads(out.splitlines()[-1])["received"] == 2, out
    echo.stop()

with step("a broadcast address without --broadcast, and a messenger asked too often, are explained"):
    code, _, err = ping("h2", "-q", "-c", "1", "10.77.0.255")
    assert code == 4 and "needs --broadcast" in err, (code, err)
    listen = lab.Coo("h1", "listen", "--json")
    code, out, _ = ping("h2", "-q", "--peer", "-c", "20", "-i", "20ms", "-W", "200ms", "10.77.0.1")
    assert "coo: twice a second" in out, out
    listen.stop()

with step("a list of expected hosts that is none is refused before the test"):
    for text, message in [("10.77.0.1\n/// garbage\n", 'names "///"'), ("# nobody\n", "names no host")]:
        with open(expected, "w", encoding="utf-8") as f:
            f.write(text)
        code, out, err = ping("h2", "--broadcast", "--expect", expected, "10.77.0.255")
        assert code == 2 and message in err and not out, (code, out, err)
    code, out, err = ping("h2", "--broadcast", "-c", "65", "10.77.0.255")
    assert code == 2 and "64" in err, (code, err)

step.done()
