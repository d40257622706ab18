#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One file, cut at random points all the way through, both ends killed by SIGKILL in turn, over a link
slow enough to hit the points: whatever was written stays, each new attempt asks for 64 KiB of it again
and no more, and the hash is right. COO_TEST_CUTS (12) says how often, COO_TEST_MIB (16) how large the
file is; tests/long runs it with 200 and 256."""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

lab.enter(2)
CUTS, SIZE = int(os.environ.get("COO_TEST_CUTS", "12")), int(os.environ.get("COO_TEST_MIB", "16")) << 20
SEED = int(os.environ.get("COO_TEST_SEED", "1"))
step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
ENV1, ENV2 = ({"COO_STATE_DIR": place.dir(s)} for s in ("s1", "s2"))
path = files.write(source, "big.bin", SIZE)
wanted = files.sha256(path)
whole = os.path.join(target, "big.bin")
subprocess.run(["on", "h2", "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "200mbit",
                "burst", "64kb", "latency", "20ms"], check=True)


def part_size():
    for name in os.listdir(target):
        if name.endswith(".part"):
            return os.path.getsize(os.path.join(target, name))
    return 0


def begin():
    """Both ends; gives them and the offset that was asked for."""
    listener = lab.Coo("h1", "listen", "--json", "--accept", "all", "--save-dir", target, env=ENV1)
    sender = lab.Coo("h2", "send", "--json", "10.77.0.1", "-f", path, env=ENV2)
    return listener, sender, sender.expect(type="transfer", status="started")["resumed_from"]


def cut(point, victim):
    """Kills the victim when the part has reached the point, or has grown at all where it is behind
    it. Gives the bytes that went twice."""
    had = part_size()
    listener, sender, offset = begin()
    assert offset == max(0, had - 65536), (offset, had)
    end = time.monotonic() + lab.WAIT
    while (now := part_size()) < point or now <= had:
        assert time.monotonic() < end, (now, point)
        time.sleep(0.0005)
    (listener if victim else sender).kill()
    if not victim:
        listener.expect(type="transfer", status="failed")
    sender.kill()
    listener.kill()
    assert not os.path.exists(whole) and part_size() >= now
    return had - offset


with step(f"{CUTS} cuts of {SIZE >> 20} MiB (seed {SEED}), and the hash is right"):
    points = sorted(random.Random(SEED).sample(range(1, SIZE - (1 << 20)), CUTS))
    again = sum(cut(point, i % 2) for i, point in enumerate(points))
    had = part_size()
    listener, sender, offset = begin()
    done = listener.expect(type="transfer", status="done", wait=60)
    assert done["resumed_from"] == had and done["sha256"] == wanted == files.sha256(whole), done
    assert sender.process.wait(lab.WAIT) == 0
    listener.stop()
    again += had - offset
    print(f"    {CUTS} cuts, {again} bytes of {SIZE} went twice: {again * 100 / SIZE:.2f} %")
    assert again <= (SIZE + 19) // 20 if CUTS == 200 else again <= 65536 * (CUTS + 1), again
    assert os.listdir(target) == ["big.bin"], os.listdir(target)

place.close()
step.done()
