#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One large file from host to host, with coo at both ends and with a real iptux at both ends, by
turns: "name value unit" lines. Needs the package iptux with its headers.

COO_BENCH_MIB (512) is its size, COO_BENCH_RUNS (3) how often each is measured."""
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

if not os.access(lab.IPTUXD, os.X_OK):
    print("bench_iptux: needs iptux and its headers: scripts/install-deps.sh ci", file=sys.stderr)
    sys.exit(0)
lab.enter(4, needs_iptux=True)
import files  # noqa: E402

MIB = int(os.environ.get("COO_BENCH_MIB", "512"))
RUNS = int(os.environ.get("COO_BENCH_RUNS", "3"))
RESULTS = sys.stdout
sys.stdout = open(os.devnull, "w", encoding="utf-8")  # what the programs say is not looked at

if os.path.isdir("/dev/shm"):
    os.environ["TMPDIR"] = "/dev/shm"
place = files.Place()
source = place.dir("in")
path = files.write(source, "large", MIB << 20)


def report(name, value, unit):
    print(f"{name} {value:.4g} {unit}", file=RESULTS, flush=True)


def with_coo(listen, target):
    """Seconds from the start of coo send until it knows that all is there."""
    begin = time.monotonic()
    assert lab.coo("h2", "send", "-q", "10.77.0.1", "-f", path, wait=300)[0] == 0
    took = time.monotonic() - begin
    listen.expect(type="transfer", status="done", wait=60)
    os.remove(os.path.join(target, "large"))
    return took


def with_iptux(sender, receiver, downloads):
    """Seconds from the word to fetch until it is there."""
    sender.offer("10.77.0.3", path)
    offer = receiver.expect(event="offer")
    begin = time.monotonic()
    receiver.tell(f"recv {offer['offer']}")
    receiver.expect(event="recv_finished", wait=300)
    took = time.monotonic() - begin
    assert os.path.getsize(os.path.join(downloads, "large")) == MIB << 20
    os.remove(os.path.join(downloads, "large"))
    return took


target = place.dir("out")
listen = lab.Coo("h1", "listen", "--json", "--accept", "all", "--save-dir", target, "--min-free", "0",
                 env=place.env)
os.environ["COO_STATE_DIR"] = place.dir("other")
# each in its memory: the folder of downloads of the lab is one, too
receiver = lab.Iptux("h3", "接收")
sender = lab.Iptux("h4", "发送")
sender.expect(event="up", ip="10.77.0.3")
took = {"coo": [], "iptux": []}
for _ in range(RUNS):
    took["iptux"].append(with_iptux(sender, receiver, "/run/lab/h3/iptux/downloads"))
    took["coo"].append(with_coo(listen, target))
coo, iptux = statistics.median(took["coo"]), statistics.median(took["iptux"])
report("files_veth_coo", MIB / coo, "MiB/s")
report("files_veth_iptux", MIB / iptux, "MiB/s")
report("files_veth_ratio", iptux / coo, "of_iptux_to_iptux")
place.close()
