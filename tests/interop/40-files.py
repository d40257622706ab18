#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files and folders both ways with a real iptux. h1 listens, h2 is iptux, h3 sends."""
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


def offer(*paths, text=()):
    """coo on h3 offers to iptux, which fetches all; gives coo's exit code."""
    args = [a for p in paths for a in ("-f", p)]
    sender = lab.Coo("h3", "send", "--json", "--charset", "utf-8", "--offer-wait", "30s", "10.77.0.2",
                     *args, *text, env=place.env)
    for path in paths:
        name = os.path.basename(path)
        event = iptux.expect(event="offer", name=lambda n, w=name: n.endswith(w))
        iptux.tell(f"recv {event['offer']}")
    for _ in paths:
        iptux.expect(event="recv_finished")
    return sender.process.wait(lab.WAIT)


for size, name in ((0, "empty"), (43, "报告43"), (300000, "rand.bin"), (5000000, "五兆.dat")):
    with step(f"coo to iptux: {size} bytes, {name}"):
        path = files.write(source, name, size)
        code = offer(path)
        assert files.sha256(os.path.join(downloads, name)) == files.sha256(path)
        assert code == 0, code

with step("coo to iptux: two files in one offer, with a text"):
    paths = [files.write(source, "one", 100), files.write(source, "two", 2000)]
    assert offer(*paths, text=("-m", "两个文件")) == 0
    for path in paths:
        assert files.sha256(os.path.join(downloads, os.path.basename(path))) == files.sha256(path)


def contents(path):
    return {k: v[:2] for k, v in files.tree(path).items()}


folder = os.path.join(source, "目录")
os.makedirs(os.path.join(folder, "子目录", "空"))
files.write(folder, "top.txt", 4)
files.write(folder, "empty.dat", 0)
files.write(os.path.join(folder, "子目录"), "deep.txt", 100000)

with step("coo to iptux: a folder"):
    assert offer(folder) == 0
    assert contents(os.path.join(downloads, "目录")) == contents(folder)

for paths in (["empty"], ["报告43"], ["rand.bin"], ["五兆.dat"], ["one", "two"]):
    with step(f"iptux to coo: {' and '.join(paths)}"):
        iptux.tell("file 10.77.0.1 " + " ".join(os.path.join(source, p) for p in paths))
        iptux.expect(event="ok")
        for _ in paths:
            done = listen.expect(type="transfer", status=lambda s: s in ("done", "failed"))
            assert done["status"] == "done", done
        for p in paths:
            assert files.sha256(os.path.join(target, p)) == \
                files.sha256(os.path.join(source, p)), p

with step("iptux to coo: a folder"):
    iptux.tell("file 10.77.0.1 " + folder)
    done = listen.expect(type="transfer", status=lambda s: s in ("done", "failed"))
    assert done["status"] == "done" and done["files"] == 3, done
    assert contents(os.path.join(target, "目录")) == contents(folder)

with step("iptux is killed in the middle: coo survives and says so"):
    big = os.path.join(source, "big")
    with open(big, "wb") as f:
        f.truncate(2 << 30)
    iptux.tell("file 10.77.0.1 " + big)
    listen.expect(type="transfer", status="started", name="big")
    listen.expect(type="transfer", status="progress", name="big")
    iptux.kill()
    end = listen.expect(type="transfer", status=lambda s: s in ("done", "failed"), name="big")
    assert end["status"] == "failed" and end["bytes"] > 0, end
    assert listen.stop() == 0

place.close()
step.done()
