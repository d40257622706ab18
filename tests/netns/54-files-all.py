#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every size, every form of name, five files in one message, 10,000 files in a folder and one 40 deep
between two hosts: bit by bit, with names and times. Files of 2 and 4 GiB: tests/long."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

lab.enter(2)
step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
SENDER = {"COO_STATE_DIR": place.dir("s2")}
listen = lab.Coo("h1", "listen", "--json", "--accept", "all", "--save-dir", target,
                 env={"COO_STATE_DIR": place.dir("s1")})


def send(*paths):
    """coo on h2 offers all of them in one message; gives what it says of each."""
    os.environ.update(SENDER)
    code, out, _ = lab.coo("h2", "send", "--json", "10.77.0.1",
                           *[a for p in paths for a in ("-f", p)], wait=110)
    assert code == 0, code
    said = [json.loads(x) for x in out.splitlines()]
    return [e for e in said if e["type"] == "transfer" and e["status"] == "done"]


def assert_same(*names):
    for name in names:
        a, b = os.path.join(source, name), os.path.join(target, name)
        if os.path.isdir(a):
            files.assert_same_tree(a, b)
        else:
            assert files.sha256(a) == files.sha256(b), name
        assert int(os.stat(a).st_mtime) == int(os.stat(b).st_mtime), name


with step("files of 0 and 3 bytes, and one of 20 MB"):
    sizes = {"empty": 0, "three": 3, "twenty": 20000000}
    for i, (name, size) in enumerate(sizes.items()):
        done = send(files.write(source, name, size, i))
        assert [(e["name"], e["bytes"]) for e in done] == [(name, size)], done
        got = listen.expect(type="transfer", status="done", name=name)
        assert got["bytes"] == size and got["sha256"] == files.sha256(
            os.path.join(source, name)), got
    assert_same(*sizes)

with step("names: Chinese, blanks, ':', '::', emoji, 255 bytes in ASCII and in Chinese"):
    names = ["报告：第三季度.doc", " a b  c.txt", "a:b", "a::b", ":", "::", "x:", "emoji 😀👩‍👩‍👧.png",
             "n" * 251 + ".txt", "汉" * 85, "é́", "-rf", "~", "%s%n", "a\\b".replace("\\", "＼"),
             "two\u3000blanks", "quote'\"`$"]
    for i, name in enumerate(names):
        send(files.write(source, name, 50 + i, i))
    assert_same(*names)

with step("five files in one message"):
    five = [f"第{i}个 of five.bin" for i in range(5)]
    message = listen.at
    done = send(*[files.write(source, name, 1000 * i + i, 60 + i) for i, name in enumerate(five)])
    assert sorted(e["file_id"] for e in done) == [0, 1, 2, 3, 4], done
    assert len(listen.seen(type="message", files=lambda f: f and len(f) == 5)) == 1
    assert_same(*five)

with step("a folder of 10,000 files"):
    many = os.path.join(source, "一万")
    for i in range(100):
        folder = os.path.join(many, f"目录 {i}")
        os.makedirs(folder)
        for k in range(100):
            path = os.path.join(folder, f"文件 {k}::.txt")
            with open(path, "wb") as f:
                f.write(b"%d of %d\n" % (k, i) * (k % 30))
            os.utime(path, (1600000000, 1600000000 + 100 * i + k))
        os.utime(folder, (1600000000, 1500000000 + i))
    os.utime(many, (1600000000, 1400000000))
    done = send(many)
    assert done[0]["files"] == 10000, done
    assert_same("一万")

with step("a folder 40 deep, with files and empty folders on its way"):
    at = os.path.join(source, "deep")
    for i in range(40):
        os.makedirs(os.path.join(at, "empty"))
        files.write(at, f"file {i}", i * 1000, i)
        at = os.path.join(at, f"第 {i} 层")
    os.makedirs(at)
    files.write(at, "bottom", 7)
    send(os.path.join(source, "deep"))
    assert_same("deep")

assert listen.stop() == 0
place.close()
step.done()
