#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coo share and coo fetch: a list, a file, a folder, and nothing else."""
import json
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

step = lab.Steps()
place = files.Place()
shared, target = place.dir("in/shared"), place.dir("out")
lesson = files.write(shared, "第一课.txt", 5000)
files.write(shared, ".hidden", 5)
secret = files.write(place.dir("in"), "secret", 5)
os.symlink("../secret", os.path.join(shared, "link"))
os.makedirs(os.path.join(shared, "tools"))
files.write(os.path.join(shared, "tools"), "tool", 100)
private = files.write(os.path.join(shared, "tools"), ".env", 5)
files.write(shared, " blank in front", 5)
for i in range(300):
    files.write(shared, f"exercise with a rather long name, number {i}.txt", i)

share = lab.Coo(None, "share", "--json", "-b", "127.0.0.1", "-p", "0", shared, env=place.env)
share.rewind()
at = f"127.0.0.1:{share.expect(type='start')['port']}"


def fetch(*args):
    return files.coo(place, "fetch", "-w", "3s", "-d", target, at, *args)


with step("the list has everything that is shared, in as many messages as it takes"):
    code, out, _ = fetch("--json")
    names = [e["name"] for e in map(json.loads, out.splitlines()) if e["type"] == "shared"]
    assert code == 0 and len(names) == 303 and len(set(names)) == 303, (code, len(names))
    assert "第一课.txt" in names and "tools" in names
    assert "link" not in names and ".hidden" not in names

with step("a file and a folder are fetched by name"):
    assert fetch("第一课.txt")[0] == 0
    assert files.sha256(os.path.join(target, "第一课.txt")) == files.sha256(lesson)
    assert fetch("tools")[0] == 0
    want = files.tree(os.path.join(shared, "tools"))
    del want[".env"]  # what is hidden stays at home
    assert files.tree(os.path.join(target, "tools")) == want, want
    assert fetch(" blank in front")[0] == 0 and os.path.exists(os.path.join(target, " blank in front"))
    assert fetch("")[0] == 2

with step("what is not in the folder is not had"):
    before = files.tree(target)
    for name in ("secret", "../secret", "link", ".hidden", "tools/tool", "..", "/etc/passwd",
                 "no such file"):
        code, _, err = fetch(name)
        assert code == 1 and "no such file" in err, (name, code, err)
    assert files.tree(target) == before

with step("a list that lost a part on the way is told so, and no offer of it is kept"):
    fake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fake.bind(("127.0.0.1", 0))
    fake.settimeout(10)
    asked = subprocess.Popen([lab.COO, "fetch", "-w", "3s", "127.0.0.1:%d" % fake.getsockname()[1]],
                             env={**os.environ, **place.env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _, peer = fake.recvfrom(4096)
    # what the same host offers beside the list is not released: it may be for somebody here
    fake.sendto(b"1:899:share:there:%d:for you\0000:beside:3:65000000:1:\a" % (0x20 | 0x200000), peer)
    for part in (1, 3):
        fake.sendto(b"1:%d:share:there:%d:list %d/3\0000:part-%d:3:65000000:1:\a" %
                    (900 + part, 0x20 | 0x200000 | 0x2000, part, part), peer)
    out, err = asked.communicate(timeout=20)
    assert asked.returncode == 3 and out == "beside\t3 B\npart-1\t3 B\npart-3\t3 B\n", (asked.returncode, out, err)
    assert "only 2 of 3 parts" in err, err
    released = set()
    while not released >= {b"901", b"903"}:
        fields = fake.recv(4096).split(b":", 5)
        if int(fields[4]) & 0xff == 0x61:
            released.add(fields[5].split(b"\0")[0])
    assert released == {b"901", b"903"}, released
    fake.close()

with step("5,000 names are listed whole, however often, and the files are still had by name"):
    crowd = place.dir("in/crowd")
    for i in range(5000):
        files.write(crowd, f"f{i:05}", 1)
    big = lab.Coo(None, "share", "--json", "-b", "127.0.0.1", "-p", "0", crowd, env=place.env)
    big.rewind()
    there = f"127.0.0.1:{big.expect(type='start')['port']}"
    for _ in range(15):
        code, out, err = files.coo(place, "fetch", there)
        assert code == 0 and sorted(line.split("\t")[0] for line in out.splitlines()) == \
            [f"f{i:05}" for i in range(5000)], (code, len(out.splitlines()), err)
    assert files.coo(place, "fetch", "-d", target, there, "f04321")[0] == 0
    for i in range(5000, 16400):
        files.write(crowd, f"f{i:05}", 1)
    code, out, err = files.coo(place, "fetch", there)
    assert code == 3 and out.count("\n") == 16384 and "more is shared" in err, (code, out.count("\n"), err)
    big.stop()

with step("nobody there, and wrong arguments"):
    code, _, err = files.coo(place, "fetch", "-w", "300ms", "127.0.0.1:9", "x")
    assert code == 1 and "coo share" in err, (code, err)
    assert files.coo(place, "fetch")[0] == 2
    assert files.coo(place, "share")[0] == 2
    assert files.coo(place, "share", "/nonexistent")[0] == 4

with step("Ctrl-C ends it"):
    assert share.stop() == 0

place.close()
step.done()
