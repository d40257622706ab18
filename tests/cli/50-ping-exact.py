#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every figure of coo ping against a path whose faults are known: text, JSON and CSV, 100 seeds."""
import concurrent.futures
import csv
import json
import math
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from impair import Path, Plan  # noqa: E402

COO = os.environ.get("COO", "build/coo")
SEEDS = range(int(os.environ.get("PING_SEED", 1)),
              int(os.environ.get("PING_SEED", 1)) + int(os.environ.get("PING_SEEDS", 100)))
COUNTS = ["sent", "received", "lost", "late", "duplicate", "reordered", "corrupted", "foreign"]


def echo_server():
    server = subprocess.Popen([COO, "echo", "-p", "0", "-b", "127.0.0.1", "--json"],
                              stdout=subprocess.PIPE, text=True)
    return server, json.loads(server.stdout.readline())["port"]


def check(seed, what, got, want, slack=0.0):
    if got is None or abs(got - want) > slack:
        raise AssertionError(f"seed {seed}: {what} is {got}, the schedule says {want}")


def figures(probes):
    """What the single probes add up to, by the definitions of coo-ping(1)."""
    received = [p for p in probes if p["status"] == "received"]
    rtt = {p["seq"]: p["rtt_ns"] for p in received}
    values = sorted(rtt.values())
    n = len(values)
    mean = sum(values) / n
    ipdv = [abs(rtt[s] - rtt[s - 1]) for s in rtt if s - 1 in rtt]
    jitter, last = 0.0, None
    for p in received:  # in the order of arrival
        if last is not None:
            jitter += (abs(p["rtt_ns"] - last) - jitter) / 16
        last = p["rtt_ns"]
    return {
        "min": values[0], "max": values[-1], "avg": sum(values) // n, "mean": mean,
        "stddev": math.sqrt(sum((v - mean) ** 2 for v in values) / n), "jitter": jitter,
        "p50": values[math.ceil(0.5 * n) - 1],
        "p90": values[math.ceil(0.9 * n) - 1] if n >= 10 else None,
        "p95": values[math.ceil(0.95 * n) - 1] if n >= 20 else None,
        "ipdv_avg": sum(ipdv) // len(ipdv), "ipdv_max": max(ipdv), "ipdv_min": min(ipdv),
    }


def check_json(plan, lines):
    events = [json.loads(line) for line in lines.splitlines()]
    summary = events[-1]
    probes = [e for e in events if e["type"] == "probe"]
    seed = plan.seed
    for name in COUNTS:
        check(seed, f"JSON {name}", summary[name], plan.expect[name])
    check(seed, "JSON loss", summary["loss"], plan.expect["loss"], 1e-12)
    check(seed, "JSON lost", summary["lost"],
          summary["sent"] - summary["received"] - summary["corrupted"])
    check(seed, "JSON pending", summary["pending"], 0)
    want, rtt = figures(probes), summary["rtt_ns"]
    for name in ["min", "avg", "max"]:
        check(seed, f"JSON rtt {name}", rtt[name], want[name])
    check(seed, "JSON stddev", rtt["stddev"], want["stddev"], 2)
    check(seed, "JSON jitter", summary["jitter_ns"], want["jitter"], 1)
    for name in ["p50", "p90", "p95"]:
        if want[name] is None:
            assert rtt[name] is None, f"seed {seed}: {name} of too few samples"
        else:
            check(seed, f"JSON {name}", rtt[name], want[name], want[name] * 0.01)
    assert rtt["p99"] is None and rtt["p999"] is None, f"seed {seed}: p99 of 60 samples"
    for name in ["min", "avg", "max"]:
        check(seed, f"JSON ipdv {name}", summary["ipdv_ns"][name], want["ipdv_" + name])
    for seq, fate in enumerate(plan.fate):
        got = sorted(p["status"] for p in probes if p["seq"] == seq)
        status = {"drop_up": ["lost"], "drop_down": ["lost"], "late": ["late", "lost"],
                  "dup_up": ["duplicate", "received"], "dup_down": ["duplicate", "received"],
                  "corrupt_up": ["corrupted"], "corrupt_down": ["corrupted"]}
        assert got == status.get(fate, ["received"]), f"seed {seed}: probe {seq} ({fate}): {got}"
    return summary


def check_csv(plan, path, want=None):
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    seed, total = plan.seed, rows[-1]
    assert total["type"] == "summary" and None not in total, f"seed {seed}: CSV columns"
    for name in COUNTS:
        column = "reordered_total" if name == "reordered" else name
        check(seed, f"CSV {name}", int(total[column]), plan.expect[name])
    check(seed, "CSV loss", float(total["loss"]), plan.expect["loss"], 1e-8)
    probes = [r for r in rows if r["type"] == "probe"]
    for name, status in [("received", "received"), ("lost", "lost"), ("late", "late"),
                         ("duplicate", "duplicate"), ("foreign", "foreign")]:
        check(seed, f"CSV rows {status}", sum(r["status"] == status for r in probes),
              plan.expect[name])
    check(seed, "CSV rows reordered", sum(r["reordered"] == "1" for r in probes),
          plan.expect["reordered"])
    if want:
        for column, value in [("rtt_min_ns", want["rtt_ns"]["min"]),
                              ("rtt_avg_ns", want["rtt_ns"]["avg"]),
                              ("rtt_p50_ns", want["rtt_ns"]["p50"]),
                              ("rtt_max_ns", want["rtt_ns"]["max"]),
                              ("rtt_stddev_ns", want["rtt_ns"]["stddev"]),
                              ("ipdv_avg_ns", want["ipdv_ns"]["avg"]),
                              ("ipdv_max_ns", want["ipdv_ns"]["max"]),
                              ("jitter_ns", want["jitter_ns"])]:
            check(seed, f"CSV {column}", int(total[column]), value)
    return probes


def check_text(plan, text, probes):
    seed = plan.seed
    line = re.search(r"(\d+) sent, (\d+) received, (\d+) lost \(([\d.]+) %\)\n(\d+) late, "
                     r"(\d+) duplicate, (\d+) reordered, (\d+) corrupted, (\d+) foreign", text)
    assert line, f"seed {seed}: no summary in\n{text}"
    for i, name in [(1, "sent"), (2, "received"), (3, "lost"), (5, "late"), (6, "duplicate"),
                    (7, "reordered"), (8, "corrupted"), (9, "foreign")]:
        check(seed, f"text {name}", int(line[i]), plan.expect[name])
    check(seed, "text loss", float(line[4]), plan.expect["loss"] * 100, 0.06)
    want = figures([{"status": r["status"], "seq": int(r["seq"]), "rtt_ns": int(r["rtt_ns"])}
                    for r in probes if r["status"] == "received"])
    rtt = re.search(r"rtt min/avg/max/stddev = ([\d.]+) ms/([\d.]+) ms/([\d.]+) ms/([\d.]+) ms",
                    text)
    for i, name in [(1, "min"), (2, "avg"), (3, "max"), (4, "stddev")]:
        check(seed, f"text rtt {name}", float(rtt[i]), want[name] / 1e6, 0.00051)
    ipdv = re.search(r"ipdv avg/p99/max = ([\d.]+) ms/-/([\d.]+) ms, jitter = ([\d.]+) ms", text)
    for i, name in [(1, "ipdv_avg"), (2, "ipdv_max"), (3, "jitter")]:
        check(seed, f"text {name}", float(ipdv[i]), want[name] / 1e6, 0.00051)
    for status, name in [("(late)", "late"), ("(duplicate)", "duplicate"),
                         ("(corrupted)", "corrupted"), ("(reordered)", "reordered"),
                         ("(foreign)", "foreign"), ("no answer", "lost")]:
        check(seed, f"text lines {status}", text.count(status), plan.expect[name])


def run(port, plan, folder, *options):
    table = os.path.join(folder, f"{plan.seed}-{port}.csv")
    done = subprocess.run([COO, "ping", "-c", str(plan.probes), "-i", "15ms", "-W", "300ms",
                           "--csv", table, *options, f"127.0.0.1:{port}"],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"seed {plan.seed}: exit {done.returncode}: {done.stderr}")
    return done.stdout, table


def one_seed(path, seed, folder):
    plan = Plan(seed)
    out, table = run(path.add(plan), plan, folder, "--json")
    check_csv(plan, table, check_json(plan, out))
    out, table = run(path.add(plan), plan, folder)
    check_text(plan, out, check_csv(plan, table))


def main():
    server, port = echo_server()
    failed = 0
    with tempfile.TemporaryDirectory() as folder, Path(port) as path, \
            concurrent.futures.ThreadPoolExecutor(16) as pool:
        tests = {pool.submit(one_seed, path, seed, folder): seed for seed in SEEDS}
        for test in concurrent.futures.as_completed(tests):
            if test.exception():
                failed += 1
                print(f"seed {tests[test]} (PING_SEED={tests[test]} PING_SEEDS=1): "
                      f"{test.exception()}")
    server.terminate()
    server.wait()
    print(f"{len(SEEDS) - failed} of {len(SEEDS)} seeds exact")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
