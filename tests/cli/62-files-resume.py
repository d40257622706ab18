#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Both ends killed in the middle of a file at full speed, again and again: what was there is kept, the
hash is right at the end. COO_TEST_CUTS (8) says how often, COO_TEST_MIB (48) how large the file is. At
points that are hit, and many of them: tests/netns/56-files-cuts.py and tests/long."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

CUTS, SIZE = int(os.environ.get("COO_TEST_CUTS", "8")), int(os.environ.get("COO_TEST_MIB", "48")) << 20
SEED = int(os.environ.get("COO_TEST_SEED", "1"))
step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
path = files.write(source, "big.bin", SIZE)
whole = os.path.join(target, "big.bin")
wanted = files.sha256(path)
rng = random.Random(SEED)


def part_size():
    for name in os.listdir(target):
        if name.endswith(".part"):
            try:
                return os.path.getsize(os.path.join(target, name))
            except FileNotFoundError:
                return 0
    return 0


def attempt(cut_after, victim):
    """One transfer; the victim is killed when the part has grown by cut_after bytes, or not at all.
    Gives whether the file was complete before that."""
    had = part_size()
    listener = files.Listener(place, "--accept", "all", "--save-dir", target)
    sender = lab.Coo(None, "send", "--json", listener.target, "-f", path, env=place.env)
    if cut_after is None:
        done = listener.expect(type="transfer", status="done", name="big.bin", wait=100)
        assert done["sha256"] == wanted and done["resumed_from"] == had, (done, had)
        assert sender.process.wait(lab.WAIT) == 0
    else:
        end = time.monotonic() + lab.WAIT
        while part_size() <= had + cut_after and not os.path.exists(whole):
            assert time.monotonic() < end, "the transfer does not begin"
        (listener if victim == "listener" else sender).kill()
        if victim == "sender":
            listener.expect(type="transfer", status=lambda s: s in ("failed", "done"))
    sender.kill()
    listener.kill()
    return os.path.exists(whole)


with step(f"cut {CUTS} times (seed {SEED}), then finished"):
    cuts, again, passes = 0, 0, 1
    for i in range(2 * CUTS):
        if cuts == CUTS:
            break
        had = part_size()
        again += min(had, 65536)
        if attempt(rng.randrange(SIZE // 8), "listener" if i % 2 else "sender"):
            # faster than the knife: look at it, and begin anew
            assert files.sha256(whole) == wanted
            os.remove(whole)
            passes += 1
        else:
            cuts += 1
            assert part_size() > had, (part_size(), had)
    again += min(part_size(), 65536)
    attempt(None, None)
    assert files.sha256(whole) == wanted
    print(f"    {cuts} cuts, {again * 100 / (SIZE * passes):.2f} % of the bytes went twice")
    assert cuts == CUTS and again <= SIZE * passes // 20, (cuts, again)
    assert os.listdir(target) == ["big.bin"], os.listdir(target)

with step("a part of a file that has changed meanwhile is not continued"):
    os.remove(whole)
    assert not attempt(SIZE // 4, "listener")
    files.write(source, "big.bin", SIZE, seed=7)
    os.utime(path, (1783728000, 1783728000))  # the same name, size and time: only bytes differ
    wanted = files.sha256(path)
    listener = files.Listener(place, "--accept", "all", "--save-dir", target)
    assert files.coo(place, "send", listener.target, "-f", path)[0] in (0, 1)
    done = listener.expect(type="transfer", status="done", name="big.bin")
    assert done["sha256"] == wanted and done["resumed_from"] == 0, done
    listener.stop()

place.close()
step.done()
