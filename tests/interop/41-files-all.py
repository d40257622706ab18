#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every kind of file with a real iptux at either end: empty and tiny ones, large ones, names with
blanks, colons, emoji and 255 bytes, five in one offer, a folder of 10,000 files and one 40 deep.
COO_TEST_LARGE=1 adds sparse files of 2 and 4 GiB and one byte. h1 listens, h2 is iptux, h3 sends."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import lab  # noqa: E402
import files  # noqa: E402

lab.enter(3, needs_iptux=True)
step = lab.Steps()
pair = files.WithIptux()
place, listen, iptux = pair.place, pair.listen, pair.iptux
source, target, downloads = pair.source, pair.target, pair.downloads


def contents(path):
    """Kinds and hashes; iptux keeps no times within folders."""
    return {k: v[:2] for k, v in files.tree(path).items()}


def is_same(name, folder, there=None):
    a, b = os.path.join(source, name), os.path.join(folder, there or name)
    assert os.path.isdir(a) or files.sha256(a) == files.sha256(b), name
    assert not os.path.isdir(a) or contents(a) == contents(b), name


def to_iptux(*names, wait=60):
    """coo on h3 offers these in one message, iptux fetches all."""
    args = [a for n in names for a in ("-f", os.path.join(source, n))]
    sender = lab.Coo("h3", "send", "--json", "--charset", "utf-8", "--offer-wait", "10m",
                     "10.77.0.2", *args, env=place.env)
    try:
        offers = [iptux.expect(event="offer") for _ in names]
        for offer in offers:
            iptux.tell(f"recv {offer['offer']}")
        for _ in names:
            iptux.expect(event="recv_finished", wait=wait)
        assert sender.process.wait(lab.WAIT) == 0
    finally:
        sender.kill()
    # iptux drops offers of names with a doubled colon
    for name in names:
        is_same(name, downloads, name.replace(":", ";"))


def to_coo(*names, wait=60):
    """iptux offers these, coo on h1 fetches all."""
    iptux.offer("10.77.0.1", *[os.path.join(source, n) for n in names])
    for _ in names:
        done = listen.expect(type="transfer", status=lambda s: s in ("done", "failed"), wait=wait)
        assert done["status"] == "done", done
    for name in names:
        is_same(name, target)
        # what iptux offers as time is that of the last change of the inode
        a, b = os.stat(os.path.join(source, name)), os.stat(os.path.join(target, name))
        assert os.path.isdir(os.path.join(source, name)) or int(a.st_ctime) == int(b.st_mtime), name


def both_ways(what, *names, wait=60):
    with step(f"coo to iptux: {what}"):
        to_iptux(*names, wait=wait)
    with step(f"iptux to coo: {what}"):
        to_coo(*names, wait=wait)


for size in (0, 3, 43, 300000, 5000000, 40000000):
    files.write(source, f"size-{size}", size)
    both_ways(f"{size} bytes", f"size-{size}")
for what, name in (("Chinese", "年终报告（终稿）.doc"), ("blanks", "a  b .txt"), ("a colon", "a:b"),
                   ("doubled colons", "a::::b::c"), ("emoji", "😀👨‍👩‍👧.png"),
                   ("255 bytes", "n" * 251 + ".txt")):
    files.write(source, name, 1000)
    both_ways(f"a name with {what}", name)
for i in range(5):
    files.write(source, f"five {i}", 100000 * i + i, seed=i)
both_ways("five files in one message", *[f"five {i}" for i in range(5)])
many = os.path.join(source, "many")
os.makedirs(os.path.join(many, "子目录", "empty"))
for i in range(10000):
    files.write(many, f"文件 {i}", i % 997, i)
both_ways("a folder of 10,000 files", "many")
bottom = os.path.join(source, "deep", *[f"level {i}" for i in range(39)])
os.makedirs(bottom)
files.write(bottom, "bottom", 5)
files.write(bottom, "with: colons::", 6)
both_ways("a folder that is 40 deep", "deep")
if os.environ.get("COO_TEST_LARGE"):
    for size in ((2 << 30) + 1, (4 << 30) + 1):
        files.write_sparse(source, f"sparse-{size}", size)
        both_ways(f"a sparse file of {size} bytes", f"sparse-{size}", wait=600)
        for folder in (target, downloads):
            os.remove(os.path.join(folder, f"sparse-{size}"))

place.close()
step.done()
