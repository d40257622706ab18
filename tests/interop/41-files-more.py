#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""More files both ways with a real iptux: three bytes, tens of megabytes, five in one message, names of
every form, a folder of 10,000 files and one 40 deep. h1 listens, h2 is iptux, h3 sends. Files of 2 and
4 GiB: COO_TEST_LARGE=1, as tests/long has it."""
import datetime
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

lab.enter(3, needs_iptux=True)
step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
downloads = "/run/lab/h2/iptux/downloads"
shim = os.path.join(place.path, "fixmkdir.so")
subprocess.run(["c++", "-shared", "-fPIC", "-O1", "-o", shim,
                os.path.join(lab.ROOT, "tests/interop/fixmkdir.cpp")], check=True)
os.makedirs(downloads)
if os.environ.get("COO_TEST_LARGE"):  # the lab's /run is memory
    subprocess.run(["mount", "--bind", place.dir("downloads"), downloads], check=True)

listen = lab.Coo("h1", "listen", "--json", "--charset", "utf-8", "--accept", "all", "--save-dir",
                 target, env=place.env)
os.environ["LD_PRELOAD"] = shim
iptux = lab.Iptux("h2", "阿B")
del os.environ["LD_PRELOAD"]
iptux.expect(event="up", ip="10.77.0.1")
listen.expect(type="peer_up", peer__client="iptux")


def to_iptux(*names, wait=60):
    """coo offers them, iptux fetches all; what arrived is the same."""
    sender = lab.Coo("h3", "send", "--json", "--charset", "utf-8", "--offer-wait", "300s",
                     "10.77.0.2", *[a for n in names for a in ("-f", os.path.join(source, n))],
                     env=place.env)
    try:
        for _ in names:
            event = iptux.expect(event="offer")
            assert os.path.basename(event["name"]) in names, event
            iptux.tell(f"recv {event['offer']}")
        for _ in names:
            iptux.expect(event="recv_finished", wait=wait)
        assert sender.process.wait(wait) == 0
    finally:
        sender.kill()  # or it would keep the port from the next
    for name in names:
        assert_same(os.path.join(source, name), os.path.join(downloads, name))


def from_iptux(*names, wait=60):
    """iptux offers them, coo fetches all; the same, with the times that iptux told."""
    iptux.tell("file 10.77.0.1 " + "".join(os.path.join(source, n) + "\t" for n in names))
    message = listen.expect(type="message", files=lambda f: bool(f))
    assert sorted(f["name"] for f in message["files"]) == sorted(names), message["files"]
    got = {}
    for _ in names:
        done = listen.expect(type="transfer", wait=wait,
                             status=lambda s: s in ("done", "failed"))
        assert done["status"] == "done", done
        got[done["name"]] = done
    for f in message["files"]:
        path = got[f["name"]]["path"]
        assert_same(os.path.join(source, f["name"]), path)
        told = datetime.datetime.fromisoformat(f["mtime"]).timestamp()
        assert os.path.isdir(path) or int(os.stat(path).st_mtime) == told, (f, os.stat(path))


def assert_same(a, b):
    if os.path.isdir(a):
        a, b = ({k: v[:2] for k, v in files.tree(x).items()} for x in (a, b))
        differ = [(k, a.get(k), b.get(k)) for k in sorted({*a, *b}) if a.get(k) != b.get(k)]
        assert not differ, (len(differ), differ[:3])
    else:
        assert files.sha256(a) == files.sha256(b), a


def both(name, *names, wait=60):
    with step(f"coo to iptux: {name}"):
        to_iptux(*names, wait=wait)
    with step(f"iptux to coo: {name}"):
        from_iptux(*names, wait=wait)


files.write(source, "three", 3)
both("3 bytes", "three")
files.write(source, "四十兆", 40000000)
both("40 MB", "四十兆")
five = [f"第{i}个.bin" for i in range(5)]
for i, n in enumerate(five):
    files.write(source, n, 1000 * i + 1)
both("five in one message", *five)
NAMES = ["two words.txt", "emoji 😀.png", "n" * 251 + ".txt", "汉" * 85]
for i, n in enumerate(NAMES):
    files.write(source, n, 100 + i)
    both(f"the name {n[:20]!r}", n)

for n in ("a:b", "a::b", "x:"):
    files.write(source, n, 50)
    with step(f"iptux to coo: the name {n!r}"):
        from_iptux(n)

with step("coo to iptux: a name with a colon is not listed by iptux, whose parser knows no '::'"):
    sender = lab.Coo("h3", "send", "--json", "--charset", "utf-8", "10.77.0.2", "-m", "with a colon",
                     "-f", os.path.join(source, "a:b"), env=place.env)
    iptux.expect(event="message", text="with a colon")
    sender.kill()
    os.remove(os.path.join(downloads, "three"))
    to_iptux("three")

deep = os.path.join(source, "深")
at = deep
for i in range(40):
    os.makedirs(at)
    files.write(at, f"文件 {i}", i * 100)
    at = os.path.join(at, f"层 {i}")
both("a folder 40 deep", "深")

many = os.path.join(source, "一万")
for i in range(100):
    os.makedirs(os.path.join(many, f"目录 {i}"))
    for k in range(100):
        with open(os.path.join(many, f"目录 {i}", f"{k}: 文件"), "wb") as f:
            f.write(b"%d of %d\n" % (k, i) * (k % 30))
both("a folder of 10,000 files", "一万")

if os.environ.get("COO_TEST_LARGE"):
    for size in ((2 << 30) + 1, (4 << 30) + 1):
        name = f"size-{size}"
        with open(os.path.join(source, name), "wb") as f:
            f.seek(size - 1)
            f.write(b"x")
        both(f"{size} bytes", name, wait=300)
        for folder in (source, target, downloads):
            os.remove(os.path.join(folder, name))

assert listen.stop() == 0
place.close()
step.done()
