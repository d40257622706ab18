#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A disk that is really full: it is said, what came is kept, the listener goes on, and the file is
taken up again when there is room."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

lab.enter(2)
step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("small")
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", target], check=True)
path = files.write(source, "五兆.bin", 5000000)
folder = os.path.join(source, "folder")
os.makedirs(folder)
for i in range(50):
    files.write(folder, f"f{i}", 100000)
listen = lab.Coo("h1", "listen", "--json", "--accept", "all", "--save-dir", target, "--min-free", "0",
                 env={"COO_STATE_DIR": place.dir("s1")})
other = {"COO_STATE_DIR": place.dir("s2")}


def send(what, *args):
    os.environ.update(other)
    return lab.coo("h2", "send", "-q", "10.77.0.1", "-f", what, "--offer-wait", "3s", *args)[0]


def end():
    return listen.expect(type="transfer", status=lambda s: s in ("done", "failed", "refused"))


with step("a file that is larger than the room there is, is not begun"):
    assert send(path) == 1
    refused = end()
    assert refused["status"] in ("refused", "failed") and "room" in refused["error"], refused
    assert os.listdir(target) == [], os.listdir(target)

with step("a folder, whose size nobody knows before, fills the disk: said, and nothing half is left "
          "under its name"):
    assert send(folder) == 1
    failed = end()
    assert failed["status"] == "failed" and "No space left" in failed["error"], failed
    assert not os.path.exists(os.path.join(target, "folder")), os.listdir(target)
    subprocess.run(["rm", "-rf", *[os.path.join(target, n) for n in os.listdir(target)]], check=True)

with step("three files that fit one by one, but not together: what came of them is kept, and they are "
          "finished when there is room"):
    subprocess.run(["mount", "-o", "remount,size=20m", target], check=True)
    names = [f"big {i}" for i in range(3)]
    for n in names:
        files.write(source, n, 12000000)
    assert send(*[a for n in names for a in (os.path.join(source, n), "-f")][:-1]) in (1, 3)
    ends = [end() for _ in names]
    full = [e["name"] for e in ends if e["status"] == "failed"]
    assert len(full) >= 2 and all("No space left" in e["error"] for e in ends if e["error"]), ends
    kept = {n: os.path.getsize(os.path.join(target, n)) for n in os.listdir(target)
            if n.endswith(".part")}
    assert len(kept) == len(full) and all(kept.values()), kept
    subprocess.run(["mount", "-o", "remount,size=60m", target], check=True)
    for n in full:
        assert send(os.path.join(source, n)) == 0
        done = end()
        assert done["status"] == "done" and done["resumed_from"] > 0, done
    for n in names:
        assert files.sha256(os.path.join(target, n)) == files.sha256(os.path.join(source, n)), n

with step("the listener is still there"):
    code, _, _ = lab.coo("h2", "send", "10.77.0.1", "still there?")
    assert code == 0, code
    assert listen.stop() == 0

subprocess.run(["umount", "-l", target], check=False)
place.close()
step.done()
