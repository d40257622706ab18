#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One large file from iptux to iptux and from coo to coo, between two hosts of scripts/lab each and
in memory: "name value unit" lines. COO_BENCH_MIB (1024) is its size, COO_BENCH_RUNS (3) how often."""
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402

MIB, RUNS = int(os.environ.get("COO_BENCH_MIB", "1024")), int(os.environ.get("COO_BENCH_RUNS", "3"))
if not os.access(lab.IPTUXD, os.X_OK):
    print("files_iptux skipped: there is no iptux here")
    sys.exit(0)
lab.enter(4)
said, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")
folder = "/run/lab/bench"
os.makedirs(folder + "/out")
path = os.path.join(folder, "large")
block = os.urandom(1 << 20)
with open(path, "wb") as f:
    for _ in range(MIB):
        f.write(block)


def with_iptux():
    """Seconds from the request to the end as the receiver tells it."""
    for attempt in range(5):  # while their entries cross, iptux takes messages for old ones
        one.tell(f"file 10.77.0.2 {path}")
        try:
            offer = two.expect(wait=3, event="offer")["offer"]
            break
        except AssertionError:
            assert attempt < 4, "iptux does not see what iptux offers"
    begin = time.monotonic()
    two.tell(f"recv {offer}")
    two.expect(wait=120, event="recv_finished")
    took = time.monotonic() - begin
    got = "/run/lab/h2/iptux/downloads/large"
    assert os.path.getsize(got) == MIB << 20
    os.remove(got)
    return took


def with_coo():
    """Seconds of the whole coo send."""
    listen = lab.Coo("h4", "listen", "--json", "--accept", "all", "--save-dir", folder + "/out",
                     "--min-free", "0")
    begin = time.monotonic()
    code, _, err = lab.coo("h3", "send", "-q", "10.77.0.4", "-f", path)
    assert code == 0, (code, err)
    took = time.monotonic() - begin
    listen.expect(type="transfer", status="done")
    os.remove(folder + "/out/large")
    listen.kill()
    return took


one = lab.Iptux("h1", "one")
two = lab.Iptux("h2", "two")
one.expect(event="up", ip="10.77.0.2")
two.expect(event="up", ip="10.77.0.1")
iptux, coo = [], []
for _ in range(RUNS):
    iptux.append(with_iptux())
    coo.append(with_coo())
sys.stdout = said
print(f"files_iptux_iptux {MIB / min(iptux):.4g} MiB/s")
print(f"files_iptux_coo {MIB / min(coo):.4g} MiB/s")
print(f"files_iptux_ratio {min(iptux) / min(coo):.3g} of_iptux")
print(f"files_iptux_ratio_median {statistics.median(iptux) / statistics.median(coo):.3g} of_iptux")
