#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every kind of file between two hosts, bit by bit, with its name and time: empty and tiny ones,
names with blanks, colons, emoji and 255 bytes, five in one message, a folder of 10,000 and one 40
deep. COO_TEST_LARGE=1 adds sparse files of 2 and 4 GiB and one byte."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

lab.enter(2)
step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
listen = lab.Coo("h1", "listen", "--json", "--accept", "all", "--save-dir", target,
                 env={"COO_STATE_DIR": place.dir("s1")})


def send(*names, wait=100):
    """coo on h2 offers these in one message; gives when all are there and are what they were."""
    os.environ["COO_STATE_DIR"] = place.dir("s2")
    code, out, _ = lab.coo("h2", "send", "-q", "10.77.0.1",
                           *[a for n in names for a in ("-f", os.path.join(source, n))], wait=wait)
    assert code == 0, (code, out)
    for _ in names:
        done = listen.expect(type="transfer", status=lambda s: s in ("done", "failed"), wait=wait)
        assert done["status"] == "done", done
    for n in names:
        a, b = os.path.join(source, n), os.path.join(target, n)
        assert int(os.stat(a).st_mtime) == int(os.stat(b).st_mtime), n
        assert os.path.isdir(a) or files.sha256(a) == files.sha256(b), n
        assert not os.path.isdir(a) or files.tree(a) == files.tree(b), n


for size in (0, 3):
    with step(f"a file of {size} bytes"):
        files.write(source, f"size {size}", size)
        send(f"size {size}")

for what, name in (("Chinese", "年终报告（终稿）.doc"), ("blanks", " a  b .txt"), ("a colon", "a:b"),
                   ("doubled colons", "::a::::b::"), ("emoji", "😀👨‍👩‍👧.png"),
                   ("255 bytes", "n" * 251 + ".txt"), ("255 bytes of Chinese", "长" * 85)):
    with step(f"a name with {what}"):
        files.write(source, name, 1000)
        send(name)

with step("five files in one message"):
    for i in range(5):
        files.write(source, f"five {i}", 100000 * i + i, seed=i)
    send(*[f"five {i}" for i in range(5)])

with step("a folder of 10,000 files"):
    many = os.path.join(source, "many")
    os.makedirs(os.path.join(many, "子目录", "empty"))
    for i in range(10000):
        files.write(many, f"文件 {i}", i % 997, i)
    send("many")

with step("a folder that is 40 deep"):
    bottom = os.path.join(source, "deep", *[f"level {i}" for i in range(39)])
    os.makedirs(bottom)
    files.write(bottom, "bottom", 5)
    send("deep")

if os.environ.get("COO_TEST_LARGE"):
    for size in ((2 << 30) + 1, (4 << 30) + 1):
        with step(f"a sparse file of {size} bytes"):
            files.write_sparse(source, f"sparse-{size}", size)
            send(f"sparse-{size}", wait=600)
            os.remove(os.path.join(target, f"sparse-{size}"))

with step("and nothing else is there"):
    assert sorted(n for n in os.listdir(target) if n.endswith((".part", ".id"))) == []
    assert listen.stop() == 0

place.close()
step.done()
